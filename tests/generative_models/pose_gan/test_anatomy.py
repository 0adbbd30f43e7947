"""Lengths, angles and symmetry of poses that are built by hand."""

import numpy as np
import pytest

from generative_models.pose_gan import anatomy
from generative_models.pose_gan.anatomy import ANGLES, BONES, Ranges
from tests.generative_models.pose_gan.small_poses import still_poses
from utils.skeletons import H36M_17

# A person who stands and faces along -z; x to its left, y down.
STANDING = {
    "hip": (0, 0, 0),
    "left_hip": (100, 0, 0),
    "left_knee": (100, 400, 0),
    "left_ankle": (100, 800, 0),
    "spine": (0, -200, 0),
    "thorax": (0, -450, 0),
    "neck_nose": (0, -550, 0),
    "head": (0, -650, 0),
    "left_shoulder": (150, -450, 0),
    "left_elbow": (150, -150, 0),
    "left_wrist": (150, 100, 0),
}


def standing(**moved: tuple[float, float, float]) -> np.ndarray:
    """(1, 17, 3) mm: the right side mirrors the left one, then joints are moved."""
    places = dict(STANDING)
    for name, (x, y, z) in STANDING.items():
        places[name.replace("left", "right")] = (-x, y, z)
    places |= moved
    return np.array([[places[name] for name in H36M_17.joints]], dtype=float)


def angles(pose: np.ndarray) -> dict[str, float]:
    return dict(zip(ANGLES, anatomy.joint_angles(pose)[0].tolist(), strict=True))


def test_who_stands_has_angles_of_zero() -> None:
    found = anatomy.joint_angles(standing())
    assert found.shape == (1, len(ANGLES)) and np.allclose(found, 0, atol=1e-9)


def test_lengths_go_by_bone() -> None:
    found = dict(zip((end for _, end in BONES), anatomy.bone_lengths(standing())[0], strict=True))
    assert found["left_knee"] == 400 and found["right_wrist"] == 250 and found["thorax"] == 250


def test_a_bent_knee() -> None:
    """The shin points backwards: 90 degrees, and not forwards."""
    bent = angles(standing(left_ankle=(100, 400, 400)))
    assert bent["left_knee"] == pytest.approx(90)
    assert bent["left_knee_forwards"] == pytest.approx(-90)
    broken = angles(standing(left_ankle=(100, 400, -400)))
    assert broken["left_knee"] == pytest.approx(90)
    assert broken["left_knee_forwards"] == pytest.approx(90)
    assert bent["right_knee"] == pytest.approx(0, abs=1e-9)


def test_a_raised_arm() -> None:
    """To the side, to the front, straight up."""
    side = angles(standing(right_elbow=(-450, -450, 0), right_wrist=(-700, -450, 0)))
    assert side["right_shoulder"] == side["right_shoulder_outwards"] == pytest.approx(90)
    assert side["right_shoulder_forwards"] == pytest.approx(0, abs=1e-9)
    front = angles(standing(left_elbow=(150, -450, -300), left_wrist=(150, -450, -550)))
    assert front["left_shoulder"] == front["left_shoulder_forwards"] == pytest.approx(90)
    up = angles(standing(left_elbow=(150, -750, 0), left_wrist=(150, -1000, 0)))
    assert up["left_shoulder"] == pytest.approx(180)
    assert all(one["left_elbow"] == pytest.approx(0, abs=1e-6) for one in (front, up))


def test_twisted_shoulders() -> None:
    root = np.sqrt(0.5) * 150
    turned = standing(left_shoulder=(root, -450, root), right_shoulder=(-root, -450, -root))
    assert angles(turned)["twist"] == pytest.approx(45)


def test_angles_do_not_depend_on_place_heading_and_size() -> None:
    poses = still_poses(20).astype(float)
    turn = np.array([[0.6, 0, 0.8], [0, 1, 0], [-0.8, 0, 0.6]])
    moved = 1.3 * poses @ turn.T + [500, 20, 900]
    assert np.allclose(anatomy.joint_angles(poses), anatomy.joint_angles(moved), atol=1e-6)
    assert np.allclose(1.3 * anatomy.bone_lengths(poses), anatomy.bone_lengths(moved))


def test_a_bone_without_length_has_no_angle() -> None:
    found = angles(standing(left_elbow=(150, -450, 0)))
    assert np.isnan(found["left_elbow"]) and np.isfinite(found["right_elbow"])


def test_asymmetry() -> None:
    """One of six pairs differs, 440 against 400: 40 of 420."""
    assert anatomy.asymmetry(standing())[0] == pytest.approx(0)
    longer = standing(left_ankle=(100, 840, 0))
    assert anatomy.asymmetry(longer)[0] == pytest.approx(100 * 40 / 420 / 6)


def test_ranges_hold_what_is_inside_in_everything() -> None:
    ranges = Ranges(("a", "b"), np.array([0.0, 1.0]), np.array([1.0, 2.0]))
    values = np.array([[0.5, 1.5], [0, 2], [-0.1, 1.5], [0.5, 2.1], [np.nan, 1.5]])
    assert ranges.holds(values).tolist() == [True, True, False, False, False]


def test_ranges_are_quantiles_of_both_sides_together() -> None:
    poses = still_poses(300, 1)
    found = anatomy.angle_ranges(poses)
    values = anatomy.joint_angles(poses)
    left, right = (ANGLES.index(f"{side}_elbow") for side in ("left", "right"))
    both = values[:, [left, right]].ravel()
    expected = np.quantile(both, [anatomy.TAIL, 1 - anatomy.TAIL])
    for place in (left, right):
        assert np.allclose([found.low[place], found.high[place]], expected)
    spine = np.quantile(np.repeat(values[:, 0], 2), [anatomy.TAIL, 1 - anatomy.TAIL])
    assert np.allclose([found.low[0], found.high[0]], spine)
    assert anatomy.length_ranges(poses).holds(anatomy.bone_lengths(poses)).mean() > 0.9
    assert not anatomy.length_ranges(poses).holds(anatomy.bone_lengths(2 * poses)).any()
