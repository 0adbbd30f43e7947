"""The sound of one video put into another."""

from pathlib import Path

import av
import numpy as np
import pytest

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
