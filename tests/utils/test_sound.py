"""The sound of one video put into another."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream

from utils import sound
from utils.errors import UserError
from utils.sound import copy_sound
from utils.video import VideoReader, VideoWriter

RATE = 16000


def write_film(path: Path, seconds: float, level: int = 0) -> Path:
    with VideoWriter(path, 32, 24, 10) as writer:
        for _ in range(round(10 * seconds)):
            writer.write(np.full((24, 32, 3), level, np.uint8))
    return path


def write_spoken(path: Path, seconds: int) -> Path:
    """A film whose sound has the amplitude k / 10 in second k."""
    with av.open(str(path), "w") as out:
        pictures = out.add_stream("libx264", rate=10)
        pictures.width, pictures.height, pictures.pix_fmt = 32, 24, "yuv420p"
        sound = out.add_stream("aac", rate=RATE, layout="mono")
        for _ in range(10 * seconds):
            image = av.VideoFrame.from_ndarray(np.zeros((24, 32, 3), np.uint8), "rgb24")
            out.mux(pictures.encode(image))
        out.mux(pictures.encode(None))
        time = np.arange(RATE * seconds) / RATE
        wave = (np.floor(time) / 10 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(wave[None], "fltp", "mono")
        frame.sample_rate = RATE
        out.mux(sound.encode(frame))
        out.mux(sound.encode(None))
    return path


def heard(path: Path) -> np.ndarray:
    with av.open(str(path)) as video:
        return np.concatenate([f.to_ndarray()[0] for f in video.decode(audio=0)])


@pytest.mark.parametrize("start", [0.0, 2.0])
def test_the_sound_begins_where_it_is_told_and_ends_with_the_pictures(
    start: float, tmp_path: Path
) -> None:
    spoken = write_spoken(tmp_path / "spoken.mp4", 6)
    film = write_film(tmp_path / "film.mp4", 3.0, level=90)
    assert copy_sound(spoken, film, start)
    sound = heard(film)
    assert len(sound) / RATE == pytest.approx(3, abs=0.15)
    for second in range(3):
        middle = sound[round((second + 0.3) * RATE) : round((second + 0.7) * RATE)]
        assert np.abs(middle).max() == pytest.approx((start + second) / 10, abs=0.04)
    with VideoReader(film) as video:
        frames = list(video)
    assert len(frames) == 30 and abs(float(frames[5].image.mean()) - 90) < 3


def test_a_silent_source_changes_nothing(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", 1.0)
    before = film.read_bytes()
    assert not copy_sound(write_film(tmp_path / "silent.mp4", 2.0), film)
    assert film.read_bytes() == before


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", 1.0)
    with pytest.raises(UserError, match=r"none\.mp4"):
        copy_sound(tmp_path / "none.mp4", film)
    unknown = write_old(tmp_path / "unknown.avi", "pcm_s16le")
    # The head of its sound: one channel of PCM, kind 1.
    unknown.write_bytes(unknown.read_bytes().replace(b"\1\0\1\0\x80\x3e", b"\x99\x99\1\0\x80\x3e"))
    before = film.read_bytes()
    with pytest.raises(UserError, match=r"unknown\.avi .*: its kind of compression is unknown"):
        copy_sound(unknown, film)
    assert film.read_bytes() == before


def test_sound_beyond_the_pictures_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds: list[float] = []

    def watched(*arguments: Any) -> Iterator[av.Packet]:
        for packet in encoded(*arguments):
            assert packet.pts is not None and packet.time_base is not None
            seconds.append(float(packet.pts * packet.time_base))
            yield packet

    encoded = sound._encoded
    monkeypatch.setattr(sound, "_encoded", watched)
    film = write_film(tmp_path / "film.mp4", 0.5)
    assert copy_sound(write_old(tmp_path / "old.avi", "pcm_s16le"), film)
    assert 1.4 < max(seconds) < 2.0


def remuxed(path: Path, new: Path, start: float) -> Path:
    """The same pictures and sound in another container, whose clock begins at `start` s."""
    with (
        av.open(str(path)) as old,
        av.open(str(new), "w", options={"output_ts_offset": str(start)}) as out,
    ):
        streams = {stream.index: out.add_stream_from_template(stream) for stream in old.streams}
        for packet in old.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
    return new


@pytest.mark.parametrize("start", [0.0, 1.4, 10.0])
def test_the_clock_of_the_source_does_not_matter(start: float, tmp_path: Path) -> None:
    spoken = remuxed(write_spoken(tmp_path / "a.mp4", 6), tmp_path / "b.ts", start)
    film = write_film(tmp_path / "film.mp4", 3.0)
    assert copy_sound(spoken, film, 2.0)
    sound = heard(film)
    for second in range(3):
        middle = sound[round((second + 0.3) * RATE) : round((second + 0.7) * RATE)]
        assert np.abs(middle).max() == pytest.approx((2 + second) / 10, abs=0.04)


def write_old(path: Path, codec: str) -> Path:
    """An AVI file of three seconds, loud in the second of them alone."""
    with av.open(str(path), "w") as out:
        pictures = out.add_stream("mpeg4", rate=10)
        pictures.width, pictures.height, pictures.pix_fmt = 32, 24, "yuv420p"
        sound = out.add_stream(codec, rate=RATE, layout="mono")
        assert isinstance(sound, AudioStream)
        for _ in range(30):
            image = av.VideoFrame.from_ndarray(np.zeros((24, 32, 3), np.uint8), "rgb24")
            out.mux(pictures.encode(image))
        out.mux(pictures.encode(None))
        time = np.arange(3 * RATE) / RATE
        wave = np.where((time >= 1) & (time < 2), 16000 * np.sin(2 * np.pi * 440 * time), 0)
        frame = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], "s16", "mono")
        frame.sample_rate = RATE
        out.mux(sound.encode(frame))
        out.mux(sound.encode(None))
    return path


@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_u8", "adpcm_ima_wav"])
def test_sound_that_no_mp4_holds_is_encoded_anew(codec: str, tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", 3.0)
    assert copy_sound(write_old(tmp_path / "old.avi", codec), film)
    with av.open(str(film)) as video:
        rate = video.streams.audio[0].rate
    loud = np.flatnonzero(np.abs(heard(film)) > 0.3) / rate
    assert loud[0] == pytest.approx(1, abs=0.05) and loud[-1] == pytest.approx(2, abs=0.05)
