from pathlib import Path

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twod_threed.small_poses import INTRINSICS, lenses, poses_3d
from twod_threed.alignment import (
    BODY_BONES,
    SIZE_PER_HEIGHT,
    about_hip,
    align,
    body_size,
    root_position,
    spread,
    to_plane,
    turn_to_axis,
    unalign,
)
from twod_threed.views import project_mpii
from utils.skeleton_conversion import convert
from utils.skeletons import H36M_17, MPII_16

HIPS = MPII_16.indices("left_hip", "right_hip")
seeds = st.integers(0, 2**31)


@given(seeds)
@settings(max_examples=20)
def test_the_smallest_rotation_brings_the_ray_to_the_axis(seed: int) -> None:
    rng = np.random.default_rng(seed)
    places = torch.from_numpy(rng.normal(0, 1, (5, 2)))
    rotation = turn_to_axis(places)
    identity = torch.eye(3, dtype=torch.float64).expand(5, 3, 3)
    assert torch.allclose(rotation @ rotation.mT, identity, atol=1e-12)
    assert torch.allclose(torch.linalg.det(rotation), torch.ones(5, dtype=torch.float64))
    ray = torch.nn.functional.pad(places, (0, 1), value=1.0)
    turned = (rotation @ ray[..., None])[..., 0]
    assert torch.allclose(turned[:, :2], torch.zeros(5, 2, dtype=torch.float64), atol=1e-12)
    # No rotation about the ray itself: the angle is the one between ray and axis.
    cosine = ray[:, 2] / ray.norm(dim=1)
    trace = rotation.diagonal(dim1=1, dim2=2).sum(1)
    assert torch.allclose(trace, 1 + 2 * cosine)


@given(seeds)
@settings(max_examples=20)
def test_alignment_can_be_taken_back(seed: int) -> None:
    poses, intrinsics = poses_3d(4, seed), lenses(4)
    pixels = project_mpii(poses, intrinsics)
    pixels[0, 0] = float("nan")
    pixels[1, HIPS[0]] = float("nan")
    points, view = align(pixels, intrinsics, HIPS)
    back = unalign(points, view, intrinsics)
    assert torch.allclose(back, pixels, atol=1e-8, equal_nan=True)


def test_hips_come_to_the_middle_and_the_spread_is_one() -> None:
    pixels = project_mpii(poses_3d(6), lenses(6))
    points, view = align(pixels, lenses(6), HIPS)
    assert torch.allclose(spread(points), torch.ones(6, dtype=torch.float64))
    # The middle of the hips in the picture is on the axis; after the turn it is where its ray is.
    middle = to_plane(pixels, lenses(6))[:, HIPS].mean(1)
    ray = torch.nn.functional.pad(middle, (0, 1), value=1.0)
    turned = (view.rotation @ ray[..., None])[..., 0]
    assert turned[:, :2].abs().max() < 1e-12


def test_where_a_hip_is_absent_the_present_joints_are_the_middle() -> None:
    pixels = project_mpii(poses_3d(1), lenses(1))
    pixels[0, HIPS[0]] = float("nan")
    _, view = align(pixels, lenses(1), HIPS)
    middle = to_plane(pixels, lenses(1)).nanmean(1)
    assert torch.allclose(view.rotation, turn_to_axis(middle))


def test_turning_the_camera_in_its_place_changes_nothing_but_roll() -> None:
    """What a shift and a scaling of the picture would not achieve."""
    poses, intrinsics = poses_3d(8), lenses(8)
    turn = turn_to_axis(torch.tensor([[0.25, -0.15]], dtype=torch.float64))
    plain, _ = align(project_mpii(poses, intrinsics), intrinsics, HIPS)
    turned, _ = align(project_mpii(poses @ turn[0].T, intrinsics), intrinsics, HIPS)
    # Distances between joints do not see the roll that is left. The middle of the two hips moves
    # a little against their 3D places, hence the tolerance.
    assert torch.allclose(torch.cdist(plain, plain), torch.cdist(turned, turned), atol=5e-3)
    moved = to_plane(project_mpii(poses @ turn[0].T, intrinsics), intrinsics)
    moved = moved / spread(moved - moved[:, HIPS].mean(1, keepdim=True))[:, None, None]
    assert not torch.allclose(torch.cdist(plain, plain), torch.cdist(moved, moved), atol=5e-2)


