"""Videos in: turns, pixel shapes, colours, times, parts, memory, cameras."""

import math
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.utils.video_samples import CONTAINERS, difference, encode, numbered, quadrants, read
from utils.errors import UserError
from utils.video import VideoReader, open_webcam

# --- the picture as shown


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("quarters", range(4))
def test_display_matrix(tmp_path: Path, quarters: int, mirrored: bool) -> None:
    path = encode(tmp_path / "a.mp4", [quadrants()] * 2, rotation=(90 * quarters, mirrored))
    expected = np.rot90(quadrants(), quarters)  # counter-clockwise, as PyAV has it
    expected = expected[:, ::-1] if mirrored else expected
    reader, frames = read(path)
    assert (reader.width, reader.height) == expected.shape[1::-1]
    assert difference(frames[1].image, expected) <= 16


def test_phone_video_as_opencv_shows_it(tmp_path: Path) -> None:
    """The matrix that a phone held upright writes: a quarter turn clockwise."""
    matrix = [0, 65536, 0, -65536, 0, 0, 48 * 65536, 0, 1 << 30]
    path = encode(tmp_path / "a.mp4", [quadrants()] * 2, matrix=matrix)
    image = read(path)[1][0].image
    assert difference(image, np.rot90(quadrants(), -1)) <= 16
    found, opencv = cv2.VideoCapture(str(path)).read()
    assert found and difference(opencv[..., ::-1], image) <= 16


