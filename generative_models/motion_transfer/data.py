"""Windows of motion: two at a time, of one person in two clips or two parts of one."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import torch
from torch import Tensor

from generative_models.motion_transfer.limbs import ROOT
from generative_models.motion_transfer.model import mirrored
from generative_models.motion_transfer.motion import Motion
from utils.errors import UserError
from utils.seeds import derive_seed

VALIDATION_WINDOWS = 512
_STATISTICS_WINDOWS = 2048


class Windows:
    """All windows of `frames` frames of clips, by subject, on a device.

    Shorter clips, from half a window, run there and back. Raises UserError if there are none.
    """

    def __init__(self, motion: Motion, frames: int, device: torch.device | str = "cpu") -> None:
        long_enough = np.array([2 * len(clip) >= frames for clip in motion.clips], bool)
        if not long_enough.any():
            raise UserError(f"no clip has the {(frames + 1) // 2} frames that --window needs")
        kept = motion.select(long_enough)
        clips = [_at_least(clip, frames) for clip in kept.clips]
        firsts = [0, *accumulate(len(clip) for clip in clips)][:-1]
        self.frames = frames
        self.points = torch.cat(clips).to(device)
        self.starts: dict[str, np.ndarray] = {}
        self.subjects_of: dict[str, list[str]] = {}
        for clip, first, subject, source in zip(
            clips, firsts, kept.subjects, kept.sources, strict=True
        ):
            places = first + np.arange(len(clip) - frames + 1)
            self.starts[subject] = np.append(self.starts.get(subject, places[:0]), places)
            names = self.subjects_of.setdefault(source, [])
            if subject not in names:
                names.append(subject)

    def draw(self, rng: np.random.Generator, count: int) -> tuple[Tensor, Tensor]:
        """`count` windows and as many others of the same people: (count, frames, 15, 3) each.

        Evenly over the data sets, and then their subjects.
        """
        sources = list(self.subjects_of)
        starts = np.empty((count, 2), np.int64)
        for sample in range(count):
            subjects = self.subjects_of[sources[rng.integers(len(sources))]]
            starts[sample] = rng.choice(self.starts[subjects[rng.integers(len(subjects))]], 2)
        return self.at(starts[:, 0]), self.at(starts[:, 1])

    def at(self, starts: np.ndarray) -> Tensor:
        """Windows (N, frames, 15, 3) from these frames (N,) on; the root starts at the origin."""
        places = torch.from_numpy(starts)[:, None] + torch.arange(self.frames)
        points = self.points[places.to(self.points.device)]
        return points - points[:, :1, ROOT, None, :]


def _at_least(clip: Tensor, frames: int) -> Tensor:
    """(T, 15, 3), run there and back if it is shorter than `frames`."""
    missing = max(0, frames - len(clip))
    return mirrored(clip.flatten(1).mT[None], 0, missing)[0].mT.unflatten(1, clip.shape[1:])


@dataclass(frozen=True)
class WindowBatches:
    """`steps` batches an epoch of `batch_size` windows, "clips", and of others, "others"; what they
    hold is decided by (seed, purpose, epoch, step, rank)."""

    windows: Windows
    batch_size: int
    steps: int
    seed: int
    rank: int = 0
    purpose: str = "motion transfer, training"

    def __len__(self) -> int:
        return self.steps

    def epoch(self, epoch: int, start: int = 0) -> Iterator[dict[str, Tensor]]:
        """Batches of an epoch from step `start` on."""
        for step in range(start, self.steps):
            seed = derive_seed(self.purpose, self.seed, epoch, step, self.rank)
            clips, others = self.windows.draw(np.random.default_rng(seed), self.batch_size)
            yield {"clips": clips, "others": others}


def statistics_windows(windows: Windows, seed: int) -> Tensor:
    """Windows (N, frames, 15, 3) over which the normalisation is measured."""
    rng = np.random.default_rng(derive_seed("motion transfer, statistics", seed))
    return windows.draw(rng, _STATISTICS_WINDOWS)[0]
