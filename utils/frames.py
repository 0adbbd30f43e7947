"""What comes out of videos and cameras alike."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np


@dataclass(frozen=True)
class Frame:
    """One picture of a video: its number, seconds after the first, uint8 RGB (H, W, 3)."""

    index: int
    time: float
    image: np.ndarray


def frame_rate(times: np.ndarray, otherwise: float) -> float:
    """Frames a second of a film whose rows are at `times` (N,) s; `otherwise` if they do not tell.

    The mean of its steps, so that times in whole milliseconds do not matter, without those half as
    long again as the median one, which are gaps.
    """
    steps = np.diff(times)
    steps = steps[steps > 0]
    if not len(steps):
        return otherwise
    return 1 / float(steps[steps <= 1.5 * np.median(steps)].mean())


def rise(times: np.ndarray) -> bool:
    """Whether times (N,), s, are known and rise from row to row, as a film's must."""
    return bool(np.isfinite(times).all() and (np.diff(times) > 0).all())


def film_times(times: np.ndarray, otherwise: float) -> np.ndarray:
    """`times` (N,) s where they rise; else s from 0 on, `otherwise` rows a second."""
    return times if rise(times) else np.arange(len(times)) / otherwise


class FrameSource(Protocol):
    """What a video and a camera have in common. Frames come once, in order.

    width, height: px as shown; fps: mean frames a second; frame_count: an estimate of how many
    frames come, or None; duration: s of the whole, or None; damage: None, or once the frames have
    come to an end, one line that says what could not be read.
    """

    width: int
    height: int
    fps: float
    frame_count: int | None
    duration: float | None
    damage: str | None

    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None: ...
    def __iter__(self) -> Iterator[Frame]: ...
    def close(self) -> None: ...
