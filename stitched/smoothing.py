"""`--smooth`: the 2D joints of videos with less jitter, while they come or afterwards."""

from collections import defaultdict
from dataclasses import replace

import numpy as np

from stitched.people import Seen
from stitched.person_finder import Sighting
from twod_threed.temporal.inference import times_of
from twod_threed.temporal.sequences import films_of
from twod_threed.temporal.smoothing import OneEuroFilter, savitzky_golay
from utils.pose_file import Poses


class LiveSmoother:
    """One-Euro filters for the people of one video, frame by frame."""

    def __init__(self) -> None:
        self._filters: dict[int, OneEuroFilter] = defaultdict(OneEuroFilter)

    def __call__(self, seen: Seen, time: float) -> Seen:
        """The people of the next frame, at `time`, s; joints that are there are calmed, missing
        ones stay so."""
        return [(person, self._calm(person, sighting, time)) for person, sighting in seen]

    def _calm(self, person: int, sighting: Sighting, time: float) -> Sighting:
        points = self._filters[person].push(sighting.keypoints, time, sighting.confidence)
        return replace(sighting, keypoints=points.astype(np.float32))


def smooth_both_ways(poses: Poses) -> Poses:
    """Rows of one video with each person's 2D joints smoothed by Savitzky-Golay."""
    points = poses.keypoints_2d.copy()
    for rows in films_of(poses):
        times = times_of(poses.frame[rows], poses.time[rows])
        points[rows] = savitzky_golay(poses.keypoints_2d[rows], times)
    return replace(poses, keypoints_2d=points)
