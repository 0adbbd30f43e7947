"""Training of motion transfer: the five functions, and `train.py motion_transfer_*`.

A step updates network and discriminator once each, from one pass through the network (Yang et al.
2020; Adam with their betas and weight decay).
"""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from generative_models.motion_transfer.data import (
    VALIDATION_WINDOWS,
    WindowBatches,
    Windows,
    statistics_windows,
)
from generative_models.motion_transfer.description import (
    TransferDescription,
    description_from_metadata,
)
from generative_models.motion_transfer.limbs import LIMB_NAMES, STANDARD_SIZE, scale_limbs
from generative_models.motion_transfer.losses import Inputs, TransferTraining
from generative_models.motion_transfer.model import Architecture
from generative_models.motion_transfer.motion import Motion, read_motion
from generative_models.motion_transfer.normalisation import (
    Normaliser,
    known_channels,
    local_rows,
)
from generative_models.motion_transfer.options import LossOptions, TransferTrainOptions
from generative_models.motion_transfer.predictor import LearnedRetargeter
from generative_models.motion_transfer.views import random_angles, random_views, seen
from utils.atomic import atomic_path
from utils.checkpoint import read_weights
from utils.distributed import first_reports, on_rank_zero, start_fabric
from utils.errors import UserError
from utils.optimizers import Optimizers
from utils.options import RunOptions
from utils.run_folder import find_start, run_folder
from utils.training_functions import Context, TrainingFunctions
from utils.training_loop import train_loop
from utils.weights import load_into

BETAS = (0.5, 0.999)


def make_optimizer_fn(model: nn.Module, options: TransferTrainOptions) -> Optimizers:
    """One optimizer for the network, one for the discriminator."""
    chosen = options.optim
    parts = {name: model.get_submodule(name) for name in ("network", "discriminator")}
    return {
        name: torch.optim.Adam(
            part.parameters(),
            lr=chosen.lr,
            betas=BETAS,
            weight_decay=chosen.weight_decay,
            amsgrad=chosen.optimizer == "amsprop",
        )
        for name, part in parts.items()
    }


def random_factors(count: int, limits: tuple[float, float], generator: torch.Generator) -> Tensor:
    """Factors on the limbs of `count` bodies (count, 8): one for all, times one for each."""
    low, high = limits
    drawn = torch.rand(count, 1 + len(LIMB_NAMES), generator=generator, device=generator.device)
    factors = low + (high - low) * drawn
    return factors[:, :1] * factors[:, 1:]


def inputs_of(
    minibatch: dict[str, Tensor],
    options: LossOptions,
    normaliser: Normaliser,
    generator: torch.Generator,
    drop_joint_prob: float,
) -> Inputs:
    """Windows (B, T, 15, 3) of a batch as views of them, on own and on scaled limbs."""
    clips, others = minibatch["clips"], minibatch["others"]
    count, device = len(clips), clips.device
    clips, others = (seen(one, random_views(count, generator, device)) for one in (clips, others))
    factors = random_factors(count, options.limb_scale, generator)
    own, scaled, other = (
        normaliser.channels(local_rows(one))
        for one in (clips, scale_limbs(clips, factors), scale_limbs(others, factors))
    )
    known = known_channels(clips)
    hidden = torch.rand(count, len(normaliser.mean), generator=generator, device=device)
    # The velocity is that of the hips, which are always told.
    hidden[:, -1] = 1
    fed = known * (hidden >= drop_joint_prob).float().repeat_interleave(2, 1)[..., None]
    angles = random_angles(options.turns, count, generator)
    return Inputs(own, scaled, other, known, fed, angles)


def weights_of(options: LossOptions) -> dict[str, float]:
    """Weight of each loss that `TransferTraining` gives."""
    return {
        "reconstruction": options.reconstruction_weight,
        "cross": options.cross_weight,
        "transfer": options.transfer_weight,
        "motion_limbs": options.limbs_weight,
        "view_limbs": options.limbs_weight,
        "motion_turns": options.turns_weight,
        "body_turns": options.turns_weight,
        "body_triplet": options.triplet_weight,
        "view_triplet": options.triplet_weight,
        "adversarial": options.adversarial_weight,
    }


def update_op(
    model: nn.Module,
    optimizer: Optimizers,
    minibatch: dict[str, Tensor],
    step: int,
    context: Context,
    normaliser: Normaliser,
) -> dict[str, Tensor]:
    """One step of the network, then one of the discriminator; -> all losses, each unweighted."""
    options: LossOptions = context.options.losses
    drop = options.drop_joint_prob
    inputs = inputs_of(minibatch, options, normaliser, context.generator, drop)
    terms = model(*inputs)
    made = terms.pop("made")
    weights = weights_of(options)
    loss = torch.stack([weights[name] * term for name, term in terms.items()]).sum()
    context.minimise(loss, model, optimizer["network"])
    judged = model(inputs.clips * inputs.known, made, part="discriminator")
    context.minimise(judged["discriminator"], model, optimizer["discriminator"])
    losses = {"loss": loss} | terms | judged
    return {name: value.detach() for name, value in losses.items()}


def validation_loss(
    model: nn.Module, minibatch: dict[str, Tensor], context: Context, normaliser: Normaliser
) -> dict[str, tuple[Any, Any]]:
    """`transfer_mae`: mean absolute error of the motion on another clip's body, for a body of
    1.75 m, mm, of coordinates relative to the hip."""
    inputs = inputs_of(minibatch, context.options.losses, normaliser, context.generator, 0.0)
    errors = model(*inputs, part="transfer")["transfer"]
    return {"transfer_mae": (STANDARD_SIZE * errors.sum(), len(errors))}


