"""Training of the lifter: the five functions, and `train.py 2d3d_*`."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from twod_threed.alignment import View, about_hip
from twod_threed.augmentation import Minibatch, augment
from twod_threed.cycle_gan import CycleGan, make_gan_optimizers, update_gan
from twod_threed.description import LifterDescription, description_from_metadata
from twod_threed.detector_noise import NoiseTable, read_table
from twod_threed.losses import joint_errors, pose_loss
from twod_threed.model import Lifter, LifterArchitecture, constrain_weights
from twod_threed.normalisation import Normaliser, Statistics, measure_statistics
from twod_threed.options import LifterTrainOptions, NormalisationOptions
from twod_threed.pose_rows import lift_pairs
from twod_threed.predictor import LiftingModel
from twod_threed.training_data import LifterData, lifter_data
from utils.checkpoint import all_people, checkpoint_fn, load_fn, read_weights
from utils.distributed import on_rank_zero, start_fabric
from utils.errors import UserError, need
from utils.optimizers import Optimizers, by_name, make_optimizer
from utils.pose_file import write_poses
from utils.run_folder import Start, find_start, run_folder
from utils.skeletons import H36M_17, MPII_16, skeleton_named
from utils.training_functions import Context, TrainingFunctions
from utils.training_loop import train_loop

STATISTICS_POSES = 100_000
"""Poses that mean and deviation are measured on."""


@dataclass(frozen=True)
class Lifting:
    """What every step needs beside model and batch."""

    normaliser: Normaliser
    noise: NoiseTable
    own_size: bool
    """divide each target by its own body's size"""


@dataclass(frozen=True)
class Normalised:
    """A minibatch as the network takes it: points (B, J, 2), view, targets and valid (B, J')."""

    points: Tensor
    view: View
    targets: Tensor
    valid: Tensor


def make_optimizer_fn(model: nn.Module, options: LifterTrainOptions) -> Optimizers:
    """The optimizer that the options name; two of them with --cycle_gan."""
    if isinstance(model, CycleGan):
        return make_gan_optimizers(model, options)
    # One pass over the weights instead of a dozen. Gradients in float16 must be clipped before it.
    if options.optim.optimizer != "rmsprop" and options.loop.precision != "16-mixed":
        return torch.optim.Adam(
            model.parameters(),
            lr=options.optim.lr,
            weight_decay=options.optim.weight_decay,
            amsgrad=options.optim.optimizer == "amsprop",
            fused=True,
        )
    return make_optimizer(model.parameters(), options.optim)


def normalise(batch: Minibatch, lifting: Lifting) -> Normalised:
    """Both sides of a minibatch in the network's numbers."""
    one, size = lifting.normaliser, batch["size"]
    points, view = one.inputs(batch["poses_2d"], batch["intrinsics"])
    if not lifting.own_size:
        size = torch.full_like(size, one.standard_size)
    targets = one.targets(batch["poses_3d"], view, size)
    # A pose too little of which is seen cannot be aligned, and teaches nothing.
    valid = batch["valid"].clone()
    # Its target is 0 whatever joints count, and all others are measured from what comes out for it.
    valid[:, H36M_17.root] = True
    valid = valid[:, one.joints_out] & ~targets.isnan().any(-1)
    return Normalised(points, view, targets, valid & ~view.scale.isnan()[:, None])


def decay_lr(optimizer: Optimizers, step: int, options: NormalisationOptions) -> None:
    """Multiply the learning rate that the loop has set for this step by the published decay."""
    for one in by_name(optimizer).values():
        for group in one.param_groups:
            group["lr"] *= options.lr_decay ** (step / options.lr_decay_steps)


def update_op(
    model: nn.Module,
    optimizer: Optimizers,
    minibatch: Minibatch,
    step: int,
    context: Context,
    lifting: Lifting,
) -> dict[str, Tensor]:
    """One step on a minibatch; -> the mean loss of a valid joint, in the network's numbers."""
    options: LifterTrainOptions = context.options
    decay_lr(optimizer, step, options.learning)
    minibatch = augment(minibatch, options.augmentation, lifting.noise, context.generator)
    batch = normalise(minibatch, lifting)
    if options.gan.cycle_gan:
        return update_gan(model, optimizer, batch.points, batch.targets, batch.valid, context)
    outputs = model(batch.points)
    total, count = pose_loss(outputs, batch.targets, batch.valid, options.learning.pose_loss)
    loss = context.mean(total, count)
    context.minimise(loss, model, optimizer)
    if options.network.max_norm:
        constrain_weights(model)
    return {"loss": loss.detach()}


def validation_loss(
    model: nn.Module, minibatch: Minibatch, context: Context, lifting: Lifting
) -> dict[str, tuple[Tensor, Tensor]]:
    """`mpjpe`: mm over valid joints, poses of standard size, relative to the hip; `loss`: that of
    training."""
    batch = normalise(minibatch, lifting)
    outputs = model(batch.points).float()
    # A pose that cannot be lifted counts as one with all joints in the hip.
    poses = lifting.normaliser.poses(outputs, batch.view).nan_to_num(0)
    errors = joint_errors(poses, about_hip(minibatch["poses_3d"]), minibatch["valid"])
    kind = context.options.learning.pose_loss
    return {"mpjpe": errors, "loss": pose_loss(outputs, batch.targets, batch.valid, kind)}


