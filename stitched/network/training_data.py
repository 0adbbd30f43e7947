"""Which pictures train, validate and test."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stacked_hourglass.data import collate
from stitched.network.data import PicturedDataset, PicturedPairs
from stitched.network.h36m_pictures import read_h36m_pictures
from stitched.network.mannequin_pictures import mannequin_pictures
from stitched.network.options import DataOptions, Split
from twod_threed.h36m_takes import SUBJECTS
from utils.batches import LoadedBatches, Order, Plan
from utils.options import LoopOptions
from utils.subjects import check_subjects

H36M_FOLDER = "data/h36m/images"


def pictures_of(data: DataOptions, split: Split, seed: int) -> PicturedPairs:
    """The pictured people of a split. Raises UserError if they are absent or damaged."""
    if data.dataset == "mannequin":
        count = data.mannequin_count if split == "train" else data.held_out_count
        return mannequin_pictures(split, count, seed)
    check_subjects(
        SUBJECTS,
        training=data.train_subjects,
        validation=data.val_subjects,
        test=data.test_subjects,
    )
    subjects = getattr(data, f"{split}_subjects")
    if split == "train" and not subjects:
        held_out = (*data.val_subjects, *data.test_subjects)
        subjects = tuple(name for name in SUBJECTS if name not in held_out)
    return read_h36m_pictures(Path(data.data_dir or H36M_FOLDER), subjects, data.every)


@dataclass(frozen=True)
class StitchedData:
    """What a run works on, for this process."""

    train: LoadedBatches
    validation: LoadedBatches
    validation_people: PicturedPairs
    name: str


def stitched_data(
    data: DataOptions, loop: LoopOptions, seed: int, resolution: int, rank: int, world_size: int
) -> StitchedData:
    """Read what the options ask for. Raises UserError for what is absent."""
    validation = pictures_of(data, "val", seed)
    train = pictures_of(data, "train", seed)
    plan = Plan(Order([len(train)], seed, True), loop.train_batch_size, True, rank, world_size)
    still = Order([len(validation)], seed, shuffle=False)
    still_plan = Plan(still, loop.test_batch_size, False, rank, world_size)
    seen, held_out = (PicturedDataset(people, resolution) for people in (train, validation))
    return StitchedData(
        LoadedBatches(seen, plan, loop.workers, collate),
        LoadedBatches(held_out, still_plan, min(loop.workers, 1), collate),
        validation,
        ", ".join(np.unique(train.pairs.sources).tolist()),
    )
