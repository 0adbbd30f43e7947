"""Which poses train, validate and test."""

import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from twod_threed.data import Bodies, MotionBatches, PairBatches, measure_bodies
from twod_threed.h36m import read_h36m
from twod_threed.h36m_takes import ACTIONS, SUBJECTS
from twod_threed.options import DataOptions, LifterTrainOptions
from twod_threed.pairs import PosePairs, read_pairs
from twod_threed.views import stored_views
from utils.batches import Batches, Order, Plan
from utils.errors import UserError
from utils.mannequin.motion_store import mannequin_store
from utils.mocap.store import MotionStore, in_split, read_stores
from utils.subjects import tell_if_trained

Split = Literal["train", "val", "test"]

# Mannequin bodies that validate and test have numbers of their own.
HELD_OUT_BODIES = 20
_FIRST_BODY: dict[Split, int] = {"train": 0, "val": 1_000_000, "test": 2_000_000}
_PAIRS_MEMBER = "poses_3d.npy"


def _is_pairs(path: Path) -> bool:
    """Is this .npz a file of pairs, rather than a motion store?"""
    try:
        with zipfile.ZipFile(path) as archive:
            return _PAIRS_MEMBER in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False  # read_stores says what is wrong with it


def read_motion(data_dir: str) -> MotionStore | PosePairs:
    """The motion stores in a folder, one store, or one file of pairs. Raises UserError."""
    path = Path(data_dir or "data/mocap")
    files = sorted(path.glob("*.npz")) if path.is_dir() or not path.exists() else [path]
    if not files:
        reason = "" if path.exists() else ", which does not exist"
        raise UserError(
            f"no motion capture in {path}{reason}: it needs motion stores (.npz), which `python "
            f"data/prepare.py mocap FOLDER --output {path}/NAME.npz` makes from BVH or ASF/AMC "
            "files; 2d3d_mannequin and temporal_mannequin need no data"
        )
    if len(files) == 1 and _is_pairs(files[0]):
        return read_pairs(files[0])
    return read_stores(files)


def _h36m(data: DataOptions, split: Split) -> PosePairs:
    everybody = np.array(SUBJECTS)
    names = everybody[in_split(everybody, data, split)].tolist()
    actions = data.action or ACTIONS
    place = data.data_dir or "data/h36m"
    return read_h36m(place, names, actions, data.keypoints, data.every, data.joints)


def _motion(data: DataOptions, split: Split, seed: int) -> MotionStore | PosePairs:
    """Motion capture or mannequins of a split; pairs where they are pre-drawn."""
    if data.dataset == "mannequin":
        count = data.mannequin_count if split == "train" else HELD_OUT_BODIES
        return mannequin_store(seed, _FIRST_BODY[split], count)
    found = read_motion(data.data_dir)
    return found.select(in_split(found.subjects, data, split))


def fixed_pairs(data: DataOptions, split: Split, seed: int) -> PosePairs:
    """A split as fixed pairs: motion is seen by cameras drawn once from the seed, a clip by one.

    At most about --validation_poses of them, evenly spaced in time. Raises UserError.
    """
    if data.dataset == "h36m":
        return _h36m(data, split)
    found = _motion(data, split, seed)
    if isinstance(found, PosePairs):
        return found
    every = ceil(len(found.positions) / data.validation_poses)
    return stored_views(found, seed, every)


def tell_who_trained(people: Iterable[str], pairs: PosePairs, part: str) -> None:
    """`tell_if_trained` for a part of the data other than "train"."""
    if part != "train":
        scored = pairs.clip_subjects[np.unique(pairs.clip)].tolist()
        tell_if_trained(people, scored, "these weights")


def bodies_of_pairs(pairs: PosePairs) -> Bodies:
    """Sizes of the people in pairs. Raises UserError."""
    return measure_bodies(pairs.poses_3d, pairs.valid, pairs.clip_subjects, pairs.clip)


@dataclass(frozen=True)
class LifterData:
    """What a run works on, for this process."""

    train: Batches
    validation: Batches
    validation_pairs: PosePairs
    bodies: Bodies
    """those that train"""
    skeleton_2d: str
    name: str


def lifter_data(
    options: LifterTrainOptions, rank: int, world_size: int, device: torch.device | str
) -> LifterData:
    """Read what the options ask for. Raises UserError for what is absent."""
    data, loop, seed = options.data, options.loop, options.run.seed
    # Before the training data, which take longer to read.
    validation = fixed_pairs(data, "val", seed)
    source = _h36m(data, "train") if data.dataset == "h36m" else _motion(data, "train", seed)
    if isinstance(source, PosePairs):
        bodies = bodies_of_pairs(source)
        order = Order([len(source)], seed, shuffle=True)
        plan = Plan(order, loop.train_batch_size, True, rank, world_size)
        train, sources = PairBatches(source, bodies, plan, device), np.unique(source.sources)
        skeleton = source.skeleton_2d
    else:
        bodies = measure_bodies(
            source.positions, source.valid_of_frame(), source.subjects, source.clip_of_frame()
        )
        steps = max(1, options.drawing.epoch_poses // (loop.train_batch_size * world_size))
        train = MotionBatches(source, bodies, loop.train_batch_size, steps, seed, rank, device)
        sources, skeleton = np.unique(source.sources), validation.skeleton_2d
    still = Plan(
        Order([len(validation)], seed, shuffle=False),
        loop.test_batch_size,
        False,
        rank,
        world_size,
    )
    theirs = bodies_of_pairs(validation)
    return LifterData(
        train,
        PairBatches(validation, theirs, still, device),
        validation,
        bodies,
        skeleton,
        ", ".join(sources.tolist()),
    )
