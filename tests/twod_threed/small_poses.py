"""A few people before a camera, made without any data set; used by several tests."""

import numpy as np
import torch
from torch import Tensor

from twod_threed.views import project_mpii
from utils.skeletons import H36M_17

INTRINSICS = (1100.0, 1080.0, 480.0, 520.0)
# A person who stands upright in the camera frame (y down), hip in the origin, mm.
_STANDING = {
    "hip": (0, 0, 0),
    "right_hip": (-130, 0, 0),
    "right_knee": (-140, 440, -30),
    "right_ankle": (-150, 880, 20),
    "left_hip": (130, 0, 0),
    "left_knee": (140, 440, -40),
    "left_ankle": (150, 880, 30),
    "spine": (0, -230, 10),
    "thorax": (0, -480, 0),
    "neck_nose": (0, -580, -60),
    "head": (0, -680, -20),
    "left_shoulder": (170, -450, 10),
    "left_elbow": (260, -180, 40),
    "left_wrist": (280, 50, -60),
    "right_shoulder": (-170, -450, 0),
    "right_elbow": (-300, -200, -30),
    "right_wrist": (-200, -20, -240),
}


def poses_3d(count: int, seed: int = 0, spread: float = 60.0) -> Tensor:
    """(count, 17, 3) float64 mm in the camera frame, in front of it, no two alike."""
    rng = np.random.default_rng(seed)
    standing = np.array([_STANDING[joint] for joint in H36M_17.joints], np.float64)
    poses = standing + rng.normal(0, spread, (count, len(H36M_17), 3))
    angle = rng.uniform(0, 2 * np.pi, count)
    turn = np.zeros((count, 3, 3))
    turn[:, 0, 0] = turn[:, 2, 2] = np.cos(angle)
    turn[:, 0, 2], turn[:, 2, 0], turn[:, 1, 1] = np.sin(angle), -np.sin(angle), 1
    place = rng.uniform([-900, -500, 3500], [900, 500, 6000], (count, 3))
    return torch.from_numpy(poses @ turn + place[:, None])


def lenses(count: int) -> Tensor:
    """(count, 4) float64 px."""
    return torch.tensor([INTRINSICS], dtype=torch.float64).repeat(count, 1)


def minibatch(count: int, seed: int = 0) -> dict[str, Tensor]:
    """What `twod_threed.data` yields, of `count` poses seen exactly."""
    from twod_threed.alignment import body_size

    poses = poses_3d(count, seed).float()
    intrinsics = lenses(count).float()
    return {
        "poses_3d": poses,
        "valid": torch.ones(count, len(H36M_17), dtype=torch.bool),
        "poses_2d": project_mpii(poses, intrinsics),
        "intrinsics": intrinsics,
        "up": torch.tensor([[0.0, -1.0, 0.0]]).repeat(count, 1),
        "size": body_size(poses),
    }
