import math
from dataclasses import replace

import pytest
import torch
from scipy.spatial.transform import Rotation

from tests.twod_threed.small_poses import minibatch
from twod_threed.augmentation import (
    augment,
    drop_joints,
    orthogonal_augmentation,
    random_axes,
    rotations,
    turn_and_mirror,
)
from twod_threed.detector_noise import read_table
from twod_threed.losses import joint_errors
from twod_threed.options import AugmentationOptions
from twod_threed.views import project_mpii
from utils.skeletons import H36M_17

HIP = H36M_17.index("hip")
EVERY = AugmentationOptions(
    orthogonal_data_augmentation=True, orthogonal_data_augmentation_prob=1.0
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_rotations_equal_scipy() -> None:
    axes = random_axes(20, generator()).double()
    angles = torch.linspace(0, 2 * math.pi, 20, dtype=torch.float64)
    wanted = Rotation.from_rotvec((axes * angles[:, None]).numpy()).as_matrix()
    assert torch.allclose(rotations(axes, angles), torch.from_numpy(wanted), atol=1e-6)


def test_axes_are_uniform_on_the_sphere() -> None:
    axes = random_axes(20_000, generator())
    assert torch.allclose(axes.norm(dim=1), torch.ones(20_000))
    # Each coordinate of a point on the sphere is uniform in [-1, 1]: mean 0, variance 1/3.
    assert axes.mean(0).abs().max() < 0.02 and (axes.var(0) - 1 / 3).abs().max() < 0.01


def test_error_does_not_change_when_prediction_and_truth_are_changed_alike() -> None:
    batch, other = minibatch(6, 1), minibatch(6, 2)
    turns = rotations(random_axes(6, generator()), torch.rand(6) * 6)
    mirrored = torch.tensor([True, False] * 3)
    valid = batch["valid"].clone()
    valid[:, 5] = False

    def error(poses: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor) -> float:
        return float(joint_errors(poses - poses[:, :1], truth - truth[:, :1], valid)[0])

    before = error(other["poses_3d"], batch["poses_3d"], valid)
    truth, valid_after = turn_and_mirror(batch["poses_3d"], valid, turns, mirrored)
    poses, _ = turn_and_mirror(other["poses_3d"], valid, turns, mirrored)
    assert error(poses, truth, valid_after) == pytest.approx(before, rel=1e-4)


def test_mirrored_twice_is_the_pose_again_and_once_swaps_sides() -> None:
    batch = minibatch(4)
    same = torch.eye(3).expand(4, 3, 3)
    yes = torch.ones(4, dtype=torch.bool)
    valid = batch["valid"].clone()
    valid[:, H36M_17.index("left_wrist")] = False
    once, valid_once = turn_and_mirror(batch["poses_3d"], valid, same, yes)
    twice, valid_twice = turn_and_mirror(once, valid_once, same, yes)
    assert torch.allclose(twice, batch["poses_3d"], atol=1e-2) and torch.equal(valid_twice, valid)
    left, right = H36M_17.index("left_knee"), H36M_17.index("right_knee")
    before, after = batch["poses_3d"] - batch["poses_3d"][:, :1], once - once[:, :1]
    flipped = before[:, right] * torch.tensor([-1.0, 1.0, 1.0])
    assert torch.allclose(after[:, left], flipped, atol=1e-2)
    assert not valid_once[:, H36M_17.index("right_wrist")].any()


def test_turned_poses_keep_hip_and_bones_and_are_seen_by_the_same_camera() -> None:
    batch = minibatch(8)
    after = orthogonal_augmentation(batch, replace(EVERY, flip_prob=0.5), generator())
    poses, before = after["poses_3d"], batch["poses_3d"]
    assert torch.allclose(poses[:, HIP], before[:, HIP], atol=1e-2)
    for child, parent in enumerate(H36M_17.parents):
        if parent >= 0 and H36M_17.sides[child] == "middle":
            length = (before[:, child] - before[:, parent]).norm(dim=-1)
            assert torch.allclose((poses[:, child] - poses[:, parent]).norm(dim=-1), length)
    assert torch.allclose(after["poses_2d"], project_mpii(poses, batch["intrinsics"]))
    assert (poses - before).abs().amax((1, 2)).min() > 10


def test_turns_about_the_upward_direction_keep_heights() -> None:
    batch = minibatch(8)
    free = orthogonal_augmentation(batch, EVERY, generator())
    upright = orthogonal_augmentation(batch, replace(EVERY, z_rotations_only=True), generator())
    height = batch["poses_3d"][..., 1]
    assert torch.allclose(upright["poses_3d"][..., 1], height, atol=0.01)
    assert (upright["poses_3d"] - batch["poses_3d"]).abs().amax((1, 2)).min() > 10
    assert (free["poses_3d"][..., 1] - height).abs().max() > 100


def test_poses_that_are_not_chosen_keep_their_detections() -> None:
    batch = minibatch(400)
    batch["poses_2d"] = batch["poses_2d"] + 5.0  # a detector's, not the projections
    options = replace(EVERY, orthogonal_data_augmentation_prob=0.25)
    after = orthogonal_augmentation(batch, options, generator())
    kept = (after["poses_2d"] == batch["poses_2d"]).all(-1).all(-1)
    assert 0.65 < float(kept.float().mean()) < 0.85
    assert torch.equal(after["poses_3d"][kept], batch["poses_3d"][kept])


def test_whole_joints_are_dropped() -> None:
    points = drop_joints(torch.ones(500, 16, 2), 0.3, generator())
    gone = points.isnan()
    assert torch.equal(gone[..., 0], gone[..., 1])
    assert float(gone.float().mean()) == pytest.approx(0.3, abs=0.02)


@pytest.mark.parametrize(
    "changes",
    [
        {"orthogonal_data_augmentation": True},
        {"flip_prob": 0.5},
        {"drop_joint_prob": 0.2},
        {"input_noise": 1.0},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_each_option_changes_the_batch_and_repeats_with_the_seed(changes: dict) -> None:
    batch, table = minibatch(20), read_table()
    plain = augment(batch, AugmentationOptions(), table, generator(3))
    assert all(plain[key] is batch[key] for key in batch)
    options = AugmentationOptions(**changes)
    first = augment(batch, options, table, generator(3))
    again = augment(batch, options, table, generator(3))
    assert torch.equal(first["poses_2d"].nan_to_num(-1), again["poses_2d"].nan_to_num(-1))
    assert not torch.equal(first["poses_2d"].nan_to_num(-1), batch["poses_2d"])
