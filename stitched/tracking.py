"""Who is who along a video: boxes of a frame joined to those of the frames before, by overlap."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

MIN_OVERLAP = 0.2
"""Intersection over union from which two boxes can be those of one person."""
MAX_GAP = 1.0
"""Seconds for which somebody who is not seen is remembered."""
VELOCITY_TIME = 0.4
"""Seconds over which somebody's velocity is measured: limbs move the box to and fro. Chosen on
mannequins who cross."""


@dataclass
class _Track:
    person: int
    box: np.ndarray
    velocity: np.ndarray
    time: float

    def expected(self, time: float) -> np.ndarray:
        """Box (3,) px at a time, if the person goes on as before."""
        return self.box + np.append(self.velocity, 0) * (time - self.time)

    def update(self, box: np.ndarray, time: float) -> None:
        passed = time - self.time
        measured = (box[:2] - self.box[:2]) / passed
        self.velocity += (1 - math.exp(-passed / VELOCITY_TIME)) * (measured - self.velocity)
        self.box, self.time = box, time


class Tracker:
    """Numbers for the boxes of the frames of a video, which are given to it one after another.

    Each frame's boxes are compared with where those of the people known so far should be by now,
    at the velocity they had, so that two who cross do not change places. The pairing with the
    largest sum of overlaps counts (Kuhn 1955, the "Hungarian" method); a pair that overlaps by
    less than MIN_OVERLAP is none. Who finds no partner is new. Who is not seen for MAX_GAP is
    forgotten; numbers are not used twice.
    """

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._count = 0

    def __call__(self, boxes: np.ndarray, time: float) -> np.ndarray:
        """Boxes (N, 3) px of the frame at `time`, s, later than the last -> numbers (N,) from 0."""
        known = [track for track in self._tracks if time - track.time <= MAX_GAP]
        people = np.full(len(boxes), -1)
        if known and len(boxes):
            expected = np.stack([track.expected(time) for track in known])
            overlaps = overlap(expected[:, None], boxes[None])
            likely = np.where(overlaps >= MIN_OVERLAP, overlaps, 0)
            for row, column in zip(*linear_sum_assignment(likely, maximize=True), strict=True):
                if likely[row, column] > 0:
                    known[row].update(boxes[column], time)
                    people[column] = known[row].person
        for column in np.flatnonzero(people < 0):
            known.append(_Track(self._count, boxes[column], np.zeros(2), time))
            people[column] = self._count
            self._count += 1
        self._tracks = known
        return people


def overlap(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Intersection over union, in [0, 1], of boxes (..., 3): centre x, centre y, side, px."""
    reach = np.stack([one[..., 2] + other[..., 2]] * 2, axis=-1) / 2
    shared = reach - np.abs(one[..., :2] - other[..., :2])
    inner = np.minimum(one[..., 2], other[..., 2])[..., None]
    intersection = np.clip(shared, 0, inner).prod(axis=-1)
    return intersection / (one[..., 2] ** 2 + other[..., 2] ** 2 - intersection)
