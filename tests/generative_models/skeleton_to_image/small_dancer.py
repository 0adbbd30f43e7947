"""A dancer of a few tiny frames, and options for runs of a few steps."""

from pathlib import Path
from typing import Any

import numpy as np

from generative_models.skeleton_to_image.options import (
    DancerOptions,
    GanOptions,
    GeneratorOptions,
    ModelOrNumber,
    SkeletonToImageTrainOptions,
    model_name,
)
from generative_models.skeleton_to_image.pose2vid_options import Pose2VidOptions
from utils.images import write_image
from utils.options import LoopOptions, OptimizerOptions, RunOptions
from utils.pose_file import Poses, write_poses
from utils.skeletons import DANCE_13

SIZE = 18
"""Of the pictures, px: no power of 2."""
FRAMES = 40


def standing(count: int = FRAMES, size: int = SIZE) -> np.ndarray:
    """Joints (count, 13, 2) px of somebody who walks from left to right."""
    height = {"nose": 0.15, "shoulder": 0.3, "elbow": 0.4, "wrist": 0.5, "hip": 0.55}
    height |= {"knee": 0.7, "ankle": 0.9}
    side = {"left": 0.1, "right": -0.1}
    parts = [joint.split("_") for joint in DANCE_13.joints]
    pose = np.array([[side.get(part[0], 0.0), height[part[-1]]] for part in parts])
    across = np.linspace(0.25, 0.75, count)
    return (pose + np.stack([across, np.zeros(count)], -1)[:, None]) * size


def write_small_dancer(folder: Path, count: int = FRAMES, colour: int = 200) -> Path:
    """A dancer's folder as data/prepare.py writes it: a bright stripe where the person is."""
    keypoints = standing(count)
    names = [f"images/{frame:06d}.png" for frame in range(count)]
    for name, joints in zip(names, keypoints, strict=True):
        image = np.full((SIZE, SIZE, 3), 40, np.uint8)
        middle = round(float(joints[:, 0].mean()))
        image[3:16, middle - 1 : middle + 2] = (colour, 100, 60)
        write_image(folder / name, image)
    half = (SIZE - 1) / 2
    poses = Poses(
        source=np.array(names),
        frame=np.arange(count),
        time=np.arange(count) / 10,
        person=np.zeros(count, np.int64),
        box=np.tile([half, half, SIZE], (count, 1)),
        image_size=np.full((count, 2), SIZE),
        keypoints_2d=keypoints,
        confidence=np.ones((count, 13)),
        skeleton_2d=DANCE_13.name,
    )
    write_poses(folder / "poses.npz", poses)
    return folder


SMALL_GAN = GanOptions(critic_features=4, critic_steps=2)
SMALL_POSE2VID = Pose2VidOptions(
    ngf=4, n_downsample_global=2, n_blocks_global=1, ndf=4, no_vgg_loss=True, face_size=8
)


def train_options(folder: Path, dancer: Path, model: ModelOrNumber) -> SkeletonToImageTrainOptions:
    """Two epochs of a few steps at 18 px, in <folder>/runs."""
    loop = LoopOptions(epochs=2, train_batch_size=6, test_batch_size=6, workers=0)
    loop.accelerator, loop.precision = "cpu", "32-true"
    name = model_name(model)
    own: dict[str, Any] = {} if name == "nearest" else {"joint_noise": 0.01}
    own |= {"features": 4} if name not in ("nearest", "pose2vid") else {}
    return SkeletonToImageTrainOptions(
        model=model,
        run=RunOptions(checkpoint_dir=str(folder / "runs"), tb_dir=str(folder / "tb")),
        loop=loop,
        optim=OptimizerOptions(optimizer="adam", lr=1e-3, lr_scheduler="cosine"),
        data=DancerOptions(dancer=str(dancer), gap=2),
        network=GeneratorOptions(image_size=SIZE, **own),
        gan=SMALL_GAN if name == "gan" else GanOptions(),
        pose2vid=SMALL_POSE2VID if name == "pose2vid" else Pose2VidOptions(),
    )
