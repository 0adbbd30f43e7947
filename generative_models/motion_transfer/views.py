"""From where motion is seen: views of training motion, and turns of a body about its vertical.

Points are (..., frame, joint, 3): x right, y down, z away from the viewer. Seen from far away, a
view is x and y.
"""

import math

import torch
from torch import Tensor

from generative_models.motion_transfer.limbs import (
    LEFT_HIP,
    LEFT_SHOULDER,
    RIGHT_HIP,
    RIGHT_SHOULDER,
)

TILT = math.radians(20.0)
"""Views are pitched and rolled by at most this."""
SCALES = (0.8, 1.2)
"""Views are enlarged by a factor between these."""


def turns(axis: Tensor, angle: Tensor) -> Tensor:
    """Rotations (..., 3, 3) by angle (...), rad, about axes (..., 3) of length 1 (Rodrigues)."""
    x, y, z = axis.unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).unflatten(-1, (3, 3))
    sine, cosine = angle.sin()[..., None, None], angle.cos()[..., None, None]
    return (
        torch.eye(3, dtype=axis.dtype, device=axis.device)
        + sine * cross
        + (1 - cosine) * (cross @ cross)
    )


def random_views(count: int, generator: torch.Generator, device: torch.device) -> Tensor:
    """(count, 3, 3): from any side, pitched and rolled up to `TILT`, enlarged as in `SCALES`."""
    drawn = torch.rand(count, 4, generator=generator, device=device)
    axes = torch.eye(3, device=device)[:, None].expand(3, count, 3)
    yaw = turns(axes[1], 2 * math.pi * drawn[:, 0])
    pitch = turns(axes[0], TILT * (2 * drawn[:, 1] - 1))
    roll = turns(axes[2], TILT * (2 * drawn[:, 2] - 1))
    low, high = SCALES
    return roll @ pitch @ yaw * (low + (high - low) * drawn[:, 3, None, None])


def seen(points: Tensor, views: Tensor) -> Tensor:
    """Points (B, T, J, 3) as views (B, 3, 3) show them: (B, T, J, 2)."""
    return (points @ views[:, None].mT)[..., :2]


def body_vertical(points: Tensor) -> Tensor:
    """Upward direction of bodies (B, T, J, 3): (B, 3), length 1, without gradient.

    The viewer's upward direction without its part along the mean direction from right to left
    shoulder and hip.
    """
    shoulders = points[..., LEFT_SHOULDER, :] - points[..., RIGHT_SHOULDER, :]
    hips = points[..., LEFT_HIP, :] - points[..., RIGHT_HIP, :]
    across = torch.nn.functional.normalize((shoulders + hips).detach().mean(-2), dim=-1)
    up = torch.tensor([0.0, -1.0, 0.0], dtype=points.dtype, device=points.device)
    upright = up - (across @ up)[..., None] * across
    # Of a body that lies on its side nothing is left: any axis will do.
    return torch.nn.functional.normalize(upright + 1e-6 * up, dim=-1)


def random_angles(count: int, bodies: int, generator: torch.Generator) -> Tensor:
    """Angles (count, bodies), rad: i pi/4 for i = 1 to `count`, each plus pi/4 times a normal one
    (Yang et al. 2020)."""
    step = math.pi / 4
    steps = torch.arange(1, count + 1, device=generator.device)[:, None]
    noise = torch.randn(count, bodies, generator=generator, device=generator.device)
    return step * (steps + noise)
