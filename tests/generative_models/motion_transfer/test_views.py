"""Views and turns, against SciPy and closed forms."""

import math

import torch
from scipy.spatial.transform import Rotation

from generative_models.motion_transfer.views import (
    SCALES,
    TILT,
    body_vertical,
    random_angles,
    random_views,
    seen,
    turns,
)
from tests.generative_models.motion_transfer.moving import swinging


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_turns_are_those_of_scipy():
    axis = torch.nn.functional.normalize(torch.randn(5, 3, generator=generator()), dim=-1)
    angle = torch.linspace(-3, 3, 5)
    wanted = Rotation.from_rotvec((axis * angle[:, None]).numpy()).as_matrix()
    torch.testing.assert_close(turns(axis, angle), torch.from_numpy(wanted).float())


def test_views_are_turns_with_a_scale_and_little_tilt():
    views = random_views(500, generator(), torch.device("cpu"))
    scales = torch.linalg.det(views) ** (1 / 3)
    assert scales.min() >= SCALES[0] - 1e-4 and scales.max() <= SCALES[1] + 1e-4
    turned = views / scales[:, None, None]
    torch.testing.assert_close(
        turned @ turned.mT, torch.eye(3).expand(500, 3, 3), atol=1e-4, rtol=0
    )
    # What is upright stays within both tilts of upright; sides are all seen.
    assert turned[:, 1, 1].min() > math.cos(2 * TILT)
    assert (turned[:, 0, 0] < -0.9).any() and (turned[:, 0, 0] > 0.9).any()


def test_what_is_seen_is_x_and_y_of_the_turned_points():
    points = swinging(4)[None]
    quarter = turns(torch.tensor([[0.0, 1, 0]]), torch.tensor([math.pi / 2]))
    found = seen(points, quarter)
    torch.testing.assert_close(found[..., 0], points[..., 2], atol=1e-2, rtol=1e-4)
    torch.testing.assert_close(found[..., 1], points[..., 1], atol=1e-2, rtol=1e-4)


def test_the_vertical_of_a_body_is_upright_to_its_hips_and_shoulders():
    roll = turns(torch.tensor([[0.0, 0, 1]]), torch.tensor([0.3]))
    points = swinging(8)[None] @ roll.mT
    vertical = body_vertical(points)
    torch.testing.assert_close(vertical, torch.tensor([[math.sin(0.3), -math.cos(0.3), 0]]))


def test_angles_are_about_multiples_of_45_degrees():
    angles = random_angles(3, 20_000, generator())
    wanted = torch.tensor([1.0, 2, 3]) * math.pi / 4
    torch.testing.assert_close(angles.mean(1), wanted, atol=0.02, rtol=0)
    torch.testing.assert_close(angles.std(1), torch.full((3,), math.pi / 4), atol=0.02, rtol=0)
