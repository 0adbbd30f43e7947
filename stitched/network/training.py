"""Training of the stitched network: the five functions, and `train.py stitched_*`."""

from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from stacked_hourglass.augmentation import plain_views, view_images, view_keypoints
from stitched.network.augmentation import Minibatch, mild_views, view_scene
from stitched.network.description import StitchedDescription
from stitched.network.loading import open_network
from stitched.network.losses import lifted_loss, maps_loss, place_errors
from stitched.network.model import StitchedNetwork
from stitched.network.options import LearningOptions, StitchedTrainOptions
from stitched.network.predictor import StitchedModel, find_pairs
from stitched.network.training_data import StitchedData, stitched_data
from twod_threed.alignment import about_hip
from twod_threed.losses import joint_errors
from twod_threed.model import constrain_weights
from utils.checkpoint import checkpoint_fn, load_fn
from utils.distributed import first_on_rank_zero, on_rank_zero, start_fabric
from utils.errors import UserError
from utils.optimizers import make_optimizer
from utils.pose_file import write_poses
from utils.run_folder import find_start, run_folder
from utils.skeletons import MPII_16, skeleton_named
from utils.training_functions import Context, TrainingFunctions
from utils.training_loop import train_loop


def make_optimizer_fn(model: nn.Module, options: StitchedTrainOptions) -> torch.optim.Optimizer:
    """The optimizer that the options name, over all weights that are not frozen."""
    return make_optimizer([p for p in model.parameters() if p.requires_grad], options.optim)


def network_input(
    minibatch: Minibatch, seed: int | None, description: StitchedDescription
) -> tuple[Tensor, Tensor, Minibatch]:
    """Minibatch of `data.PicturedDataset` -> pictures (B, 3, R, R) in [0, 1], the hourglass's
    joints (B, J, 2) in their px, and the minibatch as these pictures show it.

    seed: of random views; None for the people's boxes as they are.
    """
    count, resolution = len(minibatch["image"]), description.hourglass.resolution
    if seed is None:
        views = plain_views(count)
    else:
        # Drawn on the CPU, so that a run on a GPU sees the same views.
        views = mild_views(count, torch.Generator().manual_seed(seed))
    skeleton = skeleton_named(description.hourglass.skeleton)
    keypoints = minibatch["keypoints"][:, MPII_16.indices(*skeleton.joints)]
    crops = minibatch["image"]
    points = view_keypoints(keypoints, views, crops.shape[-1], resolution, skeleton.flip_order)
    return view_images(crops, views, resolution), points, view_scene(minibatch, views)


def learns_heatmaps(learning: LearningOptions) -> bool:
    """Whether the heatmap loss has a part in training."""
    return learning.heatmap_loss_coeff > 0 and learning.freeze != "hourglass"


def update_op(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    minibatch: Minibatch,
    step: int,
    context: Context,
    description: StitchedDescription,
) -> dict[str, Tensor]:
    """One step on a minibatch; -> the losses of a mean joint, and their weighted sum."""
    learning: LearningOptions = context.options.learning
    seed = context.generator.initial_seed() if learning.augment_training_data else None
    images, points, batch = network_input(minibatch, seed, description)
    scores, lift = model(images, batch["box"], batch["intrinsics"])
    normaliser = description.lifter.normaliser(images.device)
    pose = context.mean(*lifted_loss(lift, batch, normaliser, learning.pose_loss))
    losses = {"pose": pose}
    if learns_heatmaps(learning):
        kind = description.hourglass.heatmap_loss
        losses["heatmap"] = context.mean(*maps_loss(scores, points, learning.sigma, kind))
    loss = pose + learning.heatmap_loss_coeff * losses.get("heatmap", 0.0)
    context.minimise(loss, model, optimizer)
    if description.lifter.architecture.max_norm and learning.freeze != "lifter":
        constrain_weights(model)  # the hourglass has no linear layers
    return {name: value.detach() for name, value in {"loss": loss, **losses}.items()}


