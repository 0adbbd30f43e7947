"""Panels: joints where the geometry puts them, in the colours of their sides, upright."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from utils.pose_panels import (
    BACKGROUND,
    GREY,
    Framing,
    PanelPose,
    PanelView,
    draw_keypoints,
    draw_panel,
    frame_poses,
    grid,
)
from utils.skeletons import H36M_17, SIDE_COLOURS, Skeleton

SIZE = 301
MIDDLE = (SIZE - 1) // 2
# The viewer stands 5 radii away; the outline of the shown ball is 0.92 of the panel's half side.
FOCAL = 0.92 * SIZE / 2 * np.sqrt(24)
BALL = Framing(np.zeros(3), 1000.0, -1000.0)
LEFT, RIGHT = SIDE_COLOURS["left"], SIDE_COLOURS["right"]
STICK = Skeleton("stick", ("left_end", "left_start"), (1, -1))


def dot(x: float, y: float, z: float, joint: str = "left_wrist") -> PanelPose:
    joints = np.full((17, 3), np.nan)
    joints[H36M_17.index(joint)] = x, y, z
    return PanelPose(joints, H36M_17)


def place_of(image: np.ndarray, colour: tuple[int, int, int]) -> tuple[float, float]:
    """Centre (x, y), px, of all that has exactly this colour."""
    rows, columns = np.nonzero((image == colour).all(axis=-1))
    return columns.mean(), rows.mean()


def has(image: np.ndarray, colour: tuple[int, int, int]) -> bool:
    return bool((image == colour).all(axis=-1).any())


def standing() -> np.ndarray:
    """(17, 3) mm, facing a level camera: x right, y down."""
    joints = np.zeros((17, 3))
    heights = {"ankle": 900, "knee": 450, "shoulder": -450, "elbow": -170, "wrist": 70}
    for i, joint in enumerate(H36M_17.joints):
        side = {"left": 1, "right": -1, "middle": 0}[H36M_17.sides[i]]
        joints[i] = 180 * side, heights.get(joint.split("_")[-1], 0), 0
    for joint, y in {"spine": -240, "thorax": -500, "neck_nose": -560, "head": -680}.items():
        joints[H36M_17.index(joint)] = 0, y, 0
    return joints


def draw_dot(view: PanelView, x: float, y: float, z: float) -> tuple[float, float]:
    image = draw_panel([dot(x, y, z)], SIZE, view, BALL, floor=False)
    return place_of(image, LEFT)


@pytest.mark.parametrize("point", [(0, 0, 0), (500, 0, 0), (0, -700, 0), (-300, 200, 600)])
def test_a_joint_is_where_the_perspective_puts_it(point):
    x, y, z = point
    expected = (MIDDLE + FOCAL * x / (5000 + z), MIDDLE + FOCAL * y / (5000 + z))
    assert draw_dot(PanelView(0, 0), *point) == pytest.approx(expected, abs=0.5)


@pytest.mark.parametrize(
    ("view", "point", "right", "down"),
    [
        (PanelView(0, 0), (500, 0, 0), 1, 0),
        (PanelView(90, 0), (0, 0, 500), 1, 0),  # from the right: far away is to the right
        (PanelView(-90, 0), (0, 0, 500), -1, 0),
        (PanelView(180, 0), (500, 0, 0), -1, 0),
        (PanelView(0, 90), (0, 0, 500), 0, -1),  # from above: far away is up
        (PanelView(0, 90), (500, 0, 0), 1, 0),
        (PanelView(45, 0), (0, 500, 0), 0, 1),
        (PanelView(0, 0, up=(0, 1, 0)), (0, 500, 0), 0, -1),  # a world with y up
        (PanelView(0, 0, up=(0, 1, 0)), (500, 0, 0), -1, 0),  # seen along z
        (PanelView(0, 0, up=(0, 0, 1)), (0, 0, 500), 0, -1),  # a world with z up
        (PanelView(0, 0, up=(0, 0, 1)), (500, 0, 0), 1, 0),  # seen along y
    ],
)
def test_the_panel_is_seen_from_where_the_view_says(view, point, right, down):
    x, y = draw_dot(view, *point)
    assert (x - MIDDLE, y - MIDDLE) == pytest.approx((right * 68, down * 68), abs=2)


def test_people_stand_upright_however_the_camera_is_held():
    turn = Rotation.from_euler("zx", [25, 40], degrees=True).as_matrix()
    level = draw_panel([PanelPose(standing(), H36M_17)], SIZE, PanelView(0, 10))
    up = turn @ [0, -1, 0]
    tilted = draw_panel([PanelPose(standing() @ turn.T, H36M_17)], SIZE, PanelView(0, 10, up=up))
    heads, feet = (
        [place_of(image[rows], colour)[0] for image in (level, tilted)]
        for rows, colour in ((slice(0, 60), SIDE_COLOURS["middle"]), (slice(240, SIZE), LEFT))
    )
    # Turned about the vertical by the roll, the person is narrower, but stands as straight.
    assert heads == pytest.approx([MIDDLE] * 2, abs=1.5)
    assert all(foot > MIDDLE + 5 for foot in feet)
    assert PanelView(up=(0, -1, 0)).ground == pytest.approx(np.diag([1.0, -1, 1]))


def test_a_tilted_camera_changes_nothing():
    """Tilted about its x axis, the level frame under it stays the same."""
    turn = Rotation.from_euler("x", 30, degrees=True).as_matrix()
    level = draw_panel([PanelPose(standing(), H36M_17)], SIZE)
    view = PanelView(up=turn @ [0, -1, 0])
    tilted = draw_panel([PanelPose(standing() @ turn.T, H36M_17)], SIZE, view)
    assert (level != tilted).any(axis=-1).mean() < 1e-3  # ties of rounding


def test_sides_have_their_colours_and_places():
    image = draw_panel([PanelPose(standing(), H36M_17)], SIZE, PanelView(0, 0), floor=False)
    assert place_of(image, LEFT)[0] > MIDDLE + 10 > MIDDLE - 10 > place_of(image, RIGHT)[0]
    assert place_of(image, SIDE_COLOURS["middle"])[0] == pytest.approx(MIDDLE, abs=1)
    behind = draw_panel([PanelPose(standing(), H36M_17)], SIZE, PanelView(180, 0), floor=False)
    assert place_of(behind, LEFT)[0] < MIDDLE - 10


def test_axes_are_equal():
    lengths = []
    for ends in ([[-500.0, 0, 0], [500, 0, 0]], [[0, -500.0, 0], [0, 500, 0]]):
        pose = PanelPose(np.array(ends), STICK)
        image = draw_panel([pose], SIZE, PanelView(0, 0), BALL, floor=False)
        rows, columns = np.nonzero((image == LEFT).all(axis=-1))
        lengths.append(max(np.ptp(rows), np.ptp(columns)))
    assert lengths[0] == lengths[1] > 100


def test_nearer_bones_cover_farther_ones():
    across = np.array([[-500.0, 0, -100], [500, 0, -100]])
    upright = np.array([[0, -500.0, 100], [0, 500, 100]])
    red, green = (200, 0, 0), (0, 200, 0)
    poses = [PanelPose(across, STICK, red), PanelPose(upright, STICK, green)]
    for azimuth, colour in ((0, red), (180, green)):
        for order in (poses, poses[::-1]):
            image = draw_panel(order, SIZE, PanelView(azimuth, 0), BALL, floor=False)
            assert tuple(image[MIDDLE, MIDDLE]) == colour


def test_nan_joints_are_left_out_with_their_bones():
    joints = standing()
    joints[[i for i, side in enumerate(H36M_17.sides) if side == "left"]] = np.nan
    image = draw_panel([PanelPose(joints, H36M_17)], SIZE)
    assert has(image, RIGHT) and not has(image, LEFT)
    nobody = PanelPose(np.full((17, 3), np.nan), H36M_17)
    np.testing.assert_array_equal(draw_panel([nobody], SIZE), draw_panel([], SIZE))


def test_the_floor_is_under_the_lowest_foot():
    joints = standing()
    assert frame_poses(joints, PanelView()).floor == -900
    joints[H36M_17.index("left_ankle")] = 300, 1200, 0
    assert frame_poses(joints, PanelView()).floor == -1200
    assert frame_poses(joints, PanelView(up=(0, 1, 0))).floor == -680  # he stands on his head


def test_the_floor_is_drawn_in_perspective():
    """It reaches 1500 mm behind the middle, and out of the panel in front."""
    standing_on = Framing(np.zeros(3), 1000.0, -900.0)
    image = draw_panel([], SIZE, PanelView(0, 0), standing_on)
    rows = np.flatnonzero((image != BACKGROUND).any(axis=(1, 2)))
    assert rows.min() == pytest.approx(MIDDLE + FOCAL * 900 / 6500, abs=1.5)
    assert rows.max() == SIZE - 1


def test_a_shadow_lies_on_the_floor_under_the_pose():
    view, stick = PanelView(0, 30), np.array([[200.0, -500, 0], [200.0, 300, 0]])
    grounded = Framing(np.zeros(3), 1000.0, -900.0)
    bare = draw_panel([], SIZE, view, grounded)
    image = draw_panel([PanelPose(stick, STICK, GREY)], SIZE, view, grounded)
    without = draw_panel([PanelPose(stick, STICK, GREY)], SIZE, view, grounded, floor=False)
    shadow = (image != bare).any(axis=-1) & (without == BACKGROUND).all(axis=-1)
    spot = draw_panel([dot(200, 900, 0)], SIZE, view, grounded, floor=False)
    rows, columns = np.nonzero(shadow)
    assert (columns.mean(), rows.mean()) == pytest.approx(place_of(spot, LEFT), abs=1.5)


def test_an_overlay_has_a_legend():
    other = standing() + np.array([60, 0, 0])
    poses = [PanelPose(standing(), H36M_17, GREY, "truth"), PanelPose(other, H36M_17, None, "ours")]
    image = draw_panel(poses, SIZE, floor=False)
    corner = image[-40:, :40]
    assert has(corner, GREY) and has(corner, LEFT) and has(corner, RIGHT)
    plain = draw_panel([PanelPose(p.joints, H36M_17, p.colour) for p in poses], SIZE, floor=False)
    assert not has(plain[-40:, :40], GREY)
    assert has(image[:, 60:], GREY) and has(image[:, 60:], LEFT)


def test_a_title_stays_in_its_strip_and_in_the_panel():
    bare = draw_panel([], SIZE, floor=False)
    for title in ("truth", "a very long title " * 8, "Größe"):
        image = draw_panel([], SIZE, floor=False, title=title)
        rows, columns = np.nonzero((image != bare).any(axis=-1))
        assert len(rows) and rows.max() < 0.1 * SIZE and columns.max() < SIZE - 2


@given(st.integers(0, 10**6), st.floats(-180, 180), st.floats(-60, 60))
def test_everybody_is_inside_from_everywhere(seed, azimuth, elevation):
    joints = np.random.default_rng(seed).normal(size=(17, 3)) * [300, 600, 300] + 4000
    view = PanelView(azimuth, elevation)
    image = draw_panel([PanelPose(joints, H36M_17, (200, 0, 0))], 101, view, floor=False)
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    assert (border == BACKGROUND).all() and has(image, (200, 0, 0))


def test_keypoints_fill_their_panel():
    points = np.full((17, 2), np.nan)
    points[H36M_17.indices("left_wrist", "right_wrist", "hip")] = [200, 50], [100, 50], [150, 50]
    image = draw_keypoints(points, H36M_17, SIZE)
    assert place_of(image, LEFT) == pytest.approx((MIDDLE + 0.43 * SIZE, MIDDLE), abs=1)
    assert place_of(image, RIGHT) == pytest.approx((MIDDLE - 0.43 * SIZE, MIDDLE), abs=1)
    np.testing.assert_array_equal(draw_keypoints(10 * points + 7, H36M_17, SIZE), image)
    assert (draw_keypoints(np.full((17, 2), np.nan), H36M_17, SIZE) == BACKGROUND).all()


def test_panels_in_a_grid():
    panels = [np.full((4, 6, 3), value, np.uint8) for value in (10, 20, 30)]
    image = grid(panels, 2, gap=1)
    assert image.shape == (9, 13, 3)
    assert (
        (image[:4, :6] == 10).all() and (image[:4, 7:] == 20).all() and (image[5:, :6] == 30).all()
    )
    assert (image[5:, 7:] == BACKGROUND).all() and (image[4] == BACKGROUND).all()
    for wrong in ([], [panels[0], panels[0][:2]]):
        with pytest.raises(ValueError, match="all of one size"):
            grid(wrong, 2)
