"""What the network sees of a minibatch, and the terms of the loss."""

from dataclasses import dataclass

import torch
from torch import Tensor

from twod_threed.alignment import View
from twod_threed.detector_noise import NoiseTable
from twod_threed.losses import pose_loss
from twod_threed.temporal.data import Minibatch, PairedBatches, spoil
from twod_threed.temporal.normalisation import TemporalNormaliser, frames_of
from twod_threed.temporal.options import SemiSupervisedOptions, WindowOptions
from twod_threed.temporal.semi_supervised import (
    bone_length_loss,
    reprojection_loss,
    root_targets,
    trajectory_loss,
)
from twod_threed.temporal.windows import Reach
from utils.training_functions import Context


@dataclass(frozen=True)
class Lifting:
    """What every step needs beside model and batch."""

    normaliser: TemporalNormaliser
    noise: NoiseTable
    reach: Reach
    single: bool
    """train with the form of the network that gives one pose"""

    def answered(self, count: int) -> slice:
        """Which frames of a window `count` answers are for."""
        return slice(self.reach.before, self.reach.before + count)


@dataclass(frozen=True)
class Normalised:
    """A minibatch as the network takes it: points (B, T, J, 2); of the frames that come out view,
    targets (B, S, J', 3), roots (B, S, 1, 3) m and valid (B, S, J')."""

    points: Tensor
    view: View
    targets: Tensor
    roots: Tensor
    valid: Tensor


def normalise(batch: Minibatch, lifting: Lifting) -> Normalised:
    """Both sides of a minibatch in the network's numbers."""
    one, poses = lifting.normaliser, batch["poses_3d"]
    points, whole = one.inputs(batch["poses_2d"], batch["intrinsics"], batch["image_size"])
    view = frames_of(whole, lifting.answered(poses.shape[1]))
    targets = one.targets(poses, view, batch["size"])
    # A frame too little of which is seen cannot be aligned, and teaches nothing.
    valid = batch["valid"][:, :, one.joints_out] & ~targets.isnan().any(-1)
    valid = valid & ~view.scale.isnan()[..., None]
    return Normalised(points, view, targets, root_targets(poses, one.root), valid)


def split_batch(
    minibatch: Minibatch, windows: WindowOptions, noise: NoiseTable, generator: torch.Generator
) -> tuple[Minibatch, Minibatch]:
    """The labelled and the unlabelled half of a minibatch, with a detector's errors; the second is
    empty where there is none."""
    prefix = PairedBatches.prefix
    halves = (
        {name: v for name, v in minibatch.items() if not name.startswith(prefix)},
        {name.removeprefix(prefix): v for name, v in minibatch.items() if name.startswith(prefix)},
    )
    for half in halves:
        if half:
            half["poses_2d"] = spoil(half["poses_2d"], windows, noise, generator)
    return halves


def labelled_terms(
    poses: Tensor, roots: Tensor | None, batch: Normalised, context: Context
) -> dict[str, Tensor]:
    """Mean error of the poses (MPJPE over valid joints) and, where there are any, of the roots."""
    terms = {"pose": context.mean(*pose_loss(poses, batch.targets, batch.valid, "mpjpe"))}
    if roots is not None:
        known = ~batch.roots.isnan().any(-1)[..., 0]
        terms["trajectory"] = context.mean(*trajectory_loss(roots, batch.roots, known))
    return terms


def unlabelled_terms(
    poses: Tensor,
    roots: Tensor,
    labelled: Tensor,
    batch: Minibatch,
    lifting: Lifting,
    options: SemiSupervisedOptions,
    context: Context,
) -> dict[str, Tensor]:
    """The terms that need no labels: poses and roots (B, S, J, 3) m of unlabelled films, poses of
    labelled ones (B', S, J, 3) m."""
    terms, one = {}, lifting.normaliser
    if not options.no_proj:
        keypoints = batch["poses_2d"][:, lifting.answered(poses.shape[1])]
        lens = None if options.linear_projection else batch.get("distortion")
        found = reprojection_loss(
            # With 16 bits, metres away from the camera, sums would be good to centimetres alone.
            poses.float() + roots.float(),
            keypoints,
            (one.skeleton_2d, one.skeleton_3d),
            batch["intrinsics"],
            batch["image_size"],
            lens,
        )
        terms["reprojection"] = context.mean(*found)
    if not options.no_bone_length:
        terms["bones"] = bone_length_loss(labelled, poses, one.skeleton_3d)
    return terms
