"""Where people are and how they move: closed forms, and mannequins of which all is known."""

import numpy as np
import pytest
import torch

from tests.twod_threed.small_poses import poses_3d
from tests.twod_threed.temporal.walking import RATE, seen_by_detector, walk
from twod_threed.alignment import align, root_position
from twod_threed.temporal.global_motion import (
    ANKLE_PER_SHANK,
    CAMERA_UP,
    camera_joints,
    estimate_up,
    level_axes,
    put_on_floor,
    root_from_keypoints,
    smooth_robustly,
    smooth_root,
    standing_height,
)
from utils.skeleton_conversion import convert
from utils.skeletons import COCO_17, H36M_17, HUMANEVA_15, MPII_16

ANKLES = H36M_17.indices("left_ankle", "right_ankle")


@pytest.fixture(scope="module")
def walker():
    return walk("walk", seed=3)


def distance(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return np.linalg.norm(found - truth, axis=-1)


def degrees(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(a @ b, -1, 1))))


def test_exact_points_give_the_exact_root(walker):
    found = root_from_keypoints(walker.poses, walker.keypoints, "mpii_16", walker.intrinsics)
    assert distance(found, walker.root).max() < 0.1
    each = np.repeat(walker.intrinsics[None], len(walker.root), axis=0)
    again = root_from_keypoints(walker.poses, walker.keypoints, "mpii_16", each)
    np.testing.assert_array_equal(found, again)


def test_other_skeletons_and_missing_joints_do_as_well(walker):
    fx, fy, cx, cy = walker.intrinsics
    made = convert(walker.camera, H36M_17, COCO_17).poses
    points = made[..., :2] / made[..., 2:] * [fx, fy] + [cx, cy]
    # What COCO has and Human3.6M has not is somewhere else.
    points[:, COCO_17.indices("left_eye", "right_eye", "left_ear", "right_ear")] += 50
    points[::2, COCO_17.indices("left_wrist", "right_ankle")] = np.nan
    found = root_from_keypoints(walker.poses, points, "coco_17", walker.intrinsics)
    assert distance(found, walker.root).max() < 0.1


def test_too_few_joints_give_no_root(walker):
    points = walker.keypoints[:3].copy()
    points[0] = np.nan
    points[1, 1:] = np.nan
    poses = walker.poses[:3].copy()
    found = root_from_keypoints(poses, points, "mpii_16", walker.intrinsics)
    assert np.isnan(found[:2]).all() and np.isfinite(found[2]).all()
    poses[2] = np.nan
    assert np.isnan(root_from_keypoints(poses, points, "mpii_16", walker.intrinsics)).all()


def test_noisy_points_give_a_root_without_bias_and_smoothing_halves_its_error(walker):
    points = seen_by_detector(walker.keypoints)
    found = root_from_keypoints(walker.poses, points, "mpii_16", walker.intrinsics)
    calm = smooth_root(found, RATE)
    error, calmed = distance(found, walker.root), distance(calm, walker.root)
    assert np.nanmedian(error) < 130  # mm, at 5.4 m
    assert np.nanmedian(calmed) < 0.5 * np.nanmedian(error)
    assert np.nanmax(calmed) < 200 < np.nanmax(error)
    # Plain least squares takes the errors of the points for a larger person.
    seen = torch.from_numpy(points).double()
    lens = torch.from_numpy(walker.intrinsics).double().expand(len(points), 4)
    _, view = align(seen, lens, MPII_16.indices("left_hip", "right_hip"))
    turned = convert(torch.from_numpy(walker.poses).double(), H36M_17, MPII_16).poses
    plain = root_position(turned @ view.rotation.mT, view.plane)[:, 2].numpy()
    truth = np.linalg.norm(walker.root, axis=-1)
    bias = np.nanmedian(found[:, 2] / walker.root[:, 2]) - 1
    assert np.nanmedian(plain / truth) - 1 < -0.04 and abs(bias) < 0.01


