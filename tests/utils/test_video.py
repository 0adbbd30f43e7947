"""Videos in and out: sizes, turns, times, colours, memory, and everything that can be broken."""

import contextlib
import functools
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.stream import Disposition
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from utils import video
from utils.errors import UserError
from utils.video import Frame, VideoReader, VideoWriter, open_webcam

COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (200, 150, 100)]


def quadrants(height: int = 48, width: int = 64) -> np.ndarray:
    """Red, green over blue, white: no two of its eight turns look alike."""
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2, : width // 2, 0] = 255
    image[: height // 2, width // 2 :, 1] = 255
    image[height // 2 :, : width // 2, 2] = 255
    image[height // 2 :, width // 2 :] = 255
    return image


def numbered(index: int, height: int = 48, width: int = 64) -> np.ndarray:
    return np.full((height, width, 3), index * 2, np.uint8)


def encode(
    path: Path,
    images: list[np.ndarray],
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    pts: list[int] | None = None,
    **settings: object,
) -> Path:
    """Video at 25 frames a second as other programs write them; `settings` go to the stream."""
    rotation = settings.pop("rotation", None)
    matrix = settings.pop("matrix", None)
    tags = settings.pop("tags", {})
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=25)
        assert isinstance(stream, av.VideoStream) and isinstance(tags, dict)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.metadata.update(tags)
        for name, value in settings.items():
            setattr(stream.codec_context, name, value)
        if isinstance(rotation, tuple):
            stream.set_display_rotation(*rotation)
        if isinstance(matrix, list):
            stream.set_display_matrix(matrix)
        for i, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image)
            frame.pts, frame.time_base = (pts[i] if pts else i), Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def read(
    path: Path, start: float | None = None, end: float | None = None
) -> tuple[VideoReader, list[Frame]]:
    with VideoReader(path, start, end) as reader:
        frames = list(reader)
    for frame in frames:
        assert frame.image.shape == (reader.height, reader.width, 3)
        assert frame.image.dtype == np.uint8
        assert frame.image.flags.c_contiguous and frame.image.flags.writeable
    return reader, frames


def difference(image: np.ndarray, expected: np.ndarray) -> int:
    """Largest difference away from the edges between patches, where chroma mixes."""
    height, width = expected.shape[:2]
    assert image.shape == expected.shape
    at_y = np.linspace(0, height - 1, 9).astype(int)[1::2]
    at_x = np.linspace(0, width - 1, 9).astype(int)[1::2]
    return np.abs(image.astype(int) - expected)[np.ix_(at_y, at_x)].max()


def complaint(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        VideoReader(path)
    message = str(caught.value)
    assert str(path) in message and "\n" not in message
    return message


# --- writing and reading back


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


CONTAINERS = {
    "mp4": "libx264",
    "mkv": "libx264",
    "webm": "libvpx-vp9",
    "avi": "mpeg4",
    "ts": "libx264",
    "flv": "libx264",
    "mpg": "mpeg2video",
    "h264": "libx264",
}


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


# --- broken files


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm", "avi", "flv"])
def test_video_that_breaks_half_way(tmp_path: Path, suffix: str) -> None:
    images = [np.random.default_rng(i).integers(0, 256, (48, 64, 3), np.uint8) for i in range(50)]
    options = {"movflags": "+faststart"} if suffix == "mp4" else {}
    path = encode(tmp_path / f"a.{suffix}", images, CONTAINERS[suffix], options)
    whole = read(path)[1]
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    reader, frames = read(path)
    assert reader.damage is not None and str(path) in reader.damage and "\n" not in reader.damage
    assert 15 <= len(frames) < 30
    for frame, like in zip(frames[:-1], whole[: len(frames) - 1], strict=True):
        np.testing.assert_array_equal(frame.image, like.image)


def test_damage_in_the_middle_costs_only_what_it_hits(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", [quadrants()] * 50, "mjpeg", pix_fmt="yuvj420p")
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        hit = container.streams.video[0].index_entries[25]
    data[hit.pos : hit.pos + hit.size] = bytes(hit.size)
    path.write_bytes(data)
    reader, frames = read(path)
    assert reader.damage is not None and "damaged at about 1." in reader.damage
    assert len(frames) == 49
    assert frames[-1].time == pytest.approx(49 / 25)


def test_picture_that_the_decoder_completes(tmp_path: Path) -> None:
    """The head of this file states no duration: only the last picture tells that it was cut."""
    images = [np.random.default_rng(i).integers(0, 256, (48, 64, 3), np.uint8) for i in range(50)]
    path = encode(tmp_path / "a.h264", images)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    reader, frames = read(path)
    assert reader.damage is not None and "guessed" in reader.damage
    assert 15 <= len(frames) < 30
    assert f"at about {frames[-1].time:.1f}"[:-1] in reader.damage


def test_broadcast_that_begins_in_the_middle(tmp_path: Path) -> None:
    """What precedes the first key frame cannot be decoded, and that is no damage."""
    path = encode(tmp_path / "a.ts", [numbered(i) for i in range(50)], gop_size=10)
    path.write_bytes(path.read_bytes()[188 * 12 :])
    reader, frames = read(path)
    assert reader.damage is None
    assert 20 < len(frames) < 50 and frames[0].index == 0


def test_index_that_was_never_written(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", [quadrants()] * 50)
    data = path.read_bytes()
    path.write_bytes(data[: data.find(b"moov")])
    assert "index" in complaint(path)


def test_head_without_frames(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp4", [quadrants()] * 9, options={"movflags": "+faststart"})
    data = path.read_bytes()
    path.write_bytes(data[: data.find(b"mdat") + 4])
    assert "no frame" in complaint(path)


def test_not_a_video(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    assert "empty" in complaint(tmp_path / "empty.mp4")
    (tmp_path / "text.mp4").write_text("not a video")
    assert "not a video" in complaint(tmp_path / "text.mp4")
    Image.fromarray(quadrants()).save(tmp_path / "picture.jpg")
    assert "not a video" in complaint(tmp_path / "picture.jpg")
    assert "folder" in complaint(tmp_path)
    assert "No such file" in complaint(tmp_path / "missing.mp4")


@pytest.mark.parametrize("cover", [False, True])
def test_sound_alone(tmp_path: Path, cover: bool) -> None:
    """Also a song whose cover counts as a video stream."""
    path = tmp_path / "song.flac"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=8000)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "mono"
        if cover:
            picture = container.add_stream("png", rate=1)
            assert isinstance(picture, av.VideoStream)
            picture.width, picture.height, picture.pix_fmt = 64, 48, "rgb24"
            picture.disposition = Disposition.attached_pic
            container.mux(picture.encode(av.VideoFrame.from_ndarray(quadrants())))
            container.mux(picture.encode(None))
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), "s16", "mono")
        sound.rate = 8000
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    assert "no video" in complaint(path)


def test_playlists_are_not_followed(tmp_path: Path) -> None:
    playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n"
    (tmp_path / "list.m3u8").write_text(playlist)
    assert "not a video" in complaint(tmp_path / "list.m3u8")


@functools.cache
def sample(suffix: str) -> bytes:
    options = {"movflags": "+faststart"} if suffix == "mp4" else {}
    images = [quadrants(16, 16)] * 6
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a.{suffix}"
        if suffix == "gif":
            with VideoWriter(path, 16, 16, 25) as writer:
                for image in images:
                    writer.write(image)
        else:
            encode(path, images, CONTAINERS[suffix], options)
        return path.read_bytes()


@st.composite
def broken_file(draw: st.DrawFn) -> bytes:
    """Random bytes, or a good file that is cut and has some bytes changed."""
    if draw(st.integers(0, 4)) == 0:
        return draw(st.binary(max_size=300))
    data = bytearray(sample(draw(st.sampled_from(["mp4", "mkv", "avi", "ts", "gif"]))))
    del data[draw(st.integers(0, len(data))) :]
    for _ in range(draw(st.integers(0, 3)) if data else 0):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data)


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=broken_file(), start=st.sampled_from([None, 0.1]))
def test_broken_bytes_only_give_user_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, start: float | None
) -> None:
    monkeypatch.setattr(video, "MAX_PIXELS", 10**6)
    path = tmp_path / "broken"
    path.write_bytes(data)
    with contextlib.suppress(UserError):
        reader, _ = read(path, start)
        assert reader.damage is None or "\n" not in reader.damage


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


# --- real videos


def test_real_video(real_data: Path) -> None:
    reader, frames = read(real_data / "videos" / "karate1.mp4")
    assert (reader.width, reader.height, reader.fps) == (640, 360, 25.0)
    assert len(frames) == reader.frame_count == 192 and reader.damage is None
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(192) / 25, atol=1e-6)
