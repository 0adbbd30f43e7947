"""Training of temporal lifters: the five functions, and `train.py temporal_*`.

Pavllo, Feichtenhofer, Grangier, Auli, "3D human pose estimation in video with temporal convolutions
and semi-supervised training", CVPR 2019. Adam with AMSGrad; the learning rate and the momentum of
batch norm fall from epoch to epoch, as functions of the epoch, so that a run that goes on finds
them.
"""

import math
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from twod_threed.detector_noise import read_table
from twod_threed.losses import joint_errors
from twod_threed.pairs import PosePairs
from twod_threed.pose_rows import rows_of_pairs
from twod_threed.temporal.data import Minibatch
from twod_threed.temporal.description import TemporalDescription, description_from_metadata
from twod_threed.temporal.evaluation import score_and_report
from twod_threed.temporal.films import fixed_films
from twod_threed.temporal.inference import lift_films
from twod_threed.temporal.inference_options import WeightsOptions
from twod_threed.temporal.loading import OWN_FILES, load_networks
from twod_threed.temporal.model import TemporalArchitecture, set_batch_norm_momentum
from twod_threed.temporal.networks import TemporalNetworks
from twod_threed.temporal.normalisation import METRE
from twod_threed.temporal.options import TemporalNetworkOptions, TemporalTrainOptions
from twod_threed.temporal.predictor import TemporalLiftingModel
from twod_threed.temporal.training_data import Place, TemporalData, temporal_data
from twod_threed.temporal.training_record import Record
from twod_threed.temporal.updates import (
    Lifting,
    labelled_terms,
    normalise,
    split_batch,
    unlabelled_terms,
)
from twod_threed.temporal.visualization import temporal_render
from twod_threed.temporal.visualization_options import render_options
from twod_threed.temporal.widening import can_widen, widen
from twod_threed.temporal.windows import Reach
from twod_threed.training_data import tell_who_trained
from utils.checkpoint import all_people, load_fn, read_weights
from utils.distributed import first_reports, on_rank_zero, start_fabric
from utils.errors import UserError
from utils.optimizers import Optimizers, make_optimizer
from utils.options import OptimizerOptions, RunOptions
from utils.pose_file import write_poses
from utils.run_folder import find_start, run_folder
from utils.skeletons import MPII_16, skeleton_named
from utils.training_functions import Context, TrainingFunctions
from utils.training_loop import train_loop
from utils.weights import resolve

FIRST_MOMENTUM, LAST_MOMENTUM = 0.1, 0.001


def make_optimizer_fn(model: nn.Module, options: TemporalTrainOptions) -> Optimizers:
    """The optimizer that the options name, for all networks together."""
    one = options.optim
    # One pass over the weights instead of a dozen. Gradients in float16 must be clipped before it.
    if one.optimizer != "rmsprop" and options.loop.precision != "16-mixed":
        return torch.optim.Adam(
            model.parameters(),
            lr=one.lr,
            weight_decay=one.weight_decay,
            amsgrad=one.optimizer == "amsprop",
            fused=True,
        )
    return make_optimizer(model.parameters(), one)


def batch_norm_momentum(epoch: int, epochs: int) -> float:
    """Share of a batch in the running statistics: from 0.1 falling exponentially towards 0.001.

    (Pavllo et al. 2019, appendix A.2: 0.1 exp(-(epoch / epochs) ln 100).)
    """
    done = epoch / epochs
    return FIRST_MOMENTUM * math.exp(-done * math.log(FIRST_MOMENTUM / LAST_MOMENTUM))


def with_decay(options: TemporalTrainOptions) -> OptimizerOptions:
    """The optimizer's options with --lr_decay after every epoch, if they name no schedule."""
    if options.optim.lr_scheduler != "none":
        return options.optim
    epochs = tuple(range(1, options.loop.epochs))
    if not epochs:
        return options.optim
    return replace(
        options.optim, lr_scheduler="step", gamma=options.learning.lr_decay, schedule=epochs
    )


def update_op(
    model: nn.Module,
    optimizer: Optimizers,
    minibatch: Minibatch,
    step: int,
    context: Context,
    lifting: Lifting,
) -> dict[str, Tensor]:
    """One step on a minibatch; -> the loss and its terms, in the network's numbers."""
    options: TemporalTrainOptions = context.options
    set_batch_norm_momentum(model, batch_norm_momentum(context.epoch, options.loop.epochs))
    first, second = split_batch(minibatch, options.windows, lifting.noise, context.generator)
    batch = normalise(first, lifting)
    points, count = batch.points, len(batch.points)
    if second and context.epoch >= options.semi.warmup:
        camera = (second["intrinsics"], second["image_size"])
        others, _ = lifting.normaliser.inputs(second["poses_2d"], *camera)
        points = torch.cat([points, others])
    poses, roots = model(points, lifting.single)
    labelled_roots = None if roots is None else roots[:count]
    terms = labelled_terms(poses[:count], labelled_roots, batch, context)
    if len(points) > count:
        assert roots is not None
        found = (poses[count:], roots[count:], poses[:count])
        terms |= unlabelled_terms(*found, second, lifting, options.semi, context)
    loss = torch.stack([*terms.values()]).sum()
    context.minimise(loss, model, optimizer)
    return {name: term.detach() for name, term in ({"loss": loss} | terms).items()}


