"""People who move, without data: swinging limbs of known lengths, and files of them."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from generative_models.motion_transfer.description import TransferDescription
from generative_models.motion_transfer.limbs import LIMB_NAMES, LIMBS, ORDER, ROOT, SKELETON
from generative_models.motion_transfer.model import Architecture
from generative_models.motion_transfer.normalisation import Normaliser, local_rows
from generative_models.motion_transfer.options import (
    LossOptions,
    MotionDataOptions,
    TransferNetworkOptions,
    TransferTrainOptions,
)
from utils.options import LoopOptions, OptimizerOptions, RunOptions
from utils.pose_file import Poses

LENGTHS = {
    "neck": 150.0, "shoulders": 180.0, "arms": 300.0, "forearms": 260.0,
    "spine": 500.0, "pelvis": 120.0, "thighs": 430.0, "shins": 430.0,
}  # fmt: skip
_REST = {
    "nose": (0, -1, 0), "neck": (0, -1, 0),
    "left_shoulder": (1, 0, 0), "right_shoulder": (-1, 0, 0), "left_hip": (1, 0, 0),
    "right_hip": (-1, 0, 0),
}  # fmt: skip


def swinging(
    frames: int, lengths: dict[str, float] | None = None, seed: int = 0, rate: float = 30
) -> Tensor:
    """(frames, 15, 3) mm, `rate` a second: somebody who swings arms and legs and walks to the
    right."""
    known = lengths or LENGTHS
    rng = np.random.default_rng(seed)
    time = np.arange(frames) / rate
    points = np.zeros((frames, len(SKELETON), 3))
    points[:, ROOT, 0] = 300 * time
    for joint in ORDER:
        name = SKELETON.joints[joint]
        limb = next(one for one in LIMB_NAMES if joint in LIMBS[one])
        down = np.array(_REST.get(name, (0, 1, 0)), float)
        swing = 0.0 if name in _REST else 0.7
        angle = swing * np.sin(2 * np.pi * time * rng.uniform(0.7, 1.3) + rng.uniform(0, 6))
        turned = np.stack([0 * angle, np.cos(angle), np.sin(angle)], -1)
        direction = turned if name not in _REST else np.tile(down, (frames, 1))
        points[:, joint] = points[:, SKELETON.parents[joint]] + known[limb] * direction
    return torch.from_numpy(points).float()


def pose_file(
    points: Any,
    size: tuple[int, int] = (800, 600),
    name: str = "film.mp4",
    rate: float = 30,
) -> Poses:
    """2D points (T, 15, 2) px, `rate` a second, as the rows of a pose file, NaN absent."""
    keypoints = np.asarray(points, np.float32)
    count = len(keypoints)
    return Poses(
        source=np.array([name] * count),
        frame=np.arange(count),
        time=np.arange(count) / rate,
        person=np.zeros(count, np.int64),
        box=np.full((count, 3), np.nan),
        image_size=np.tile(size, (count, 1)),
        keypoints_2d=keypoints,
        confidence=np.asarray(np.isfinite(keypoints).all(-1), np.float32),
        skeleton_2d=SKELETON.name,
    )


def seen_from_side(points: Tensor, scale: float = 0.25, shift: float = 200.0) -> Tensor:
    """Points (T, 15, 3) mm from 60 degrees to the side, without perspective: (T, 15, 2) px."""
    turn = np.radians(60)
    x = points[..., 0] * np.cos(turn) + points[..., 2] * np.sin(turn)
    return torch.stack([x, points[..., 1]], -1) * scale + shift


CLIP = seen_from_side(swinging(40))


def description() -> TransferDescription:
    """Of a small network."""
    rows = local_rows(seen_from_side(swinging(40), 1 / 1360, 0)[None])
    return TransferDescription(Architecture.of_width(0.1), Normaliser.measured(rows), 30.0)


def train_options(folder: Path, **changes: Any) -> TransferTrainOptions:
    """A run of two epochs of two steps of four windows of small mannequins."""
    losses = LossOptions(window=16, epoch_windows=8, turns=2, drop_joint_prob=0.1)
    made = TransferTrainOptions(
        run=RunOptions(checkpoint_dir=str(folder / "runs"), tb_dir=str(folder / "tb")),
        loop=LoopOptions(
            epochs=2, train_batch_size=4, test_batch_size=8, workers=0, accelerator="cpu",
            precision="32-true",
        ),
        optim=OptimizerOptions(optimizer="adam", lr=1e-3, lr_scheduler="cosine"),
        network=TransferNetworkOptions(width=0.1),
        losses=losses,
        data=MotionDataOptions(mannequin_count=2),
    )  # fmt: skip
    for name, value in changes.items():
        setattr(made, name, value)
    return made
