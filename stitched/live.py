"""A window that shows what a webcam sees, where there is a display."""

import os
import sys
from typing import Self

import cv2
import numpy as np

_KEYS_THAT_END = (27, ord("q"), ord("Q"))  # 27 is Esc


def has_display() -> bool:
    """Can this process show a window?"""
    has_screen = sys.platform != "linux" or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    return has_screen and _has_windows()


def _has_windows() -> bool:
    # Builds of OpenCV for servers have none.
    rows = [line.split(":", 1) for line in cv2.getBuildInformation().splitlines() if ":" in line]
    return any(name.strip() == "GUI" and value.strip() != "NONE" for name, value in rows)


class Window:
    """A window with a title. Use as a context manager."""

    def __init__(self, title: str) -> None:
        self._title = title
        self.is_closed = False

    def __enter__(self) -> Self:
        cv2.namedWindow(self._title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
        return self

    def __exit__(self, *_: object) -> None:
        cv2.destroyAllWindows()

    def show(self, image: np.ndarray) -> None:
        """Show a picture, uint8 RGB (H, W, 3). `is_closed` tells if the user has had enough: Q or
        Esc, or the window's own button."""
        cv2.imshow(self._title, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        key = cv2.waitKey(1) & 0xFF
        closed = cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1
        self.is_closed = closed or key in _KEYS_THAT_END