def test_a_straight_walk_passes_unchanged_in_depth_and_direction():
    depth = 4000 * np.exp(np.linspace(0, 0.3, 50))
    root = np.stack([np.linspace(-0.3, 0.2, 50), np.full(50, 0.1), np.ones(50)], 1) * depth[:, None]
    np.testing.assert_allclose(smooth_root(root, RATE), root, rtol=1e-6)
    assert smooth_root(root.astype(np.float32), RATE).dtype == np.float32


def test_what_is_missing_or_behind_the_camera_stays_missing(walker):
    root = walker.root.copy()
    root[10:14], root[30, 2] = np.nan, -5.0
    found = smooth_root(root, RATE)
    absent = np.isnan(found).any(axis=1)
    assert np.flatnonzero(absent).tolist() == [10, 11, 12, 13, 30]
    near = smooth_root(walker.root, RATE)
    np.testing.assert_allclose(found[~absent], near[~absent], atol=60)
    assert np.isnan(smooth_root(np.full((5, 3), np.nan), RATE)).all()


@pytest.mark.parametrize("cutoff", [0.5, 1.0, 3.0])
def test_the_amplitude_is_halved_at_the_cutoff_and_follows_the_closed_form(cutoff):
    t = np.arange(2000) / RATE
    for factor in (0.25, 1.0, 2.0):
        wave = np.sin(2 * np.pi * factor * cutoff * t)
        middle = slice(500, 1500)
        found = smooth_robustly(wave, RATE, cutoff)[middle]
        ratio = np.sin(np.pi * factor * cutoff / RATE) / np.sin(np.pi * cutoff / RATE)
        gain = (found @ wave[middle]) / (wave[middle] @ wave[middle])
        # The weights of a wave's own residuals move it a little.
        assert gain == pytest.approx(1 / (1 + ratio**4), abs=0.03)


def test_lines_pass_and_outliers_weigh_nothing():
    line = 3.0 + 0.2 * np.arange(80)
    np.testing.assert_allclose(smooth_robustly(line, RATE, 1.0), line, atol=1e-8)
    spoiled = line.copy()
    spoiled[[7, 30, 31, 60]] += [500, -300, 400, 90]
    np.testing.assert_allclose(smooth_robustly(spoiled, RATE, 1.0), line, atol=1e-3)


def test_long_gaps_part_the_line_and_short_ones_do_not():
    values = np.concatenate([np.zeros(30), np.ones(30)])
    values[28:32] = np.nan
    joined = smooth_robustly(values, RATE, 1.0)
    assert joined[27] > 0.05 and joined[32] < 0.95
    apart = np.concatenate([np.zeros(30), np.full(40, np.nan), np.ones(30)])
    found = smooth_robustly(apart, RATE, 1.0)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(apart))
    np.testing.assert_allclose(found[:30], 0, atol=1e-9)
    np.testing.assert_allclose(found[70:], 1, atol=1e-9)
    alone = np.array([np.nan, 4.0, np.nan, 5.0])
    np.testing.assert_array_equal(smooth_robustly(alone, RATE, 1.0), alone)


@pytest.mark.parametrize("cutoff", [0.0, -1.0, 13.0])
def test_a_cutoff_that_no_rate_has_is_refused(cutoff):
    with pytest.raises(ValueError, match="cutoff"):
        smooth_robustly(np.zeros(9), RATE, cutoff)


@pytest.mark.parametrize("up", [(0, -1, 0), (0.2, -0.9, -0.3), (0.1, -0.8, 0.5)])
def test_level_axes_are_right_handed_and_upright(up):
    axes = level_axes(np.array(up, float))
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1)
    np.testing.assert_allclose(axes[1], up / np.linalg.norm(up))
    assert axes[0, 0] > 0 and axes[2, 2] < 0
    np.testing.assert_allclose(axes[0] @ [0, 0, 1], 0, atol=1e-12)


def test_straight_up_has_no_level_direction():
    with pytest.raises(ValueError, match="straight up or down"):
        level_axes(np.array([0, 0, 2.0]))


def tilted(vectors: np.ndarray, angle: float) -> np.ndarray:
    """Vectors (..., 3) as a camera sees them that looks down by so many degrees more."""
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return vectors @ np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]]).T


