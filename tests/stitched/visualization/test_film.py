"""Films: which frames, at which times, of which size, and videos that do not fit."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stitched.visualization.film import draw_video, write_film
from stitched.visualization.options import VideoOptions
from tests.stitched.visualization.people import SIZE, walk
from utils.errors import UserError
from utils.pose_file import Poses, write_poses
from utils.skeletons import SIDE_COLOURS
from utils.video import VideoReader, VideoWriter

FRAMES = 10
TIMES = np.array([0, 0.1, 0.2, 0.5, 0.6, 0.7, 0.8, 1.2, 1.3, 1.4])


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A video of variable frame rate; frame n is of grey 60 + 10 n."""
    path = tmp_path / "clip.mp4"
    with VideoWriter(path, *SIZE, 10) as video:
        for number, time in enumerate(TIMES):
            video.write(np.full((SIZE[1], SIZE[0], 3), 60 + 10 * number, np.uint8), time)
    return path


def film(tmp_path: Path, video: Path, poses: Poses, **options: Any) -> list:
    write_film(video, poses, tmp_path / "film.mp4", **options)
    with VideoReader(tmp_path / "film.mp4") as reader:
        return list(reader)


def test_every_frame_is_there_at_its_time(clip, tmp_path):
    frames = film(tmp_path, clip, walk(FRAMES, people=2), height=128)
    np.testing.assert_allclose([frame.time for frame in frames], TIMES, atol=0.002)
    width = round(SIZE[0] * 128 / SIZE[1]) + 2 + 128
    assert {frame.image.shape for frame in frames} == {(128, width + width % 2, 3)}
    corners = [frame.image[:20, :20].mean() for frame in frames]
    np.testing.assert_allclose(corners, 60 + 10 * np.arange(FRAMES), atol=4)


def test_only_frames_with_rows_are_drawn(clip, tmp_path):
    poses = walk(FRAMES)
    frames = film(tmp_path, clip, poses.select([2, 4, 7]), height=128)
    np.testing.assert_allclose([frame.time for frame in frames], [0, 0.4, 1.0], atol=0.002)
    assert [round(f.image[:20, :20].mean(), -1) for f in frames] == [80, 100, 130]


def left_column(image: np.ndarray) -> float:
    """Mean column of what is about as orange as the left side, in the panel."""
    panel = image[:110, -120:].astype(int)
    return float(np.nonzero(abs(panel - SIDE_COLOURS["left"]).max(axis=-1) < 60)[1].mean())


def test_the_view_orbits(clip, tmp_path):
    poses = walk(FRAMES)
    still = film(tmp_path, clip, poses, height=128, azimuth=0)
    turning = film(tmp_path, clip, poses, height=128, azimuth=0, orbit=180 / TIMES[-1])
    assert left_column(turning[0].image) == pytest.approx(left_column(still[0].image), abs=1)
    assert left_column(still[-1].image) > 60 + 4 > 60 - 4 > left_column(turning[-1].image)


def test_the_command_names_the_film_and_what_is_wrong(clip, tmp_path, capsys):
    write_poses(tmp_path / "poses.npz", walk(FRAMES, source="elsewhere/clip.mp4"))
    chosen = VideoOptions(clip, tmp_path / "poses.npz", tmp_path / "out", height=64)
    assert draw_video(chosen) == 0
    assert f"drew 10 frames of {clip}" in capsys.readouterr().out


def test_a_damaged_video_is_drawn_as_far_as_it_goes(tmp_path, capsys):
    noise = np.random.default_rng(0).integers(0, 255, (SIZE[1], SIZE[0], 3)).astype(np.uint8)
    with VideoWriter(tmp_path / "clip.mp4", *SIZE, 10) as video:
        for number in range(FRAMES):
            video.write(np.roll(noise, 31 * number, axis=1))
    whole = (tmp_path / "clip.mp4").read_bytes()
    (tmp_path / "clip.mp4").write_bytes(whole[: len(whole) * 2 // 3])
    write_poses(tmp_path / "poses.npz", walk(FRAMES))
    chosen = VideoOptions(tmp_path / "clip.mp4", tmp_path / "poses.npz", tmp_path, height=64)
    assert draw_video(chosen) == 1
    told = capsys.readouterr()
    assert told.err.startswith("error: ") and "clip.mp4" in told.err
    with VideoReader(tmp_path / "clip_3d.mp4") as reader:
        count = len(list(reader))
    assert 3 < count < FRAMES and f"drew {count} frames" in told.out


def test_a_video_that_is_not_theirs_is_refused(clip, tmp_path):
    with pytest.raises(UserError, match="none of the frames that the poses are of"):
        film(tmp_path, clip, walk(30).select([20, 25]))
    assert not (tmp_path / "film.mp4").exists()
    with VideoWriter(tmp_path / "other.mp4", 64, 64, 10) as video:
        video.write(np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(UserError, match=r"is 64 x 64 px, the poses are of .*, which has 160 x 120"):
        film(tmp_path, tmp_path / "other.mp4", walk(3))


@pytest.mark.parametrize(
    ("change", "message"),
    [({"height": 10}, "--height must be at least 64"), ({"orbit": 9999}, "--orbit must be within")],
)
def test_options_that_make_no_sense_are_refused(change, message):
    with pytest.raises(UserError, match=message):
        VideoOptions(Path("v.mp4"), Path("poses.npz"), Path("out"), **change)
