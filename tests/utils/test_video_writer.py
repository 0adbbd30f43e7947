"""Videos out: colours, sizes, times, browsers, full disks."""

import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from tests.utils.video_samples import difference, numbered, quadrants, read
from utils.errors import UserError
from utils.video import VideoWriter

COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (200, 150, 100)]


@pytest.mark.parametrize("width", [192, 1280])
def test_colours_come_back(tmp_path: Path, width: int) -> None:
    """Standard and high definition: players guess differently where a file does not say."""
    image = np.repeat(np.array([COLOURS], np.uint8), width // len(COLOURS) + 1, 1)
    image = np.repeat(image[:, :width], width * 9 // 16, 0)
    with VideoWriter(tmp_path / "a.mp4", width, len(image), 25) as writer:
        for _ in range(3):
            writer.write(image)
    reader, frames = read(tmp_path / "a.mp4")
    assert reader.damage is None
    middles = [(2 * i + 1) * width // (2 * len(COLOURS)) for i in range(len(COLOURS))]
    assert np.abs(frames[1].image[20, middles].astype(int) - COLOURS).max() <= 3
    opencv = cv2.VideoCapture(str(tmp_path / "a.mp4")).read()[1][20, middles, ::-1]
    assert np.abs(opencv.astype(int) - COLOURS).max() <= 4


def test_what_browsers_need(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.mp4"
    with VideoWriter(path, 64, 48, 25) as writer:
        writer.write(quadrants())
    data = path.read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert context.colorspace == context.color_primaries == context.color_trc == 1  # BT.709
        assert context.color_range == 1  # limited
    assert [file.name for file in path.parent.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 2), (65, 47), (64, 47)])
def test_odd_sizes_repeat_their_edge(tmp_path: Path, width: int, height: int) -> None:
    image = np.full((height, width, 3), (200, 150, 100), np.uint8)
    with VideoWriter(tmp_path / "a.mp4", width, height, 25) as writer:
        writer.write(image)
    reader, frames = read(tmp_path / "a.mp4")
    assert (reader.width, reader.height) == (width + width % 2, height + height % 2)
    assert np.abs(frames[0].image.astype(int) - (200, 150, 100)).max() <= 3


@pytest.mark.parametrize("fps", [25, 30000 / 1001, 12.5, 120])
def test_constant_frame_rate_is_exact(tmp_path: Path, fps: float) -> None:
    with VideoWriter(tmp_path / "a.mp4", 32, 32, fps) as writer:
        for i in range(60):
            writer.write(numbered(i, 32, 32))
    reader, frames = read(tmp_path / "a.mp4")
    assert reader.fps == pytest.approx(fps, rel=1e-9)
    assert reader.frame_count == len(frames) == 60
    assert reader.duration == pytest.approx(60 / fps, rel=1e-9)
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(60) / fps, atol=1e-9)


def test_variable_times_come_back(tmp_path: Path) -> None:
    times = [5.0, 5.033, 5.1, 5.5, 5.51, 7.0]
    with VideoWriter(tmp_path / "a.mp4", 64, 48, 30) as writer:
        for i, time in enumerate(times):
            writer.write(numbered(i * 20), time)
        writer.write(numbered(120))  # no time: 1 / 30 s later
    reader, frames = read(tmp_path / "a.mp4")
    expected = np.array([*times, 7 + 1 / 30]) - 5
    np.testing.assert_allclose([frame.time for frame in frames], expected, atol=1e-5)
    assert reader.duration == pytest.approx(expected[-1] + 1 / 30, abs=1e-4)
    assert [frame.index for frame in frames] == list(range(7))
    for i, frame in enumerate(frames):
        assert difference(frame.image, numbered(i * 20)) <= 3


def test_gif(tmp_path: Path) -> None:
    times = [0.0, 0.1, 0.105, 0.5]  # the third comes too soon for a GIF
    with VideoWriter(tmp_path / "a.gif", 63, 47, 25) as writer:
        for time in times:
            writer.write(quadrants(47, 63), time)
    with Image.open(tmp_path / "a.gif") as picture:
        assert getattr(picture, "n_frames", 1) == 3
        np.testing.assert_array_equal(np.asarray(picture.convert("RGB")), quadrants(47, 63))
        assert picture.info["duration"] == 100
    reader, frames = read(tmp_path / "a.gif")
    assert [frame.time for frame in frames] == [0.0, 0.1, 0.5]
    np.testing.assert_array_equal(frames[2].image, quadrants(47, 63))
    assert reader.damage is None


def test_writer_refuses(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"\.mp4"):
        VideoWriter(tmp_path / "a.wmv", 64, 48, 25)
    for width, height, fps in ((0, 48, 25), (64, 48, 0), (64, 48, float("nan"))):
        with pytest.raises(ValueError, match="no video has"):
            VideoWriter(tmp_path / "a.mp4", width, height, fps)
    with VideoWriter(tmp_path / "a.mp4", 64, 48, 25) as writer:
        writer.write(quadrants(), 1.0)
        for image in (quadrants(50), quadrants() / 255, quadrants()[..., 0]):
            with pytest.raises(ValueError):
                writer.write(image)
        with pytest.raises(ValueError, match="not after"):
            writer.write(quadrants(), 1.0)
    for closed in (writer, VideoWriter(tmp_path / "b.mp4", 64, 48, 25)):
        with pytest.raises(ValueError, match="inside"):
            closed.write(quadrants())
    (tmp_path / "file").touch()
    with (
        pytest.raises(UserError, match="cannot write"),
        VideoWriter(tmp_path / "file" / "a.mp4", 64, 48, 25),
    ):
        pass


@pytest.mark.parametrize("name", ["a.mp4", "a.gif"])
def test_a_failed_video_leaves_the_old_one(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("old")
    with pytest.raises(KeyboardInterrupt), VideoWriter(tmp_path / name, 64, 48, 25) as writer:
        writer.write(quadrants())
        raise KeyboardInterrupt
    with pytest.raises(UserError, match="no frame"), VideoWriter(tmp_path / name, 64, 48, 25):
        pass
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]


DISK_FULL = """
import os, resource, signal, sys
import numpy as np
from utils.errors import UserError
from utils.video_writer import VideoWriter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
try:
    with VideoWriter(sys.argv[1], 320, 240, 25) as writer:
        for _ in range(40):
            writer.write(np.roll(noise, 7))
            noise = noise[::-1].copy() ^ 85
except UserError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are a matter of POSIX")
def test_full_disk(tmp_path: Path) -> None:
    """A limit on the file size stands for the disk."""
    command = [sys.executable, "-c", DISK_FULL, str(tmp_path / "a.mp4")]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "cannot write" in result.stdout and result.stderr == ""
    assert list(tmp_path.iterdir()) == []