def validation_loss(
    model: nn.Module, minibatch: Minibatch, context: Context, lifting: Lifting
) -> dict[str, tuple[Any, Any]]:
    """`mpjpe`: mm over valid joints, relative to the hip (with "view" for poses of standard size);
    `trajectory`: mm, where there is a network for it. Films are not averaged with their mirror."""
    if not minibatch:
        return {"no_eval": (0.0, 1)}
    batch, one = normalise(minibatch, lifting), lifting.normaliser
    poses, roots = model(batch.points)
    # A pose that cannot be lifted counts as one with all joints in the hip.
    lifted = one.poses(poses.float(), batch.view).nan_to_num(0)
    truth = minibatch["poses_3d"]
    relative = truth - truth[:, :, one.root : one.root + 1]
    found = {"mpjpe": joint_errors(lifted, relative, minibatch["valid"])}
    if roots is not None:
        known = minibatch["valid"][:, :, one.root : one.root + 1]
        found["trajectory"] = joint_errors(roots * METRE, batch.roots * METRE, known)
    return found


def describe(options: TemporalTrainOptions, data: TemporalData) -> TemporalDescription:
    """What will travel with the weights."""
    network = options.network
    points, poses = skeleton_named(data.skeleton_2d), skeleton_named(data.skeleton_3d)
    return TemporalDescription(
        architecture=TemporalArchitecture(
            joints_in=len(points),
            joints_out=len(poses),
            widths=network.widths,
            channels=network.channels,
            dropout=network.dropout,
            causal=network.causal,
            dense=network.dense,
        ),
        normalisation=options.normalisation,
        standard_size=data.standard_size,
        frame_rate=data.frame_rate,
        skeleton_2d=points.name,
        joints_2d=points.joints,
        skeleton_3d=poses.name,
        joints_3d=poses.joints,
        trajectory=options.semi.on,
        people=data.people,
    )


def check_noise(options: TemporalTrainOptions, skeleton_2d: str) -> None:
    """Raises UserError if the 2D joints cannot be changed as the options ask."""
    if options.windows.input_noise and skeleton_2d != MPII_16.name:
        raise UserError(
            f"--input_noise is for {MPII_16.name} joints, but these films have {skeleton_2d}; give "
            f"--input_joints {MPII_16.name}"
        )


def check_same(theirs: TemporalDescription, ours: TemporalDescription, source: str) -> None:
    """Raises UserError if weights from `source` mean something else than the options ask for."""
    one, other = (replace(d.architecture, dropout=0.0) for d in (theirs, ours))
    for name, there, here in (
        *((key, getattr(one, key), getattr(other, key)) for key in vars(one)),
        *((key, getattr(theirs, key), getattr(ours, key)) for key in ("skeleton_2d", "joints_2d")),
        *((key, getattr(theirs, key), getattr(ours, key)) for key in ("skeleton_3d", "joints_3d")),
        ("normalisation", theirs.normalisation, ours.normalisation),
    ):
        if there != here:
            raise UserError(f"{source} has {name} {there}, but the options and data ask for {here}")


def untold(place: str, network: TemporalNetworkOptions, skeleton_2d: str) -> tuple[str, bool, bool]:
    """What public checkpoints do not tell: the joints that go in, causal, dense. Ours do."""
    if Path(place).is_file() and Path(place).suffix not in OWN_FILES:
        return skeleton_2d, network.causal, network.dense
    return "", False, False


def start_from(
    model: TemporalNetworks, options: TemporalTrainOptions, description: TemporalDescription
) -> RunOptions:
    """Give the networks the weights of --load, if it does not continue a run. They may be of
    networks that see fewer frames (`twod_threed.temporal.widening`).

    -> options of the run, in which what is loaded is no longer named. Raises UserError if the
    weights, or the run that goes on, do not fit.
    """
    start = find_start(options.run, options.run_name)
    if start.checkpoint is not None:
        place = str(start.checkpoint)
        check_same(description_from_metadata(read_weights(place)[1], place), description, place)
        return options.run
    if not start.weights:
        return options.run
    networks, theirs = load_networks(
        start.weights, *untold(start.weights, options.network, description.skeleton_2d)
    )
    ours = description.architecture
    if can_widen(theirs.architecture, ours):
        theirs = replace(theirs, architecture=ours)
    check_same(theirs, description, start.weights)
    widen(networks.pose, model.pose)
    if model.trajectory is not None and networks.trajectory is not None:
        widen(networks.trajectory, model.trajectory)
    return replace(options.run, load="")


