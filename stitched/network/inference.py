"""`run.py stitched_*`: 2D and 3D joints of a data set's people, or of a folder of pictures."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from stacked_hourglass.inference import find_people
from stacked_hourglass.options import HourglassRunOptions
from stacked_hourglass.person_table import PersonTable
from stitched.network.data import PicturedPairs, as_batch
from stitched.network.options import DataOptions, StitchedRunOptions
from stitched.network.predictor import Crops, StitchedModel, filled, find_pairs
from stitched.network.training_data import pictures_of
from twod_threed.pose_rows import find_intrinsics, write_lifted
from utils.errors import UserError
from utils.pose_file import Poses, concatenate, empty_row


def run(options: StitchedRunOptions) -> int:
    """Find the joints and write them as poses.npz and poses.json, and beside them the ground truth
    of a data set that has it. -> exit code: 1 if a picture could not be read."""
    # First what the command names; the data set may lie where it always does.
    weights = options.weights
    model = StitchedModel.load(weights.load, options.join, weights.accelerator, weights.precision)
    failures: list[str] = []
    pairs = None
    if options.dataset == "mpii":
        table, failures = mpii_people(options)
        found = find_table(model, table, weights.flip, weights.test_batch_size, failures)
    else:
        people = known_people(options)
        pairs = people.pairs
        found = find_pairs(model, people, weights.flip, weights.test_batch_size)
    intrinsics = find_intrinsics(found, options.focal, options.fov)
    write_lifted(Path(options.output_dir), model.lift(found, intrinsics, options.height), pairs)
    for line in failures:
        print(f"error: {line}", file=sys.stderr)
    return 1 if failures else 0


def mpii_people(options: StitchedRunOptions) -> tuple[PersonTable, list[str]]:
    """People of MPII, of a training pack or of a folder of pictures; what cannot be read."""
    chosen = HourglassRunOptions(dataset="mpii", data_dir=options.data_dir, split=options.split)
    return find_people(chosen)


def known_people(options: StitchedRunOptions) -> PicturedPairs:
    """People whose 3D poses are known. Raises UserError if they are absent."""
    assert options.dataset != "mpii"
    if options.dataset == "mannequin":
        count = options.mannequin_count
        data = DataOptions(mannequin_count=count, held_out_count=count)
    else:
        data = DataOptions(options.dataset, options.data_dir)
    return pictures_of(data, options.split, options.seed)


def find_table(
    model: StitchedModel, table: PersonTable, flip: bool, batch_size: int, failures: list[str]
) -> Poses:
    """2D joints of everybody in the table whose picture can be read; of the others, a line each
    goes to `failures`. Raises UserError if no picture can be read."""
    rows: list[Poses] = []

    def crops() -> Iterator[Crops]:
        for start in range(0, len(table), batch_size):
            cut, kept, first = [], [], len(rows)
            for row in range(start, min(start + batch_size, len(table))):
                try:
                    picture = table.read_picture(row)
                except UserError as error:
                    failures.append(str(error))
                    continue
                person = int(table.annotation_id[row])
                name = table.picture_name(row)
                rows.append(empty_row(name, picture.size, model.skeleton, person=person))
                cut.append(picture.crop(table.box[row], model.resolution))
                kept.append(row)
            if cut:
                yield as_batch(cut), table.box[kept], np.arange(first, len(rows))

    found = list(model.batches(crops(), flip))
    if not found:
        raise UserError(f"none of the pictures of {table.name} can be read: {failures[0]}")
    return filled(concatenate(rows), found, model.skeleton)
