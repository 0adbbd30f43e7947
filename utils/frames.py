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