def test_rotate_tag(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mkv", [quadrants()] * 2, tags={"rotate": "90"})
    reader, frames = read(path)
    assert (reader.width, reader.height) == (48, 64)
    assert difference(frames[0].image, np.rot90(quadrants(), -1)) <= 16


@pytest.mark.parametrize(
    ("aspect", "size"), [(Fraction(16, 11), (93, 48)), (Fraction(8, 9), (64, 54))]
)
def test_pixel_aspect_ratio(tmp_path: Path, aspect: Fraction, size: tuple[int, int]) -> None:
    path = encode(tmp_path / "a.mp4", [quadrants()] * 2, sample_aspect_ratio=aspect)
    reader, frames = read(path)
    assert (reader.width, reader.height) == size
    assert difference(frames[0].image, quadrants(size[1], size[0])) <= 16


def test_pixel_aspect_ratio_of_a_turned_video(tmp_path: Path) -> None:
    aspect = Fraction(3, 2)
    path = encode(
        tmp_path / "a.mp4", [quadrants()], sample_aspect_ratio=aspect, rotation=(90, False)
    )
    reader, frames = read(path)
    assert (reader.width, reader.height) == (48, 96)
    assert difference(frames[0].image, np.rot90(quadrants(48, 96))) <= 16


@pytest.mark.parametrize(("size", "is_709"), [((48, 64), False), ((48, 1280), True)])
def test_unstated_colour_matrix_is_guessed(
    tmp_path: Path, size: tuple[int, int], is_709: bool
) -> None:
    """Red by ITU-R BT.601 and 709: Y' = 16 + 219 Kr, Cb = 128 - 112 Kr / (1 - Kb), Cr = 240."""
    red_weight, blue_weight = (0.2126, 0.0722) if is_709 else (0.299, 0.114)
    planes = np.empty((size[0] * 3 // 2, size[1]), np.uint8)
    planes[: size[0]] = round(16 + 219 * red_weight)
    planes[size[0] : size[0] * 5 // 4] = round(128 - 112 * red_weight / (1 - blue_weight))
    planes[size[0] * 5 // 4 :] = 240
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "1"})
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width, stream.pix_fmt = *size, "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, "yuv420p")))
        container.mux(stream.encode(None))
    image = read(tmp_path / "a.mkv")[1][0].image
    assert np.abs(image[24, 32].astype(int) - (255, 0, 0)).max() <= 4


def test_nonsense_for_a_colour_matrix(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", [quadrants()] * 2, colorspace=65)
    reader, frames = read(path)
    assert reader.damage is None and len(frames) == 2
    assert difference(frames[0].image, quadrants()) <= 16


def test_size_that_changes_on_the_way(tmp_path: Path) -> None:
    """Two streams one after the other, as in a recorded broadcast."""
    small = encode(tmp_path / "a.h264", [quadrants()] * 3).read_bytes()
    large = encode(tmp_path / "b.h264", [quadrants(96, 128)] * 3).read_bytes()
    (tmp_path / "c.h264").write_bytes(small + large)
    _, frames = read(tmp_path / "c.h264")
    assert len(frames) == 6
    assert all(difference(frame.image, quadrants()) <= 16 for frame in frames)


# --- times


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_reading_a_part_equals_the_part_of_the_whole(tmp_path: Path, suffix: str) -> None:
    """Same numbers, times and pixels, wherever key frames lie and whether seeking works or not."""
    images = [numbered(i) for i in range(100)]
    path = encode(tmp_path / f"a.{suffix}", images, CONTAINERS[suffix], gop_size=12)
    reader, whole = read(path)
    assert reader.damage is None
    np.testing.assert_allclose([frame.time for frame in whole], np.arange(100) / 25, atol=2e-3)
    for start, end in ((0, 0.5), (0.04, 0.1), (1.3, 1.9), (2, None), (3.96, None)):
        part = read(path, start, end)[1]
        expected = [frame for frame in whole if start <= frame.time < (end or 9)]
        assert [(frame.index, frame.time) for frame in part] == [
            (frame.index, frame.time) for frame in expected
        ]
        for frame, like in zip(part, expected, strict=True):
            np.testing.assert_array_equal(frame.image, like.image)


def test_first_frame_is_time_zero(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mkv", [quadrants()] * 4, pts=[50, 52, 53, 60])
    times = [frame.time for frame in read(path)[1]]
    np.testing.assert_allclose(times, [0, 0.08, 0.12, 0.4], atol=1e-3)
    assert [frame.index for frame in read(path, 0.1)[1]] == [2, 3]


def test_missing_times_follow_the_frame_rate(tmp_path: Path) -> None:
    reader, frames = read(encode(tmp_path / "a.h264", [quadrants()] * 5))
    assert reader.duration is None and reader.frame_count is None
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(5) / 25)


def test_frame_count_of_a_part(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", [quadrants()] * 50)
    for start, end, number in ((0.4, 1.2, 20), (1.2, None, 20), (None, 0.2, 5), (None, None, 50)):
        reader, frames = read(path, start, end)
        assert reader.frame_count == len(frames) == number
        assert reader.duration == 2.0


def test_reading_on_after_close(tmp_path: Path) -> None:
    with VideoReader(encode(tmp_path / "a.mp4", [quadrants()] * 50)) as reader:
        frames = iter(reader)
        next(frames)
    with pytest.raises(ValueError, match="closed"):
        next(frames)


@pytest.mark.parametrize(("start", "end"), [(-1.0, None), (2.0, 1.0), (9.0, None)])
def test_no_such_part(tmp_path: Path, start: float, end: float | None) -> None:
    path = encode(tmp_path / "a.mp4", [quadrants()] * 5)
    with pytest.raises(UserError, match="cannot read"):
        VideoReader(path, start, end)


def test_a_part_between_two_frames(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", [quadrants()] * 5)
    with pytest.raises(UserError, match=r"from 0\.01 s to 0\.02 s: no frame lies in between"):
        VideoReader(path, 0.01, 0.02)


MEMORY = """
import sys
import numpy as np
from utils.video import VideoReader, VideoWriter

def copy_of_noise(path, frames):
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
    with VideoWriter(path, 320, 240, 25) as writer:
        for i in range(frames):
            writer.write(np.roll(noise, i * 32, 1) // 8)
    with VideoReader(path) as reader:
        assert sum(1 for _ in reader) == frames
    status = open("/proc/self/status").read()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024

short = copy_of_noise(sys.argv[1], 60)
print(copy_of_noise(sys.argv[1], 500) - short)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    """440 more frames are 97 MiB of pixels."""
    command = [sys.executable, "-c", MEMORY, str(tmp_path / "a.mp4")]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(result.stdout) < 20


# --- cameras


def test_no_camera(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match="camera 97"):
        open_webcam(97)
    assert capfd.readouterr().err == ""


def test_camera(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A video file in the place of the camera."""
    path = encode(tmp_path / "a.mp4", [quadrants()] * 5)
    camera = cv2.VideoCapture
    monkeypatch.setattr(cv2, "VideoCapture", lambda number: camera(str(path)))
    with open_webcam(0, max_frames=3) as source:
        frames = list(source)
        assert (source.width, source.height, source.fps) == (64, 48, 25.0)
        assert source.frame_count == 3 and source.damage is None
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert frames[0].time == 0.0 < frames[1].time < frames[2].time
    assert difference(frames[2].image, quadrants()) <= 16
    with open_webcam(0) as source:
        assert len(list(source)) == 5
        assert source.damage is not None and "camera 0 stopped" in source.damage


@pytest.mark.parametrize("stated", [0.0, -1.0, math.inf, math.nan])
def test_a_camera_that_states_no_rate(stated: float, monkeypatch: pytest.MonkeyPatch) -> None:
    class Camera:
        def __init__(self, number: int) -> None: ...
        def read(self) -> tuple[bool, np.ndarray]:
            return True, quadrants()

        def get(self, what: int) -> float:
            return stated

        def release(self) -> None: ...

    monkeypatch.setattr(cv2, "VideoCapture", Camera)
    with open_webcam(0) as source:
        assert source.fps == 30.0


# --- real videos


def test_real_video(real_data: Path) -> None:
    reader, frames = read(real_data / "videos" / "karate1.mp4")
    assert (reader.width, reader.height, reader.fps) == (640, 360, 25.0)
    assert len(frames) == reader.frame_count == 192 and reader.damage is None
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(192) / 25, atol=1e-6)


def test_frames_of_a_recording_that_states_no_rate_are_counted(tmp_path: Path) -> None:
    """As a browser's MediaRecorder writes WebM: times in ms, and FFmpeg says 1000 a second."""
    path, times = tmp_path / "browser.webm", [round(1000 * number / 29) for number in range(40)]
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libvpx", rate=1000, options={"lag-in-frames": "0"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for time in times:
            frame = av.VideoFrame.from_ndarray(quadrants(), "rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    with av.open(str(path)) as container:
        assert container.streams.video[0].average_rate == 1000
    with VideoReader(path) as reader:
        assert reader.fps == pytest.approx(29, rel=0.01)
        assert [frame.time for frame in reader] == pytest.approx([t / 1000 for t in times])
