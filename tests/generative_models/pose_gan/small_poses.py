"""A handful of people in motion, and options for runs of a few steps."""

from pathlib import Path
from typing import Any

import numpy as np

from generative_models.pose_gan.options import (
    PoseDataOptions,
    PoseGanTrainOptions,
    PoseNetworkOptions,
    PoseVaeTrainOptions,
)
from utils.mannequin.body import h36m_joints, sample_body
from utils.mannequin.still_poses import sample_still_poses
from utils.mocap.store import MotionStore, make_store, write_store
from utils.options import LoopOptions, OptimizerOptions, RunOptions
from utils.skeletons import H36M_17

SUBJECTS = ("cmu/01", "cmu/06", "cmu/07", "hdm05/bk")


def still_poses(count: int, seed: int = 0) -> np.ndarray:
    """(count, 17, 3) float32 mm, y up, of one body."""
    rng = np.random.default_rng(seed)
    body = sample_body(rng)
    _, postures = sample_still_poses(rng, body, count)
    return h36m_joints(body, postures).astype(np.float32)


def store_of(clips: list[np.ndarray], subjects: tuple[str, ...] = SUBJECTS) -> MotionStore:
    """A store with a clip of each subject; a joint that is NaN throughout a clip is not valid."""
    names = [f"{subject}/{number}" for number, subject in enumerate(subjects)]
    return make_store(
        clips,
        names=names,
        sources=[subject.split("/")[0] for subject in subjects],
        subjects=list(subjects),
        actions=["stand"] * len(clips),
        frame_rates=[10.0] * len(clips),
        validity=[np.where(np.isnan(clip[0, :, 0]), 2, 0).astype(np.uint8) for clip in clips],
    )


def write_small_store(folder: Path) -> Path:
    """A store of 480 poses of four people in `folder`, which validate, test and train."""
    clips = [still_poses(120, seed) for seed in range(len(SUBJECTS))]
    path = folder / "small.npz"
    write_store(path, store_of(clips))
    return path


def _groups(folder: Path, subcommand: str, store: Path) -> dict[str, Any]:
    loop = LoopOptions(epochs=2, train_batch_size=8, test_batch_size=8, workers=0)
    loop.accelerator, loop.ema_decay, loop.precision = "cpu", 0.9, "32-true"
    data = PoseDataOptions("mocap", subcommand, str(store), epoch_poses=32, validation_poses=20)
    return {
        "run": RunOptions(checkpoint_dir=str(folder / "runs"), tb_dir=str(folder / "tb")),
        "loop": loop,
        "optim": OptimizerOptions(optimizer="adam", lr=1e-3, lr_scheduler="cosine"),
        "network": PoseNetworkOptions(latent_size=4, linear_size=8, num_stage=1),
        "data": data,
    }


def gan_options(folder: Path, store: Path) -> PoseGanTrainOptions:
    """Two epochs of four steps of eight poses; the critic takes two for the generator's one."""
    made = PoseGanTrainOptions(**_groups(folder, "3d_pose_gan_mocap", store))
    made.learning.num_discriminator_steps_per_generator_step = 2
    return made


def vae_options(folder: Path, store: Path) -> PoseVaeTrainOptions:
    """Two epochs of four steps of eight poses."""
    return PoseVaeTrainOptions(**_groups(folder, "3d_pose_vae_mocap", store))


HIP = H36M_17.index("hip")
