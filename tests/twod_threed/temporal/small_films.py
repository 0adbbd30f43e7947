"""A few films before cameras with lenses, made without any data set; used by several tests."""

import numpy as np
import torch

from tests.twod_threed.small_poses import INTRINSICS, poses_3d
from twod_threed.data import Bodies
from twod_threed.pairs import PosePairs
from twod_threed.views import project_mpii
from utils.mocap.store import MotionStore, make_store

DISTORTION = (-0.2, 0.24, -0.003, -0.0009, -0.0014)


def motion(length: int, seed: int) -> np.ndarray:
    """(length, 17, 3) mm in the camera frame: a person who moves steadily from pose to pose."""
    ends = poses_3d(2, seed).numpy()
    ends[1] += ends[0, :1] - ends[1, :1] + [300, 0, 200]
    share = np.linspace(0, 1, length)[:, None, None]
    return (1 - share) * ends[0] + share * ends[1]


def films(lengths: tuple[int, ...] = (9, 6), bent: bool = True, seed: int = 0) -> PosePairs:
    """A film of so many frames for each of S1, S2, ..., each seen by a camera of its own."""
    poses = np.concatenate([motion(length, seed + n) for n, length in enumerate(lengths)])
    count, clip = len(lengths), np.repeat(np.arange(len(lengths)), lengths)
    lens = np.array([INTRINSICS] * count) + 10 * np.arange(count)[:, None]
    bend = np.array([DISTORTION if bent else (0.0,) * 5] * count)
    points = project_mpii(
        torch.from_numpy(poses), torch.from_numpy(lens[clip]), torch.from_numpy(bend[clip])
    )
    names = np.array([f"S{n + 1}" for n in range(count)])
    return PosePairs(
        poses_3d=poses.astype(np.float32),
        valid=np.ones(poses.shape[:2], bool),
        poses_2d=points.numpy().astype(np.float32),
        camera=clip,
        clip=clip,
        frame=np.concatenate([np.arange(length) for length in lengths]),
        intrinsics=lens,
        distortion=bend,
        image_size=np.array([[1000, 1002]] * count),
        rotation=np.stack([np.eye(3)] * count),
        position=np.zeros((count, 3)),
        camera_names=np.array([f"camera{n}" for n in range(count)]),
        clip_names=np.array([f"{name}/Walking {n}" for n, name in enumerate(names)]),
        clip_sources=np.array(["made"] * count),
        clip_subjects=names,
        clip_actions=np.array(["Walking"] * count),
        frame_rates=np.full(count, 50.0),
        up=np.array([0.0, -1.0, 0.0]),
    )


def bodies(pairs: PosePairs, size: float = 3300.0) -> Bodies:
    """Everybody in films, all of one size and a bit."""
    names, subject = np.unique(pairs.subjects, return_inverse=True)
    return Bodies(names, subject, size + np.arange(len(names)))


def store(lengths: dict[str, int], frame_rate: float = 25.0) -> MotionStore:
    """A clip of so many frames for each name "source/subject", y up."""
    clips = []
    for number, length in enumerate(lengths.values()):
        poses = motion(length, number)
        clips.append((poses - poses[:1, :1]) * [1, -1, -1] * (1 + 0.1 * number))
    names = list(lengths)
    return make_store(
        clips,
        names=names,
        sources=[name.split("/")[0] for name in names],
        subjects=names,
        actions=["walk" if number % 2 == 0 else "walk dog" for number in range(len(names))],
        frame_rates=[frame_rate] * len(names),
        validity=[np.zeros(17, np.uint8)] * len(names),
    )
