"""`--smooth`: less jitter, the same places, and nobody invented."""

from collections.abc import Callable, Iterator
from typing import Self, cast

import numpy as np
import pytest

from stitched.inputs import Source
from stitched.options import VideoOptions
from stitched.people import PeopleFinder, Seen
from stitched.person_finder import Sighting
from stitched.smoothing import LiveSmoother, smooth_both_ways
from stitched.videos import sampled, watch
from twod_threed.temporal.smoothing import one_euro
from utils.frames import Frame
from utils.pose_file import Poses, concatenate

FRAMES = 60
STILL = np.linspace((100, 50), (180, 200), 16)
GONE = range(20, 26)


def jittery() -> np.ndarray:
    """Joints (60, 16, 2) px of somebody who stands still, found with an error of 2 px."""
    return STILL + np.random.default_rng(0).normal(0, 2, (FRAMES, 16, 2))


def live(points: np.ndarray) -> np.ndarray:
    smoother, calm = LiveSmoother(), []
    for number, joints in enumerate(points.astype(np.float32)):
        one = Sighting(np.array([140, 125, 200]), joints, np.ones(16, np.float32), "mpii_16")
        if number in GONE:
            one = Sighting.nobody("mpii_16")
        ((person, shown),) = smoother([(3, one)], number / 25)
        assert person == 3
        calm.append(shown.keypoints)
    return np.stack(calm)


def rows_of_film(points: np.ndarray, person: int = 0) -> Poses:
    """Rows (60) of one person, 25 a second."""
    return Poses(
        source=np.full(FRAMES, "a.mp4"),
        frame=np.arange(FRAMES),
        time=np.arange(FRAMES) / 25,
        person=np.full(FRAMES, person),
        box=np.full((FRAMES, 3), 100, np.float32),
        image_size=np.full((FRAMES, 2), 300),
        keypoints_2d=points.astype(np.float32),
        confidence=np.where(np.isnan(points[..., 0]), 0, 1).astype(np.float32),
        skeleton_2d="mpii_16",
    )


def afterwards(points: np.ndarray) -> np.ndarray:
    points = points.copy()
    points[list(GONE)] = np.nan
    return smooth_both_ways(rows_of_film(points)).keypoints_2d


@pytest.mark.parametrize("smooth", [live, afterwards])
def test_jitter_is_halved_and_absence_stays(smooth):
    points = jittery()
    calm = smooth(points)
    gone = np.isin(np.arange(FRAMES), list(GONE))
    np.testing.assert_array_equal(np.isnan(calm).all(axis=(1, 2)), gone)
    settled = ~gone & (np.arange(FRAMES) > 5)
    assert np.std(calm[settled] - STILL) < 0.7 * np.std(points[settled] - STILL)
    assert np.abs(calm[settled].mean(axis=0) - STILL).max() < 1.5


@pytest.mark.parametrize("fps", [20.0, 17.0, 12.5, 10.0])
def test_frames_that_were_looked_at_are_smoothed_over_those_that_were_not(fps):
    film = rows_of_film(jittery())
    looked = [frame.index for frame in sampled(frames_at(film.time), fps)]
    rows = film.select(looked)
    calm = smooth_both_ways(rows).keypoints_2d
    assert np.std(calm - STILL) < 0.8 * np.std(rows.keypoints_2d - STILL)


def test_everybody_is_smoothed_alone():
    other = jittery()[::-1] + 50
    one, two = rows_of_film(jittery()), rows_of_film(other, person=4)
    order = np.argsort(np.tile(one.frame, 2), kind="stable")
    both = smooth_both_ways(concatenate([one, two]).select(order))
    for alone in (one, two):
        rows = both.person == alone.person[0]
        expected = smooth_both_ways(alone).keypoints_2d
        np.testing.assert_array_equal(both.keypoints_2d[rows], expected)


def frames_at(times: np.ndarray) -> list[Frame]:
    nothing = np.zeros((4, 4, 3), np.uint8)
    return [Frame(index, time, nothing) for index, time in enumerate(times.tolist())]


class Film:
    """Frames at their times, from something that states a rate."""

    def __init__(self, fps: float, times: np.ndarray) -> None:
        self.fps, self.times = fps, times
        self.width = self.height = 4
        self.frame_count: int | None = None
        self.duration: float | None = None
        self.damage: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None: ...
    def close(self) -> None: ...

    def __iter__(self) -> Iterator[Frame]:
        return iter(frames_at(self.times))


class Finder:
    """Finds the same person in each frame, somewhere else."""

    def in_video(self, source: Source) -> Callable[[Frame], Seen]:
        points, sure = jittery().astype(np.float32), np.ones(16, np.float32)
        box = np.array([140, 125, 200])
        return lambda frame: [(0, Sighting(box, points[frame.index], sure, "mpii_16"))]


def test_one_euro_goes_by_the_times_of_the_frames_not_by_the_stated_rate():
    times = np.cumsum(np.random.default_rng(0).uniform(0.025, 0.2, FRAMES))
    expected = one_euro(jittery().astype(np.float32), times)
    options, source = VideoOptions(smooth="one_euro"), Source("video", "a.webm", "a.webm")
    for fps in (5.0, 1000.0):
        watched = watch(cast(PeopleFinder, Finder()), options, source, Film(fps, times))
        found = [seen[0][1].keypoints for _, seen in watched]
        np.testing.assert_allclose(found, expected, atol=1e-4)
