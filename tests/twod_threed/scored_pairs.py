"""Small pose pairs and the pose files that lifters would make of them."""

from pathlib import Path

import numpy as np
import torch

from twod_threed.pairs import PosePairs
from twod_threed.views import project_mpii
from utils.pose_file import Poses, write_poses
from utils.skeletons import H36M_17

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


def standing() -> np.ndarray:
    """(17, 3) mm."""
    return np.array([(*STANDING[joint], 0.0) for joint in H36M_17.joints])


def make_pairs(clips: list[tuple[str, str, str, int]], seed: int = 0) -> PosePairs:
    """Poses near `standing`, seen by one level camera; clips of (subject, action, source, frames).

    2D joints are true projections of MPII's; the world is y up with the camera in its origin.
    """
    counts = [frames for *_, frames in clips]
    count, rng = sum(counts), np.random.default_rng(seed)
    poses = standing() + rng.normal(size=(count, 17, 3)) * 60
    poses += np.array([0, 100, 4000]) - poses[:, :1]
    poses = poses.astype(np.float32)
    intrinsics = np.array([[1100.0, 1100, 499.5, 499.5]])
    points = project_mpii(torch.from_numpy(poses), torch.from_numpy(intrinsics).float())
    return PosePairs(
        poses_3d=poses,
        valid=np.ones((count, 17), bool),
        poses_2d=points.numpy(),
        camera=np.zeros(count, np.int64),
        clip=np.repeat(np.arange(len(clips)), counts),
        frame=np.concatenate([np.arange(frames) for frames in counts]),
        intrinsics=intrinsics,
        distortion=np.zeros((1, 5)),
        image_size=np.array([[1000, 1000]]),
        rotation=np.diag([1.0, -1.0, -1.0])[None],
        position=np.zeros((1, 3)),
        camera_names=np.array(["cam"]),
        clip_names=np.array([f"{s}/{a}/{number}" for number, (s, a, _, _) in enumerate(clips)]),
        clip_sources=np.array([source for _, _, source, _ in clips]),
        clip_subjects=np.array([subject for subject, *_ in clips]),
        clip_actions=np.array([action for _, action, *_ in clips]),
        frame_rates=np.full(len(clips), 50.0),
        up=np.array([0.0, 1.0, 0.0]),
    )


def hip_relative(pairs: PosePairs) -> np.ndarray:
    """(N, 17, 3) true poses as a lifter should give them, float64."""
    poses = pairs.poses_3d.astype(np.float64)
    return poses - poses[:, :1]


def as_poses(pairs: PosePairs, keypoints_3d: np.ndarray | None) -> Poses:
    """The rows of a pose file for all pairs, in their order."""
    count = len(pairs)
    there = np.asarray(np.isfinite(pairs.poses_2d).all(axis=-1))
    return Poses(
        source=pairs.source_names(),
        frame=pairs.frame,
        time=np.full(count, np.nan),
        person=np.zeros(count, np.int64),
        box=np.full((count, 3), np.nan),
        image_size=pairs.image_size[pairs.camera],
        keypoints_2d=pairs.poses_2d,
        confidence=1.0 * there,
        skeleton_2d=pairs.skeleton_2d,
        keypoints_3d=keypoints_3d,
        skeleton_3d=None if keypoints_3d is None else "h36m_17",
    )


def write_predictions(path: Path, pairs: PosePairs, keypoints_3d: np.ndarray | None) -> Path:
    """Write them; returns the path."""
    write_poses(path, as_poses(pairs, keypoints_3d))
    return path
