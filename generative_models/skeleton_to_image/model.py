"""Generators of pictures of one person: from the numbers of a pose, and from a drawn skeleton.

`VectorGenerator` is a decoder: 26 numbers to a map of 4 x 4, then up by halves of the remaining
size. `UNetGenerator` is a U-Net (Ronneberger, Fischer, Brox 2015) of residual blocks with
self-attention (Zhang, Goodfellow, Metaxas, Odena, "Self-attention generative adversarial networks",
2019, eq. 1-3) at its coarsest level. Departures:

* The U-Net adds a learned picture to its last layer, so that a background at rest, which no
  skeleton shows, need not be made from the zeros at the picture's edge. It starts as the mean
  training frame.
* Group norm, which does the same to a picture in training and in use, alone and in a batch.
* Any size: a picture is padded to what halving needs, and the result cut back.
"""

import itertools
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

_GROUP = 8
_COARSEST = 4
"""Side of the coarsest map, px, about."""
_WIDEST = 4
"""Channels of the coarser maps over those of the finest."""
BRIGHTEST = 0.999
"""Of the mean frame, so that the inverse of tanh is finite."""


@dataclass(frozen=True)
class VectorArchitecture:
    """Size of a `VectorGenerator`."""

    values: int
    image_size: int
    features: int


@dataclass(frozen=True)
class UNetArchitecture:
    """Size of a `UNetGenerator`."""

    channels: int
    image_size: int
    features: int

    @property
    def levels(self) -> int:
        """How often the size is halved."""
        return _halvings(self.image_size)


def _halvings(size: int) -> int:
    """From `size` px to the coarsest map, rounded up."""
    return max(math.ceil(math.log2(size / _COARSEST)), 0)


def _norm(channels: int) -> nn.Module:
    return nn.GroupNorm(math.gcd(_GROUP, channels), channels)


def _conv(channels_in: int, channels_out: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels_in, channels_out, 3, stride, 1)


class ResidualBlock(nn.Module):
    """Two normalised convolutions beside the identity (or a 1 x 1 convolution)."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = _norm(channels_in), _conv(channels_in, channels_out)
        self.norm2, self.conv2 = _norm(channels_out), _conv(channels_out, channels_out)
        same = channels_in == channels_out
        self.skip = nn.Identity() if same else nn.Conv2d(channels_in, channels_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C', H, W)."""
        y = self.conv1(functional.silu(self.norm1(x)))
        y = self.conv2(functional.silu(self.norm2(y)))
        return y + self.skip(x)


class SelfAttention(nn.Module):
    """Every place looks at every other; begins as the identity (its factor starts at 0)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = max(channels // 8, 1)
        self.norm = _norm(channels)
        self.query, self.key = nn.Conv2d(channels, narrow, 1), nn.Conv2d(channels, narrow, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.factor = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same shape."""
        y = self.norm(x)
        query, key, value = (one(y).flatten(2).mT for one in (self.query, self.key, self.value))
        looked = functional.scaled_dot_product_attention(query, key, value)
        return x + self.factor * looked.mT.reshape(x.shape)


class VectorGenerator(nn.Module):
    """Numbers (B, V) -> pictures (B, 3, S, S) in [-1, 1]."""

    def __init__(self, architecture: VectorArchitecture) -> None:
        super().__init__()
        one = architecture
        self.image_size = one.image_size
        levels = range(_halvings(one.image_size), -1, -1)
        widths = [one.features * min(2**i, _WIDEST) for i in levels]
        self.first = nn.Sequential(
            nn.Linear(one.values, 256),
            nn.SiLU(),
            nn.Linear(256, widths[0] * _COARSEST**2),
            nn.Unflatten(1, (widths[0], _COARSEST, _COARSEST)),
        )
        blocks: list[nn.Module] = []
        for wide, narrow in itertools.pairwise(widths):
            up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
            blocks += [up, ResidualBlock(wide, narrow)]
        self.blocks = nn.Sequential(*blocks)
        self.last = nn.Sequential(_norm(widths[-1]), nn.SiLU(), _conv(widths[-1], 3))

    def forward(self, values: Tensor) -> Tensor:
        """(B, V) -> (B, 3, S, S)."""
        pictures = self.last(self.blocks(self.first(values)))
        return torch.tanh(_cut(pictures, self.image_size))


class UNetGenerator(nn.Module):
    """Drawn skeletons or heatmaps (B, C, S, S) in [0, 1] -> pictures (B, 3, S, S) in [-1, 1]."""

    def __init__(self, architecture: UNetArchitecture) -> None:
        super().__init__()
        one = architecture
        widths = [one.features * min(2**i, _WIDEST) for i in range(one.levels + 1)]
        self.multiple = 2**one.levels
        self.first = _conv(one.channels, widths[0])
        self.encoder = nn.ModuleList(
            nn.Sequential(_conv(a, b, stride=2), ResidualBlock(b, b))
            for a, b in itertools.pairwise(widths)
        )
        self.middle = nn.Sequential(
            SelfAttention(widths[-1]), ResidualBlock(widths[-1], widths[-1])
        )
        backwards = widths[::-1]
        self.decoder = nn.ModuleList(
            ResidualBlock(a + b, b) for a, b in itertools.pairwise(backwards)
        )
        self.last = nn.Sequential(_norm(widths[0]), nn.SiLU(), _conv(widths[0], 3))
        self.background = nn.Parameter(torch.zeros(3, one.image_size, one.image_size))

    @torch.no_grad()
    def start_from(self, mean: Tensor) -> None:
        """Let the learned picture be the mean frame, (3, S, S) in [-1, 1]."""
        self.background.copy_(torch.atanh(mean.clamp(-BRIGHTEST, BRIGHTEST)))

    def forward(self, drawn: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, 3, H, W), of any size; other sizes than S scale the background."""
        height, width = drawn.shape[-2:]
        down, across = (-side % self.multiple for side in (height, width))
        x = self.first(functional.pad(drawn, (0, across, 0, down)))
        passed = []
        for stage in self.encoder:
            passed.append(x)
            x = stage(x)
        x = self.middle(x)
        for stage in self.decoder:
            x = functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
            x = stage(torch.cat([x, passed.pop()], dim=1))
        return torch.tanh(self.last(x)[..., :height, :width] + self._background(height, width))

    def _background(self, height: int, width: int) -> Tensor:
        if self.background.shape[-2:] == (height, width):
            return self.background
        size = (height, width)
        return functional.interpolate(self.background[None], size, mode="bilinear")[0]


def _cut(pictures: Tensor, size: int) -> Tensor:
    """The middle (B, C, size, size) of larger pictures."""
    start = (pictures.shape[-1] - size) // 2
    return pictures[..., start : start + size, start : start + size]
