"""BVH: our own reader and another one find the positions that went in."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pybvh
import pytest

from tests.utils.exporters.exported_poses import film, points_3d, upright, without_joint
from utils.exporters.bvh_file import write_bvh
from utils.mocap.bvh import read_bvh
from utils.mocap.kinematics import forward_kinematics
from utils.pose_file import Poses, concatenate
from utils.skeletons import H36M_17, H36M_32

TOLERANCE = 1e-3  # mm


def read_ours(path: Path) -> np.ndarray:
    """(T, 17, 3) mm by `utils.mocap`."""
    places = forward_kinematics(read_bvh(path)).places
    return 10 * np.stack([places[joint] for joint in H36M_17.joints], axis=1)


def read_theirs(path: Path) -> np.ndarray:
    """(T, 17, 3) mm by pybvh."""
    motion = pybvh.read_bvh_file(path, world_up="+y")
    places = motion.joint_positions()
    return 10 * np.stack([places[:, motion.joint_names.index(j)] for j in H36M_17.joints], axis=1)


def of_constant_length(positions: np.ndarray) -> np.ndarray:
    """Poses (T, 17, 3) whose bones point as before and have their median lengths."""
    result = positions.copy()
    for joint, parent in enumerate(H36M_17.parents):
        if parent >= 0:
            bone = positions[:, joint] - positions[:, parent]
            length = np.linalg.norm(bone, axis=1, keepdims=True)
            result[:, joint] = result[:, parent] + bone / length * np.median(length)
    return result


def shaky(poses: Poses) -> Poses:
    """As a network lifts them: every joint off by some centimetres, bones of changing length."""
    noise = np.random.default_rng(1).normal(0, 40, points_3d(poses).shape)
    return replace(poses, keypoints_3d=points_3d(poses) + noise)


def random_poses() -> Poses:
    """No people: every bone points anywhere."""
    poses = film()
    points = np.random.default_rng(2).normal(0, 500, points_3d(poses).shape)
    return replace(poses, keypoints_3d=points)


@pytest.mark.parametrize("read", [read_ours, read_theirs])
@pytest.mark.parametrize("poses", [film(), shaky(film()), random_poses()])
def test_forward_kinematics_gives_the_positions_back(tmp_path: Path, poses: Poses, read):
    (path,) = write_bvh(tmp_path, poses)
    assert path == tmp_path / "dance_person0.bvh"
    found = read(path)
    np.testing.assert_allclose(found, of_constant_length(upright(poses)), atol=TOLERANCE)


def test_bones_that_do_not_change_need_no_correction(tmp_path: Path):
    poses = film()
    (path,) = write_bvh(tmp_path, poses)
    np.testing.assert_allclose(read_ours(path), upright(poses), atol=TOLERANCE)


def test_time_goes_on_as_in_the_film(tmp_path: Path):
    (path,) = write_bvh(tmp_path, film(frames=7))
    assert read_bvh(path).frame_rate == 25 and read_bvh(path).frame_count == 7
    assert pybvh.read_bvh_file(path).frame_time == pytest.approx(0.04)


def test_a_gap_is_filled_along_a_straight_line(tmp_path: Path):
    whole = film()
    (path,) = write_bvh(tmp_path, without_joint(whole, "right_wrist", slice(4, 7)))
    wrist, elbow = H36M_17.indices("right_wrist", "right_elbow")
    expected, found = upright(whole), read_ours(path)
    for k, frame in enumerate((4, 5, 6), start=1):
        straight = expected[3, wrist] + (expected[7, wrist] - expected[3, wrist]) * k / 4
        ours, theirs = found[frame, wrist] - found[frame, elbow], straight - expected[frame, elbow]
        np.testing.assert_allclose(np.cross(ours, theirs) / (ours @ ours), 0, atol=1e-4)
        assert ours @ theirs > 0
    others = [joint for joint in range(17) if joint != wrist]
    np.testing.assert_allclose(found[:, others], expected[:, others], atol=TOLERANCE)


def test_who_leaves_stands_still_and_each_person_has_all_frames(tmp_path: Path):
    second = film(person=1).select(slice(3, 6))
    paths = write_bvh(tmp_path, concatenate([film(), second]))
    assert [path.name for path in paths] == ["dance_person0.bvh", "dance_person1.bvh"]
    found, expected = read_ours(paths[1]), upright(second)
    assert len(found) == 12
    np.testing.assert_allclose(found[3:6], expected, atol=0.5)
    for frame in (*range(3), *range(6, 12)):
        np.testing.assert_allclose(found[frame], found[3 if frame < 3 else 5], atol=TOLERANCE)


def test_a_joint_that_is_never_seen_lies_at_its_parent(tmp_path: Path):
    poses = without_joint(film(), "head", slice(None))
    found = read_ours(write_bvh(tmp_path, poses)[0])
    head, neck = H36M_17.indices("head", "neck_nose")
    np.testing.assert_allclose(found[:, head], found[:, neck], atol=TOLERANCE)


def test_other_skeletons_come_by_name(tmp_path: Path):
    poses = film()
    wide = np.full((12, 32, 3), np.nan)
    wide[:, H36M_32.indices(*H36M_17.joints)] = points_3d(poses)
    other = replace(poses, keypoints_3d=wide, skeleton_3d=H36M_32.name)
    np.testing.assert_allclose(
        read_ours(write_bvh(tmp_path, other)[0]), upright(poses), atol=TOLERANCE
    )
