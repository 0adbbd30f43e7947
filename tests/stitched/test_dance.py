"""`run.py dance` with a stand-in for the pose model, and the finder that scores made frames."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from generative_models.skeleton_to_image.training import train
from stacked_hourglass.joints import FoundJoints
from stitched.dance import dance, find_poses
from stitched.dance_options import DanceOptions
from stitched.dancer_evaluation import pose_finder
from stitched.retargeting import held, on_level_ground
from tests.generative_models.skeleton_to_image.small_dancer import (
    SIZE,
    standing,
    train_options,
    write_small_dancer,
)
from utils.errors import UserError
from utils.pose_file import Poses, concatenate, read_poses, write_poses
from utils.skeletons import DANCE_13
from utils.video import VideoReader, VideoWriter

COUNT = 12


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a small U-Net."""
    folder = tmp_path_factory.mktemp("target")
    train(train_options(folder, write_small_dancer(folder / "anna"), "nearest"))
    return folder / "runs" / "skeleton_to_image_default"


def source_poses() -> Poses:
    """Somebody twice as large as the dancer, in a picture of 60 x 40 px; nobody in frame 4."""
    keypoints = 2 * standing(COUNT, SIZE) + np.array([10, 1])
    keypoints[4] = np.nan
    return Poses(
        source=np.array(["source.mp4"] * COUNT),
        frame=np.arange(COUNT),
        time=np.arange(COUNT) / 20,
        person=np.zeros(COUNT, np.int64),
        box=np.full((COUNT, 3), np.nan),
        image_size=np.full((COUNT, 2), (60, 40)),
        keypoints_2d=keypoints,
        confidence=np.isfinite(keypoints[..., 0]).astype(np.float32),
        skeleton_2d=DANCE_13.name,
    )


def options(folder: Path, target: Path) -> DanceOptions:
    with VideoWriter(folder / "source.mp4", 60, 40, 20) as video:
        for _ in range(COUNT):
            video.write(np.full((40, 60, 3), 120, np.uint8))
    return DanceOptions(
        str(folder / "source.mp4"), str(target), output_dir=str(folder / "out"), size=32
    )


def shapes(path: Path) -> tuple[int, set[tuple[int, ...]], float]:
    with VideoReader(path) as video:
        frames = list(video)
    rate = 1 / float(np.median(np.diff([frame.time for frame in frames])))
    return len(frames), {frame.image.shape for frame in frames}, rate


def test_new_films_have_the_sources_frames_and_rate(tmp_path: Path, target: Path) -> None:
    assert dance(options(tmp_path, target), lambda _: source_poses()) == 0
    count, size, rate = shapes(tmp_path / "out" / "dance.mp4")
    assert (count, size) == (COUNT, {(32, 32, 3)}) and rate == pytest.approx(20, rel=0.01)
    count, size, rate = shapes(tmp_path / "out" / "side_by_side.mp4")
    assert (count, size) == (COUNT, {(256, 768, 3)}) and rate == pytest.approx(20, rel=0.01)
    poses = read_poses(tmp_path / "out" / "poses.npz")
    # Where nobody was found the dancer stays as before.
    assert (poses.keypoints_2d[4] == poses.keypoints_2d[3]).all()
    assert np.isfinite(poses.keypoints_2d).all()


