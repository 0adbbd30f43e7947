"""Pictures cut from videos in the layout of the download, each of a grey that tells its frame."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.h36m_images import H36mImagesOptions, prepare_h36m_images
from stitched.network.h36m_pictures import read_h36m_pictures
from tests.twod_threed.fake_h36m import motion, write_official
from twod_threed.h36m_cameras import published_cameras
from utils.errors import UserError
from utils.video_writer import VideoWriter

TAKES = ("TakingPhoto 1", "Sitting")
ACTIONS = ("Photo", "Sitting")


def grey(take: str, camera: int, frame: int) -> int:
    return 20 + 100 * TAKES.index(take) + 20 * camera + 4 * frame


def write_video(path: Path, size: tuple[int, int], greys: list[int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, *size, 50) as writer:
        for value in greys:
            writer.write(np.full((size[1], size[0], 3), value, np.uint8))


@pytest.fixture(scope="module")
def download(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """S1's two takes before four cameras, as downloaded: poses of three or more frames."""
    folder = write_official(tmp_path_factory.mktemp("h36m"), ("S1",), TAKES)
    for take in TAKES:
        count = len(motion("S1", take)) + 1  # the videos are a little longer than the poses
        for number, camera in enumerate(published_cameras("S1")):
            greys = [grey(take, number, frame) for frame in range(count)]
            path = folder / f"S1/Videos/{take}.{camera.name}.mp4"
            write_video(path, camera.image_size, greys)
            write_video(path.with_name(f"_ALL.{camera.name}.mp4"), (16, 16), [0])
    return folder


def options(download: Path, output: Path, **changes) -> H36mImagesOptions:
    made = H36mImagesOptions(download, output, ("S1",), ACTIONS, every=2)
    return replace(made, **changes)


def test_every_picture_shows_its_frame(download: Path, tmp_path: Path, capsys):
    assert prepare_h36m_images(options(download, tmp_path)) == 0
    frames = {take: range(0, len(motion("S1", take)), 2) for take in TAKES}
    count = 4 * sum(map(len, frames.values()))
    assert f"index.npz: {count} pictures of 8 views" in capsys.readouterr().out
    people = read_h36m_pictures(tmp_path, ("S1",))
    assert len(people) == count
    cameras = [camera.name for camera in published_cameras("S1")]
    for row, name in enumerate(people.pairs.source_names().tolist()):
        _, take, camera = name.split("/")
        original = take.replace("Photo", "TakingPhoto")
        expected = grey(original, cameras.index(camera), int(people.pairs.frame[row]))
        picture = people.pictures.read(row)
        assert picture.size == tuple(people.pairs.image_size[people.pairs.camera[row]])
        assert abs(picture.image.mean() - expected) < 3
    assert (tmp_path / f"S1/Photo 1/{cameras[0]}/000002.jpg").is_file()


def test_what_is_there_is_kept_and_the_official_2d_joints_can_be_had(download, tmp_path):
    chosen = options(download, tmp_path, actions=("Sitting",), keypoints="d2_positions")
    prepare_h36m_images(chosen)
    first = next(tmp_path.rglob("*.jpg"))
    before = first.stat().st_mtime_ns
    first.with_name("000000.jpg").unlink()
    assert prepare_h36m_images(chosen) == 0
    assert (first.stat().st_mtime_ns == before) or first.name == "000000.jpg"
    people = read_h36m_pictures(tmp_path, ("S1",))
    assert people.pairs.keypoints == "d2_positions" and people.pictures.read(0).size[0] > 900


def test_videos_that_are_absent_short_or_of_another_size_are_named(tmp_path, capsys):
    folder = write_official(tmp_path / "h36m", ("S1",), ("Sitting",))
    with pytest.raises(UserError, match=r"no videos of Human3.6M in .*S1/Videos/Directions"):
        prepare_h36m_images(options(folder, tmp_path / "out", actions=("Sitting",)))
    one, two, three, _ = published_cameras("S1")
    videos = folder / "S1/Videos"
    write_video(videos / f"Sitting.{one.name}.mp4", one.image_size, [50])
    write_video(videos / f"Sitting.{two.name}.mp4", (64, 64), [50] * 5)
    write_video(videos / f"Sitting.{three.name}.mp4", three.image_size, [50] * 5)
    assert prepare_h36m_images(options(folder, tmp_path / "out", actions=("Sitting",))) == 1
    told = capsys.readouterr()
    assert f"Sitting.{one.name}.mp4 ends before frame 2" in told.err
    assert f"Sitting.{two.name}.mp4 is 64x64 px, not 1000x" in told.err
    assert told.err.count("there is no video of it") == 1
    assert "5 poses are left out" in told.out
    people = read_h36m_pictures(tmp_path / "out", ("S1",))
    assert sorted(people.pairs.frame.tolist()) == [0, 0, 2]


def test_bad_options():
    with pytest.raises(UserError, match="--every"):
        H36mImagesOptions(every=0)
    with pytest.raises(UserError, match="--quality"):
        H36mImagesOptions(quality=0)
