"""The terms for films without 3D, against closed forms and the cameras of the project."""

import numpy as np
import pytest
import torch

from tests.twod_threed.temporal.small_films import DISTORTION, films
from twod_threed.temporal.normalisation import to_screen
from twod_threed.temporal.semi_supervised import (
    bone_length_loss,
    projected,
    reprojection_loss,
    root_targets,
    trajectory_loss,
)
from twod_threed.temporal.sequences import sequences_of
from twod_threed.temporal.windows import Reach, Windows
from utils.cameras import project_with_distortion
from utils.skeletons import COCO_17, H36M_17, HUMANEVA_15, MPII_16

LENS = torch.tensor([[1145.0, 1143.8, 512.5, 515.4], [1149.7, 1147.6, 508.8, 508.1]])
SIZE = torch.tensor([[1000.0, 1002.0], [1000.0, 1000.0]])


def test_root_errors_count_by_the_inverse_of_the_true_depth() -> None:
    truth = torch.tensor([[[[0.0, 0.0, 2.0]], [[1.0, 0.0, 4.0]], [[0.0, 0.0, 5.0]]]])
    found = truth + torch.tensor([[[[3.0, 0.0, 4.0]], [[0.0, 1.0, 0.0]], [[9.0, 9.0, 9.0]]]])
    total, count = trajectory_loss(found, truth, torch.tensor([[True, True, False]]))
    assert float(total) == pytest.approx(5 / 2 + 1 / 4) and int(count) == 2


def test_unknown_roots_and_roots_behind_the_camera_do_not_count() -> None:
    truth = torch.tensor([[[[0.0, 0.0, -1.0]], [[torch.nan] * 3], [[0.0, 0.0, 2.0]]]])
    found = torch.ones(1, 3, 1, 3, requires_grad=True)
    total, count = trajectory_loss(found, truth, torch.tensor([[True, False, True]]))
    total.backward()
    assert int(count) == 1 and found.grad is not None and found.grad.isfinite().all()
    assert (found.grad[0, :2] == 0).all()
    assert float(total.detach()) == pytest.approx(np.sqrt(3) / 2)


def test_root_targets_are_metres_in_the_camera_frame() -> None:
    poses = torch.rand(2, 3, 17, 3) * 4000
    hip = H36M_17.index("hip")
    assert torch.allclose(root_targets(poses, hip)[:, :, 0], poses[:, :, hip] / 1000)


@pytest.mark.parametrize("bent", [False, True])
def test_projection_is_that_of_the_cameras(bent: bool) -> None:
    points = torch.rand(2, 3, 5, 3) * 2 - 1 + torch.tensor([0.0, 0.0, 4.0])
    lens = torch.tensor([DISTORTION, (0.1, -0.05, 0.02, 0.001, 0.002)]) if bent else None
    found = projected(points, LENS, SIZE, lens)
    for number in range(2):
        k1, k2, k3, p1, p2 = lens[number].tolist() if lens is not None else [0.0] * 5
        expected = project_with_distortion(
            points[number].double(), LENS[number].double(), (k1, k2, k3), (p1, p2)
        )
        wanted = to_screen(expected[None], SIZE[[number]].double())[0]
        assert torch.allclose(found[number].double(), wanted, atol=1e-5)


def test_early_answers_anywhere_give_finite_gradients() -> None:
    points = torch.randn(2, 3, 17, 3, requires_grad=True)
    keypoints = torch.rand(2, 3, 16, 2) * 1000
    lens = torch.tensor([DISTORTION] * 2)
    skeletons = (MPII_16, H36M_17)
    total, _ = reprojection_loss(points, keypoints, skeletons, LENS, SIZE, lens)
    total.backward()
    assert total.isfinite() and points.grad is not None and points.grad.isfinite().all()


def test_answers_in_the_plane_of_the_camera_give_finite_gradients() -> None:
    for across in (0.0, 1.0, -2.0):
        points = torch.tensor([across, across, 0.0]).repeat(2, 3, 17, 1).requires_grad_()
        lens = torch.tensor([DISTORTION] * 2)
        found = projected(points, LENS, SIZE, lens)
        found.sum().backward()
        assert found.isfinite().all() and points.grad is not None and points.grad.isfinite().all()


def truth_of(bent: bool) -> tuple[torch.Tensor, ...]:
    """Poses in m, keypoints in px, intrinsics, image sizes and distortions of two windows."""
    pairs = films((4, 4), bent)
    rows = Windows(sequences_of(pairs), 4, Reach(0, 0)).choose(torch.arange(2)).outputs
    camera = pairs.camera[rows[:, 0]]
    tables = (pairs.intrinsics, pairs.image_size, pairs.distortion)
    arrays = (pairs.poses_3d[rows] / 1000, pairs.poses_2d[rows], *(t[camera] for t in tables))
    return tuple(torch.from_numpy(np.asarray(a, np.float32)) for a in arrays)


def test_true_poses_meet_their_keypoints_with_the_lens_and_miss_them_without() -> None:
    poses, keypoints, lens, size, bend = truth_of(bent=True)
    skeletons = (MPII_16, H36M_17)
    total, count = reprojection_loss(poses, keypoints, skeletons, lens, size, bend)
    assert int(count) <= 2 * 4 * 16 and float(total / count) < 1e-4
    total, count = reprojection_loss(poses, keypoints, skeletons, lens, size)
    assert float(total / count) > 1e-3


def test_reprojection_is_the_distance_on_the_screen() -> None:
    poses, keypoints, lens, size, _ = truth_of(bent=False)
    moved = keypoints + torch.tensor([30.0, 40.0])
    moved[0, 0, MPII_16.index("left_knee")] = torch.nan
    skeletons = (MPII_16, H36M_17)
    total, count = reprojection_loss(poses, moved, skeletons, lens, size)
    everything = reprojection_loss(poses, keypoints, skeletons, lens, size)[1]
    assert int(count) == int(everything) - 1
    assert float(total / count) == pytest.approx(50 * 2 / 1000, rel=1e-4)


def test_joints_that_poses_can_only_guess_do_not_count() -> None:
    poses, _, lens, size, _ = truth_of(bent=False)
    keypoints = torch.rand(2, 4, 17, 2) * 1000
    _, count = reprojection_loss(poses, keypoints, (COCO_17, H36M_17), lens, size)
    faces = [joint for joint in COCO_17.joints if joint.endswith(("eye", "ear"))]
    assert int(count) == 2 * 4 * (17 - len(faces))


def test_bone_lengths_are_compared_in_the_mean() -> None:
    rest = torch.zeros(len(HUMANEVA_15), 3)
    for joint, parent in enumerate(HUMANEVA_15.parents):
        if parent >= 0:
            rest[joint] = rest[parent] + torch.tensor([0.3, 0.0, 0.4])
    first = rest.expand(2, 3, -1, -1)
    # One frame of the others has bones three times as long: on average 4 / 3 as long.
    second = torch.stack([rest, rest, 3 * rest, rest, rest, 3 * rest]).unflatten(0, (2, 3))
    found = bone_length_loss(first, second, HUMANEVA_15)
    assert float(found) == pytest.approx(0.5 * (5 / 3 - 1))
    moved = bone_length_loss(first, first + 7, HUMANEVA_15)
    assert float(moved) == pytest.approx(0, abs=1e-6)
