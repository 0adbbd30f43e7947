"""Training of the generators: the five functions, and `train.py skeleton_to_image`."""

from functools import partial
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from generative_models.skeleton_to_image import pose2vid_training
from generative_models.skeleton_to_image.description import (
    DancerDescription,
    Drawing,
    describe,
    make_model,
)
from generative_models.skeleton_to_image.gan import Gan, update_gan
from generative_models.skeleton_to_image.inference import write_predictions
from generative_models.skeleton_to_image.losses import l1_loss, picture_values
from generative_models.skeleton_to_image.model import UNetGenerator
from generative_models.skeleton_to_image.options import GanOptions, SkeletonToImageTrainOptions
from generative_models.skeleton_to_image.pose2vid import Pose2Vid
from generative_models.skeleton_to_image.starting import load_start
from generative_models.skeleton_to_image.stored_frames import store_frames
from generative_models.skeleton_to_image.training_data import (
    DancerTrainingData,
    Minibatch,
    clip_inputs,
    real_pictures,
    training_data,
)
from utils.checkpoint import checkpoint_fn, load_fn
from utils.distributed import first_reports, on_rank_zero, start_fabric
from utils.optimizers import Optimizers, make_optimizer
from utils.options import OptimizerOptions
from utils.run_folder import find_start, run_folder
from utils.training_functions import Context, TrainingFunctions
from utils.training_loop import train_loop

SUBCOMMAND = "skeleton_to_image"


def adam(parameters: Any, optim: OptimizerOptions, gan: GanOptions) -> torch.optim.Optimizer:
    """The optimizer that the options name; Adam's first decay is --beta1."""
    if optim.optimizer == "rmsprop":
        return make_optimizer(parameters, optim)
    return torch.optim.Adam(
        parameters,
        lr=optim.lr,
        betas=(gan.beta1, 0.999),
        weight_decay=optim.weight_decay,
        amsgrad=optim.optimizer == "amsprop",
    )


def make_optimizer_fn(model: nn.Module, options: SkeletonToImageTrainOptions) -> Optimizers:
    """The optimizer that the options name; for gan and pose2vid one for each side."""
    sides: dict[str, nn.Module] = {}
    if isinstance(model, Gan):
        sides = {"generator": model.generator, "critic": model.critic}
    if isinstance(model, Pose2Vid):
        sides = {"generator": model.generator, "discriminator": model.discriminator}
    if sides:
        return {
            name: adam(side.parameters(), options.optim, options.gan)
            for name, side in sides.items()
        }
    return make_optimizer(model.parameters(), options.optim)


def update_op(
    model: Any,
    optimizer: Optimizers,
    minibatch: Minibatch,
    step: int,
    context: Context,
    kind: str,
) -> dict[str, Tensor]:
    """One step on a minibatch; -> losses, `l1` among them, of pictures in [-1, 1]."""
    options: SkeletonToImageTrainOptions = context.options
    size, noise = options.network.image_size, options.network.joint_noise
    inputs = clip_inputs(minibatch, kind, size, noise, context.generator).flatten(0, 1)
    real = real_pictures(minibatch).flatten(0, 1)
    if options.name == "gan":
        return update_gan(model, optimizer, inputs, real, step, context)
    loss = l1_loss(model(inputs), real)
    context.minimise(loss, model, optimizer)
    return {"l1": loss.detach()}


def validation_loss(
    model: nn.Module, minibatch: Minibatch, context: Context, kind: str
) -> dict[str, tuple[Tensor, int]]:
    """`l1`: mean absolute difference in [-1, 1]; `sharpness`: mean ratio of Laplacian energies.

    A GAN's `selection`, which comes first, weighs both: see `picture_values`.
    """
    options: SkeletonToImageTrainOptions = context.options
    inputs = clip_inputs(minibatch, kind, options.network.image_size).flatten(0, 1)
    real = real_pictures(minibatch).flatten(0, 1)
    values = picture_values(model(inputs).float(), real, weigh_blur=options.name == "gan")
    return {name: (value.sum(), len(value)) for name, value in values.items()}


