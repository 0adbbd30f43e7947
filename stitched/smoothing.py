"""`--smooth`: the 2D joints of videos with less jitter, while they come or afterwards."""

from dataclasses import replace

import numpy as np

from stitched.people import Seen
from stitched.person_finder import Sighting
from twod_threed.temporal.inference import rate_of, smoothed
from twod_threed.temporal.predictor import MAX_GAP
from twod_threed.temporal.sequences import films_of
from twod_threed.temporal.smoothing import OneEuroFilter
from utils.pose_file import Poses


class LiveSmoother:
    """One-Euro filters for the people of one video, frame by frame."""

    def __init__(self, frame_rate: float) -> None:
        """frame_rate: frames a second that are looked at."""
        self._frame_rate = frame_rate
        self._filters: dict[int, OneEuroFilter] = {}
        self._nowhere = np.zeros((0, 2))

    def __call__(self, seen: Seen) -> Seen:
        """The people of the next frame; joints that are there are calmed, missing ones stay so."""
        for person in self._filters.keys() - {person for person, _ in seen}:
            # So that the filter knows how long it was without its person.
            self._filters[person].push(self._nowhere)
        return [(person, self._calm(person, sighting)) for person, sighting in seen]

    def _calm(self, person: int, sighting: Sighting) -> Sighting:
        if person not in self._filters:
            self._filters[person] = OneEuroFilter(self._frame_rate)
            self._nowhere = np.full_like(sighting.keypoints, np.nan)
        points = self._filters[person].push(sighting.keypoints, sighting.confidence)
        return replace(sighting, keypoints=points.astype(np.float32))


def smooth_both_ways(poses: Poses) -> Poses:
    """Rows of one video with each person's 2D joints smoothed by Savitzky-Golay."""
    points = poses.keypoints_2d.copy()
    for rows in films_of(poses):
        frames = poses.frame[rows]
        rate = rate_of(frames, poses.time[rows], None)
        film, sure = poses.keypoints_2d[rows], poses.confidence[rows]
        points[rows] = smoothed(film, sure, frames, rate, "savitzky_golay", MAX_GAP)
    return replace(poses, keypoints_2d=points)
