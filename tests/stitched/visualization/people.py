"""Rows of a pose file with people of known shape at known places."""

from dataclasses import replace

import numpy as np

from tests.twod_threed.scored_pairs import STANDING
from utils.pose_file import Poses, concatenate, empty_row
from utils.skeleton_conversion import convert
from utils.skeletons import H36M_17, MPII_16

FOCAL, SIZE = 300.0, (160, 120)


def standing() -> np.ndarray:
    """(17, 3) mm."""
    return np.array([(*STANDING[joint], 0.0) for joint in H36M_17.joints])


def person(
    source: str = "clip.mp4",
    frame: int = 0,
    time: float = float("nan"),
    number: int = 0,
    place: tuple[float, float, float] = (0, 0, 5000),
    size: tuple[int, int] = SIZE,
) -> Poses:
    """One row: who stands with the hip at `place`, mm, before a level camera."""
    joints = standing() + place
    middle = (np.array(size) - 1) / 2
    points = convert(joints[:, :2] / joints[:, 2:] * FOCAL + middle, H36M_17, MPII_16).poses
    return replace(
        empty_row(source, size, MPII_16.name, frame, time, number),
        keypoints_2d=points[None],
        confidence=np.ones((1, len(MPII_16))),
        keypoints_3d=standing()[None],
        skeleton_3d=H36M_17.name,
        root_camera=np.array([place]),
    )


def walk(frames: int, source: str = "clip.mp4", rate: float = 10.0, people: int = 1) -> Poses:
    """People who glide to the right, 50 mm a frame, a metre behind one another."""
    return concatenate(
        [
            person(source, t, t / rate, k, (50.0 * t - 300, 0, 5000 + 1000 * k))
            for t in range(frames)
            for k in range(people)
        ]
    )
