"""Ways through the latent space, and the latent vector whose pose comes closest to a given one."""

import torch
from torch import Tensor

from generative_models.pose_gan.model import Generator
from generative_models.pose_gan.representation import STANDARD_SIZE, to_joints
from utils.seeds import derive_seed

STARTS = 16
"""Latent vectors that a search starts from; the best of them counts."""
STEPS = 300
_FIRST_RATE = 0.1


def draw_latents(count: int, size: int, seed: int) -> Tensor:
    """Normally distributed latent vectors (count, size), the same on every device."""
    generator = torch.Generator().manual_seed(derive_seed("latent vectors", seed))
    return torch.randn(count, size, generator=generator)


def interpolate(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """Latent vectors (N, L) to others (N, L): (N, steps, L), both ends among them.

    Directions along the great circle, lengths evenly: in between they stay as far from 0 as
    normally distributed vectors are (White, "Sampling generative networks", 2016), which on the
    straight line they do not.
    """
    part = torch.linspace(0, 1, steps)[None, :, None]
    lengths = [torch.linalg.vector_norm(one, dim=-1, keepdim=True)[:, None] for one in (start, end)]
    first, last = start[:, None] / lengths[0], end[:, None] / lengths[1]
    angle = torch.arccos((first * last).sum(-1, keepdim=True).clamp(-1, 1))
    # Below this angle the circle is a straight line to all digits.
    angle = angle.clamp(min=1e-4)
    direction = torch.sin((1 - part) * angle) * first + torch.sin(part * angle) * last
    return direction / torch.sin(angle) * torch.lerp(lengths[0], lengths[1], part)


@torch.enable_grad()
def regress(generator: Generator, poses: Tensor, latent_size: int, seed: int) -> Tensor:
    """The latent vectors (N, latent_size) whose poses come closest to canonical poses (N, 17, 3) of
    bodies of size 1, by the mean squared distance of joints.

    Adam from STARTS random vectors each, with a rate that falls to 0; the best is taken.
    """
    count = len(poses)
    target = poses.repeat_interleave(STARTS, 0)
    latents = draw_latents(count * STARTS, latent_size, seed).to(poses.device).requires_grad_()
    adam = torch.optim.Adam([latents], lr=_FIRST_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, STEPS)
    for _ in range(STEPS):
        loss = _squares(generator, latents, target).sum()
        (latents.grad,) = torch.autograd.grad(loss, latents)
        adam.step()
        schedule.step()
    with torch.no_grad():
        squares = _squares(generator, latents, target).reshape(count, STARTS)
    best = squares.argmin(1) + STARTS * torch.arange(count, device=poses.device)
    return latents.detach()[best]


def _squares(generator: Generator, latents: Tensor, target: Tensor) -> Tensor:
    """Mean squared distances (N,) of joints, in squared decimetres on a standard body."""
    off = (to_joints(generator(latents)) - target) * (STANDARD_SIZE / 100)
    return off.square().sum(-1).mean(-1)
