"""What trains and validates: batches of windows of the films or the motion asked for."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from twod_threed.data import Bodies, measure_bodies
from twod_threed.pairs import PosePairs
from twod_threed.temporal.data import FilmBatches, MotionWindows, PairedBatches
from twod_threed.temporal.films import (
    bodies_of,
    film_rate,
    fixed_films,
    read_source,
    validation_films,
)
from twod_threed.temporal.options import TemporalTrainOptions
from twod_threed.temporal.sequences import sequences_of
from twod_threed.temporal.windows import Reach, Windows
from utils.batches import Batches, Order, Plan
from utils.mocap.store import MotionStore
from utils.seeds import derive_seed

LEAST_VALIDATION_FRAMES = 128
"""Output frames of a window in validation, at least: shorter ones would look at most frames more
than once."""


def stretch(length: int, share: float, seed: int, name: str) -> slice:
    """A stretch of a film of so many frames, at random: what --subset leaves of it.

    Decided by the seed and the film's name and length alone: all cameras of a take share it.
    """
    count = max(1, round(length * share))
    place = derive_seed("subset", seed, zlib.crc32(name.encode()), length)
    start = int(np.random.default_rng(place).integers(0, length - count + 1))
    return slice(start, start + count)


def subset_of_films(pairs: PosePairs, share: float, seed: int) -> list[np.ndarray]:
    """Rows of each film, `share` of it."""
    films = sequences_of(pairs)
    names = [str(pairs.clip_names[pairs.clip[film[0]]]) for film in films]
    return [
        film[stretch(len(film), share, seed, name)] for film, name in zip(films, names, strict=True)
    ]


def subset_of_motion(store: MotionStore, share: float, seed: int) -> MotionStore:
    """The same clips, `share` of each."""
    names = [f"{source}/{name}" for source, name in zip(store.sources, store.names, strict=True)]
    parts = [
        store.clip(c)[stretch(len(store.clip(c)), share, seed, name)]
        for c, name in enumerate(names)
    ]
    starts = np.cumsum([0, *map(len, parts)])
    return replace(store, positions=np.concatenate(parts), starts=starts)


@dataclass(frozen=True)
class TemporalData:
    """What a run works on, for this process."""

    train: Batches
    validation: Batches
    validation_films: PosePairs
    test_films: PosePairs
    standard_size: float
    """of the bodies that train, mm"""
    frame_rate: float
    """frames per second, nan if unknown"""
    skeleton_2d: str
    skeleton_3d: str
    name: str
    people: tuple[str, ...]
    """those who train"""


@dataclass(frozen=True)
class Place:
    """Where batches are made: on which device, in which of how many processes."""

    device: torch.device | str = "cpu"
    rank: int = 0
    world_size: int = 1


def _film_batches(
    pairs: PosePairs, bodies: Bodies, options: TemporalTrainOptions, reach: Reach, at: Place
) -> FilmBatches:
    """Films that train."""
    one, seed = options.windows, options.run.seed
    films = subset_of_films(pairs, one.subset, seed)
    windows = Windows(films, one.stride, reach, at.device)
    mirror = not one.no_data_augmentation
    order = Order([len(windows) * (1 + mirror)], seed, shuffle=True)
    count = options.loop.train_batch_size // one.stride
    plan = Plan(order, count, True, at.rank, at.world_size)
    return FilmBatches(pairs, windows, bodies, plan, mirror, device=at.device)


def _motion_batches(
    store: MotionStore, bodies: Bodies, options: TemporalTrainOptions, reach: Reach, at: Place
) -> MotionWindows:
    """Motion that trains, seen by cameras drawn for each window."""
    one = options.windows
    count = options.loop.train_batch_size // one.stride
    steps = max(1, one.epoch_frames // (count * one.stride * at.world_size))
    return MotionWindows(
        store,
        bodies,
        one.stride,
        reach,
        count,
        steps,
        options.run.seed,
        at.rank,
        not one.no_data_augmentation,
        options.data.view_ranges(),
        at.device,
    )


class NoValidation:
    """One batch of nothing, for --no_eval: the loop validates after every epoch."""

    def __len__(self) -> int:
        return 1

    def epoch(self, epoch: int, start: int = 0) -> Iterator[dict[str, Tensor]]:
        """The batch of nothing."""
        yield {}


def _validation_batches(
    pairs: PosePairs, options: TemporalTrainOptions, reach: Reach, at: Place
) -> Batches:
    """Whole films, every frame once."""
    if options.report.no_eval:
        return NoValidation()
    stride = max(LEAST_VALIDATION_FRAMES, 2 * (reach.before + reach.after))
    windows = Windows(sequences_of(pairs), stride, reach, at.device)
    order = Order([len(windows)], options.run.seed, shuffle=False)
    count = max(1, options.loop.test_batch_size // stride)
    plan = Plan(order, count, False, at.rank, at.world_size)
    return FilmBatches(pairs, windows, bodies_of(pairs), plan, whole_films=True, device=at.device)


def _batches(
    source: PosePairs | MotionStore, options: TemporalTrainOptions, reach: Reach, at: Place
) -> tuple[Batches, Bodies]:
    """What a source gives to learn from, and who is in it."""
    if isinstance(source, PosePairs):
        bodies = bodies_of(source)
        return _film_batches(source, bodies, options, reach, at), bodies
    store = subset_of_motion(source, options.windows.subset, options.run.seed)
    known, clip = store.valid_of_frame(), store.clip_of_frame()
    bodies = measure_bodies(store.positions, known, store.subjects, clip)
    return _motion_batches(store, bodies, options, reach, at), bodies


def _unlabelled(options: TemporalTrainOptions, reach: Reach, at: Place) -> Batches:
    """Films or motion whose 3D is not used, in an order of their own, all of it."""
    seed = derive_seed("unlabelled", options.run.seed)
    own = replace(
        options, run=replace(options.run, seed=seed), windows=replace(options.windows, subset=1.0)
    )
    wanted = options.semi.subjects_unlabeled
    source = read_source(options.data, "unlabeled", options.run.seed, wanted)
    return _batches(source, own, reach, at)[0]


def temporal_data(options: TemporalTrainOptions, reach: Reach, at: Place) -> TemporalData:
    """Read what the options ask for. Raises UserError for what is absent or does not fit."""
    data, seed = options.data, options.run.seed
    # Before the training data, which take longer to read.
    validation = validation_films(data, seed)
    test = fixed_films(data, "test", seed) if data.has_validation else validation
    source = read_source(data, "train", seed, options.semi.subjects_unlabeled)
    train, bodies = _batches(source, options, reach, at)
    if options.semi.on:
        train = PairedBatches(train, _unlabelled(options, reach, at))
    rate = data.frame_rate / data.downsample
    return TemporalData(
        train=train,
        validation=_validation_batches(validation, options, reach, at),
        validation_films=validation,
        test_films=test,
        standard_size=round(bodies.standard_size, 2),
        frame_rate=film_rate(source) if isinstance(source, PosePairs) else rate,
        skeleton_2d=validation.skeleton_2d,
        skeleton_3d=validation.skeleton_3d,
        name=", ".join(np.unique(source.sources).tolist()),
        people=tuple(bodies.names.tolist()),
    )