def validation_loss(
    model: nn.Module, minibatch: Minibatch, context: Context, description: StitchedDescription
) -> dict[str, tuple[Tensor, Tensor]]:
    """`mpjpe`: mm over valid joints, poses of standard size, relative to the hip; `places`: error
    of the 2D joints that the picture shows, in per cent of the box's side; `pose` and `heatmap`:
    the losses of training."""
    learning: LearningOptions = context.options.learning
    images, points, batch = network_input(minibatch, None, description)
    scores, lift = model(images, batch["box"], batch["intrinsics"])
    normaliser = description.lifter.normaliser(images.device)
    # A pose that cannot be lifted counts as one with all joints in the hip.
    poses = lift.poses_3d.nan_to_num(0)
    joints = MPII_16.indices(*skeleton_named(description.hourglass.skeleton).joints)
    truth = batch["keypoints_image"][:, joints].masked_fill(points.isnan(), torch.nan)
    kind = description.hourglass.heatmap_loss
    return {
        "mpjpe": joint_errors(poses, about_hip(batch["poses_3d"]), batch["valid"]),
        "places": place_errors(lift.keypoints_2d, truth, batch["box"]),
        "pose": lifted_loss(lift, batch, normaliser, learning.pose_loss),
        "heatmap": maps_loss(scores, points, learning.sigma, kind),
    }


def make_model(options: StitchedTrainOptions, start: str) -> StitchedNetwork:
    """The network in `start`, or the two joined, with the parts frozen that the options name.

    Raises UserError if the hourglass finds joints that the pictures do not tell.
    """
    learning = options.learning
    network = open_network(start, options.join, learning.learn_temperature)
    skeleton = skeleton_named(network.description.hourglass.skeleton)
    unknown = [joint for joint in skeleton.joints if joint not in MPII_16.joints]
    if unknown:
        raise UserError(
            f"the hourglass finds {skeleton.name}, but the pictures have no {unknown[0]}: choose "
            "one that finds MPII's or LSP's joints"
        )
    frozen = learning.freeze
    network.freeze(frozen == "hourglass", frozen == "lifter", learning.fixed_statistics)
    network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    return network


def finish_run(folder: Path, data: StitchedData, options: StitchedTrainOptions) -> None:
    """Read out the validation pictures with the run's best weights: predictions.npz."""
    loop = options.loop
    model = StitchedModel.load(str(folder), accelerator=loop.accelerator, precision=loop.precision)
    found = find_pairs(model, data.validation_people, True, loop.test_batch_size)
    assert found.intrinsics is not None
    write_poses(folder / "predictions.npz", model.lift(found, found.intrinsics))
    print(f"weights: {folder / 'best.safetensors'}\nvalidation: {folder / 'predictions.npz'}")


def _learned(data: StitchedData, learning: LearningOptions) -> tuple[str, ...]:
    """Joints that the hourglass is taught the places of."""
    return tuple(data.validation_people.supervised) if learns_heatmaps(learning) else ()


def train(options: StitchedTrainOptions) -> int:
    """Train, then read out the validation pictures with the best weights. -> exit code."""
    fabric = start_fabric(options.loop, options.run.seed)
    run_name = f"stitched_{options.data.dataset}_{options.run.exp}"
    # The loop asks again; asked here, a name in use is told before minutes of reading.
    start = on_rank_zero(fabric, lambda: find_start(options.run, run_name))
    model = make_model(options, str(start.checkpoint or start.weights))
    size, seed = model.description.hourglass.resolution, options.run.seed
    place = (fabric.global_rank, fabric.world_size)
    read = partial(stitched_data, options.data, options.loop, seed, size, *place)
    # The first process renders what is not there yet; the others then find it.
    data = first_on_rank_zero(fabric, read)
    description = model.description.having_learned(_learned(data, options.learning))
    functions = TrainingFunctions(
        make_optimizer_fn=make_optimizer_fn,
        update_op=partial(update_op, description=description),
        validation_loss=partial(validation_loss, description=description),
        load_fn=load_fn,
        checkpoint_fn=checkpoint_fn,
    )
    metadata: dict[str, Any] = description.as_metadata() | {"training_data": data.name}
    state = train_loop(
        model,
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
