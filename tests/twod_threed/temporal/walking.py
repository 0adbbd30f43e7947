"""Mannequins in motion before one camera, of which everything is known."""

from dataclasses import dataclass

import numpy as np
import torch

from twod_threed.detector_noise import add_noise, read_table
from twod_threed.views import frame_points, project_mpii
from utils.mannequin.body import h36m_joints, sample_body
from utils.mannequin.motion import sample_motion
from utils.skeletons import H36M_17

RATE = 25.0


@dataclass(frozen=True)
class Walk:
    """`world` and `camera` (T, 17, 3) mm: y up on the floor y = 0, and the camera frame;
    `keypoints` (T, 16, 2) px of MPII-16, exact; `intrinsics` (4,); `up` (3,) in camera axes."""

    world: np.ndarray
    camera: np.ndarray
    keypoints: np.ndarray
    intrinsics: np.ndarray
    image_size: np.ndarray
    up: np.ndarray

    @property
    def poses(self) -> np.ndarray:
        """(T, 17, 3) mm about the hip, camera axes."""
        hip = H36M_17.index("hip")
        return self.camera - self.camera[:, hip : hip + 1]

    @property
    def root(self) -> np.ndarray:
        """(T, 3) mm: the hip in the camera frame."""
        return self.camera[:, H36M_17.index("hip")]


def walk(activity: str = "walk", seed: int = 0, seconds: float = 5.0) -> Walk:
    """So many seconds of an activity, seen by a camera that holds all of it."""
    rng = np.random.default_rng(seed)
    body = sample_body(rng)
    motion = sample_motion(rng, body, seconds, activity)
    world = h36m_joints(body, motion.posture(np.arange(int(seconds * RATE)) / RATE))
    points = torch.from_numpy(world).reshape(1, -1, 3)
    views = frame_points(points, torch.Generator().manual_seed(seed))
    camera = views.to_camera(points).reshape(world.shape)
    rotation = views.rotation[0].numpy()
    return Walk(
        world,
        camera.numpy(),
        project_mpii(camera, views.intrinsics[0]).numpy(),
        views.intrinsics[0].numpy(),
        views.image_size[0].numpy().astype(int),
        rotation @ np.array([0.0, 1.0, 0.0]),
    )


def seen_by_detector(keypoints: np.ndarray, seed: int = 0) -> np.ndarray:
    """Keypoints (T, 16, 2) px with a detector's errors: jitter, outliers, swapped sides, gaps."""
    generator = torch.Generator().manual_seed(seed)
    return add_noise(torch.from_numpy(keypoints), read_table(), 1.0, generator).numpy()
