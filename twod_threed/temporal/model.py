"""Temporal convolutions from films of 2D joints to 3D poses.

Pavllo, Feichtenhofer, Grangier, Auli, "3D human pose estimation in video with temporal convolutions
and semi-supervised training", CVPR 2019, section 3. A convolution over time, then residual blocks
of a convolution over time and one of width 1, all with batch norm, ReLU and dropout; a linear layer
gives the joints. No layer pads, so that T frames give T - F + 1 poses, where F is the product of
the widths. Weights start as the authors' program has them: uniform, +-1/sqrt(inputs of a channel).

Three forms. *Dilated*: the frames that a convolution takes lie as far apart as the product of the
widths before it. *Strided*, for one pose from exactly F frames: each convolution moves on by its
own width, and only what leads to that pose is computed. Both have the same weights and give the
same. *Dense* (the authors' ablation): the convolutions see every frame that lies between.

Activations are (batch, frame, channel) throughout, and weights (channel, width, channel in), which
is PyTorch's (channel, channel in, width) with two axes exchanged: so a convolution is one matrix
product over rows that hold its frames side by side, and those of the strided form already do.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from twod_threed.model import Dropout
from utils.devices import in_float32
from utils.errors import UserError

WIDEST_PRODUCT = 9
"""Filters up to this width are applied as matrix products."""


@dataclass(frozen=True)
class TemporalArchitecture:
    """Sizes of a temporal network, as they travel with its weights."""

    joints_in: int = 16
    joints_out: int = 17
    widths: tuple[int, ...] = (3, 3, 3)
    """odd filter widths: of the first layer, then one for each residual block"""
    channels: int = 1024
    dropout: float = 0.25
    causal: bool = False
    """each pose is that of the last frame seen, not of the middle one"""
    dense: bool = False

    def __post_init__(self) -> None:
        for name in ("joints_in", "joints_out", "channels"):
            if getattr(self, name) < 1:
                raise UserError(f"{name} must be at least 1, not {getattr(self, name)}")
        if not self.widths or any(width < 1 or width % 2 == 0 for width in self.widths):
            raise UserError(f"widths must be odd numbers from 1 on, not {self.widths}")
        if not 0 <= self.dropout < 1:
            raise UserError(f"dropout must be in [0, 1), not {self.dropout}")

    @property
    def receptive_field(self) -> int:
        """Frames that one pose is made from."""
        return math.prod(self.widths)

    @property
    def padding(self) -> tuple[int, int]:
        """Frames to put before and after a film for a pose of each of its frames."""
        more = self.receptive_field - 1
        return (more, 0) if self.causal else (more // 2, more // 2)


def convolve(x: Tensor, weight: Tensor, dilation: int) -> Tensor:
    """Convolution over time without padding: (B, T, C) -> (B, T - (width - 1) * dilation, C').

    weight (C', width, C). One matrix product is quicker than `conv1d` on a CPU, although it lays
    out each frame `width` times; wide (dense) filters would take too much memory for that.
    """
    width = weight.shape[1]
    if width > WIDEST_PRODUCT:
        return F.conv1d(x.mT, weight.mT, dilation=dilation).mT
    frames = x.shape[1] - (width - 1) * dilation
    taps = [x[:, tap * dilation : tap * dilation + frames] for tap in range(width)]
    return F.linear(torch.cat(taps, -1), weight.flatten(1))


def convolve_strided(x: Tensor, weight: Tensor) -> Tensor:
    """Convolution over time that moves on by its width: (B, T, C) -> (B, T / width, C')."""
    width = weight.shape[1]
    return F.linear(x.reshape(len(x), -1, width * x.shape[2]), weight.flatten(1))


class TemporalLayer(nn.Module):
    """Convolution over time, batch norm, ReLU, dropout: (B, T, features) -> (B, T', channels)."""

    def __init__(
        self, features: int, channels: int, dropout: float, width: int = 1, dilation: int = 1
    ) -> None:
        super().__init__()
        self.dilation = dilation
        bound = (features * width) ** -0.5
        self.weight = nn.Parameter(torch.empty(channels, width, features).uniform_(-bound, bound))
        self.norm = nn.BatchNorm1d(channels)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, strided: bool) -> Tensor:
        """(B, T, features) -> (B, T', channels), moving on by the width if strided, else by 1."""
        weight = self.weight
        y = convolve_strided(x, weight) if strided else convolve(x, weight, self.dilation)
        # Rows of channels: batch norm, ReLU and dropout go through memory in order.
        rows = self.dropout(F.relu(self.norm(y.flatten(0, 1)), inplace=True))
        return rows.unflatten(0, y.shape[:2])


class TemporalBlock(nn.Module):
    """The frames that answers are for + a convolution over time and one of width 1."""

    def __init__(self, architecture: TemporalArchitecture, width: int, dilation: int) -> None:
        super().__init__()
        one = architecture
        self.width, self.dilation = width, dilation
        self.kept_tap = width - 1 if one.causal else width // 2
        taps, apart = ((width - 1) * dilation + 1, 1) if one.dense else (width, dilation)
        self.first = TemporalLayer(one.channels, one.channels, one.dropout, taps, apart)
        self.second = TemporalLayer(one.channels, one.channels, one.dropout)

    def forward(self, x: Tensor, strided: bool) -> Tensor:
        """(B, T, channels) -> (B, T', channels)."""
        y = self.second(self.first(x, strided), strided)
        if strided:
            return y + x[:, self.kept_tap :: self.width]
        start = self.kept_tap * self.dilation
        return y + x[:, start : start + y.shape[1]]


class TemporalNetwork(nn.Module):
    """Films of normalised 2D joints (B, T, J, 2) -> normalised 3D joints. Absent joints are zeros.

    With 17 joints in and out and 1,024 channels it has 8,555,571 weights for 27 frames, 12,753,971
    for 81 and 16,952,371 for 243.
    """

    def __init__(self, architecture: TemporalArchitecture) -> None:
        super().__init__()
        self.architecture = one = architecture
        self.first = TemporalLayer(2 * one.joints_in, one.channels, one.dropout, one.widths[0])
        dilations = [math.prod(one.widths[:block]) for block in range(1, len(one.widths))]
        self.blocks = nn.ModuleList(
            TemporalBlock(one, width, dilation)
            for width, dilation in zip(one.widths[1:], dilations, strict=True)
        )
        self.last = nn.Linear(one.channels, 3 * one.joints_out)

    def forward(self, points: Tensor) -> Tensor:
        """Every pose that there are frames for: (B, T, J, 2) -> (B, T - F + 1, J', 3).

        Pose t is that of frame t + (F - 1) / 2, or t + F - 1 if causal. Raises UserError if there
        are fewer than F frames, or other joints.
        """
        self._check(points)
        return self._poses(points, strided=False)

    def forward_single(self, points: Tensor) -> Tensor:
        """The one pose of F frames, (B, F, J, 2) -> (B, J', 3), computing nothing else.

        In evaluation the same as `forward`; in training, batch norm sees only what is computed. A
        dense network has no such form and uses the other. Raises UserError if there are not F
        frames, or other joints.
        """
        self._check(points)
        frames = self.architecture.receptive_field
        if points.shape[1] != frames:
            raise UserError(f"one pose is made from {frames} frames, not {points.shape[1]}")
        return self._poses(points, strided=not self.architecture.dense)[:, 0]

    def _check(self, points: Tensor) -> None:
        one = self.architecture
        if points.ndim != 4 or points.shape[2:] != (one.joints_in, 2):
            raise UserError(
                f"the network takes (batch, frame, {one.joints_in} joints, x and y), "
                f"not {tuple(points.shape)}"
            )
        if points.shape[1] < one.receptive_field:
            raise UserError(
                f"the network needs at least {one.receptive_field} frames, not {points.shape[1]}"
            )

    def _poses(self, points: Tensor, strided: bool) -> Tensor:
        x = self.first(points.flatten(2), strided)
        for block in self.blocks:
            x = block(x, strided)
        return in_float32(self.last, x).unflatten(2, (self.architecture.joints_out, 3))


def set_batch_norm_momentum(model: nn.Module, momentum: float) -> None:
    """Share of each new batch in the running statistics of every batch norm in a model."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.momentum = momentum


def pad_sequence(points: Tensor, architecture: TemporalArchitecture) -> Tensor:
    """Films with copies of their first and last frame beyond their ends, for a pose of each frame.

    (B, T, J, 2) -> (B, T + F - 1, J, 2); T is at least 1.
    """
    before, after = architecture.padding
    frames = torch.arange(-before, points.shape[1] + after, device=points.device)
    return points[:, frames.clamp(0, points.shape[1] - 1)]