def own_functions(description: DancerDescription, steps_per_epoch: int) -> TrainingFunctions:
    """The five functions of a network of this description."""
    kind = description.input
    if description.model == "pose2vid":
        update = partial(pose2vid_training.update_op, kind=kind, steps_per_epoch=steps_per_epoch)
        validate: Any = partial(pose2vid_training.validation_loss, kind=kind)
    else:
        update = partial(update_op, kind=kind)
        validate = partial(validation_loss, kind=kind)
    return TrainingFunctions(
        make_optimizer_fn=make_optimizer_fn,
        update_op=update,
        validation_loss=validate,
        load_fn=load_fn,
        checkpoint_fn=checkpoint_fn,
    )


def start_model(
    options: SkeletonToImageTrainOptions, description: DancerDescription, data: DancerTrainingData
) -> Drawing | Gan | Pose2Vid:
    """A new model; a U-Net's learned picture is the mean training frame."""
    model = make_model(description, options)
    if isinstance(model.generator, UNetGenerator):
        model.generator.start_from(mean_frame(data))
    return model


def mean_frame(data: DancerTrainingData) -> Tensor:
    """Mean training frame (3, S, S) in [-1, 1]."""
    images = data.train.tensors["images"]
    # In parts: all frames as floats would take four times their memory.
    total = sum(part.sum(dim=0, dtype=torch.float64) for part in images.split(64))
    assert isinstance(total, Tensor)
    return (total / len(images)).float().movedim(-1, 0) / 127.5 - 1


def train(options: SkeletonToImageTrainOptions) -> int:
    """Train, then draw the validation poses with the best weights. -> exit code."""
    fabric = start_fabric(options.loop, options.run.seed, options.name in ("gan", "pose2vid"))
    run_name = f"{SUBCOMMAND}_{options.run.exp}"
    # The loop asks again; asked here, a name in use is told before minutes of reading.
    start = on_rank_zero(fabric, lambda: find_start(options.run, run_name))
    length = pose2vid_training.CLIP if options.name == "pose2vid" else 1
    data = training_data(options, length, fabric.global_rank, fabric.world_size)
    known = data.frames.of_part("train")
    description = describe(
        options,
        torch.from_numpy(known.keypoints),
        known.skeletons is not None,
        known.fps,
        known.name,
    )
    if options.name == "nearest":
        on_rank_zero(fabric, lambda: store_frames(start, known, description, options))
        return 0
    return train_network(options, fabric, run_name, description, data)


def train_network(
    options: SkeletonToImageTrainOptions,
    fabric: Fabric,
    run_name: str,
    description: DancerDescription,
    data: DancerTrainingData,
) -> int:
    """The run of a network, and its validation pictures. -> exit code."""
    model = start_model(options, description, data)
    with first_reports(fabric):
        run = load_start(model, partial(mean_frame, data), description, options)
    state = train_loop(
        model,
        data.train,
        data.validation,
        own_functions(description, len(data.train)),
        run,
        options.loop,
        options.optim,
        run_name,
        fabric=fabric,
        options=options,
        metadata=description.as_metadata() | {"training_data": description.dancer},
    )
    if state.stop_reason == "interrupted":
        return 130
    if fabric.is_global_zero:
        finish_run(run_folder(options.run, run_name), data, options)
    return 0


def finish_run(
    folder: Path, data: DancerTrainingData, options: SkeletonToImageTrainOptions
) -> None:
    """Draw the validation poses with the run's best weights: predictions.npz."""
    frames = data.frames.of_part("val")
    write_predictions(folder, frames, options.loop.accelerator, options.loop.test_batch_size)
    print(f"weights: {folder / 'best.safetensors'}\nvalidation: {folder / 'predictions.npz'}")
