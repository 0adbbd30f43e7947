import torch

from twod_threed.weak_perspective import PoseProjector, WeakPerspective
from utils.skeleton_conversion import convert
from utils.skeletons import H36M_17, MPII_16


def test_nine_numbers_and_the_published_start() -> None:
    camera = WeakPerspective()
    assert sum(p.numel() for p in camera.parameters()) == 9
    found = camera(torch.tensor([[1.0, 2.0, 3.0]]))
    assert torch.allclose(found, torch.tensor([[5 / 13, 10 / 13]]))


def test_every_number_has_its_place_and_the_input_is_left_alone() -> None:
    camera = WeakPerspective()
    with torch.no_grad():
        camera.shift_3d.copy_(torch.tensor([1.0, -1.0, 2.0]))
        camera.camera_z.fill_(-4.0)
        camera.focal.fill_(3.0)
        camera.scale_2d.copy_(torch.tensor([2.0, 0.5]))
        camera.shift_2d.copy_(torch.tensor([0.1, 0.2]))
    points = torch.tensor([[1.0, 2.0, 4.0]])
    found = camera(points)
    wanted = torch.tensor([[3 * 2 / 10 * 2 + 0.1, 3 * 1 / 10 * 0.5 + 0.2]])
    assert torch.allclose(found, wanted)
    assert torch.equal(points, torch.tensor([[1.0, 2.0, 4.0]]))
    found.sum().backward()
    assert all(p.grad is not None and p.grad.abs().min() > 0 for p in camera.parameters())


def test_poses_are_seen_as_the_joints_of_the_skeleton() -> None:
    projector, poses = PoseProjector(MPII_16), torch.randn(3, 17, 3)
    wanted = projector.camera(convert(poses, H36M_17, MPII_16).poses)
    assert torch.equal(projector(poses), wanted) and wanted.shape == (3, 16, 2)