def functions_of(options: TemporalTrainOptions, lifting: Lifting) -> TrainingFunctions:
    """The five functions."""
    chooses = options.data.has_validation and not options.report.no_eval
    record = Record(options.report, chooses, lifting.normaliser.millimetres)
    return TrainingFunctions(
        make_optimizer_fn=make_optimizer_fn,
        update_op=partial(update_op, lifting=lifting),
        validation_loss=partial(validation_loss, lifting=lifting),
        load_fn=load_fn,
        checkpoint_fn=record.checkpoint_fn,
    )


def is_own(place: str, options: TemporalTrainOptions) -> bool:
    """Whether weights are those of the run that the options name."""
    return resolve(place).resolve().parent == run_folder(options.run, options.run_name).resolve()


def score_run(
    model: TemporalLiftingModel, films: PosePairs, options: TemporalTrainOptions, other: str = ""
) -> None:
    """The full procedure on the films that test: tables, results.csv and plots in test/ in the
    run's folder; of `other` weights than the run's in test_<name>/. Raises UserError."""
    name = Path(other).stem or options.run_name
    folder = run_folder(options.run, options.run_name) / (f"test_{name}" if other else "test")
    report = options.report
    flip = not report.no_test_time_augmentation
    score_and_report(model, films, name, folder, report.by_subject, flip)


def finish_run(folder: Path, data: TemporalData, options: TemporalTrainOptions) -> None:
    """Lift the validation films with the run's best weights: predictions.npz; then test."""
    model = TemporalLiftingModel.load(str(folder), options.loop.accelerator)
    flip = not options.report.no_test_time_augmentation
    poses = lift_films(model, rows_of_pairs(data.validation_films), flip=flip)
    write_poses(folder / "predictions.npz", poses)
    print(f"weights: {folder / 'best.safetensors'}\nvalidation: {folder / 'predictions.npz'}")
    score_run(model, data.test_films, options)


def evaluated_weights(options: TemporalTrainOptions) -> WeightsOptions:
    """What --evaluate names: a file of the run's folder, of --checkpoint_dir, or anything else.

    What the other options say of the network must be so, unless it is what they say by default.
    """
    network, usual = options.network, TemporalNetworkOptions()
    inside = run_folder(options.run, options.run_name) / options.report.evaluate
    return WeightsOptions(
        load=str(inside) if inside.exists() else options.report.evaluate,
        checkpoint_dir=options.run.checkpoint_dir,
        architecture="" if network.widths == usual.widths else network.architecture,
        channels=None if network.channels == usual.channels else network.channels,
        causal=network.causal,
        dense=network.dense,
        no_test_time_augmentation=options.report.no_test_time_augmentation,
        accelerator=options.loop.accelerator,
    )


def evaluate(options: TemporalTrainOptions) -> int:
    """Test the weights that --evaluate names, or render a film with them. -> exit code 0."""
    weights = evaluated_weights(options)
    if options.report.render:
        chosen = render_options(options.data, weights, options.viz, options.run.seed)
        return temporal_render(chosen)
    films = fixed_films(options.data, "test", options.run.seed)
    model = TemporalLiftingModel.of(weights, films.skeleton_2d)
    tell_who_trained(model.description.people, films, "test")
    score_run(model, films, options, "" if is_own(weights.place, options) else weights.place)
    return 0


def train(options: TemporalTrainOptions) -> int:
    """Train, lift the validation films with the best weights, and test. -> exit code."""
    if options.report.evaluate:
        return evaluate(options)
    fabric = start_fabric(options.loop, options.run.seed, options.semi.on)
    # The loop asks again; asked here, a name in use is told before minutes of reading.
    start = on_rank_zero(fabric, lambda: find_start(options.run, options.run_name))
    reach = Reach.of(math.prod(options.network.widths), options.network.causal)
    place = Place(fabric.device, fabric.global_rank, fabric.world_size)
    with first_reports(fabric):
        data = temporal_data(options, reach, place)
        check_noise(options, data.skeleton_2d)
        description = describe(options, data)
        description = replace(description, people=all_people(description.people, start))
        model = TemporalNetworks(description)
        run = start_from(model, options, description)
    windows = options.windows
    single = windows.stride == 1 and not windows.disable_optimizations
    lifting = Lifting(description.normaliser(fabric.device), read_table(), reach, single)
    state = train_loop(
        model,
        data.train,
        data.validation,
        functions_of(options, lifting),
        run,
        options.loop,
        with_decay(options),
        options.run_name,
        fabric=fabric,
        options=options,
        metadata=description.as_metadata() | {"training_data": data.name},
    )
    if state.stop_reason == "interrupted":
        return 130
    if fabric.is_global_zero:
        finish_run(run_folder(options.run, options.run_name), data, options)
    return 0
