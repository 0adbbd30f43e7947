"""The network: what a clip's motion, body and view are, and clips of any three of them.

Yang, Zhu, Wu, Qian, Zhou, Zhou, Loy, "TransMoMo: Invariance-Driven Unsupervised Video Motion
Retargeting", CVPR 2020: three encoders of 1D convolutions over time, a decoder to 3D. Departures:
encoders of body and view pad by three frames, not two, and what is mirrored at the ends of a clip
may be longer than the clip, so that clips from 8 frames up go through; a clip whose length is no
multiple of 8 is lengthened, not cut. Clips are channels (B, C, T) of `normalisation.py`.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from generative_models.motion_transfer.normalisation import ROWS, STATIC_ROWS

STRIDE = 8
"""Frames of a step of the motion code."""
SHORTEST = 8
"""Frames that a clip must have."""
_SLOPE = 0.2


@dataclass(frozen=True)
class Architecture:
    """Channels of the layers; the defaults are the published ones."""

    motion: tuple[int, ...] = (64, 128, 128)
    body: tuple[int, ...] = (64, 128, 256)
    view: tuple[int, ...] = (64, 32, 8)
    decoder: tuple[int, ...] = (256, 128)
    dropout: float = 0.2

    @staticmethod
    def of_width(width: float, dropout: float = 0.2) -> "Architecture":
        """The published widths times `width`, in multiples of 8."""

        def times(channels: tuple[int, ...]) -> tuple[int, ...]:
            return tuple(max(8, round(width * one / 8) * 8) for one in channels)

        full = Architecture()
        return Architecture(
            motion=times(full.motion),
            body=times(full.body),
            view=times(full.view),
            decoder=times(full.decoder),
            dropout=dropout,
        )


def mirrored(clip: Tensor, before: int, after: int) -> Tensor:
    """(B, C, T) -> (B, C, before + T + after): at its ends the clip runs backwards, and forwards
    again, as often as needed."""
    length = clip.shape[-1]
    if max(before, after) < length:
        return functional.pad(clip, (before, after), mode="reflect")
    period = max(2 * (length - 1), 1)
    places = torch.arange(-before, length + after, device=clip.device) % period
    return clip[..., torch.where(places < length, places, period - places)]


class _Convolution(nn.Module):
    """A convolution over time that mirrors three frames at each end."""

    def __init__(self, inputs: int, outputs: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(inputs, outputs, width, stride)

    def forward(self, clip: Tensor) -> Tensor:
        return self.convolution(mirrored(clip, 3, 3))


class StridedEncoder(nn.Module):
    """(B, C, T), T a multiple of 8, -> (B, C', T / 8)."""

    def __init__(self, inputs: int, channels: tuple[int, ...]) -> None:
        super().__init__()
        widths = (inputs, *channels)
        pairs = pairwise(widths)
        self.layers = nn.ModuleList(_Convolution(a, b, 8, stride=2) for a, b in pairs)

    def forward(self, clip: Tensor) -> Tensor:
        for layer in self.layers:
            clip = functional.leaky_relu(layer(clip), _SLOPE)
        return clip


class StaticEncoder(nn.Module):
    """What does not change in a clip: body or view."""

    def __init__(self, channels: tuple[int, ...], pooling: Literal["mean", "max"]) -> None:
        super().__init__()
        widths = (2 * STATIC_ROWS, *channels)
        pairs = pairwise(widths)
        self.layers = nn.ModuleList(_Convolution(a, b, 7) for a, b in pairs)
        self.pooling = pooling

    def features(self, clip: Tensor) -> Tensor:
        """(B, 30, T), T at least 8, -> (B, C', T / 8 rounded down)."""
        clip = clip[:, : 2 * STATIC_ROWS]
        pool = functional.avg_pool1d if self.pooling == "mean" else functional.max_pool1d
        for layer in self.layers:
            clip = pool(functional.leaky_relu(layer(clip), _SLOPE), 2)
        return clip

    def code(self, features: Tensor) -> Tensor:
        """(B, C', T') -> (B, C', 1)."""
        if self.pooling == "mean":
            return features.mean(-1, keepdim=True)
        return features.amax(-1, keepdim=True)


class Decoder(nn.Module):
    """Codes of motion (B, M, T / 8), body (B, C, 1) and view (B, V, 1) -> (B, 45, T), 3D."""

    def __init__(self, inputs: int, channels: tuple[int, ...], dropout: float) -> None:
        super().__init__()
        widths = (inputs, *channels, 3 * ROWS)
        pairs = pairwise(widths)
        self.layers = nn.ModuleList(_Convolution(a, b, 7) for a, b in pairs)
        self.dropout = nn.Dropout(dropout)

    def forward(self, motion: Tensor, body: Tensor, view: Tensor) -> Tensor:
        steps = motion.shape[-1]
        clip = torch.cat([motion, body.expand(-1, -1, steps), view.expand(-1, -1, steps)], dim=1)
        *inner, last = self.layers
        for layer in inner:
            clip = layer(functional.interpolate(clip, scale_factor=2.0))
            clip = functional.leaky_relu(self.dropout(clip), _SLOPE)
        return last(functional.interpolate(clip, scale_factor=2.0))


class Codes(NamedTuple):
    """motion (B, M, T / 8 rounded up), body (B, C, 1), view (B, V, 1); and what body and view were
    pooled from, (B, C, T') and (B, V, T')."""

    motion: Tensor
    body: Tensor
    view: Tensor
    body_features: Tensor
    view_features: Tensor


class TransferNetwork(nn.Module):
    """Encoders and decoder."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        one = architecture
        self.architecture = one
        self.motion = StridedEncoder(2 * ROWS, one.motion)
        self.body = StaticEncoder(one.body, "mean")
        self.view = StaticEncoder(one.view, "max")
        codes = one.motion[-1] + one.body[-1] + one.view[-1]
        self.decoder = Decoder(codes, one.decoder, one.dropout)

    def encode(self, clip: Tensor) -> Codes:
        """Clip (B, 30, T), T at least 8, -> its codes."""
        motion = self.motion(mirrored(clip, 0, -clip.shape[-1] % STRIDE))
        body, view = self.body.features(clip), self.view.features(clip)
        return Codes(motion, self.body.code(body), self.view.code(view), body, view)

    def decode(self, motion: Tensor, body: Tensor, view: Tensor, frames: int) -> Tensor:
        """Codes -> a clip in 3D (B, 45, frames), joint by joint x, y, depth."""
        return self.decoder(motion, body, view)[..., :frames]


class Discriminator(nn.Module):
    """Clips (B, 30, T), T a multiple of 8, -> how real each is, (B, T / 8)."""

    def __init__(self, channels: tuple[int, ...] = (64, 96, 128)) -> None:
        super().__init__()
        self.encoder = StridedEncoder(2 * ROWS, channels)
        self.last = nn.Linear(channels[-1], 1)

    def forward(self, clip: Tensor) -> Tensor:
        return self.last(self.encoder(clip).mT)[..., 0]
