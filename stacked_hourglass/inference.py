"""`run.py hourglass_*`: the joints of a data set's people, or of a folder of pictures."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from stacked_hourglass.custom import annotations_file, read_custom
from stacked_hourglass.data import READERS, read_people
from stacked_hourglass.mannequin_films import mannequin_films
from stacked_hourglass.mannequin_people import mannequin_people
from stacked_hourglass.options import MANNEQUINS, HourglassRunOptions
from stacked_hourglass.person_table import JOINTS, PersonTable, Picture, make_table
from stacked_hourglass.predictor import Predictor
from stacked_hourglass.reading import people_poses, read_people_joints
from stacked_hourglass.sources import AbsentError, default_folder
from stacked_hourglass.splits import hold_out
from utils.crops import whole_image_box
from utils.errors import UserError
from utils.images import list_images, read_image, read_image_size
from utils.matlab_files import write_matlab
from utils.option_checks import refuse_given
from utils.pose_file import Poses, write_poses

FILM = 25
"""Frames of the films of hourglass_mannequin_video."""


@dataclass(frozen=True)
class ShownPictures:
    """Pictures of a plain folder, turned as a viewer shows them."""

    paths: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def name(self, index: int) -> str:
        return self.paths[index].name

    def read(self, index: int) -> Picture:
        return Picture(read_image(self.paths[index]))

    def cache_parts(self, indices: np.ndarray) -> tuple[list[Path], dict[str, Any]]:
        return [self.paths[index] for index in indices.tolist()], {}


def folder_people(folder: Path) -> tuple[PersonTable, list[str]]:
    """One person in each picture of a plain folder, the whole picture as box; and what cannot be
    read, a line each. Raises UserError if nothing can."""
    paths, boxes, failures = [], [], []
    for path in list_images(folder):
        try:
            boxes.append(whole_image_box(*read_image_size(path)))
            paths.append(path)
        except UserError as error:
            failures.append(str(error))
    if not paths:
        raise UserError(f"no readable picture in {folder}: {failures[0] if failures else 'empty'}")
    nothing = np.full((len(paths), JOINTS, 2), np.nan)
    table = make_table(
        folder.name,
        ShownPictures(tuple(paths)),
        nothing,
        nothing[..., 0],
        np.array(boxes),
        np.full(len(paths), "test"),
    )
    return table, failures


def _folder_people(options: HourglassRunOptions, folder: Path) -> tuple[PersonTable, list[str]]:
    refuse_given(options, ("split", "mannequin_count", "seed"), "for a folder of pictures")
    return folder_people(folder)


def find_people(options: HourglassRunOptions) -> tuple[PersonTable, list[str]]:
    """The people to look at, and a line for each picture that cannot be read.

    A folder of pictures in which the data set is not is read as no more than these.
    """
    place = options.data_dir or default_folder(options.dataset)
    folder = Path(place)
    has_pictures = options.data_dir and folder.is_dir() and list_images(folder, allow_empty=True)
    if options.dataset == "custom" and (
        annotations_file(folder, options.custom).is_file() or not has_pictures
    ):
        return read_custom(folder, options.custom).of_split(options.split), []
    if has_pictures and options.dataset not in READERS:
        return _folder_people(options, folder)
    if options.dataset in MANNEQUINS and options.data_dir:
        raise UserError(f"--data_dir {folder} holds no pictures; mannequins need none")
    if options.dataset == "mannequin":
        table = mannequin_people(1, options.mannequin_count, options.seed)
        return table.of_split("val"), []
    if options.dataset == "mannequin_video":
        films = -(-options.mannequin_count // FILM)
        return mannequin_films(0, films, FILM, options.seed).of_split("val"), []
    if options.dataset == "people" and not options.data_dir:
        raise UserError(
            "hourglass_people needs --data_dir: a training pack or a folder of pictures"
        )
    try:
        people = read_people(options.dataset, place)
        return (people if options.split == "test" else hold_out(people)).of_split(options.split), []
    except AbsentError as error:
        if has_pictures:
            return _folder_people(options, folder)
        raise UserError(error.and_prepare) from error


def write_predictions(folder: Path, poses: Poses, dataset: str) -> None:
    """poses.npz, and for MPII preds.mat: `preds` (N, 16, 2), 1-based px, rows in the same order."""
    write_poses(folder / "poses.npz", poses)
    if dataset == "mpii" and poses.skeleton_2d == "mpii_16":
        write_matlab(folder / "preds.mat", {"preds": poses.keypoints_2d + 1})


def run(options: HourglassRunOptions) -> int:
    """Find the joints and write them. -> exit code: 1 if a picture could not be read."""
    # First what the command names; the data set may lie where it always does.
    predictor = Predictor.load(options.load, options.accelerator, options.precision)
    table, failures = find_people(options)
    if options.decoder != "auto":
        predictor.description = replace(predictor.description, decoder=options.decoder)
    decoder = predictor.description.decoder
    reading = read_people_joints(
        predictor, table, (decoder,), options.flip, options.test_batch_size, options.scales
    )
    folder = Path(options.output_dir)
    write_predictions(folder, people_poses(reading, predictor, table), options.dataset)
    for line in failures + reading.failures:
        print(f"error: {line}", file=sys.stderr)
    print(f"{len(reading.rows)} people: {folder / 'poses.npz'}")
    return 1 if failures or reading.failures else 0
