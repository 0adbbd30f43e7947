import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twod_threed.small_poses import lenses, poses_3d
from twod_threed.alignment import about_hip, body_size
from twod_threed.description import LifterDescription, description_from_metadata
from twod_threed.model import LifterArchitecture
from twod_threed.normalisation import Normaliser, measure_statistics
from twod_threed.views import project_mpii
from utils.errors import UserError
from utils.skeletons import H36M_17, MPII_16

SIZE = 3200.0


def normaliser(kind: str, poses: torch.Tensor, pixels: torch.Tensor) -> Normaliser:
    measured = measure_statistics(pixels, about_hip(poses)) if kind == "dataset" else None
    one = Normaliser("mpii_16", MPII_16.joints, H36M_17.joints, SIZE, measured)
    if one.moments:
        one.moments = tuple(m.double() for m in one.moments)  # pyright: ignore
    return one


@pytest.mark.parametrize("kind", ["instance", "dataset"])
@given(seed=st.integers(0, 2**31))
@settings(max_examples=15)
def test_targets_can_be_taken_back(kind: str, seed: int) -> None:
    poses, intrinsics = poses_3d(6, seed), lenses(6)
    pixels = project_mpii(poses, intrinsics)
    one = normaliser(kind, poses, pixels)
    _, view = one.inputs(pixels, intrinsics)
    size = body_size(poses)
    targets = one.targets(poses, view, size)
    asked = size if kind == "instance" else None
    assert torch.allclose(one.poses(targets, view, asked), about_hip(poses), atol=1e-8)


def test_instance_numbers_do_not_see_the_size_of_the_body_or_the_picture() -> None:
    poses = poses_3d(4)
    pixels = project_mpii(poses, lenses(4))
    one = normaliser("instance", poses, pixels)
    points, view = one.inputs(pixels, lenses(4))
    # Everything twice as large and twice as far; a picture with half the pixels.
    larger = 2 * poses
    half = lenses(4) / 2
    points_2, view_2 = one.inputs(project_mpii(larger, half), half)
    assert torch.allclose(points, points_2)
    first = one.targets(poses, view, body_size(poses))
    assert torch.allclose(first, one.targets(larger, view_2, body_size(larger)))


def test_answer_has_the_size_that_is_asked_for() -> None:
    poses = poses_3d(4)
    pixels = project_mpii(poses, lenses(4))
    one = normaliser("instance", poses, pixels)
    _, view = one.inputs(pixels, lenses(4))
    targets = one.targets(poses, view, body_size(poses))
    standard = torch.full((4,), SIZE, dtype=torch.float64)
    assert torch.allclose(body_size(one.poses(targets, view)), standard)
    assert torch.allclose(body_size(one.poses(targets, view, standard / 2)), standard / 2)


def test_statistics_are_population_moments_without_absent_values() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(5, 3, (50, 16, 2))
    points[:20, 4] = np.nan
    poses = rng.normal(-2, 7, (50, 17, 3))
    poses[:, 0] = 0
    one = measure_statistics(torch.from_numpy(points), torch.from_numpy(poses))
    assert np.allclose(one.mean_2d, np.nanmean(points, 0))
    assert np.allclose(one.std_2d, np.nanstd(points, 0, ddof=0))
    assert np.allclose(one.std_3d[1:], poses.std(0)[1:]) and one.std_3d[0] == (1, 1, 1)


@pytest.mark.parametrize("kind", ["instance", "dataset"])
def test_absent_joints_go_in_as_zeros_and_too_few_give_no_pose(kind: str) -> None:
    poses = poses_3d(4)
    pixels = project_mpii(poses, lenses(4))
    one = normaliser(kind, poses, pixels)
    wrist = MPII_16.index("left_wrist")
    pixels[0, wrist] = float("nan")
    pixels[1, 2:] = float("nan")
    points, view = one.inputs(pixels, lenses(4))
    assert (points[0, wrist] == 0).all() and points.isfinite().all()
    found = one.poses(torch.zeros(4, 17, 3, dtype=torch.float64), view)
    assert found.isnan().flatten(1).all(1).tolist() == [False, True, False, False]


def test_joints_that_do_not_come_out_are_nan_and_the_hip_is_the_origin() -> None:
    joints = tuple(joint for joint in H36M_17.joints if joint not in ("hip", "head"))
    one = Normaliser("mpii_16", MPII_16.joints, joints, SIZE, None)
    _, view = one.inputs(project_mpii(poses_3d(2), lenses(2)), lenses(2))
    poses = one.poses(torch.ones(2, 15, 3, dtype=torch.float64), view)
    assert (poses[:, H36M_17.index("hip")] == 0).all()
    assert poses[:, H36M_17.index("head")].isnan().all()
    assert poses[:, H36M_17.index("right_wrist")].isfinite().all()


def test_description_survives_json_and_refuses_others() -> None:
    poses = poses_3d(5)
    measured = measure_statistics(project_mpii(poses, lenses(5)), about_hip(poses))
    for statistics in (None, measured):
        one = LifterDescription(LifterArchitecture(), SIZE, statistics)
        plain = json.loads(json.dumps(one.as_metadata()))
        assert description_from_metadata(plain, "x") == one
        with pytest.raises(UserError, match=r"x: .*damaged"):
            description_from_metadata(plain | {"statistics": {"mean_2d": []}}, "x")
    with pytest.raises(UserError, match="x holds a model of unknown kind"):
        description_from_metadata({}, "x")
    with pytest.raises(UserError, match="do not fit"):
        LifterDescription(LifterArchitecture(joints_in=5), SIZE)
