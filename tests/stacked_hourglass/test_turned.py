"""Pictures that a viewer turns: annotations and pixels agree, whichever were annotated."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from stacked_hourglass.custom import read_custom
from stacked_hourglass.evaluation_options import Overlay2dOptions
from stacked_hourglass.inference import run
from stacked_hourglass.model import StackedHourglass
from stacked_hourglass.options import CustomOptions, HourglassRunOptions
from stacked_hourglass.person_table import PersonTable
from stacked_hourglass.visualization import overlay_2d
from tests.stacked_hourglass.test_predictor import SMALL, small_network
from utils.images import read_image
from utils.weights import save_weights

WIDTH, HEIGHT, SPOT = 60, 40, (44, 9)


def write_turned(folder: Path, orientation: int, place: tuple[int, int], **size: int) -> Path:
    """A JPEG stored as 60 x 40 px with a bright spot at (44, 9), in which that is annotated at
    `place`, and the picture's size as `size`."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[SPOT[1] - 1 : SPOT[1] + 2, SPOT[0] - 1 : SPOT[0] + 2] = 255
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    path = folder / "images/a.jpg"
    Image.fromarray(image).save(path, quality=95, exif=exif)
    x, y = place
    person = {"id": 1, "image_id": 1, "category_id": 1, "keypoints": [x, y, 2]}
    content = {
        "images": [{"id": 1, "file_name": "a.jpg"} | size],
        "annotations": [person | {"bbox": [x - 4.5, y - 4.5, 10, 10]}],
        "categories": [{"id": 1, "name": "spot", "keypoints": ["middle"]}],
    }
    (folder / "annotations.json").write_text(json.dumps(content))
    return path


def brightest(image: np.ndarray) -> list[float]:
    """x and y of the middle of the bright spot, px."""
    return np.argwhere(image[..., 0] > 200).mean(axis=0)[::-1].tolist()


def agrees(table: PersonTable, path: Path) -> None:
    """The table's pixels are those that a viewer shows, and joint and box lie on the spot."""
    shown, picture = read_image(path), table.read_picture(0)
    assert picture.image.shape == shown.shape
    assert np.abs(picture.image.astype(int) - shown).max() < 20
    np.testing.assert_allclose(table.keypoints[0, 0], brightest(shown), atol=0.1)
    np.testing.assert_allclose(table.box[0], [*brightest(shown), 12.5], atol=0.1)


@pytest.mark.parametrize("tells_size", [False, True])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_annotations_of_the_picture_as_shown(
    tmp_path: Path, orientation: int, tells_size: bool
) -> None:
    shown = read_image(write_turned(tmp_path, orientation, SPOT))
    x, y = map(round, brightest(shown))
    size = {"width": shown.shape[1], "height": shown.shape[0]} if tells_size else {}
    path = write_turned(tmp_path, orientation, (x, y), **size)
    agrees(read_custom(tmp_path, CustomOptions()), path)


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_annotations_of_the_picture_as_stored_are_turned(tmp_path: Path, orientation: int) -> None:
    path = write_turned(tmp_path, orientation, SPOT, width=WIDTH, height=HEIGHT)
    agrees(read_custom(tmp_path, CustomOptions()), path)


def test_poses_of_turned_pictures_can_be_drawn_on_them(tmp_path: Path) -> None:
    write_turned(tmp_path / "data", 6, SPOT, width=WIDTH, height=HEIGHT)
    weights = tmp_path / "net.safetensors"
    model: StackedHourglass = small_network()
    save_weights(weights, model.state_dict(), SMALL.as_metadata())
    found = HourglassRunOptions("custom", str(weights), str(tmp_path / "data"), str(tmp_path))
    assert run(found) == 0
    drawn = Overlay2dOptions(tmp_path / "data", tmp_path / "poses.npz", tmp_path / "drawn")
    assert overlay_2d(drawn) == 0
    assert read_image(tmp_path / "drawn/images/a.jpg").shape == (WIDTH, HEIGHT, 3)
