"""Training of the hourglass: the five functions, and `train.py hourglass_*`."""

from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from stacked_hourglass.augmentation import (
    Views,
    plain_views,
    random_views,
    view_images,
    view_keypoints,
    views_of_films,
)
from stacked_hourglass.calibration import finish_run
from stacked_hourglass.data import PeopleDataset, collate
from stacked_hourglass.decoding import DECODERS, normalise_scores
from stacked_hourglass.description import Description
from stacked_hourglass.films import FilmDataset, collate_films, in_windows, window_starts
from stacked_hourglass.losses import heatmap_loss, joint_weights, visibility_loss
from stacked_hourglass.masking import hide, mask_images, random_bars
from stacked_hourglass.model import StackedHourglass, scale_weights, statistics_of_batch
from stacked_hourglass.options import NEEDS_PAIRS, HeatmapOptions, HourglassTrainOptions
from stacked_hourglass.person_table import PersonTable
from stacked_hourglass.starting import check_start, load_start
from stacked_hourglass.statistics import colour_statistics
from stacked_hourglass.targets import from_heatmap, inside, make_heatmaps, to_heatmap
from stacked_hourglass.tolerance import tolerance
from stacked_hourglass.training_data import TrainingPeople, training_people, untrained_joints
from utils.batches import LoadedBatches, Order, Plan
from utils.checkpoint import checkpoint_fn, load_fn
from utils.distributed import first_on_rank_zero, first_reports, on_rank_zero, start_fabric
from utils.errors import need
from utils.optimizers import make_optimizer
from utils.run_folder import run_folder
from utils.skeletons import MPII_16, skeleton_named
from utils.training_functions import Context, TrainingFunctions
from utils.training_loop import train_loop

SKELETON_OF_CLASSES = {16: "mpii_16", 14: "lsp_14"}
NEEDS_HIDDEN = "needs data that tell which joints are hidden, such as LSP, MPII, COCO or mannequins"


def make_optimizer_fn(model: nn.Module, options: HourglassTrainOptions) -> torch.optim.Optimizer:
    """The optimizer that the options name, over all weights."""
    return make_optimizer(model.parameters(), options.optim)


@dataclass(frozen=True)
class Seen:
    """What a step or a validation sees of a minibatch."""

    images: Tensor
    """(B, 3, R, R) in [0, 1]"""
    points: Tensor
    """(B, J, 2) px"""
    visibility: Tensor
    """(B, J) 1 seen, 0 hidden, NaN not known or outside"""


def view_batch(minibatch: dict[str, Tensor], views: Views, description: Description) -> Seen:
    """Minibatch of `data.collate`, as seen in the views."""
    skeleton, joints = skeleton_named(description.skeleton), description.joints_of_table
    crops, keypoints = minibatch["image"], minibatch["keypoints"][:, joints]
    size, resolution, order = crops.shape[-1], description.resolution, skeleton.flip_order
    points = view_keypoints(keypoints, views, size, resolution, order)
    seen = minibatch["visibility"][:, joints]
    seen = torch.where(views.flip.to(seen.device)[:, None], seen[:, list(order)], seen)
    seen = seen.masked_fill(~inside(points, resolution, resolution), torch.nan)
    return Seen(view_images(crops, views, resolution), points, seen)


def network_input(images: Tensor, description: Description) -> Tensor:
    """Pictures (B, 3, R, R) in [0, 1], normalised by the colours of the training data."""
    mean = torch.tensor(description.mean, device=images.device).view(1, 3, 1, 1)
    std = torch.tensor(description.std, device=images.device).view(1, 3, 1, 1)
    return ((images - mean) / std).contiguous(memory_format=torch.channels_last)


def training_views(
    minibatch: dict[str, Tensor], context: Context, description: Description
) -> Seen:
    """What a step sees, turned and masked as the options say."""
    options: HourglassTrainOptions = context.options
    frames = options.data.frames
    count = len(minibatch["image"]) // frames
    # Drawn on the CPU, so that a run on a GPU sees the same views.
    generator = torch.Generator().manual_seed(context.generator.initial_seed())
    views = (
        random_views(count, generator)
        if options.heatmaps.augment_training_data
        else plain_views(count)
    )
    seen = view_batch(minibatch, views_of_films(views, frames), description)
    masking = options.masking
    if not masking.add_random_masking:
        return seen
    covered = random_bars(seen.points, description.resolution, masking, generator)
    mean, noise = description.mean, context.generator
    images = mask_images(seen.images, covered, mean, masking, generator, noise)
    return Seen(images, seen.points, hide(seen.visibility, seen.points, covered))


