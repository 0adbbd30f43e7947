"""`--smooth`: less jitter, the same places, and nobody invented."""

import numpy as np
import pytest

from stitched.person_finder import Sighting
from stitched.smoothing import LiveSmoother, smooth_both_ways
from utils.pose_file import Poses

FRAMES = 60
STILL = np.linspace((100, 50), (180, 200), 16)
GONE = range(20, 26)


def jittery() -> np.ndarray:
    """Joints (60, 16, 2) px of somebody who stands still, found with an error of 2 px."""
    return STILL + np.random.default_rng(0).normal(0, 2, (FRAMES, 16, 2))


def live(points: np.ndarray) -> np.ndarray:
    smoother, calm = LiveSmoother(25.0), []
    for number, joints in enumerate(points.astype(np.float32)):
        one = Sighting(np.array([140, 125, 200]), joints, np.ones(16, np.float32), "mpii_16")
        if number in GONE:
            one = Sighting.nobody("mpii_16")
        ((person, shown),) = smoother([(3, one)])
        assert person == 3
        calm.append(shown.keypoints)
    return np.stack(calm)


def afterwards(points: np.ndarray) -> np.ndarray:
    points = points.astype(np.float32)
    points[list(GONE)] = np.nan
    poses = Poses(
        source=np.full(FRAMES, "a.mp4"),
        frame=np.arange(FRAMES),
        time=np.arange(FRAMES) / 25,
        person=np.zeros(FRAMES, int),
        box=np.full((FRAMES, 3), 100, np.float32),
        image_size=np.full((FRAMES, 2), 300),
        keypoints_2d=points,
        confidence=np.where(np.isnan(points[..., 0]), 0, 1).astype(np.float32),
        skeleton_2d="mpii_16",
    )
    return smooth_both_ways(poses).keypoints_2d


@pytest.mark.parametrize("smooth", [live, afterwards])
def test_jitter_is_halved_and_absence_stays(smooth):
    points = jittery()
    calm = smooth(points)
    gone = np.isin(np.arange(FRAMES), list(GONE))
    np.testing.assert_array_equal(np.isnan(calm).all(axis=(1, 2)), gone)
    settled = ~gone & (np.arange(FRAMES) > 5)
    assert np.std(calm[settled] - STILL) < 0.7 * np.std(points[settled] - STILL)
    assert np.abs(calm[settled].mean(axis=0) - STILL).max() < 1.5
