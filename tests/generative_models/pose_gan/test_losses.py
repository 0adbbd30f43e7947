"""Losses against closed forms."""

import pytest
import torch
from scipy.stats import energy_distance as energy_distance_root
from torch.distributions import Normal
from torch.distributions import kl_divergence as kl_of

from generative_models.pose_gan.losses import (
    critic_loss,
    energy_distance,
    generator_loss,
    gradient_penalty,
    kl_divergence,
)


def linear_critic(weight: torch.Tensor):
    return lambda poses: poses.flatten(1) @ weight


@pytest.mark.parametrize("length", [0.3, 1.0, 2.5])
def test_the_penalty_of_a_linear_critic_is_known(length: float) -> None:
    """f(x) = w.x has gradient w everywhere, so the penalty is (|w| - 1)^2, and its own gradient
    2 (|w| - 1) w / |w|, whatever the poses."""
    torch.manual_seed(0)
    weight = torch.randn(45, dtype=torch.float64)
    weight = (weight * length / weight.norm()).requires_grad_()
    real, made = torch.randn(2, 6, 15, 3, dtype=torch.float64)
    mix = torch.rand(6, 1, 1, dtype=torch.float64)
    penalty = gradient_penalty(linear_critic(weight), real, made, mix)
    assert penalty.item() == pytest.approx((length - 1) ** 2)
    (gradient,) = torch.autograd.grad(penalty, weight)
    assert torch.allclose(gradient, 2 * (length - 1) * weight.detach() / length)


def test_the_penalty_counts_gradients_by_the_unit() -> None:
    weight = torch.full((45,), 2 / 45**0.5)
    poses = torch.zeros(3, 15, 3)
    found = gradient_penalty(linear_critic(weight), poses, poses, torch.zeros(3, 1, 1), unit=2.0)
    assert found.item() == pytest.approx((2 * 2 - 1) ** 2, rel=1e-5)


def test_the_penalty_is_taken_between_the_poses() -> None:
    """f(x) = |x|^2 / 2 has gradient x: at a quarter of the way from 0 to 8 that is 2."""
    real, made = torch.zeros(2, 1, 1), torch.full((2, 1, 1), 8.0)
    mix = torch.tensor([0.25, 0.5])[:, None, None]
    found = gradient_penalty(lambda x: x.flatten(1).square().sum(1) / 2, real, made, mix)
    assert found.item() == pytest.approx(((2 - 1) ** 2 + (4 - 1) ** 2) / 2)


def test_the_penalty_of_a_flat_critic_has_a_gradient() -> None:
    weight = torch.zeros(45, requires_grad=True)
    poses = torch.randn(3, 15, 3)
    found = gradient_penalty(linear_critic(weight), poses, poses, torch.zeros(3, 1, 1))
    (gradient,) = torch.autograd.grad(found, weight)
    assert found.item() == pytest.approx(1.0, abs=1e-5) and gradient.isfinite().all()


def test_critic_and_generator_want_opposites() -> None:
    real, made = torch.tensor([1.0, 3.0]), torch.tensor([-1.0, 0.0])
    assert critic_loss(real, made).item() == -2.5
    assert generator_loss(made).item() == 0.5


def test_kl_divergence_is_that_of_torch() -> None:
    torch.manual_seed(0)
    mean, log_variance = torch.randn(2, 5, 7, dtype=torch.float64)
    theirs = kl_of(Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0)).sum(1)
    assert torch.allclose(kl_divergence(mean, log_variance), theirs)
    zero = torch.zeros(1, 7)
    assert kl_divergence(zero, zero).item() == 0


def test_energy_distance_of_one_dimension_is_that_of_scipy() -> None:
    """SciPy takes the root, and counts a sample's distance to itself; ours is without bias."""
    torch.manual_seed(0)
    first, second = torch.randn(400, 1).double(), torch.randn(300, 1).double() * 2 + 1
    theirs = energy_distance_root(first[:, 0].numpy(), second[:, 0].numpy()) ** 2
    own = [torch.cdist(x, x).mean() for x in (first, second)]
    counted = sum(o / (len(x) - 1) for o, x in zip(own, (first, second), strict=True))
    assert energy_distance(first, second).item() == pytest.approx(float(theirs - counted))


def test_energy_distance_of_equals_is_zero_on_average() -> None:
    torch.manual_seed(0)
    found = torch.stack([energy_distance(*torch.randn(2, 50, 3)) for _ in range(400)])
    assert abs(found.mean()) < 4 * found.std() / 20
    assert (found < 0).any()
