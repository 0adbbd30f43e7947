"""Rows of a pose file with people of known shape at known places."""

from dataclasses import replace

import numpy as np

from utils.pose_file import Poses, concatenate, empty_row
from utils.skeleton_conversion import convert
from utils.skeletons import H36M_17, MPII_16

STANDING = {
    "hip": (0, 0),
    "right_hip": (-130, 0),
    "right_knee": (-140, 450),
    "right_ankle": (-150, 900),
    "left_hip": (130, 0),
    "left_knee": (140, 450),
    "left_ankle": (150, 900),
    "spine": (0, -240),
    "thorax": (0, -500),
    "neck_nose": (0, -560),
    "head": (0, -680),
    "left_shoulder": (160, -450),
    "left_elbow": (200, -170),
    "left_wrist": (220, 70),
    "right_shoulder": (-160, -450),
    "right_elbow": (-200, -170),
    "right_wrist": (-220, 70),
}
"""Somebody who faces a level camera: x right, y down, mm from the hip."""

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
