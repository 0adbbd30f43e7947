"""Which frames make up each training window: all of them decided at once, without a loop.

A film of N frames is cut into ceil(N / stride) windows of `stride` output frames, so that what the
last one lacks hangs over by the same at both ends (Pavllo et al. 2019, appendix A.5). Each output
frame is seen with its neighbours, as many as the network looks at; beyond the ends of the film
stand copies of its first and last frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Reach:
    """Frames that a network looks at before and after the one it answers for."""

    before: int
    after: int

    @classmethod
    def of(cls, receptive_field: int, causal: bool) -> "Reach":
        """As many on either side, or all before if causal."""
        half = (receptive_field - 1) // 2
        return cls(2 * half, 0) if causal else cls(half, half)


@dataclass(frozen=True)
class Chosen:
    """Rows of the windows (B,) asked for."""

    inputs: Tensor
    """(B, before + stride + after)"""
    outputs: Tensor
    """(B, stride)"""
    inside: Tensor
    """(B, stride) bool: is it a frame of the film, not a copy beyond its ends?"""


class Windows:
    """All windows of films, each given by its rows (T,) of some table, in order of time."""

    def __init__(
        self,
        films: Sequence[np.ndarray],
        stride: int,
        reach: Reach,
        device: torch.device | str = "cpu",
    ) -> None:
        lengths = np.array([len(film) for film in films], np.int64)
        counts = -(-lengths // stride)
        number = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        overhang = (counts * stride - lengths) // 2
        columns = (
            number * stride - np.repeat(overhang, counts),
            np.repeat(np.cumsum(lengths) - lengths, counts),
            np.repeat(lengths, counts),
        )
        self.start, self.first, self.length = (torch.from_numpy(c).to(device) for c in columns)
        self.rows = torch.from_numpy(np.concatenate([np.empty(0, np.int64), *films])).to(device)
        self.stride, self.reach = stride, reach
        self.offsets = torch.arange(-reach.before, stride + reach.after, device=device)

    def __len__(self) -> int:
        return len(self.start)

    def choose(self, index: Tensor) -> Chosen:
        """Rows of the windows with these numbers (B,)."""
        first, last = self.first[index, None], self.length[index, None] - 1
        frame = self.start[index, None] + self.offsets
        kept = torch.minimum(frame.clamp(min=0), last)
        rows = self.rows[first + kept]
        outputs = slice(self.reach.before, self.reach.before + self.stride)
        return Chosen(rows, rows[:, outputs], (frame == kept)[:, outputs])
