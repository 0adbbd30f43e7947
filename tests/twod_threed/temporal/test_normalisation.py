"""Both normalisations of windows, forwards and back."""

import pytest
import torch

from tests.twod_threed.small_poses import lenses, poses_3d
from twod_threed.alignment import about_hip, body_size
from twod_threed.normalisation import Normaliser
from twod_threed.temporal.normalisation import (
    TemporalNormaliser,
    frames_of,
    from_screen,
    to_screen,
)
from twod_threed.temporal.options import Normalisation
from twod_threed.views import project_mpii
from utils.errors import UserError
from utils.skeletons import H36M_17, HUMANEVA_15, MPII_16

SIZE = 3300.0


def normaliser(kind: Normalisation = "screen", joints=H36M_17.joints) -> TemporalNormaliser:
    return TemporalNormaliser(kind, "mpii_16", MPII_16.joints, "h36m_17", joints, SIZE)


def window(batch: int = 3, frames: int = 4) -> tuple[torch.Tensor, ...]:
    """Poses (B, T, 17, 3), keypoints, intrinsics, image sizes; float64."""
    poses, lens = poses_3d(batch * frames), lenses(batch)
    points = project_mpii(poses, lens.repeat_interleave(frames, 0))
    sizes = torch.tensor([[1000.0, 1002.0]] * batch, dtype=torch.float64)
    return poses.unflatten(0, (batch, frames)), points.unflatten(0, (batch, frames)), lens, sizes


def test_the_picture_spans_minus_one_to_one_across_and_keeps_its_shape() -> None:
    corners = torch.tensor([[[[0.0, 0.0], [1920.0, 1080.0], [960.0, 540.0]]]])
    size = torch.tensor([[1920.0, 1080.0]])
    found = to_screen(corners, size)[0, 0]
    ratio = 1080 / 1920
    assert torch.allclose(found, torch.tensor([[-1.0, -ratio], [1.0, ratio], [0.0, 0.0]]))
    assert torch.allclose(from_screen(found[None, None], size), corners, atol=1e-3)


def test_screen_is_the_published_formula_and_metres_about_the_hip() -> None:
    poses, points, lens, sizes = window()
    one = normaliser()
    found, view = one.inputs(points, lens, sizes)
    assert torch.allclose(found[..., 0], points[..., 0] * 2 / 1000 - 1)
    assert torch.allclose(found[..., 1], points[..., 1] * 2 / 1000 - 1002 / 1000)
    targets = one.targets(poses, view, torch.full((3,), SIZE))
    about = about_hip(poses.flatten(0, 1)).unflatten(0, (3, 4))
    assert torch.allclose(targets * 1000, about)
    assert one.millimetres == 1000
    assert torch.allclose(one.poses(targets, view), about)


@pytest.mark.parametrize("frames", [slice(0, 4), slice(1, 3)])
def test_view_is_the_lifters_normalisation_frame_by_frame(frames: slice) -> None:
    poses, points, lens, sizes = window()
    one = normaliser("view")
    single = Normaliser("mpii_16", MPII_16.joints, H36M_17.joints, SIZE, None)
    found, whole = one.inputs(points, lens, sizes)
    view, size = frames_of(whole, frames), torch.tensor([3000.0, 3300.0, 3600.0])
    targets = one.targets(poses[:, frames], view, size)
    back = one.poses(targets, view, size)
    for number in range(3):
        its_lens = lens[[number]].expand(4, 4)
        expected, seen = single.inputs(points[number], its_lens)
        assert torch.allclose(found[number], expected)
        wanted = single.targets(poses[number], seen, size[[number]].expand(4))
        assert torch.allclose(targets[number], wanted[frames])
        assert torch.allclose(back[number], about_hip(poses[number])[frames])
    sizes_found = body_size(one.poses(targets, view).flatten(0, 1)).unflatten(0, targets.shape[:2])
    sizes_then = body_size(back.flatten(0, 1)).unflatten(0, targets.shape[:2])
    assert torch.allclose(sizes_found, sizes_then * (SIZE / size)[:, None])


def test_a_size_can_be_asked_for() -> None:
    poses, points, lens, sizes = window()
    one = normaliser()
    _, view = one.inputs(points, lens, sizes)
    targets = one.targets(poses, view, torch.full((3,), SIZE))
    larger = one.poses(targets, view, torch.tensor([SIZE, 1.1 * SIZE, SIZE]))
    assert torch.allclose(larger[1], 1.1 * one.poses(targets, view)[1])


@pytest.mark.parametrize("kind", ["screen", "view"])
def test_absent_joints_are_zeros_and_frames_of_too_few_are_lost(kind: Normalisation) -> None:
    _, points, lens, sizes = window()
    points[0, 1, 5] = torch.nan
    points[1, 2, 2:] = torch.nan
    one = normaliser(kind)
    found, view = one.inputs(points, lens, sizes)
    assert found.isfinite().all() and (found[0, 1, 5] == 0).all() and (found[1, 2] == 0)[2:].all()
    answers = one.poses(torch.zeros(3, 4, 17, 3, dtype=torch.float64), view)
    lost = answers.isnan().all(-1).all(-1)
    assert lost[1, 2] and int(lost.sum()) == 1


def test_joints_that_do_not_come_out_are_unknown() -> None:
    joints = tuple(joint for joint in H36M_17.joints if joint != "neck_nose")
    poses, points, lens, sizes = window()
    one = normaliser(joints=joints)
    _, view = one.inputs(points, lens, sizes)
    targets = one.targets(poses, view, torch.full((3,), SIZE))
    assert targets.shape == (3, 4, 16, 3)
    back = one.poses(targets, view)
    lost = H36M_17.index("neck_nose")
    kept = [joint for joint in range(17) if joint != lost]
    assert back[:, :, lost].isnan().all()
    about = about_hip(poses.flatten(0, 1)).unflatten(0, (3, 4))
    assert torch.allclose(back[:, :, kept], about[:, :, kept])


def test_other_skeletons_have_other_roots() -> None:
    names = (HUMANEVA_15.name, HUMANEVA_15.joints)
    one = TemporalNormaliser("screen", "mpii_16", MPII_16.joints, *names, SIZE)
    poses = torch.rand(2, 3, 15, 3) * 1000
    _, points, lens, sizes = window(2, 3)
    _, view = one.inputs(points, lens, sizes)
    targets = one.targets(poses, view, torch.full((2,), SIZE))
    pelvis = HUMANEVA_15.index("pelvis")
    assert (targets[:, :, pelvis] == 0).all()
    assert torch.allclose(one.poses(targets, view), poses - poses[:, :, [pelvis]], atol=1e-3)


def test_a_wrong_number_of_joints_is_named() -> None:
    _, points, lens, sizes = window()
    with pytest.raises(UserError, match=r"the 16 joints of mpii_16, but these keypoints have 13"):
        normaliser().inputs(points[:, :, :13], lens, sizes)
