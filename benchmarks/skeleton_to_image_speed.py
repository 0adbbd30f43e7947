"""Frames a second of the generators of one person, in training and in use, and their size.

    python -m benchmarks.skeleton_to_image_speed --image_size 64

A step is a whole step of `train.py skeleton_to_image`, its skeletons drawn in it; pose2vid's
samples are two frames each. Use draws from joints. Memory is this process's largest, or the GPU's.
"""

import resource
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import tyro

from benchmarks.timing import machine, print_rows, rate
from generative_models.skeleton_to_image.dancer_data import DancerFrames
from generative_models.skeleton_to_image.description import describe, make_generator, network_input
from generative_models.skeleton_to_image.options import (
    GeneratorOptions,
    Model,
    SkeletonToImageTrainOptions,
)
from generative_models.skeleton_to_image.pose2vid import draw_clip
from generative_models.skeleton_to_image.pose2vid_options import Pose2VidOptions
from generative_models.skeleton_to_image.pose2vid_training import CLIP
from generative_models.skeleton_to_image.training import make_model, own_functions
from generative_models.skeleton_to_image.training_data import ClipBatches
from utils.batches import Order, Plan
from utils.distributed import start_fabric
from utils.training_functions import seeded_context

TRAINED: tuple[Model, ...] = ("vanilla_vector", "vanilla_image", "gan", "pose2vid")
STEPS = 4


@dataclass
class SpeedOptions:
    """What is measured."""

    image_size: int = 64
    """Side of the pictures, px."""
    features: int = 24
    """Channels of the finest maps of vanilla_vector, vanilla_image and gan."""
    batch_size: int = 4
    """Samples in a step."""
    models: tuple[Model, ...] = TRAINED
    """Which models."""
    published_size: bool = False
    """pose2vid as large as the published one: 183 million weights."""


def options_of(name: Model, chosen: SpeedOptions) -> SkeletonToImageTrainOptions:
    """Training options with the command's own sizes."""
    pose2vid = Pose2VidOptions(no_vgg_loss=True)
    if chosen.published_size:
        pose2vid = Pose2VidOptions("local", 32, 4, 9, 1, 3, ndf=64, no_vgg_loss=True)
    network = GeneratorOptions(chosen.image_size, features=chosen.features)
    options = SkeletonToImageTrainOptions(model=name, network=network, pose2vid=pose2vid)
    options.loop.train_batch_size = chosen.batch_size
    return options


def some_frames(count: int, size: int) -> DancerFrames:
    """Frames of noise with joints somewhere in them."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (count, size, size, 3), dtype=np.uint8)
    keypoints = rng.uniform(0, size, (count, 13, 2)).astype(np.float32)
    return DancerFrames("noise", images, keypoints, np.arange(count), np.full(count, "train"), 10)


def steps_of(
    options: SkeletonToImageTrainOptions,
) -> tuple[Callable[[], None], Callable[[], None], int]:
    """(STEPS steps of training, the same frames drawn, weights of the generator)."""
    size, batch = options.network.image_size, options.loop.train_batch_size
    length = CLIP if options.name == "pose2vid" else 1
    frames = some_frames(STEPS * batch + length - 1, size)
    poses = torch.from_numpy(frames.keypoints)
    description = describe(options, poses, False, 10, "noise")
    fabric = start_fabric(options.loop, 0)
    model = make_model(description, options)
    functions = own_functions(description, STEPS)
    optimizer = functions.make_optimizer_fn(model, options)
    many = isinstance(optimizer, dict)
    wrapped, *parts = fabric.setup(model, *(optimizer.values() if many else [optimizer]))
    optimizer = dict(zip(optimizer, parts, strict=True)) if many else parts[0]
    starts = np.arange(STEPS * batch)
    plan = Plan(Order([len(starts)], 0, shuffle=True), batch, drop_last=True)
    batches = ClipBatches(frames, starts, length, plan)
    generator = make_generator(description).eval().to(fabric.device)

    def train() -> None:
        for step, one in enumerate(batches.epoch(0)):
            context = seeded_context(fabric, options, options.optim, "training", (0, 0, step, 0))
            functions.update_op(wrapped, optimizer, fabric.to_device(one), step, context)

    def draw() -> None:
        with torch.inference_mode():
            inputs = network_input(poses[:batch].to(fabric.device), description.input, size)
            if length > 1:
                draw_clip(generator, inputs[None], poses[None, :batch, 0].to(fabric.device))
            else:
                generator(inputs)

    return train, draw, sum(weight.numel() for weight in generator.parameters())


def main(chosen: SpeedOptions) -> None:
    """Print a table."""
    rows: list[tuple[str, ...]] = [
        ("model", "weights", "trained, frames/s", "drawn, frames/s", "GB")
    ]
    for name in chosen.models:
        options = options_of(name, chosen)
        train, draw, weights = steps_of(options)
        length = CLIP if name == "pose2vid" else 1
        trained = rate(train, STEPS * chosen.batch_size * length)
        drawn = rate(draw, chosen.batch_size)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        if torch.cuda.is_available():
            memory = torch.cuda.max_memory_allocated() / 1e9
        rows.append((name, f"{weights:,}", str(trained), str(drawn), f"{memory:.1f}"))
    print(machine())
    print_rows(f"{chosen.image_size} px, batches of {chosen.batch_size}", rows)


if __name__ == "__main__":
    main(tyro.cli(SpeedOptions))
