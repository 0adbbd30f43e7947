"""Which people to train on and which to validate on."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stacked_hourglass.custom import read_custom
from stacked_hourglass.data import READERS, read_people
from stacked_hourglass.mannequin_films import mannequin_films
from stacked_hourglass.mannequin_people import mannequin_people
from stacked_hourglass.options import MANNEQUINS, WINDOW, DataOptions
from stacked_hourglass.person_table import PersonTable, mix
from stacked_hourglass.sources import AbsentError, default_folder
from stacked_hourglass.splits import hold_out, picture_names
from utils.errors import UserError
from utils.skeletons import skeleton_named

MANNEQUIN_VALIDATION = 500
FILMS_VALIDATION = 100


@dataclass(frozen=True)
class TrainingPeople:
    """People of one or several data sets, laid end to end."""

    train: PersonTable
    sizes: list[int]
    """people of each source in `train`"""
    weights: tuple[float, ...] | None
    """how often each source is drawn, or None for every person once an epoch"""
    validation: PersonTable


def read_source(source: str, data: DataOptions, seed: int) -> PersonTable:
    """One source of `--sources`: name, name=folder, name=count for mannequins, or a pack."""
    name, _, place = source.partition("=")
    if name in MANNEQUINS and place and not re.fullmatch("0*[1-9][0-9]{,17}", place):
        what = "pictures" if name == "mannequin" else "films"
        raise UserError(f"--sources {source}: {name} takes a number of {what}")
    if name == "mannequin":
        return mannequin_people(int(place or data.mannequin_count), MANNEQUIN_VALIDATION, seed)
    if Path(name).suffix and not place:
        return read_people("", name)
    if name == "mannequin_video":
        frames = data.film_frames or WINDOW
        films = int(place or data.mannequin_films)
        return mannequin_films(films, FILMS_VALIDATION, frames, seed)
    if name == "custom":
        return read_custom(place or "data/custom", data.custom)
    if name not in READERS and name != "people":
        known = ", ".join((*READERS, *MANNEQUINS, "custom"))
        raise UserError(f"--sources {source} is unknown: known are {known}, and *.pack files")
    try:
        return read_people(name, place or default_folder(name))
    except AbsentError as error:
        way_out = "or train hourglass_mannequin, which needs no data"
        raise UserError(f"{error.and_prepare}; {way_out}") from error


def untrained_joints(train: PersonTable) -> set[str]:
    """Joints that nobody who trains has."""
    joints = skeleton_named(train.skeleton).joints
    unknown = np.flatnonzero(np.isnan(train.keypoints[..., 0]).all(axis=0))
    return {joints[place] for place in unknown.tolist()}


def training_people(data: DataOptions, seed: int) -> TrainingPeople:
    """Read what the options ask for. Raises UserError for what is absent or contradictory."""
    if data.dataset == "people" and not data.data_dir:
        if not data.sources:
            raise UserError(
                "hourglass_people needs --sources, such as lsp=data/lsp mannequin=20000"
            )
        sources = data.sources
    else:
        place = str(data.mannequin_count) if data.dataset == "mannequin" else data.data_dir
        sources = (f"{data.dataset}={place}",)
    if data.source_weights and len(data.source_weights) != len(sources):
        raise UserError(f"--source_weights needs {len(sources)} numbers, one for each source")
    tables = [read_source(source, data, seed) for source in sources]
    if not any("val" in table.split for table in tables):
        tables[0] = hold_out(tables[0])
    validating = next(table for table in tables if "val" in table.split)
    if len(set(picture_names(validating))) == 1:
        print(f"{validating.name}: its only picture trains and validates")
    splits = ("train", "val") if data.train_on_validation else ("train",)
    parts = [table.of_split(*splits) for table in tables]
    for table in tables:
        for line in table.skipped_lines():
            print(line)
    sizes = [len(part) for part in parts]
    validation = validating.of_split("val")
    return TrainingPeople(mix(parts), sizes, data.source_weights or None, validation)
