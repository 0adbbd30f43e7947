"""Broken videos: what can be read comes out, and one line says what is wrong."""

import contextlib
import functools
import tempfile
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.utils.video_samples import CONTAINERS, encode, numbered, quadrants, read
from utils import video
from utils.errors import UserError
from utils.video import VideoReader, VideoWriter


def complaint(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        VideoReader(path)
    message = str(caught.value)
    assert str(path) in message and "\n" not in message
    return message


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
    place = float(reader.damage.split("at about ")[1].split(" s")[0])
    assert place == pytest.approx(frames[-1].time, abs=0.25)


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
