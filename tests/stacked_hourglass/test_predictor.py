from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from stacked_hourglass.architecture import Architecture
from stacked_hourglass.description import Description, description_from_metadata
from stacked_hourglass.joints import known_joints
from stacked_hourglass.model import StackedHourglass
from stacked_hourglass.predictor import Predictor, load_model
from utils.errors import UserError
from utils.skeletons import MPII_16
from utils.weights import save_weights

SMALL = Description(
    Architecture(stacks=1, features=16),
    resolution=64,
    heatmap_loss="cross_entropy",
    decoder="dark",
    mean=(0.4, 0.5, 0.6),
    std=(0.2, 0.25, 0.3),
    calibration=(0.8, -0.1),
)


def small_network() -> StackedHourglass:
    torch.manual_seed(0)
    return StackedHourglass(SMALL.architecture)


class Beacon(torch.nn.Module):
    """Stands in for a trained network: the score of every joint is how red the picture is there."""

    def forward(
        self, images: torch.Tensor, visibility: bool, frames: int
    ) -> tuple[torch.Tensor, None]:
        red = torch.nn.functional.avg_pool2d(images[:, :1] - images[:, 2:], 4)
        return 20 * red.expand(-1, 16, -1, -1)[None], None


def beacon_predictor() -> Predictor:
    predictor = Predictor(small_network(), SMALL, "cpu", "32-true")
    predictor.model = Beacon()  # pyright: ignore[reportAttributeAccessIssue]
    return predictor


def picture_with_red_square(x: int, y: int) -> np.ndarray:
    image = np.zeros((120, 200, 3), np.uint8)
    image[y - 3 : y + 4, x - 3 : x + 4, 0] = 255
    return image


@pytest.mark.parametrize("flip", [False, True])
def test_joints_come_back_in_picture_pixels(flip: bool) -> None:
    places = [(40, 30), (150, 90)]
    images = [picture_with_red_square(x, y) for x, y in places]
    boxes = np.array([[99.5, 59.5, 200], [140, 80, 80]])
    keypoints, confidence, _ = beacon_predictor()(images, boxes, flip)
    assert keypoints.shape == (2, 16, 2) and keypoints.dtype == np.float32
    assert confidence.shape == (2, 16)
    error = np.linalg.norm(keypoints - np.array(places)[:, None], axis=-1)
    assert (error < 0.35 * 4 * boxes[:, 2:] / 64).all()  # a third of a heatmap pixel
    assert ((confidence >= 0) & (confidence <= 1)).all()


def test_flip_swaps_the_sides_of_the_mirrored_maps() -> None:
    predictor = Predictor(small_network(), SMALL, "cpu", "32-true")
    crops = torch.randint(0, 255, (2, 3, 64, 64), dtype=torch.uint8)
    maps = predictor.maps_and_visibility(crops)[0]
    mirrored = predictor.maps_and_visibility(crops.flip(-1))[0]
    torch.testing.assert_close(mirrored.flip(-1)[:, predictor.flip_order], maps)


def test_no_picture_no_pose() -> None:
    keypoints, confidence, _ = beacon_predictor()([], np.zeros((0, 3)))
    assert keypoints.shape == (0, 16, 2) and confidence.shape == (0, 16)


def test_the_description_travels_with_the_weights(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    model = small_network()
    own = replace(SMALL, untrained=("head_top",))
    save_weights(path, model.state_dict(), own.as_metadata())
    loaded, description = load_model(str(path))
    assert description == own
    for name, value in loaded.state_dict().items():
        torch.testing.assert_close(value, model.state_dict()[name])


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_weights(path, {"w": torch.zeros(2)}, {"kind": "lifter"})
    with pytest.raises(UserError, match="holds a lifter"):
        load_model(str(path))
    metadata = SMALL.as_metadata()
    metadata["architecture"] = {"stacks": 2}
    save_weights(path, small_network().state_dict(), metadata)
    with pytest.raises(UserError, match="does not fit this model"):
        load_model(str(path))


def test_joints_that_it_was_not_trained_to_find_are_missing() -> None:
    predictor = beacon_predictor()
    images, boxes = [picture_with_red_square(40, 30)], np.array([[99.5, 59.5, 200]])
    everything = predictor(images, boxes)
    predictor.description = replace(SMALL, untrained=("head_top", "pelvis"))
    found = predictor(images, boxes)
    missing = np.isin(MPII_16.joints, ("head_top", "pelvis"))
    assert np.isnan(found.keypoints[:, missing]).all()
    assert (found.confidence[:, missing] == 0).all()
    np.testing.assert_array_equal(found.keypoints[:, ~missing], everything.keypoints[:, ~missing])
    np.testing.assert_array_equal(found.confidence[:, ~missing], everything.confidence[:, ~missing])
    seen = torch.full((1, 16), 0.9)
    told = known_joints(everything.keypoints, seen, seen, predictor.description).visibility
    assert told is not None
    np.testing.assert_array_equal(np.isnan(told[0]), missing)


@pytest.mark.parametrize(
    "damage",
    [
        {"resolution": 100},
        {"decoder": "magic"},
        {"architecture": {"stacks": 0}},
        {"mean": None},
        {"untrained": ["tail"]},
        {"untrained": 5},
    ],
)
def test_a_damaged_description_is_one_clear_error(damage: dict) -> None:
    with pytest.raises(UserError):
        description_from_metadata(SMALL.as_metadata() | damage, "net.safetensors")
