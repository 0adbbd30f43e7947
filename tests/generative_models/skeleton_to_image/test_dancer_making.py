"""From a video to a dancer's folder."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from generative_models.skeleton_to_image.dancer_making import (
    Cutting,
    PoseFinder,
    cut,
    cut_points,
    find_poses,
    given_poses,
    windows,
    write_dancer,
)
from generative_models.skeleton_to_image.dancer_readers import read_dancer
from utils.errors import UserError
from utils.frames import Frame
from utils.pose_file import read_poses
from utils.skeletons import BLAZEPOSE_33, DANCE_13
from utils.video import VideoWriter

WIDTH, HEIGHT, COUNT = 64, 48, 12


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Frames whose grey tells their number: 20 each."""
    path = tmp_path_factory.mktemp("video") / "numbers.mp4"
    with VideoWriter(path, WIDTH, HEIGHT, 10) as writer:
        for number in range(COUNT):
            writer.write(np.full((HEIGHT, WIDTH, 3), 20 * number, np.uint8))
    return path


def somebody(x: float = 30.0, y: float = 20.0) -> np.ndarray:
    """Joints (13, 2) px, 12 px wide and tall."""
    spread = np.linspace(-6, 6, 13)
    return np.stack([x + spread, y + spread], axis=-1)


def finder(
    find: Callable[[Frame], np.ndarray], setting: float = 0.5
) -> tuple[PoseFinder, list[int]]:
    looked: list[int] = []

    def look(frame: Frame) -> np.ndarray:
        looked.append(frame.index)
        return find(frame)

    return PoseFinder(DANCE_13.name, lambda: look, settings={"least": setting}), looked


def nobody_in(*missing: int) -> Callable[[Frame], np.ndarray]:
    nobody = np.full((13, 2), np.nan)
    return lambda frame: nobody if frame.index in missing else somebody(20 + frame.index)


@pytest.mark.parametrize("edge", ["left", "right", "top", "bottom", "all"])
def test_what_lies_outside_the_frame_is_black_and_nothing_is_distorted(edge: str) -> None:
    image = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    centre = {
        "left": (0, 24),
        "right": (WIDTH - 1, 24),
        "top": (32, 0),
        "bottom": (32, HEIGHT - 1),
        "all": (31.5, 23.5),
    }[edge]
    side = 100 if edge == "all" else 21
    made = cut(image, np.array([*centre, side]), 1.0)
    assert made.shape == (side, side, 3)
    inside = made[..., 0] > 127
    x = np.arange(side) - (side - 1) / 2 + centre[0]
    y = np.arange(side) - (side - 1) / 2 + centre[1]
    expected = ((y >= 0) & (y < HEIGHT))[:, None] & ((x >= 0) & (x < WIDTH))[None]
    assert (inside == expected).all()


def test_a_joint_marks_the_same_place_before_and_after_the_cut() -> None:
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[30, 40] = 255
    for window, scale in ((np.array([35.0, 28.0, 21]), 1.0), (None, 3.0), (None, 1.0)):
        made = cut(image, window, scale)[..., 0].astype(float)
        rows, columns = np.mgrid[: made.shape[0], : made.shape[1]]
        middle = np.array([(columns * made).sum(), (rows * made).sum()]) / made.sum()
        place = cut_points(np.array([[40.0, 30.0]]), window, scale)[0]
        assert np.allclose(middle, place, atol=0.02)


def test_windows_follow_or_stay_and_have_one_side() -> None:
    poses = np.stack([somebody(20), somebody(40)])
    poses[0, 3] = np.nan
    following = windows(poses, "follow", 1.5)
    assert np.allclose(following, [[20, 20, 18], [40, 20, 18]])
    assert np.allclose(windows(poses, "fixed", 1.5), [[30, 20, 48], [30, 20, 48]])


