"""What trains and validates: batches of clips of a dancer's frames."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from generative_models.skeleton_to_image.dancer_data import (
    DancerFrames,
    DancerSource,
    clip_starts,
    load_frames,
)
from generative_models.skeleton_to_image.dancer_readers import open_dancer
from generative_models.skeleton_to_image.description import network_input, picture_input
from generative_models.skeleton_to_image.mannequin_dancer import mannequin_dancer
from generative_models.skeleton_to_image.options import (
    MANNEQUIN,
    DancerOptions,
    SkeletonToImageTrainOptions,
)
from utils.batches import Order, Plan
from utils.errors import UserError

Minibatch = dict[str, Tensor]


def find_dancer(options: DancerOptions, size: int) -> DancerSource:
    """The dancer that the options name; the built-in one in pictures of `size` px.

    Raises UserError if there is none.
    """
    if options.dancer == MANNEQUIN:
        return mannequin_dancer(options.mannequin_seed, options.mannequin_frames, size)
    return open_dancer(options)


def read_frames(options: DancerOptions, size: int) -> DancerFrames:
    """All frames of the dancer in squares of `size` px, shared out. Raises UserError."""
    return load_frames(find_dancer(options, size), size, options)


class ClipBatches:
    """Batches of clips of `length` consecutive frames, from memory (utils.batches.Batches).

    Each gives images (B, T, S, S, 3) uint8, keypoints (B, T, 13, 2) px, NaN missing, and, where the
    skeletons are pictures, skeletons (B, T, S, S, 3) uint8.
    """

    def __init__(self, frames: DancerFrames, starts: np.ndarray, length: int, plan: Plan) -> None:
        self.plan = plan
        self.places = torch.from_numpy(starts)[:, None] + torch.arange(length)
        self.tensors = {
            "images": torch.from_numpy(frames.images),
            "keypoints": torch.from_numpy(frames.keypoints),
        }
        if frames.skeletons is not None:
            self.tensors["skeletons"] = torch.from_numpy(frames.skeletons)

    def __len__(self) -> int:
        return len(self.plan)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Minibatch]:
        """Batches of an epoch from step `start` on."""
        for _, indices in self.plan.epoch(epoch, start):
            places = self.places[torch.from_numpy(indices)]
            yield {name: tensor[places] for name, tensor in self.tensors.items()}


@dataclass(frozen=True)
class DancerTrainingData:
    """Batches for the loop, and all frames."""

    train: ClipBatches
    validation: ClipBatches
    frames: DancerFrames


def training_data(
    options: SkeletonToImageTrainOptions, length: int = 1, rank: int = 0, world_size: int = 1
) -> DancerTrainingData:
    """Clips of `length` frames of the training and validation parts, for one of the processes.

    Raises UserError if there are none.
    """
    frames = read_frames(options.data, options.network.image_size)
    loop, seed = options.loop, options.run.seed

    def batches(part: str, batch_size: int, train: bool) -> ClipBatches:
        chosen = frames.of_part(part)
        starts = clip_starts(chosen.frame, length)
        if not len(starts):
            raise UserError(f"{frames.name}: no {length} frames of {part} follow one another")
        order = Order([len(starts)], seed, shuffle=train)
        plan = Plan(order, batch_size, drop_last=train, rank=rank, world_size=world_size)
        return ClipBatches(chosen, starts, length, plan)

    return DancerTrainingData(
        batches("train", loop.train_batch_size, True),
        batches("val", loop.test_batch_size, False),
        frames,
    )


def real_pictures(minibatch: Minibatch) -> Tensor:
    """The frames of a batch of clips as (B, T, 3, S, S) in [-1, 1]."""
    return minibatch["images"].movedim(-1, 2).float() / 127.5 - 1


def clip_inputs(
    minibatch: Minibatch,
    kind: str,
    size: int,
    joint_noise: float = 0.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """What a generator of input `kind` is given for a batch of clips, (B, T, ...).

    joint_noise: standard deviation of noise on the joints, as part of the side.
    """
    images = minibatch["images"]
    clips = images.shape[:2]
    if "skeletons" in minibatch:
        return picture_input(minibatch["skeletons"].flatten(0, 1)).unflatten(0, clips)
    keypoints = minibatch["keypoints"].flatten(0, 1)
    if joint_noise:
        shape, device = keypoints.shape, keypoints.device
        noise = torch.randn(shape, generator=generator, device=device)
        keypoints = keypoints + joint_noise * size * noise
    return network_input(keypoints, kind, size).unflatten(0, clips)
