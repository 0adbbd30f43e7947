"""Losses of the Wasserstein GAN and of the VAE."""

from collections.abc import Callable

import torch
from torch import Tensor


def critic_loss(real: Tensor, made: Tensor) -> Tensor:
    """What the critic minimises: mean score of made poses minus that of real ones (Arjovsky et al.
    2017, eq. 2). With scores (B,) of a critic of Lipschitz constant 1, its negative estimates the
    Wasserstein-1 distance from below."""
    return made.mean() - real.mean()


def generator_loss(made: Tensor) -> Tensor:
    """What the generator minimises: minus the mean score (B,) of what it made."""
    return -made.mean()


def gradient_penalty(
    critic: Callable[[Tensor], Tensor],
    real: Tensor,
    made: Tensor,
    mix: Tensor,
    unit: Tensor | float = 1.0,
) -> Tensor:
    """Mean of (|gradient| - 1)^2 at points between real and made poses (B, J, 3).

    Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville, "Improved Training of Wasserstein GANs", 2017,
    eq. 3. mix (B, 1, 1): how far each point is from the real pose to the made one. unit: the length
    that gradients are taken by. The result has gradients for the critic's weights.
    """
    between = torch.lerp(real, made, mix).detach().requires_grad_()
    with torch.enable_grad():
        score = critic(between).sum()
        (gradient,) = torch.autograd.grad(score, between, create_graph=True)
    # The square root of 0 has no gradient.
    length = (gradient * unit).flatten(1).square().sum(1).clamp(min=1e-12).sqrt()
    return (length - 1).square().mean()


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """From N(mean, variance) to N(0, 1), nats: (B, D), (B, D) -> (B,) (Kingma and Welling 2014,
    appendix B)."""
    return 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum(1)


def energy_distance(first: Tensor, second: Tensor) -> Tensor:
    """How far two sets of vectors (N, D), (M, D) are from each other's distribution.

    2 E|x - y| - E|x - x'| - E|y - y'|, 0 for equal distributions and no others (Szekely and Rizzo,
    "Energy statistics", 2013, eq. 4); unbiased, so that it may come out below 0.
    """
    across = _distances(first, second).mean()
    return 2 * across - _own_distance(first) - _own_distance(second)


def _own_distance(vectors: Tensor) -> Tensor:
    """Mean distance of two different rows."""
    count = len(vectors)
    return _distances(vectors, vectors).sum() / (count * (count - 1))


def _distances(first: Tensor, second: Tensor) -> Tensor:
    """(N, D), (M, D) -> (N, M), exactly 0 between equal rows."""
    return torch.cdist(first, second, compute_mode="donot_use_mm_for_euclid_dist")