def test_a_fixed_window_of_a_long_film_needs_little_memory() -> None:
    poses = np.stack([somebody(20)] * 1000)
    poses[0, 3] = np.nan
    tracemalloc.start()
    windows(poses, "fixed", 1.5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * poses.nbytes


@pytest.mark.parametrize("crop", ["follow", "fixed", "none"])
def test_a_frame_without_anybody_shifts_no_pair(crop: str, video: Path, tmp_path: Path) -> None:
    found, _ = finder(nobody_in(0, 4, 7))
    poses = find_poses(video, 1, found, tmp_path / "cache")
    assert (~poses.found).sum() == 3
    write_dancer(video, poses, Cutting(None, crop), tmp_path / "dancer")  # type: ignore[arg-type]
    dancer = read_dancer(tmp_path / "dancer")
    assert dancer.frame.tolist() == [1, 2, 3, 5, 6, 8, 9, 10, 11]
    rows = read_poses(tmp_path / "dancer" / "poses.npz")
    for row, number in enumerate(dancer.frame):
        picture = dancer.read(row)
        height, width = picture.shape[:2]
        assert abs(float(picture[height // 2, width // 2].mean()) - 20 * number) < 8
        assert rows.source[row] == f"images/{number:06d}.jpg"
    if crop == "none":
        expected = np.stack([somebody(20 + number) for number in dancer.frame])
        assert np.allclose(dancer.keypoints, expected, atol=1e-4)
    else:
        assert len({dancer.read(row).shape for row in range(len(dancer))}) == 1
    assert dancer.fps == pytest.approx(10)


def test_every_other_frame_and_a_width(video: Path, tmp_path: Path) -> None:
    found, looked = finder(nobody_in())
    poses = find_poses(video, 3, found, tmp_path)
    assert looked == [0, 3, 6, 9]
    written = write_dancer(video, poses, Cutting(32, "none"), tmp_path / "dancer")
    assert written.image_size.tolist() == [[32, 24]] * 4
    assert np.allclose(written.keypoints_2d, (poses.keypoints + 0.5) / 2 - 0.5, atol=1e-4)


def test_poses_are_looked_for_once_for_the_same_content_and_options(
    video: Path, tmp_path: Path
) -> None:
    found, looked = finder(nobody_in())
    first = find_poses(video, 4, found, tmp_path)
    again = find_poses(video, 4, found, tmp_path)
    assert looked == [0, 4, 8] and (first.keypoints == again.keypoints).all()
    other, looked = finder(nobody_in(), setting=0.6)
    find_poses(video, 4, other, tmp_path)
    find_poses(video, 6, other, tmp_path)
    assert looked == [0, 4, 8, 0, 6]


def test_given_landmarks_go_by_the_number_of_the_frame(video: Path, tmp_path: Path) -> None:
    landmarks = np.zeros((2, 33, 3))
    landmarks[:, BLAZEPOSE_33.index("nose"), :2] = [[0.5, 0.25], [1.0, 1.0]]
    path = tmp_path / "landmarks.npz"
    np.savez(path, landmarks=landmarks, frame_index=np.array([8, 2]))
    poses = given_poses(video, 2, path)
    assert poses.frame[poses.found].tolist() == [2, 8]
    nose = poses.keypoints[poses.found, DANCE_13.index("nose")]
    assert nose.tolist() == [[WIDTH - 0.5, HEIGHT - 0.5], [WIDTH / 2 - 0.5, HEIGHT / 4 - 0.5]]


def test_a_video_of_nobody_is_an_error(video: Path, tmp_path: Path) -> None:
    found, _ = finder(nobody_in(*range(COUNT)))
    poses = find_poses(video, 1, found, tmp_path)
    with pytest.raises(UserError, match=r"numbers\.mp4: nobody was found"):
        write_dancer(video, poses, Cutting(), tmp_path / "dancer")
    with pytest.raises(UserError, match="cannot read"):
        find_poses(tmp_path / "none.mp4", 1, found, tmp_path)
