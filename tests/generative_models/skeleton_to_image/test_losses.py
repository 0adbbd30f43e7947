"""Losses and sharpness against closed forms."""

import pytest
import torch

from generative_models.skeleton_to_image.losses import l1_loss, sharpness, sharpness_ratio


def test_l1() -> None:
    assert l1_loss(torch.full((2, 3, 4, 4), 0.25), torch.full((2, 3, 4, 4), -0.5)) == 0.75


def test_a_slope_has_no_sharpness_and_a_dot_has_twenty() -> None:
    slope = torch.arange(9.0).expand(1, 3, 9, 9)
    assert sharpness(slope).item() == 0
    dot = torch.zeros(1, 3, 9, 9)
    dot[..., 4, 4] = 1
    # (-4)^2 + 4 * 1^2 over the 7 x 7 places where the kernel fits.
    assert sharpness(dot).item() == pytest.approx(20 / 49)


def test_blur_lowers_the_ratio_and_contrast_squares_it() -> None:
    torch.manual_seed(0)
    real = torch.rand(2, 3, 32, 32)
    assert torch.allclose(sharpness_ratio(real / 2, real), torch.full((2,), 0.25))
    assert (sharpness_ratio(torch.nn.functional.avg_pool2d(real, 3, 1, 1), real) < 0.1).all()
    assert torch.allclose(sharpness_ratio(real, real), torch.ones(2))
