"""Overlays with panels beside them: sizes, places, and which picture they belong to."""

import numpy as np
import pytest

from stitched.visualization.panels import beside, draw_people, overlay_with_panel
from tests.stitched.visualization.people import SIZE, person
from utils.errors import UserError
from utils.pose_file import concatenate, empty_row
from utils.pose_panels import BACKGROUND
from utils.skeletons import SIDE_COLOURS


def grey(width: int, height: int) -> np.ndarray:
    return np.full((height, width, 3), 100, np.uint8)


@pytest.mark.parametrize(
    ("size", "height"), [((640, 480), 480), ((160, 120), 320), ((1080, 1920), 720)]
)
def test_the_picture_keeps_its_shape_and_the_panel_is_square(size, height):
    image = grey(*size)
    before = image.copy()
    drawn = overlay_with_panel(image, person("a.jpg", size=size))
    width = round(size[0] * height / size[1])
    assert drawn.shape == (height, width + 2 + height, 3) and drawn.dtype == np.uint8
    assert (drawn[:, width : width + 2] == BACKGROUND).all()
    for part in (drawn[:, :width], drawn[:, width:]):
        for side in ("left", "right"):
            assert (part == SIDE_COLOURS[side]).all(axis=-1).any()
    np.testing.assert_array_equal(image, before)


def test_a_very_flat_picture_does_not_grow_without_end():
    poses = person("a.jpg", size=(1200, 1))
    drawn = overlay_with_panel(grey(1200, 1), poses)
    assert drawn.shape == (320, 8192 + 2 + 320, 3)
    bare = draw_people(grey(1200, 1), empty_row("a.jpg", (1200, 1), "mpii_16"), 320)
    assert (bare[:7] == 100).all() and (bare[7:] == BACKGROUND).all()


def test_joints_move_with_the_size_of_the_picture():
    poses = person("a.jpg")
    poses.keypoints_2d[:] = np.nan
    poses.confidence[:] = 0
    poses.keypoints_2d[0, 0], poses.confidence[0, 0] = (40, 30), 1
    drawn = draw_people(grey(*SIZE), poses, 4 * SIZE[1])
    rows, columns = np.nonzero((drawn != 100).any(axis=-1))
    assert (columns.mean(), rows.mean()) == pytest.approx((40.5 * 4 - 0.5, 30.5 * 4 - 0.5), abs=0.6)


def test_unsure_joints_and_nobody_leave_the_picture_as_it_is():
    poses = person("a.jpg")
    poses.confidence[:] = 0.1
    for rows in (poses, empty_row("a.jpg", SIZE, "mpii_16")):
        assert (draw_people(grey(*SIZE), rows, SIZE[1]) == 100).all()
    assert overlay_with_panel(grey(*SIZE), empty_row("a.jpg", SIZE, "mpii_16")).shape[0] == 320


def test_all_people_are_drawn():
    one = person("a.jpg", place=(-1000, 0, 5000))
    both = concatenate([one, person("a.jpg", number=1, place=(1000, 0, 5000))])
    half = SIZE[0] // 2
    alone, together = (draw_people(grey(*SIZE), poses, SIZE[1]) != 100 for poses in (one, both))
    assert alone[:, :half].any() and not alone[:, half:].any()
    assert together[:, :half].any() and together[:, half:].any()


def test_a_picture_of_another_size_is_refused():
    with pytest.raises(UserError, match=r"is 80 x 60 px, the poses are of a\.jpg, which has 160"):
        overlay_with_panel(grey(80, 60), person("a.jpg"))


def test_parts_in_a_row():
    drawn = beside(grey(5, 4), [np.zeros((4, 4, 3), np.uint8)] * 2)
    assert drawn.shape == (4, 5 + 2 + 4 + 2 + 4, 3)
    assert (drawn[:, :5] == 100).all() and (drawn[:, 7:11] == 0).all()