def batch_loss(
    scores: Tensor, seen: Seen, heatmaps: HeatmapOptions, epoch: int, trimmed: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Weighted sum of the loss over the joints of a batch, and the sum of the weights.

    scores (S, B, J, h, w); trimmed: share of the joints that is left out as labelled wrongly.
    """
    height, width = scores.shape[-2:]
    places = to_heatmap(seen.points)
    present = inside(places, width, height)
    places = places.round() if heatmaps.round_targets else places
    sigma = heatmaps.sigma_in(epoch)
    targets = make_heatmaps(places, width, height, sigma, heatmaps.label_type)
    return heatmap_loss(
        scores,
        targets,
        joint_weights(present, seen.visibility, heatmaps.hidden_joint_weight),
        heatmaps.heatmap_loss,
        not heatmaps.remove_intermediate_supervision,
        trimmed,
    )


def update_op(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    minibatch: dict[str, Tensor],
    step: int,
    context: Context,
    description: Description,
) -> dict[str, Tensor]:
    """One step on a minibatch; -> the mean loss of a labelled joint, and its parts."""
    heatmaps: HeatmapOptions = context.options.heatmaps
    seen = training_views(minibatch, context, description)
    images = network_input(seen.images, description)
    scores, logits = model(images, visibility=True, frames=context.options.data.frames)
    trimmed = heatmaps.trim_share if context.epoch >= heatmaps.trim_from_epoch else 0.0
    loss = context.mean(*batch_loss(scores, seen, heatmaps, context.epoch, trimmed))
    parts = {}
    if logits is not None:
        parts = {
            "heatmaps": loss,
            "visibility": context.mean(*visibility_loss(logits, seen.visibility)),
        }
        loss = loss + heatmaps.joint_visibility_loss_coeff * parts["visibility"]
    context.minimise(loss, model, optimizer)
    return {name: value.detach() for name, value in ({"loss": loss} | parts).items()}


def validation_maps(
    model: nn.Module,
    images: Tensor,
    heatmaps: HeatmapOptions,
    description: Description,
    frames: int = 1,
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Raw scores (S, B, J, h, w) of normalised pictures, maps (B, J, h, w) of the last stack, each
    of sum 1, averaged with those of the mirrored pictures if the options say so, and the logits
    (B, J) of being seen, if the network gives them."""
    with statistics_of_batch(model) if heatmaps.use_train_mode_to_eval else nullcontext():
        scores, logits = model(images, visibility=True, frames=frames)
        maps = normalise_scores(scores[-1], description.heatmap_loss)
        if heatmaps.flip:
            order = list(skeleton_named(description.skeleton).flip_order)
            mirrored = normalise_scores(
                model(images.flip(-1), frames=frames)[-1], description.heatmap_loss
            )
            maps = (maps + mirrored.flip(-1)[:, order]) / 2
    return scores, maps, logits


def validation_loss(
    model: nn.Module, minibatch: dict[str, Tensor], context: Context, description: Description
) -> dict[str, tuple[Tensor, Tensor]]:
    """`wrong`: joints farther from the annotation than the tolerance of PCK (`pck.tolerance`);
    `wrong_hidden`: the same of hidden ones, of films; `loss`: that of the heatmaps, all stacks;
    `visibility_wrong`: joints said to be seen that are hidden, or the other way round."""
    options: HourglassTrainOptions = context.options
    seen = view_batch(minibatch, plain_views(len(minibatch["image"])), description)
    images = network_input(seen.images, description)
    frames = options.data.frames
    scores, maps, logits = validation_maps(model, images, options.heatmaps, description, frames)
    losses = {"loss": batch_loss(scores, seen, options.heatmaps, context.epoch)}
    if logits is not None:
        known = ~seen.visibility.isnan()
        wrong = ((logits > 0) != (seen.visibility > 0)) & known
        losses["visibility_wrong"] = (wrong.sum(), known.sum())
    found = from_heatmap(DECODERS[description.decoder](maps))
    box = minibatch["box"]
    everything, head_box = minibatch["keypoints_image"], minibatch["head_box"]
    allowed = tolerance(everything, head_box, box, description.table_skeleton)
    allowed = allowed * (description.resolution / box[:, 2])
    labelled = ~seen.points.isnan().any(-1)
    wrong = (found - seen.points).norm(dim=-1) > allowed[:, None]
    if frames > 1:
        hidden = labelled & (seen.visibility == 0)
        losses["wrong_hidden"] = ((wrong & hidden).sum(), hidden.sum())
    return {"wrong": ((wrong & labelled).sum(), labelled.sum()), **losses}


def describe(options: HourglassTrainOptions, people: TrainingPeople) -> Description:
    """What will travel with the weights; the colour statistics are measured or read back.

    Raises UserError if something depends on the visibility of people of whom it is not known.
    """
    network, heatmaps = options.network, options.heatmaps
    told = people.train.visibility[np.isfinite(people.train.visibility)]
    both_kinds = len(np.unique(told)) == 2
    need(
        not network.predict_joint_visibility or both_kinds,
        f"--predict_joint_visibility {NEEDS_HIDDEN}",
    )
    # Bars hide what was seen; of what is not known to be seen nothing becomes known.
    some_hidden = 0 in told or (options.masking.add_random_masking and len(told) > 0)
    need(heatmaps.hidden_joint_weight == 1 or some_hidden, f"--hidden_joint_weight {NEEDS_HIDDEN}")
    mean, std = colour_statistics(people.train, options.run.seed)
    skeleton = people.train.skeleton
    if skeleton == MPII_16.name:
        skeleton = SKELETON_OF_CLASSES[network.num_classes]
    joints, untrained = skeleton_named(skeleton).joints, untrained_joints(people.train)
    return Description(
        architecture=replace(network.architecture(), num_classes=len(joints)),
        resolution=network.resolution,
        heatmap_loss=heatmaps.heatmap_loss,
        decoder="dark" if heatmaps.decoder == "auto" else heatmaps.decoder,
        mean=mean,
        std=std,
        skeleton=skeleton,
        frames=options.data.frames,
        untrained=tuple(joint for joint in joints if joint in untrained),
    )


def make_model(options: HourglassTrainOptions, description: Description) -> StackedHourglass:
    """The network with the weights that training begins with."""
    model = StackedHourglass(description.architecture)
    scale_weights(model, options.heatmaps.scale_weight_factor)
    return model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


def check_pairs(people: TrainingPeople, options: HourglassTrainOptions, world_size: int) -> None:
    """Raises UserError where a batch norm would have to measure a picture alone, and cannot."""
    if not options.needs_pairs or options.data.frames > 1:
        return
    count, name = len(people.train), people.train.name
    need(count >= 2 * world_size, f"{name}: too few people train, {count}: {NEEDS_PAIRS}")
    size, count = options.loop.test_batch_size, len(people.validation)
    last = np.array_split(np.arange(count % (size * world_size)), world_size)
    need(
        not options.heatmaps.use_train_mode_to_eval or 1 not in map(len, last),
        f"--test_batch_size {size} leaves one of {count} validation people alone: {NEEDS_PAIRS}",
    )


def make_batches(
    people: TrainingPeople, options: HourglassTrainOptions, rank: int, world_size: int
) -> tuple[LoadedBatches, LoadedBatches]:
    """Training and validation batches of this process."""
    if options.data.frames > 1:
        return film_batches(people, options, rank, world_size)
    resolution, seed, loop = options.network.resolution, options.run.seed, options.loop
    order = Order(people.sizes, seed, shuffle=True, weights=people.weights)
    train_plan = Plan(order, loop.train_batch_size, True, rank, world_size)
    still = Order([len(people.validation)], seed, shuffle=False)
    validation_plan = Plan(still, loop.test_batch_size, False, rank, world_size)
    train = PeopleDataset(people.train, resolution)
    validation = PeopleDataset(people.validation, resolution)
    return (
        LoadedBatches(train, train_plan, loop.workers, collate),
        LoadedBatches(validation, validation_plan, min(loop.workers, 1), collate),
    )


def film_batches(
    people: TrainingPeople, options: HourglassTrainOptions, rank: int, world_size: int
) -> tuple[LoadedBatches, LoadedBatches]:
    """Training and validation batches of this process, of windows of films.

    Windows overlap by half to train on, and to validate on only where the last one of a film ends
    with it.
    """
    frames, seed, loop = options.data.frames, options.run.seed, options.loop

    def batches(table: PersonTable, step: int, size: int, train: bool) -> LoadedBatches:
        starts = window_starts(table.film, frames, step)
        need(len(starts) > 0, f"{table.name}: no film has the {frames} frames of --film_frames")
        windows = in_windows(table, starts, frames)
        dataset = FilmDataset(windows, options.network.resolution, frames)
        plan = Plan(
            Order([len(dataset)], seed, shuffle=train), size // frames, train, rank, world_size
        )
        workers = loop.workers if train else min(loop.workers, 1)
        return LoadedBatches(dataset, plan, workers, collate_films)

    return (
        batches(people.train, max(frames // 2, 1), loop.train_batch_size, True),
        batches(people.validation, frames, loop.test_batch_size, False),
    )


def train(options: HourglassTrainOptions) -> int:
    """Train, then read out the validation people with the best weights. -> exit code."""
    fabric = start_fabric(options.loop, options.run.seed)
    run_name = f"hourglass_{options.data.dataset}_{options.run.exp}"
    # The loop asks again; asked here, a name in use is told before minutes of reading.
    on_rank_zero(fabric, lambda: check_start(options, run_name))
    # The first process renders what is not there yet; the others then find it.
    people = first_on_rank_zero(fabric, lambda: training_people(options.data, options.run.seed))
    with first_reports(fabric):
        check_pairs(people, options, fabric.world_size)
    description = describe(options, people)
    model = make_model(options, description)
    with first_reports(fabric):
        run = load_start(model, description, options)
    functions = TrainingFunctions(
        make_optimizer_fn=make_optimizer_fn,
        update_op=partial(update_op, description=description),
        validation_loss=partial(validation_loss, description=description),
        load_fn=load_fn,
        checkpoint_fn=checkpoint_fn,
    )
    metadata: dict[str, Any] = description.as_metadata() | {"training_data": people.train.name}
    state = train_loop(
        model,
        *make_batches(people, options, fabric.global_rank, fabric.world_size),
        functions,
        run,
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
        finish_run(run_folder(options.run, run_name), people.validation, options)
    return 0