@pytest.mark.parametrize("angle", [-30, 0, 25])
def test_who_walks_shows_which_way_is_up(walker, angle):
    camera, up = tilted(walker.camera, angle), tilted(walker.up, angle)
    assert degrees(estimate_up(camera), up) < 0.5
    noisy = camera + np.random.default_rng(0).normal(0, 25, camera.shape)
    noisy[::7] = np.nan
    assert degrees(estimate_up(noisy), up) < 1.5


def test_bodies_say_it_where_nobody_walks():
    standing = poses_3d(1, spread=0.0).numpy().repeat(30, axis=0)
    camera = standing + np.random.default_rng(0).normal(0, 20, standing.shape)
    for angle in (-20, 30):
        up = tilted(CAMERA_UP, angle)
        assert degrees(estimate_up(tilted(camera, angle)), up) < 4


def test_a_camera_is_level_where_nobody_stands():
    lying = walk("walk").camera[..., [1, 0, 2]] * [1, -1, 1]
    upright = lying[:1].repeat(20, axis=0)
    np.testing.assert_allclose(estimate_up(upright), CAMERA_UP, atol=1e-6)
    np.testing.assert_array_equal(estimate_up(np.full((4, 17, 3), np.nan)), CAMERA_UP)


@pytest.mark.parametrize("known", [True, False])
def test_feet_come_to_stand_on_the_floor(walker, known):
    found = put_on_floor(walker.camera, walker.up if known else None)
    # The same but for where the camera stands and looks on the horizontal.
    heights = found.poses[..., 1] - walker.world[..., 1]
    assert np.abs(heights).max() < (20 if known else 40)
    spans = [np.linalg.norm(p[-1] - p[0], axis=-1) for p in (found.poses, walker.world)]
    np.testing.assert_allclose(*spans, rtol=1e-4)
    assert found.poses[..., 2].max() < 0  # before the camera
    np.testing.assert_allclose(found.poses[..., 1], walker.camera @ found.up - found.floor)
    shank = np.linalg.norm(
        np.diff(walker.world[0, H36M_17.indices("left_knee", "left_ankle")], axis=0)
    )
    standing = np.percentile(found.poses[:, ANKLES, 1].min(axis=1), 5)
    assert standing == pytest.approx(ANKLE_PER_SHANK * shank, abs=5)


def test_a_lifted_and_noisy_walk_stands_on_the_floor(walker):
    points = seen_by_detector(walker.keypoints)
    noisy = walker.poses + np.random.default_rng(1).normal(0, 20, walker.poses.shape)
    root = smooth_root(root_from_keypoints(noisy, points, "mpii_16", walker.intrinsics), RATE)
    found = put_on_floor(camera_joints(noisy, root))
    lowest = [poses[..., 1].min(axis=1) for poses in (found.poses, walker.world)]
    assert np.median(np.abs(lowest[0] - lowest[1])) < 25


def test_jumps_and_wrong_frames_do_not_move_the_floor(walker):
    heights = np.random.default_rng(0).normal(0, 2, (100, 17)) + np.linspace(70, 1600, 17)
    floor = standing_height(heights)
    assert floor == pytest.approx(68, abs=3)
    heights[20:90] += 400
    assert standing_height(heights) == pytest.approx(floor, abs=3)
    heights[[3, 50]] -= 5000
    heights[60:63, 4:] = np.nan
    heights[70] = np.nan
    assert standing_height(heights) == pytest.approx(floor, abs=3)


def test_other_skeletons_can_be_put_on_a_floor(walker):
    poses = convert(walker.camera, H36M_17, HUMANEVA_15).poses
    found = put_on_floor(poses, walker.up, HUMANEVA_15)
    whole = put_on_floor(walker.camera, walker.up)
    ankle = HUMANEVA_15.index("left_ankle")
    np.testing.assert_allclose(found.poses[:, ankle], whole.poses[:, ANKLES[0]], atol=1e-6)


def test_nobody_cannot_be_put_on_a_floor(walker):
    with pytest.raises(ValueError, match="nobody"):
        put_on_floor(np.full((3, 17, 3), np.nan))


def test_an_activity_that_stays_in_place_is_upright_to_some_degrees():
    squatter = walk("squats", seed=2)
    assert degrees(estimate_up(squatter.camera), squatter.up) < 4