def transfer_batches(
    options: TransferTrainOptions, fabric: Fabric
) -> tuple[WindowBatches, WindowBatches]:
    """Batches that train and validate. Raises UserError for data that are absent or too short."""
    loop, seed = options.loop, options.run.seed
    frames, rank = options.losses.window, fabric.global_rank

    def batches(motion: Motion, size: int, count: int, purpose: str) -> WindowBatches:
        windows = Windows(motion, frames, fabric.device)
        steps = max(1, count // (size * fabric.world_size))
        return WindowBatches(windows, size, steps, seed, rank, f"motion transfer, {purpose}")

    held_out, learnt = read_motion(options.data, ("validation", "train"), seed)
    validation = batches(held_out, loop.test_batch_size, VALIDATION_WINDOWS, "validation")
    size, count = loop.train_batch_size, options.losses.epoch_windows
    return batches(learnt, size, count, "training"), validation


def describe(options: TransferTrainOptions, windows: Windows) -> TransferDescription:
    """What will travel with the weights; the normalisation is measured on views of the motion."""
    seed = options.run.seed
    generator = torch.Generator(windows.points.device).manual_seed(seed)
    points = statistics_windows(windows, seed)
    views = seen(points, random_views(len(points), generator, points.device))
    architecture = Architecture.of_width(options.network.width, options.network.dropout)
    normaliser = Normaliser.measured(local_rows(views)).to("cpu")
    return TransferDescription(architecture, normaliser, options.data.frame_rate)


def check_same(options: TransferTrainOptions, ours: TransferDescription) -> TransferDescription:
    """What is trained: `ours`, with the normalisation of the run or the weights that training
    starts from. Raises UserError if they are of another architecture."""
    start = find_start(options.run, options.run_name)
    place = str(start.checkpoint or start.weights)
    if not (start.checkpoint or start.weights):
        return ours
    theirs = description_from_metadata(read_weights(place)[1], place)
    same = replace(theirs.architecture, dropout=ours.architecture.dropout)
    if same != ours.architecture:
        raise UserError(f"{place} has {theirs.architecture}, but the options ask for another width")
    return replace(ours, normaliser=theirs.normaliser)


def start_from(model: TransferTraining, options: TransferTrainOptions) -> RunOptions:
    """Give the model the weights of --load, if it does not continue a run.

    Weights that ship have no discriminator: it then begins anew. -> options of the run, in which
    what is loaded is no longer named. Raises UserError if the weights do not fit.
    """
    start = find_start(options.run, options.run_name)
    if start.checkpoint is not None or not start.weights:
        return options.run
    weights = read_weights(start.weights)[0]
    load_into(model, model.state_dict() | weights, start.weights)
    return replace(options.run, load="")


def write_predictions(folder: Path, batches: WindowBatches, options: TransferTrainOptions) -> None:
    """predictions.npz: validation motions (N, T, 15, 2) on other bodies by the best weights, and
    the truth, for bodies of 1.75 m, mm, relative to the hip."""
    model = LearnedRetargeter.load(str(folder), options.loop.accelerator)
    generator = torch.Generator(batches.windows.points.device).manual_seed(options.run.seed)
    minibatch = next(batches.epoch(0))
    normaliser = model.normaliser.to(batches.windows.points.device)
    inputs = inputs_of(minibatch, options.losses, normaliser, generator, 0.0)
    made = model.transfer(inputs.clips, inputs.others)
    truth = model.normaliser.rows(inputs.scaled.to(model.device))
    arrays = {"predictions": made, "truth": truth}
    flat = {k: (STANDARD_SIZE * v[..., :-1, :]).cpu().numpy() for k, v in arrays.items()}
    with atomic_path(folder / "predictions.npz") as temporary:
        np.savez_compressed(temporary, allow_pickle=False, **flat)


def train(options: TransferTrainOptions) -> int:
    """Train, and transfer validation clips with the best weights. -> exit code."""
    fabric = start_fabric(options.loop, options.run.seed, takes_turns=True)
    # The loop asks again; asked here, a name in use is told before the data are read.
    on_rank_zero(fabric, lambda: find_start(options.run, options.run_name))
    with first_reports(fabric):
        training, validation = transfer_batches(options, fabric)
        description = check_same(options, describe(options, training.windows))
    normaliser = description.normaliser.to(fabric.device)
    model = TransferTraining(description.architecture, description.normaliser)
    with first_reports(fabric):
        run = start_from(model, options)
    sources = ", ".join(training.windows.subjects_of)
    state = train_loop(
        model,
        training,
        validation,
        TrainingFunctions(
            make_optimizer_fn=make_optimizer_fn,
            update_op=partial(update_op, normaliser=normaliser),
            validation_loss=partial(validation_loss, normaliser=normaliser),
        ),
        run,
        options.loop,
        options.optim,
        options.run_name,
        fabric=fabric,
        options=options,
        metadata=description.as_metadata() | {"training_data": sources},
    )
    if state.stop_reason == "interrupted":
        return 130
    if fabric.is_global_zero:
        folder = run_folder(options.run, options.run_name)
        write_predictions(folder, validation, options)
        print(f"weights: {folder / 'best.safetensors'}\nvalidation: {folder / 'predictions.npz'}")
    return 0
