"""What pose2vid does in a step: the update of generator and discriminators, and validation."""

from typing import Any

import torch
from torch import Tensor, nn

from generative_models.skeleton_to_image.losses import picture_values
from generative_models.skeleton_to_image.pose2vid import Pose2Vid
from generative_models.skeleton_to_image.pose2vid_model import LocalGenerator
from generative_models.skeleton_to_image.pose2vid_options import Pose2VidOptions
from generative_models.skeleton_to_image.training_data import (
    Minibatch,
    clip_inputs,
    real_pictures,
)
from utils.optimizers import Optimizers, by_name
from utils.skeletons import DANCE_13
from utils.training_functions import Context

CLIP = 2
"""Consecutive frames of a training sample."""
_NOSE = DANCE_13.index("nose")


def weights_of(options: Pose2VidOptions) -> dict[str, float]:
    """Weight of each of the generator's losses."""
    return {
        "l1": options.lambda_l1,
        "gan": 1.0,
        "features": options.lambda_feat,
        "change": options.lambda_flow,
        "perceptual": options.lambda_feat,
    }


def decay(step: int, options: Pose2VidOptions, epochs: int, steps_per_epoch: int) -> float:
    """Factor on the learning rate at a step (from 0): 1, then straight to 0 after the last step."""
    if not options.decay_epochs:
        return 1.0
    left = epochs * steps_per_epoch - step
    return min(max(left / (options.decay_epochs * steps_per_epoch), 0.0), 1.0)


def update_op(
    model: Any,
    optimizer: Optimizers,
    minibatch: Minibatch,
    step: int,
    context: Context,
    kind: str,
    steps_per_epoch: int,
) -> dict[str, Tensor]:
    """One step of the generator, then one of the discriminators; -> all losses, unweighted."""
    options, network = context.options.pose2vid, context.options.network
    factor = decay(step, options, context.options.loop.epochs, steps_per_epoch)
    for group in (group for one in by_name(optimizer).values() for group in one.param_groups):
        group["lr"] *= factor
    noise = network.joint_noise
    inputs = clip_inputs(minibatch, kind, network.image_size, noise, context.generator)
    real, noses = real_pictures(minibatch), minibatch["keypoints"][..., _NOSE, :].float()
    hold_coarse(model, context.epoch < options.niter_fix_global)
    losses = model(inputs, noses, real, part="generator")
    made = losses.pop("made")
    weights = weights_of(options)
    total = torch.stack([weights[name] * loss for name, loss in losses.items()]).sum()
    context.minimise(total, model, optimizer["generator"])
    judged = model(inputs, noses, real, made.detach(), part="discriminator")
    context.minimise(judged["discriminator"], model, optimizer["discriminator"])
    rate = torch.tensor(optimizer["generator"].param_groups[0]["lr"])
    told = {"loss": total} | losses | judged | {"lr": rate}
    return {name: value.detach() for name, value in told.items()}


def hold_coarse(model: nn.Module, hold: bool) -> None:
    """Let the global generator under the enhancers learn, or not."""
    for layer in model.modules():
        if isinstance(layer, LocalGenerator):
            layer.coarse.requires_grad_(not hold)


def validation_loss(
    model: Pose2Vid, minibatch: Minibatch, context: Context, kind: str
) -> dict[str, tuple[Tensor, int]]:
    """`selection`, `l1` and `sharpness` as of a GAN, over all frames; `change`: mean absolute
    difference of what changes from frame to frame."""
    inputs = clip_inputs(minibatch, kind, context.options.network.image_size)
    real, noses = real_pictures(minibatch), minibatch["keypoints"][..., _NOSE, :].float()
    made = model(inputs, noses).float()
    values = picture_values(made.flatten(0, 1), real.flatten(0, 1), weigh_blur=True)
    values["change"] = (made.diff(dim=1) - real.diff(dim=1)).abs().mean(dim=(1, 2, 3, 4))
    return {name: (value.sum(), len(value)) for name, value in values.items()}
