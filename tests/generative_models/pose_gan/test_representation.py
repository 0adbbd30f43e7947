"""Canonical poses and bones: what they are, and that nothing is lost."""

import numpy as np
import pytest
import torch

from generative_models.pose_gan.representation import (
    BONE_JOINTS,
    LEFT_HIP_BONE,
    SIZE_BONES,
    SIZE_PER_HEIGHT,
    body_size,
    bone_lengths,
    from_canonical,
    to_bones,
    to_canonical,
    to_joints,
)
from tests.generative_models.pose_gan.small_poses import still_poses
from twod_threed import alignment
from utils.skeletons import H36M_17

LEFT, RIGHT, HIP = H36M_17.indices("left_hip", "right_hip", "hip")


@pytest.fixture(scope="module")
def poses() -> torch.Tensor:
    """(40, 17, 3) mm, y down, somewhere in the world."""
    upside = still_poses(40) * np.array([1, -1, -1])
    return torch.from_numpy(upside + np.array([300.0, -900.0, 4000.0]))


def about_vertical(angle: float) -> torch.Tensor:
    c, s = np.cos(angle), np.sin(angle)
    return torch.tensor([[c, 0, -s], [0, 1, 0], [s, 0, c]], dtype=torch.float64)


def test_canonical_poses_can_be_put_back(poses: torch.Tensor) -> None:
    canonical, placement = to_canonical(poses)
    assert torch.allclose(from_canonical(canonical, placement), poses, atol=1e-9)
    # As float32, too, which is what the networks see.
    canonical, placement = to_canonical(poses.float())
    back = from_canonical(canonical, placement)
    assert (back - poses).abs().max() < 0.01


def test_canonical_poses_face_the_camera_upright(poses: torch.Tensor) -> None:
    canonical, _ = to_canonical(poses)
    line = canonical[:, LEFT] - canonical[:, RIGHT]
    assert line[:, 2].abs().max() < 1e-12 and line[:, 0].min() > 0
    assert torch.equal(canonical[:, HIP], torch.zeros_like(canonical[:, HIP]))
    assert torch.allclose(body_size(canonical), torch.ones(40, dtype=torch.float64))
    # Only turned about the vertical: what is up stays up.
    height = (poses[..., 1] - poses[:, HIP, None, 1]) / body_size(poses)[:, None]
    assert torch.allclose(canonical[..., 1], height)


def test_place_heading_and_size_do_not_change_the_canonical_pose(poses: torch.Tensor) -> None:
    moved = (poses @ about_vertical(2.0).T) * 1.3 + torch.tensor([5.0, 6.0, 7.0])
    assert torch.allclose(to_canonical(moved)[0], to_canonical(poses)[0], atol=1e-12)


def test_a_known_pose() -> None:
    """The left hip straight ahead of the right one: the person looks to the camera's left, and a
    nose ahead of them comes to lie towards the camera."""
    pose = torch.zeros(1, 17, 3, dtype=torch.float64)
    pose[0, LEFT, 2], pose[0, RIGHT, 2] = 100.0, -100.0
    pose[0, H36M_17.index("spine")] = torch.tensor([0.0, -250.0, 0.0])
    nose = H36M_17.index("neck_nose")
    pose[0, nose] = torch.tensor([80.0, -600.0, 0.0])
    canonical, placement = to_canonical(pose)
    mm = canonical[0] * placement.size
    assert torch.allclose(mm[LEFT], torch.tensor([100.0, 0, 0]).double())
    assert torch.allclose(mm[nose], torch.tensor([0.0, -600.0, -80.0]).double())


def test_bones_add_up_to_joints(poses: torch.Tensor) -> None:
    canonical, _ = to_canonical(poses)
    bones = to_bones(canonical)
    assert bones.shape == (40, 15, 3) and "right_hip" not in BONE_JOINTS
    # The mannequin's hip is the middle of its hips, as in every data set.
    assert torch.allclose(to_joints(bones), canonical, atol=1e-6)
    assert bones[:, LEFT_HIP_BONE, 2].abs().max() < 1e-12


def test_size_is_that_of_the_lifter(poses: torch.Tensor) -> None:
    assert torch.allclose(body_size(poses), alignment.body_size(poses))
    assert pytest.approx(alignment.SIZE_PER_HEIGHT) == SIZE_PER_HEIGHT
    bones = to_bones(poses)
    assert torch.allclose(bone_lengths(bones)[:, SIZE_BONES].sum(1), body_size(poses))


def test_what_has_no_heading_is_nan(poses: torch.Tensor) -> None:
    poses = poses.clone()
    poses[0, LEFT] = poses[0, RIGHT] + torch.tensor([0.0, 200.0, 1.0])
    poses[1, H36M_17.index("head")] = torch.nan
    canonical, _ = to_canonical(poses)
    assert canonical[0].isnan().any() and canonical[1].isnan().any()
    assert canonical[2:].isfinite().all()