def test_spread_is_the_population_deviation_of_distances() -> None:
    points = torch.randn(1, 16, 2, dtype=torch.float64)
    points[0, 3] = float("nan")
    present = points[0].numpy()[np.arange(16) != 3]
    assert np.isclose(float(spread(points)), np.linalg.norm(present, axis=1).std(ddof=0))


def test_too_few_joints_have_no_spread() -> None:
    points = torch.full((3, 16, 2), float("nan"))
    points[1, :2] = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    points[2, :4] = torch.tensor([1.0, 0.0])
    assert spread(points).isnan().all()


def test_body_size_is_the_length_of_the_bones_in_any_pose() -> None:
    poses = poses_3d(3)
    wanted = sum(
        (poses[:, H36M_17.index(a)] - poses[:, H36M_17.index(b)]).norm(dim=-1)
        for a, b, _ in BODY_BONES
    )
    assert torch.allclose(body_size(poses), torch.as_tensor(wanted))
    assert torch.allclose(body_size(2 * poses + 5), 2 * body_size(poses))
    assert abs(SIZE_PER_HEIGHT - 1.9) < 0.01


def test_known_bones_stand_for_unknown_ones() -> None:
    """A body in the very proportions of the table keeps its size when bones are lost."""
    pose = torch.zeros(1, 17, 3, dtype=torch.float64)
    for upper, lower, fraction in BODY_BONES:
        step = torch.tensor([0.0, fraction * 1700, 0.0], dtype=torch.float64)
        pose[:, H36M_17.index(lower)] = pose[:, H36M_17.index(upper)] + step
    assert torch.allclose(body_size(pose), torch.tensor(1700 * SIZE_PER_HEIGHT).double())
    pose[:, H36M_17.indices("thorax", "left_wrist", "right_knee")] = float("nan")
    assert torch.allclose(body_size(pose), torch.tensor(1700 * SIZE_PER_HEIGHT).double())
    assert body_size(torch.full((1, 17, 3), float("nan"))).isnan().all()


@given(seeds)
@settings(max_examples=20)
def test_the_root_of_exact_projections_is_found(seed: int) -> None:
    poses = poses_3d(5, seed)
    pixels = project_mpii(poses, lenses(5))
    pixels[0, 5:] = float("nan")
    relative = convert(about_hip(poses), H36M_17, MPII_16).poses
    roots = root_position(relative, to_plane(pixels, lenses(5)))
    assert torch.allclose(roots, poses[:, H36M_17.index("hip")], atol=1e-5)


def test_human36m_people_have_the_height_of_people(real_data: Path) -> None:
    with np.load(real_data / "h36m_sample" / "poses.npz") as sample:
        poses = torch.from_numpy(sample["S"][..., :3] * 1000.0)
    heights = body_size(poses) / SIZE_PER_HEIGHT
    assert (heights > 1650).all() and (heights < 1850).all()


def test_one_joint_has_no_root() -> None:
    plane = torch.full((1, 16, 2), float("nan"))
    plane[0, 4] = 0.1
    assert root_position(torch.randn(1, 16, 3), plane).isnan().all()


def test_pixels_use_both_focal_lengths() -> None:
    fx, fy, cx, cy = INTRINSICS
    plane = to_plane(torch.tensor([[[cx + fx, cy - 2 * fy]]]).double(), lenses(1))
    assert torch.allclose(plane, torch.tensor([[[1.0, -2.0]]]).double())