def test_of_a_pose_file_the_longest_film_is_danced_or_the_one_that_is_named(
    tmp_path: Path, target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film = source_poses()
    photo = replace(film.select([0]), source=np.array(["a.jpg"]))
    short = replace(film.select([5, 3]), source=np.array(["b/short.mp4"] * 2))
    write_poses(tmp_path / "poses.npz", concatenate([photo, film, short]))
    chosen = DanceOptions(str(tmp_path / "poses.npz"), str(target))
    assert find_poses(chosen).frame.tolist() == film.frame.tolist()
    told = capsys.readouterr().out
    assert told == "12 rows of source.mp4 are taken, 3 of other people or files left out\n"
    assert find_poses(replace(chosen, film="short.mp4")).frame.tolist() == [3, 5]
    with pytest.raises(UserError, match=r"has no none.mp4, .*it has a.jpg, b/short.mp4, source"):
        find_poses(replace(chosen, film="none.mp4"))


def test_the_motion_comes_at_the_dancers_size_and_place(tmp_path: Path, target: Path) -> None:
    """The source's limbs are those of the dancer, twice as long: fitted, they are the same."""
    asked = replace(options(tmp_path, target), size=SIZE)
    heights = {}
    for way in ("bones", "scale", "none"):
        dance(replace(asked, retarget=way), lambda _: source_poses())
        poses = read_poses(tmp_path / "out" / "poses.npz").keypoints_2d
        rows = [row for row in range(COUNT) if row != 4]
        heights[way] = float(np.ptp(poses[rows][..., 1], axis=1).mean())
        ground = poses[rows][:, DANCE_13.index("left_ankle"), 1]
        if way != "none":
            assert np.allclose(ground, 0.9 * SIZE, atol=0.02)
    tall = float(np.ptp(standing(COUNT, SIZE)[0, :, 1]))
    assert heights["bones"] == pytest.approx(tall, abs=0.02)
    assert heights["scale"] == pytest.approx(tall, abs=0.02)
    # Uncorrected: 2 * tall in 40 px, seen in a picture of 18.
    assert heights["none"] == pytest.approx(2 * tall * SIZE / 40, abs=0.02)


def test_who_is_not_found_at_first_begins_as_they_are_found() -> None:
    film = np.arange(5.0)[:, None, None].repeat(13, 1).repeat(2, 2)
    film[[0, 1, 3]] = np.nan
    assert held(film)[:, 0, 0].tolist() == [2, 2, 2, 2, 4]


def test_joints_that_are_hardly_seen_are_bridged(tmp_path: Path, target: Path) -> None:
    poses, wrist = source_poses(), DANCE_13.index("left_wrist")
    asked = replace(options(tmp_path, target), size=SIZE)
    dance(asked, lambda _: poses)
    wanted = read_poses(tmp_path / "out" / "poses.npz").keypoints_2d
    poses.keypoints_2d[7, wrist] += 15
    poses.confidence[7, wrist] = 0.1
    dance(asked, lambda _: poses)
    found = read_poses(tmp_path / "out" / "poses.npz").keypoints_2d
    np.testing.assert_allclose(found, wanted, atol=0.5)
    poses.confidence[7, wrist] = 0.2
    dance(asked, lambda _: poses)
    found = read_poses(tmp_path / "out" / "poses.npz").keypoints_2d
    assert np.abs(found - wanted)[7, wrist].max() > 2


def test_learned_retargeting_needs_weights(tmp_path: Path, target: Path) -> None:
    asked = replace(options(tmp_path, target), retarget="learned", load_retarget="no/such/run")
    with pytest.raises(UserError, match="no/such/run"):
        dance(asked, lambda _: source_poses())
    with pytest.raises(UserError, match="--load_retarget is for --retarget learned"):
        DanceOptions("a.mp4", load_retarget="run")
    with pytest.raises(UserError, match="learned needs --load_retarget"):
        DanceOptions("a.mp4", retarget="learned")


def test_a_pose_file_is_a_source(tmp_path: Path, target: Path) -> None:
    write_poses(tmp_path / "poses.npz", source_poses())
    asked = replace(options(tmp_path, target), source=str(tmp_path / "poses.npz"))
    assert (find_poses(asked).frame == np.arange(COUNT)).all()
    assert dance(asked) == 0
    assert shapes(tmp_path / "out" / "side_by_side.mp4")[1] == {(256, 512, 3)}


def test_nobody_in_the_source_and_another_model_are_errors(tmp_path: Path, target: Path) -> None:
    asked = options(tmp_path, target)
    nobody = source_poses()
    nobody.keypoints_2d[:] = np.nan
    with pytest.raises(UserError, match="nobody was found"):
        dance(asked, lambda _: nobody)
    with pytest.raises(UserError, match="not the --model gan"):
        dance(replace(asked, model="4"), lambda _: source_poses())


class Fixed:
    """A 2D model that finds the same joints in every picture."""

    skeleton = DANCE_13.name

    def __call__(
        self, images: list[np.ndarray], boxes: np.ndarray, flip: bool = True
    ) -> FoundJoints:
        assert (boxes == np.array([8.5, 8.5, SIZE])).all()
        found = standing(1, SIZE) + np.arange(len(images))[:, None, None]
        return FoundJoints(found, np.ones(found.shape[:2]))


def test_the_finder_looks_at_whole_pictures_in_batches() -> None:
    found = pose_finder(Fixed())(np.zeros((18, SIZE, SIZE, 3), np.uint8))
    assert found.shape == (18, 13, 2)
    assert np.allclose(found[16:], standing(1, SIZE) + np.arange(2)[:, None, None])


def test_a_joint_that_is_never_sure_is_left_out(tmp_path: Path, target: Path) -> None:
    poses = source_poses()
    sure = poses.confidence.copy()
    sure[:, DANCE_13.index("left_ankle")] *= 0.05
    sure[-3:, DANCE_13.index("right_wrist")] *= 0.05
    assert dance(options(tmp_path, target), lambda _: replace(poses, confidence=sure)) == 0
    drawn = read_poses(tmp_path / "out" / "poses.npz").keypoints_2d
    assert np.isnan(drawn[:, DANCE_13.index("left_ankle")]).all()
    assert np.isfinite(drawn[0, DANCE_13.index("right_wrist")]).all()


def test_a_pose_file_is_cut_to_the_seconds_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "poses.npz"
    write_poses(path, source_poses())
    found = find_poses(DanceOptions(str(path), start=0.2, end=0.4))
    assert found.frame.tolist() == [4, 5, 6, 7]
    with pytest.raises(UserError, match="no row between --start 9 "):
        find_poses(DanceOptions(str(path), start=9))


@pytest.mark.parametrize("name", ["", "photo.jpg"])
def test_folders_and_pictures_are_no_sources(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="neither a video nor a pose file"):
        find_poses(DanceOptions(str(tmp_path / name)))


def test_who_walks_away_stays_on_the_ground_and_who_jumps_does_not() -> None:
    count, rate = 100, 25
    poses = source_poses().select(np.zeros(count, np.int64))
    away = np.linspace(0, 20, count)
    jump = np.zeros(count)
    jump[40:50] = 15 * np.sin(np.linspace(0, np.pi, 10))
    keypoints = poses.keypoints_2d - (away + jump)[:, None, None] * np.array([0, 1])
    keypoints[70] = np.nan
    sure = poses.confidence.copy()
    sure[70] = 0
    time = np.arange(count) / rate
    film = replace(poses, keypoints_2d=keypoints, confidence=sure, time=time)
    level = on_level_ground(film).keypoints_2d
    lowest = level[..., 1].max(axis=1)
    risen = np.nanmedian(lowest) - lowest
    assert np.isnan(lowest[70])
    # Under a jump the ground is taken to be where it ends.
    np.testing.assert_allclose(np.delete(risen, 70), np.delete(jump, 70), atol=2)


def test_frames_keep_the_sources_times(tmp_path: Path, target: Path) -> None:
    """A film that goes slower from its seventh frame on, and begins late."""
    times = 3 + np.concatenate([np.arange(6) / 20, 0.3 + np.arange(6) / 5])
    asked = options(tmp_path, target)
    assert dance(asked, lambda _: replace(source_poses(), time=times)) == 0
    for name in ("dance.mp4", "side_by_side.mp4"):
        with VideoReader(tmp_path / "out" / name) as video:
            assert [frame.time for frame in video] == pytest.approx(times - 3, abs=1e-3)
    assert read_poses(tmp_path / "out" / "poses.npz").time == pytest.approx(times - 3)


def test_a_pose_file_without_times_is_a_source(tmp_path: Path, target: Path) -> None:
    poses = replace(source_poses(), time=np.full(COUNT, np.nan))
    write_poses(tmp_path / "poses.npz", poses)
    asked = replace(options(tmp_path, target), source=str(tmp_path / "poses.npz"))
    assert dance(asked) == 0
    assert shapes(tmp_path / "out" / "dance.mp4")[2] == pytest.approx(25, rel=0.01)


def test_the_source_is_never_written_over(tmp_path: Path, target: Path) -> None:
    for name in ("poses.npz", "dance.mp4", "side_by_side.mp4"):
        (tmp_path / name).write_bytes(b"the source")
        asked = replace(options(tmp_path, target), source=str(tmp_path / "out" / ".." / name))
        with pytest.raises(UserError, match="it is read for this"):
            dance(replace(asked, output_dir=str(tmp_path)), lambda _: source_poses())
        assert (tmp_path / name).read_bytes() == b"the source"


def test_sound_that_cannot_be_read_leaves_silent_films(
    tmp_path: Path, target: Path, capsys: pytest.CaptureFixture[str], monkeypatch
) -> None:
    def fail(*_: object) -> bool:
        raise UserError("this sound is broken")

    monkeypatch.setattr("stitched.dance.copy_sound", fail)
    assert dance(options(tmp_path, target), lambda _: source_poses()) == 0
    assert "without sound: this sound is broken" in capsys.readouterr().out
    assert shapes(tmp_path / "out" / "dance.mp4")[0] == COUNT
    assert len(read_poses(tmp_path / "out" / "poses.npz")) == COUNT
