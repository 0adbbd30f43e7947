"""Pose files for the exporters' tests: a mannequin that moves before a camera."""

from dataclasses import replace

import numpy as np

from utils.mannequin.body import h36m_joints, sample_body
from utils.mannequin.motion import sample_motion
from utils.pose_file import Poses
from utils.skeletons import H36M_17, MPII_16

RATE = 25.0


def film(
    source: str = "clips/dance.mp4", frames: int = 12, person: int = 0, seed: int = 3
) -> Poses:
    """Someone who moves, 3 m from a camera; 2D joints at random, each with its confidence."""
    rng = np.random.default_rng([seed, person])
    body = sample_body(rng)
    motion = sample_motion(rng, body, frames / RATE)
    camera = h36m_joints(body, motion.posture(np.arange(frames) / RATE)) * (1, -1, -1)
    camera = camera + np.array((200, 0, 0)) * person + np.array((0, 900, 3000))
    joints = len(MPII_16)
    return Poses(
        source=np.array([source] * frames),
        frame=np.arange(frames),
        time=np.arange(frames) / RATE + 1.5,
        person=np.full(frames, person),
        box=rng.uniform(100, 200, (frames, 3)),
        image_size=np.full((frames, 2), (640, 480)),
        keypoints_2d=rng.uniform(0, 400, (frames, joints, 2)),
        confidence=rng.uniform(0.1, 1, (frames, joints)),
        skeleton_2d=MPII_16.name,
        keypoints_3d=camera - camera[:, :1],
        root_camera=camera[:, 0],
        intrinsics=np.full((frames, 4), (700, 700, 320, 240)),
        skeleton_3d=H36M_17.name,
    )


def points_3d(poses: Poses) -> np.ndarray:
    """Its 3D joints (N, J, 3), which it has."""
    assert poses.keypoints_3d is not None
    return poses.keypoints_3d


def roots(poses: Poses) -> np.ndarray:
    """Its places of the hip (N, 3), which it has."""
    assert poses.root_camera is not None
    return poses.root_camera


def upright(poses: Poses) -> np.ndarray:
    """(N, J, 3) mm from the camera, x right, y up, z towards the camera."""
    return (points_3d(poses) + roots(poses)[:, None]).astype(float) * (1, -1, -1)


def without_joint(poses: Poses, joint: str, frames: slice) -> Poses:
    """The same with a 3D joint missing in some rows."""
    points = points_3d(poses).copy()
    points[frames, H36M_17.index(joint)] = np.nan
    return replace(poses, keypoints_3d=points)