def training_statistics(data: LifterData) -> Statistics:
    """Mean and deviation of the first STATISTICS_POSES training poses of epoch 0."""
    points, poses = [], []
    for batch in data.train.epoch(0):
        relative = about_hip(batch["poses_3d"])
        known = torch.where(batch["valid"][..., None], relative, torch.nan)
        points.append(batch["poses_2d"].cpu())
        poses.append(known.cpu())
        if sum(map(len, points)) >= STATISTICS_POSES:
            break
    return measure_statistics(torch.cat(points), torch.cat(poses))


def describe(options: LifterTrainOptions, data: LifterData, start: Start) -> LifterDescription:
    """What will travel with the weights. Raises UserError if the run starts from weights that mean
    something else."""
    network = options.network
    joints = skeleton_named(data.skeleton_2d).joints
    measured = training_statistics(data) if options.learning.dataset_normalization else None
    description = LifterDescription(
        architecture=LifterArchitecture(
            joints_in=len(joints),
            linear_size=network.linear_size,
            num_stage=network.num_stage,
            dropout=network.dropout,
            max_norm=network.max_norm,
        ),
        standard_size=round(data.bodies.standard_size, 2),
        statistics=measured,
        skeleton_2d=data.skeleton_2d,
        joints_2d=joints,
        people=all_people(data.bodies.names.tolist(), start),
    )
    check_same(description, str(start.checkpoint or start.weights))
    return description


def check_same(ours: LifterDescription, source: str) -> None:
    """Raises UserError if weights from `source`, where they tell, are for other joints or another
    normalisation."""
    metadata = read_weights(source)[1] if source else {}
    if not metadata:
        return
    theirs = description_from_metadata(metadata, source)
    for name in ("skeleton_2d", "joints_2d", "joints_3d"):
        there, here = getattr(theirs, name), getattr(ours, name)
        need(there == here, f"{source} has {name} {there}, but the data have {here}")
    has, asks = (one.statistics is not None for one in (theirs, ours))
    how = "with" if has else "without"
    need(has == asks, f"{source} was trained {how} --dataset_normalization: train on {how} it")


def check_augmentation(options: LifterTrainOptions, skeleton_2d: str) -> None:
    """Raises UserError if the 2D joints cannot be changed as the options ask."""
    one = options.augmentation
    if (one.turn_probability or one.flip_prob or one.input_noise) and skeleton_2d != MPII_16.name:
        raise UserError(
            f"--orthogonal_data_augmentation, --flip_prob and --input_noise make {MPII_16.name} "
            f"joints, but these data have {skeleton_2d}"
        )


def make_model(options: LifterTrainOptions, description: LifterDescription) -> nn.Module:
    """The lifter, within the networks that --cycle_gan adds."""
    if options.gan.cycle_gan:
        return CycleGan(description.architecture, skeleton_named(description.skeleton_2d))
    return Lifter(description.architecture)


def finish_run(folder: Path, data: LifterData, options: LifterTrainOptions) -> None:
    """Lift the validation poses with the run's best weights: predictions.npz."""
    model = LiftingModel.load(str(folder), options.loop.accelerator)
    poses = lift_pairs(model, data.validation_pairs, batch_size=options.loop.test_batch_size)
    write_poses(folder / "predictions.npz", poses)
    print(f"weights: {folder / 'best.safetensors'}\nvalidation: {folder / 'predictions.npz'}")


def train(options: LifterTrainOptions) -> int:
    """Train, then lift the validation poses with the best weights. -> exit code."""
    fabric = start_fabric(options.loop, options.run.seed, options.gan.cycle_gan)
    run_name = f"2d3d_{options.data.dataset}_{options.run.exp}"
    # The loop asks again; asked here, a name in use is told before minutes of reading.
    start = on_rank_zero(fabric, lambda: find_start(options.run, run_name))
    data = lifter_data(options, fabric.global_rank, fabric.world_size, fabric.device)
    check_augmentation(options, data.skeleton_2d)
    # Once for all processes, whose own parts of the data have other means.
    description = on_rank_zero(fabric, lambda: describe(options, data, start))
    own_size = options.learning.target_size == "body"
    lifting = Lifting(description.normaliser(fabric.device), read_table(), own_size)
    functions = TrainingFunctions(
        make_optimizer_fn=make_optimizer_fn,
        update_op=partial(update_op, lifting=lifting),
        validation_loss=partial(validation_loss, lifting=lifting),
        load_fn=load_fn,
        checkpoint_fn=checkpoint_fn,
    )
    metadata: dict[str, Any] = description.as_metadata() | {"training_data": data.name}
    state = train_loop(
        make_model(options, description),
        data.train,
        data.validation,
        functions,
        options.run,
        options.loop,
        options.optim,
        run_name,
        fabric=fabric,
        options=options,
        metadata=metadata,
    )
    if state.stop_reason == "interrupted":
        return 130
    if fabric.is_global_zero:
        finish_run(run_folder(options.run, run_name), data, options)
    return 0
