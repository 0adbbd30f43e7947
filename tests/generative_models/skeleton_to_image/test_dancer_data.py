"""Squares, parts and clips of a dancer's frames."""

import numpy as np
import pytest

from generative_models.skeleton_to_image.dancer_data import (
    DancerSource,
    clip_starts,
    load_frames,
    share_out,
    split_at_random,
    split_in_time,
    square_window,
)
from generative_models.skeleton_to_image.options import DancerOptions
from tests.generative_models.skeleton_to_image.small_dancer import standing
from utils.errors import UserError


def source(count: int, parts: list[str] | None = None) -> DancerSource:
    """Frames (20, 30) whose pixels tell their number and place."""
    rows, columns = np.mgrid[:20, :30]

    def read(row: int) -> np.ndarray:
        return np.stack([np.full((20, 30), row), rows, columns], -1).astype(np.uint8)

    keypoints = standing(count, 20) + np.array([8, 0])
    told = None if parts is None else np.array(parts, "<U5")
    return DancerSource("small", np.arange(count), keypoints, (30, 20), 10, read, parts=told)


@pytest.mark.parametrize(("x", "left"), [(3.0, 0), (14.5, 5), (16.5, 7), (29.0, 10)])
def test_the_square_is_the_largest_about_the_person_within_the_picture(x: float, left: int) -> None:
    points = np.array([[x, 5.0], [np.nan, np.nan]])
    cx, cy, side = square_window(points, (30, 20))
    assert (cx - (side - 1) / 2, cy, side) == (left, 9.5, 20)


def test_without_joints_the_square_is_in_the_middle() -> None:
    assert square_window(np.full((4, 13, 2), np.nan), (31, 21)).tolist() == [15, 10, 21]


def test_frames_and_joints_are_cut_alike() -> None:
    frames = load_frames(source(40), 20, DancerOptions(gap=2))
    original = source(40)
    left = int(frames.images[0, 0, 0, 2])
    assert frames.images.shape == (40, 20, 20, 3) and 0 < left < 10
    assert (frames.images[..., 0] == np.arange(40)[:, None, None]).all()
    assert np.allclose(frames.keypoints, original.keypoints - np.array([left, 0]), atol=1e-5)
    test = frames.of_part("test")
    assert set(test.part) == {"test"} and (test.images[:, 0, 0, 0] == test.frame).all()


@pytest.mark.parametrize("gap", [0, 1, 7])
def test_parts_lie_apart_in_time(gap: int) -> None:
    part = split_in_time(100, 0.2, 0.1, gap)
    rows = {name: np.flatnonzero(part == name) for name in ("train", "val", "test")}
    assert len(rows["test"]) == 20 and rows["test"][-1] == 99 and len(rows["val"]) == 10
    assert rows["val"][0] - rows["train"][-1] == gap + 1
    assert rows["test"][0] - rows["val"][-1] == gap + 1
    assert (part == "").sum() == 2 * gap and rows["train"][0] == 0


def test_random_parts_are_mixed_whole_and_always_the_same() -> None:
    part = split_at_random(100, 0.2, 0.1)
    assert [(part == name).sum() for name in ("train", "val", "test")] == [70, 10, 20]
    test = np.flatnonzero(part == "test")
    assert (np.diff(test) > 1).sum() > 5
    assert (part == split_at_random(100, 0.2, 0.1)).all()


def test_a_folder_that_names_its_parts_keeps_them() -> None:
    part = share_out(source(40, ["train"] * 30 + ["test"] * 10), DancerOptions(gap=3))
    assert (part[30:] == "test").all()
    val = np.flatnonzero(part == "val")
    assert list(val) == [28, 29] and (part[25:28] == "").all() and (part[:25] == "train").all()
    part = share_out(source(40, ["train"] * 30 + ["val"] * 10), DancerOptions())
    assert (part[30:35] == "val").all() and (part[35:] == "test").all()


def test_too_few_frames_are_told() -> None:
    with pytest.raises(UserError, match=r"small has 40 frames: too few.*--gap 30"):
        share_out(source(40), DancerOptions(gap=30))


def test_clips_have_no_frame_left_out() -> None:
    frame = np.array([0, 10, 20, 40, 50, 60, 70])
    assert clip_starts(frame, 1).tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert clip_starts(frame, 2).tolist() == [0, 1, 3, 4, 5]
    assert clip_starts(frame, 3).tolist() == [0, 3, 4]
    assert clip_starts(frame[:2], 3).tolist() == []
