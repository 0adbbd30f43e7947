"""From points to the network's numbers, and back.

A clip's *local rows* are (..., T, 15, D): fourteen joints relative to the middle of the hips, then
the velocity of that middle, per frame. The network's channels are (B, 15 D, T): rows less their
mean, by their standard deviation, row by row. Depth has the statistics of x: motion is seen from
all sides. What is absent is 0, the mean.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from generative_models.motion_transfer.limbs import LEFT_HIP, RIGHT_HIP, ROOT, SKELETON

JOINTS = [joint for joint in range(len(SKELETON)) if joint != ROOT]
ROWS = len(JOINTS) + 1
STATIC_ROWS = len(JOINTS)
"""Rows that body and view are told from: all but the velocity."""
_HIPS = [JOINTS.index(LEFT_HIP), JOINTS.index(RIGHT_HIP)]
_SMALLEST = 1e-4  # of a standard deviation


def local_rows(points: Tensor) -> Tensor:
    """Points (..., T, 15, D), T at least 2, -> local rows (..., T, 15, D), in the same unit.

    The velocity of a frame is that since the last one; the first frame has that of the second.
    """
    root = points[..., ROOT, :]
    steps = root[..., 1:, :] - root[..., :-1, :]
    velocity = torch.cat([steps[..., :1, :], steps], dim=-2)
    relative = points[..., JOINTS, :] - root[..., None, :]
    return torch.cat([relative, velocity[..., None, :]], dim=-2)


def from_local_rows(rows: Tensor) -> Tensor:
    """Inverse of `local_rows`, but for where the first frame's root is: at the origin."""
    velocity = rows[..., -1, :]
    steps = torch.cat([torch.zeros_like(velocity[..., :1, :]), velocity[..., 1:, :]], dim=-2)
    root = steps.cumsum(-2)
    points: list[Tensor] = [root] * len(SKELETON)
    for row, joint in enumerate(JOINTS):
        points[joint] = rows[..., row, :] + root
    return torch.stack(points, dim=-2)


def centred(rows: Tensor) -> Tensor:
    """Local rows moved so that the middle of the hips is at the origin."""
    middle = rows[..., _HIPS, :].mean(-2, keepdim=True)
    return torch.cat([rows[..., :-1, :] - middle, rows[..., -1:, :]], dim=-2)


@dataclass(frozen=True)
class Normaliser:
    """Means and standard deviations (15, 2) of the local rows of clips seen in 2D."""

    mean: Tensor
    std: Tensor

    @staticmethod
    def measured(rows: Tensor) -> "Normaliser":
        """From local rows (N, T, 15, 2), NaN where absent."""
        flat = rows.flatten(0, 1)
        mean = flat.nanmean(0)
        std = (flat - mean).square().nanmean(0).sqrt().clamp(min=_SMALLEST)
        return Normaliser(mean.nan_to_num(0), std.nan_to_num(1))

    def to(self, device: torch.device | str) -> "Normaliser":
        """The same on a device."""
        return Normaliser(self.mean.to(device), self.std.to(device))

    def _statistics(self, axes: int) -> tuple[Tensor, Tensor]:
        if axes == 2:
            return self.mean, self.std
        # Depth: as x, but nobody is on average behind themselves.
        no_mean = torch.zeros_like(self.mean[:, :1])
        return torch.cat([self.mean, no_mean], 1), torch.cat([self.std, self.std[:, :1]], 1)

    def channels(self, rows: Tensor) -> Tensor:
        """Local rows (B, T, 15, D) -> channels (B, 15 D, T)."""
        mean, std = self._statistics(rows.shape[-1])
        numbers = ((rows - mean) / std).nan_to_num(0)
        return numbers.flatten(2).mT.contiguous()

    def rows(self, channels: Tensor) -> Tensor:
        """Channels (B, 15 D, T) -> local rows (B, T, 15, D)."""
        mean, std = self._statistics(channels.shape[1] // ROWS)
        return channels.mT.unflatten(2, (ROWS, -1)) * std + mean


def known_channels(points: Tensor) -> Tensor:
    """Which channels of points (B, T, 15, 2) are known in some frame, (B, 30, 1) float."""
    joints = points.isfinite().all(-1).any(1)
    rows = torch.cat([joints[:, JOINTS], joints[:, [ROOT]]], dim=1)
    return rows.repeat_interleave(2, dim=1).float()[..., None]
