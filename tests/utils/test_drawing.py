"""What a drawing must show, what it must leave alone, and that no place crashes it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utils.drawing import contact_sheet, draw_box, draw_label, draw_pose, side_by_side
from utils.skeletons import LSP_14, MPII_16, SIDE_COLOURS, SKELETONS

GREY = 120


def picture(height: int = 240, width: int = 320) -> np.ndarray:
    return np.full((height, width, 3), GREY, np.uint8)


def standing(scale: float = 1.0) -> np.ndarray:
    """MPII-16 keypoints of someone who faces us with spread arms, 200 px tall times `scale`."""
    places = {
        "ankle": (30, 210), "knee": (25, 160), "hip": (18, 115), "shoulder": (28, 60),
        "elbow": (60, 60), "wrist": (95, 60),
        "pelvis": (0, 115), "thorax": (0, 60), "upper_neck": (0, 50), "head_top": (0, 15),
    }  # fmt: skip
    points = []
    for joint, side in zip(MPII_16.joints, MPII_16.sides, strict=True):
        x, y = places[joint.removeprefix("left_").removeprefix("right_")]
        points.append((160 + {"left": x, "right": -x, "middle": 0}[side], y))
    return np.array(points, float) * scale


def changed(image: np.ndarray) -> np.ndarray:
    return (image != GREY).any(axis=-1)


def test_bones_have_the_colours_of_their_sides() -> None:
    image = picture()
    drawn = draw_pose(image, standing(), None, MPII_16)
    assert drawn.dtype == np.uint8 and drawn.shape == image.shape
    assert (image == GREY).all(), "the input is not painted on"
    # Middles of the forearms and of the trunk.
    assert tuple(drawn[60, 160 + 77]) == SIDE_COLOURS["left"]
    assert tuple(drawn[60, 160 - 77]) == SIDE_COLOURS["right"]
    assert tuple(drawn[88, 160]) == SIDE_COLOURS["middle"]
    # A dark outline beside the bone, smooth edges, and an untouched background.
    below = drawn[60:70, 160 + 77].astype(int).sum(axis=-1)
    assert below.min() < 180
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) > 10
    assert not changed(drawn)[:10].any() and not changed(drawn)[:, :50].any()


def test_missing_and_doubtful_joints_are_left_out() -> None:
    points, sure = standing(), np.ones(16)
    points[MPII_16.index("left_wrist")] = np.nan
    sure[MPII_16.index("right_wrist")] = 0.1
    drawn = changed(draw_pose(picture(), points, sure, MPII_16, min_confidence=0.2))
    assert drawn[60, 160 + 40] and drawn[60, 160 - 40]
    assert not drawn[:, 240:].any() and not drawn[:, :80].any()
    nobody = draw_pose(picture(), np.full((16, 2), np.nan), np.zeros(16), MPII_16)
    assert not changed(nobody).any()
    sure[:] = np.nan
    assert not changed(draw_pose(picture(), standing(), sure, MPII_16)).any()


def test_the_less_sure_the_fainter() -> None:
    seen = []
    for level in (0.0, 0.2, 0.4, 1.0):
        drawn = draw_pose(picture(), standing(), np.full(16, level), MPII_16)
        seen.append(int(np.abs(drawn[60, 160 + 77].astype(int) - GREY).sum()))
    assert 0 < seen[0] < seen[1] < seen[2] < seen[3]


def test_lines_grow_with_the_person() -> None:
    big = draw_pose(picture(960, 1280), standing(4), None, MPII_16)
    small = draw_pose(picture(960, 1280), standing(1), None, MPII_16)
    # Across the upper trunk, away from joints.
    assert changed(big)[352, 500:780].sum() > 2 * changed(small)[88, 100:220].sum()


def test_mirrored_person_is_drawn_mirrored() -> None:
    points = standing()
    points[:, 0] += np.arange(16) * 1.5
    mirrored = points[list(MPII_16.flip_order)] * (-1, 1) + (319, 0)
    left = draw_pose(picture(), points, None, MPII_16)[:, ::-1].astype(int)
    right = draw_pose(picture(), mirrored, None, MPII_16).astype(int)
    assert (changed(left) == changed(right)).mean() > 0.99


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS.keys())
def test_every_skeleton_can_be_drawn(skeleton) -> None:
    points = np.random.default_rng(0).uniform(20, 200, (len(skeleton), 2))
    drawn = changed(draw_pose(picture(), points, None, skeleton))
    for a, b in skeleton.bones:
        x, y = np.rint((points[a] + points[b]) / 2).astype(int)
        assert drawn[y, x]


def test_only_what_crosses_the_picture_is_painted() -> None:
    points = np.full((14, 2), np.nan)
    hip, knee = LSP_14.indices("left_hip", "left_knee")
    points[hip], points[knee] = (-1e5, 50), (1e5, 50)
    drawn = changed(draw_pose(picture(), points, None, LSP_14))
    assert drawn[50].all() and not drawn[100:].any()
    points[hip], points[knee] = (-1e5, -50), (1e5, -50)
    assert not changed(draw_pose(picture(), points, None, LSP_14)).any()
    # A slanted line keeps its direction although only its middle is drawn.
    points[hip], points[knee] = (-30000, -30000), (30160, 30120 + 60)
    drawn = changed(draw_pose(picture(), points, None, LSP_14))
    where = np.argwhere(drawn).mean(axis=0)
    slope = (30180 + 30000) / (30160 + 30000)
    assert abs(where[0] - (-30000 + slope * (where[1] + 30000))) < 2


WILD = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([1e300, -1e300, 2.0**31, -(2.0**31), 2.0**27, 0.0, 5.0]),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(WILD, min_size=28, max_size=28),
    st.integers(1, 40),
    st.integers(1, 40),
    st.lists(WILD, min_size=3, max_size=3),
)
def test_wild_places_neither_crash_nor_hang(values, width, height, box) -> None:
    image = picture(height, width)
    drawn = draw_pose(image, np.array(values).reshape(14, 2), None, LSP_14)
    drawn = draw_label(draw_box(drawn, np.array(box)), "x", (box[0], box[1]))
    assert drawn.shape == image.shape and drawn.dtype == np.uint8


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"lsp_14 keypoints are \(14, 2\), not \(16, 2\)"):
        draw_pose(picture(), standing(), None, LSP_14)
    with pytest.raises(ValueError, match=r"confidence is \(16,\)"):
        draw_pose(picture(), standing(), np.ones(14), MPII_16)


def test_box_is_a_square_around_its_centre() -> None:
    drawn = draw_box(picture(), np.array([160.0, 120.0, 101.0]), (255, 0, 0))
    red = (drawn == (255, 0, 0)).all(axis=-1)
    rows, columns = np.nonzero(red)
    assert abs(rows.mean() - 120) < 1 and abs(columns.mean() - 160) < 1
    assert 99 <= np.ptp(rows) <= 104 and 99 <= np.ptp(columns) <= 104
    assert not red[100:140, 140:180].any()
    assert not changed(draw_box(picture(), np.full(3, np.nan))).any()


def test_label_is_light_on_dark_and_stays_small() -> None:
    drawn = draw_label(picture(), "Frame 12: é", (10, 20), height=20)
    rows, columns = np.nonzero(changed(drawn))
    assert rows.min() == 20 and columns.min() == 10 and 20 <= np.ptp(rows) < 50
    assert drawn.max() > 240 and (drawn[20:24, 12] < 60).all()
    assert changed(draw_label(picture(), "long " * 50)).any()
    for place in [(-500.0, 20.0), (20.0, -60.0), (400.0, 20.0), (float("nan"), 20.0)]:
        assert not changed(draw_label(picture(), "away", place)).any()


def test_pictures_side_by_side() -> None:
    images = [np.full((10 * i, 20, 3), 50 * i, np.uint8) for i in (1, 2, 3)]
    row = side_by_side(images)
    assert row.shape == (30, 60, 3)
    assert (row[:10, :20] == 50).all() and (row[10:, :20] == 0).all() and (row[:, 40:] == 150).all()
    grid = side_by_side(images, columns=2)
    assert grid.shape == (50, 40, 3)
    assert (grid[20:, :20] == 150).all() and (grid[20:, 20:] == 0).all()
    with pytest.raises(ValueError, match="no pictures"):
        side_by_side([])


def test_contact_sheet_fits_pictures_into_cells() -> None:
    images = [np.full((100, 400, 3), 200, np.uint8), np.full((7, 5, 3), 90, np.uint8)]
    sheet = contact_sheet(images, columns=2, size=80)
    assert sheet.shape == (80, 160, 3)
    assert (sheet[30:50, :80] == 200).all() and (sheet[:29, :80] == 0).all()
    assert (sheet[40, 80 + 12 : 80 + 68] == 90).all() and (sheet[40, 80:88] == 0).all()
    labelled = contact_sheet(images, ["one", "two"], columns=2, size=80)
    assert (labelled[:20] != sheet[:20]).any()
    with pytest.raises(ValueError, match="1 labels for 2 pictures"):
        contact_sheet(images, ["one"])
