"""`--boxes FILE`: where people are, told by a file rather than searched for."""

import csv
import os
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from utils.errors import UserError
from utils.pose_json import read_pose_file

COLUMNS = ("source", "frame", "cx", "cy", "side")


@dataclass(frozen=True)
class Boxes:
    """N boxes of one picture: `places` (N, 3) centre x, centre y, side, px; `people` (N,) numbers,
    or None where nobody knows who is who."""

    places: np.ndarray
    people: np.ndarray | None

    def first(self, count: int | None) -> "Boxes":
        """The first `count` of them; all if it is None."""
        return Boxes(self.places[:count], None if self.people is None else self.people[:count])


class BoxesFile:
    """Boxes by source and frame, of a pose file or a CSV file.

    A source is found by its path or, where only one source of the file has it, by its name
    without folders. Raises UserError if the file is absent, damaged or not one of boxes, or has a
    person twice in a frame.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        is_csv = Path(path).suffix.lower() == ".csv"
        sources, frames, places, people = (_read_csv if is_csv else _read_poses)(path)
        self._rows: dict[tuple[str, int], list[int]] = defaultdict(list)
        self._places, self._people = places, people
        for row in np.flatnonzero(np.isfinite(places).all(axis=1)).tolist():
            self._rows[sources[row], int(frames[row])].append(row)
        self._by_path: dict[str, list[str]] = defaultdict(list)
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for source in sorted(set(sources)):
            self._by_path[os.path.realpath(source)].append(source)
            self._by_name[Path(source).name].append(source)
        self._names: dict[str, str] = {}
        self._check_people()

    def _check_people(self) -> None:
        """Raises UserError if a person is twice in a frame: there is one row for each."""
        for (source, frame), rows in self._rows.items():
            people = [] if self._people is None else self._people[rows].tolist()
            twice = [person for person, count in Counter(people).items() if count > 1]
            if twice:
                raise UserError(
                    f"{self.path}: person {twice[0]} is there twice in frame {frame} of {source}"
                )

    def check(self, source: str) -> None:
        """Raises UserError if the file has no boxes of this source at all."""
        self._name_of(source)

    def of(self, source: str, frame: int) -> Boxes:
        """Boxes of a source's frame; none where the file has none. Raises UserError as `check`."""
        rows = self._rows.get((self._name_of(source), frame), [])
        people = None if self._people is None else self._people[rows]
        return Boxes(self._places[rows], people)

    def _name_of(self, source: str) -> str:
        """What the file calls a source."""
        if source not in self._names:
            self._names[source] = self._look_up(source)
        return self._names[source]

    def _look_up(self, source: str) -> str:
        same = self._by_path.get(os.path.realpath(source), [])
        same = same or self._by_name.get(Path(source).name, [])
        if len(same) != 1:
            problem = "no boxes" if not same else f"{len(same)} sources of this name"
            raise UserError(f"{self.path} has {problem} for {source}")
        return same[0]


_Table = tuple[list[str], np.ndarray, np.ndarray, np.ndarray | None]


def _read_poses(path: str) -> _Table:
    poses = read_pose_file(path)
    return poses.source.tolist(), poses.frame, poses.box, poses.person


def _read_csv(path: str) -> _Table:
    """sources, frames (N,), boxes (N, 3), people (N,) or None."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            names = [name.strip() for name in reader.fieldnames or ()]
            missing = [name for name in COLUMNS if name not in names]
            if missing:
                wanted = ", ".join(COLUMNS)
                raise UserError(f"{path} has no column {missing[0]}; boxes need {wanted}")
            reader.fieldnames = names
            rows = [_csv_row(row, f"{path}, line {reader.line_num}") for row in reader]
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    except (UnicodeError, csv.Error) as error:
        raise UserError(f"{path} is not a table of boxes: {error}") from error
    numbers = np.array([row.numbers for row in rows]).reshape(-1, 4)
    people = np.array([row.person for row in rows]) if "person" in names else None
    frames, places = numbers[:, 0].astype(np.int64), numbers[:, 1:].astype(np.float32)
    return [row.source for row in rows], frames, places, people


class _Row(NamedTuple):
    source: str
    numbers: list[float]
    person: np.int64


def _csv_row(row: dict[str, str], where: str) -> _Row:
    try:
        numbers = [float(row[name]) for name in COLUMNS[1:]]
        person = np.int64(int(row.get("person", 0)))
        source = row["source"].strip()
    except (ValueError, TypeError, OverflowError, AttributeError) as error:
        raise UserError(f"{where}: not a box ({error})") from error
    if np.float32(numbers[3]) <= 0 or not (numbers[0].is_integer() and abs(numbers[0]) < 2**53):
        raise UserError(f"{where}: a box without a side, or a frame without a number")
    return _Row(source, numbers, person)
