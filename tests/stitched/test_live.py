"""The window of a webcam, where there is a display."""

import numpy as np
import pytest

from stitched import live, videos
from utils.pose_file import read_poses
from utils.video import Frame


def test_without_a_screen_there_is_no_display(monkeypatch):
    monkeypatch.setattr(live.sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not live.has_display()


@pytest.fixture
def window(monkeypatch):
    """A stand-in for OpenCV's windows; what was done with it."""
    done = {"shown": [], "key": -1, "visible": 1.0, "open": set()}
    fakes = {
        "namedWindow": lambda title, flags: done["open"].add(title),
        "imshow": lambda title, image: done["shown"].append(image[0, 0].tolist()),
        "waitKey": lambda delay: done["key"],
        "getWindowProperty": lambda title, what: done["visible"],
        "destroyAllWindows": done["open"].clear,
    }
    for name, fake in fakes.items():
        monkeypatch.setattr(live.cv2, name, fake)
    return done


def test_red_is_shown_as_red_and_a_key_ends_it(window):
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 255
    with live.Window("w") as shown:
        shown.show(red)
        assert window["shown"] == [[0, 0, 255]] and not shown.is_closed  # OpenCV wants BGR
        window["key"] = ord("q")
        shown.show(red)
        assert shown.is_closed and window["open"] == {"w"}
    assert window["open"] == set()


class Webcam:
    """A camera that gives frames for ever."""

    width, height, fps, frame_count, duration, damage = 64, 48, 20.0, None, None, None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        pass

    def __iter__(self):
        for index in range(10_000):
            yield Frame(index, index / 20, np.zeros((48, 64, 3), np.uint8))


@pytest.mark.parametrize("asked", [True, False])
def test_closing_the_window_ends_watching(run_pose, window, monkeypatch, out, asked):
    monkeypatch.setattr(videos, "open_webcam", lambda number: Webcam())
    monkeypatch.setattr(videos, "has_display", lambda: True)
    window["visible"] = 0.0  # closed by its own button
    assert run_pose("0", window=asked, end=0.5) == 0
    assert len(read_poses(out / "poses.npz")) == (1 if asked else 10)
    assert bool(window["shown"]) == asked
