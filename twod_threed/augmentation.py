"""Changes to training poses, made for a whole batch on the model's device.

A minibatch is a dict of tensors (`twod_threed.data`): poses_3d (B, 17, 3) mm in the camera frame,
valid (B, 17) bool, poses_2d (B, J, 2) px, intrinsics (B, 4), up (B, 3): the
upward direction of the world in camera axes, size (B,) mm.
"""

import math

import torch
from torch import Tensor

from twod_threed.detector_noise import NoiseTable, add_noise
from twod_threed.options import AugmentationOptions
from twod_threed.views import project_mpii
from utils.skeletons import H36M_17

Minibatch = dict[str, Tensor]

_HIP = H36M_17.index("hip")


def rotations(axes: Tensor, angles: Tensor) -> Tensor:
    """Rotations (B, 3, 3) by angles (B,), radians, about unit axes (B, 3).

    Rodrigues: Q = cos I + sin [n] + (1 - cos) n n^T.
    """
    x, y, z = axes.unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).unflatten(-1, (3, 3))
    cosine, sine = angles.cos()[:, None, None], angles.sin()[:, None, None]
    identity = torch.eye(3, device=axes.device, dtype=axes.dtype)
    return cosine * identity + sine * cross + (1 - cosine) * axes[:, :, None] * axes[:, None]


def random_axes(count: int, generator: torch.Generator) -> Tensor:
    """Unit vectors (count, 3), uniform on the sphere, on the generator's device."""
    normal = torch.randn(count, 3, generator=generator, device=generator.device)
    return torch.nn.functional.normalize(normal, dim=-1)


def _chosen(count: int, probability: float, generator: torch.Generator) -> Tensor:
    """(count,) bool, each true with that probability."""
    return torch.rand(count, generator=generator, device=generator.device) < probability


def turn_and_mirror(
    poses: Tensor, valid: Tensor, turns: Tensor, mirrored: Tensor
) -> tuple[Tensor, Tensor]:
    """Turn poses (B, 17, 3) about their hip by (B, 3, 3); mirror those marked in `mirrored` (B,).

    A mirrored pose is reflected in the plane x = 0 through its hip first, and its left joints
    become right ones, so that it is a pose of a person again. -> poses, valid (B, 17).
    """
    hip = poses[:, _HIP : _HIP + 1]
    order = list(H36M_17.flip_order)
    sign = torch.tensor([-1.0, 1.0, 1.0], device=poses.device)
    offset = torch.where(mirrored[:, None, None], (poses - hip)[:, order] * sign, poses - hip)
    valid = torch.where(mirrored[:, None], valid[:, order], valid)
    return offset @ turns.mT + hip, valid


def orthogonal_augmentation(
    batch: Minibatch, options: AugmentationOptions, generator: torch.Generator
) -> Minibatch:
    """Randomly turned and mirrored poses, seen again by the same cameras without detector errors.

    Poses that are neither turned nor mirrored keep the 2D they have.
    """
    count = len(batch["poses_3d"])
    angles = torch.rand(count, generator=generator, device=generator.device) * 2 * math.pi
    axes = batch["up"] if options.z_rotations_only else random_axes(count, generator)
    turned = _chosen(count, options.turn_probability, generator)
    mirrored = _chosen(count, options.flip_prob, generator)
    turns = rotations(axes, torch.where(turned, angles, 0))
    poses, valid = turn_and_mirror(batch["poses_3d"], batch["valid"], turns, mirrored)
    seen = project_mpii(poses, batch["intrinsics"], batch.get("distortion"))
    changed = (turned | mirrored)[:, None, None]
    return batch | {
        "poses_3d": torch.where(changed, poses, batch["poses_3d"]),
        "valid": valid,
        "poses_2d": torch.where(changed, seen, batch["poses_2d"]),
    }


def drop_joints(points: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """Points (B, J, 2) with whole joints made NaN, each with that probability."""
    shape = points.shape[:2]
    dropped = torch.rand(shape, generator=generator, device=generator.device) < probability
    return points.masked_fill(dropped[..., None], torch.nan)


def augment(
    batch: Minibatch,
    options: AugmentationOptions,
    noise: NoiseTable,
    generator: torch.Generator,
) -> Minibatch:
    """Everything that the options ask for: turns and reflections, detector noise, lost joints."""
    if options.turn_probability or options.flip_prob:
        batch = orthogonal_augmentation(batch, options, generator)
    if options.input_noise:
        chance = torch.rand(len(batch["size"]), 1, generator=generator, device=generator.device)
        amount = options.input_noise * chance
        points = add_noise(batch["poses_2d"], noise, amount, generator)
        batch = batch | {"poses_2d": points}
    if options.drop_joint_prob:
        points = drop_joints(batch["poses_2d"], options.drop_joint_prob, generator)
        batch = batch | {"poses_2d": points}
    return batch
