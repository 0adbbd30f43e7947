"""A camera as a source of frames."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Self

import cv2

from utils.errors import UserError
from utils.frames import Frame, FrameSource


def open_webcam(number: int, max_frames: int | None = None) -> FrameSource:
    """Frames of camera `number` (0 is the first) as they come, at most `max_frames`.

    Times are seconds on the clock since the first frame. Raises UserError if there is no such
    camera or it gives no picture.
    """
    return _Webcam(number, max_frames)


class _Webcam:
    def __init__(self, number: int, max_frames: int | None) -> None:
        self.damage: str | None = None
        self.duration: float | None = None
        self.frame_count = max_frames
        self._number = number
        with _silent_opencv():
            self._camera = cv2.VideoCapture(number)
            found, self._first = self._camera.read()
        if not found:
            self.close()
            raise UserError(f"camera {number} gives no picture; is it there, and free?")
        self.height, self.width = self._first.shape[:2]
        stated = float(self._camera.get(cv2.CAP_PROP_FPS))
        # Some drivers state 0, -1 or what is no number.
        self.fps = stated if 0 < stated <= 240 else 30.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        found, image, begin = True, self._first, time.monotonic()
        for index in count() if self.frame_count is None else range(self.frame_count):
            if index:
                found, image = self._camera.read()
            if not found:
                self.damage = f"camera {self._number} stopped after {index} frames"
                return
            seconds = time.monotonic() - begin if index else 0.0
            yield Frame(index, seconds, cv2.cvtColor(image, cv2.COLOR_BGR2RGB))

    def close(self) -> None:
        """Let go of the camera."""
        self._camera.release()


@contextmanager
def _silent_opencv() -> Iterator[None]:
    """Keep OpenCV from printing warnings of its own about a missing camera."""
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)
