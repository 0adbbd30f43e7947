"""MPII's official MATLAB annotation file as the records of the pytorch-pose JSON layout."""

import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from stacked_hourglass.mpii import mpii_box
from stacked_hourglass.person_table import JOINTS
from utils.errors import UserError
from utils.matlab_files import read_matlab

# One picture in so many validates where no list of validation people is given.
HELD_OUT = 10


@dataclass(frozen=True)
class ValidationPeople:
    """Who validates: picture -> boxes (n, 3) from 1, as `mpii_box` makes them."""

    boxes: dict[str, np.ndarray]

    def split(self, picture: str, box: np.ndarray) -> str | None:
        """`val`, `train`, or None for others in a picture with somebody who validates."""
        if picture not in self.boxes:
            return "train"
        difference = np.abs(self.boxes[picture] - box).max(axis=1)
        return "val" if difference.min() < 1 else None


def read_validation_people(path: str | Path) -> ValidationPeople:
    """The published validation list: `valid.h5` (imgname, center, scale), or HRNet's `valid.json`.

    Raises UserError if it is absent or of another layout.
    """
    path = Path(path)
    try:
        names, boxes = _from_h5(path) if path.suffix == ".h5" else _from_json(path)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise UserError(f"{path} is no list of MPII's validation people: {error}") from error
    return ValidationPeople({str(name): boxes[names == name] for name in np.unique(names)})


def picture_names(file: h5py.File) -> np.ndarray:
    """`imgname` (N,) of MPII's lists. Raises KeyError, TypeError or ValueError for what is none."""
    return np.char.decode(np.asarray(file["imgname"]).astype(bytes))


def _from_h5(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Names (N,) and boxes (N, 3); centre and scale in this file are those of the box already."""
    with h5py.File(path) as file:
        names = picture_names(file)
        centre, scale = np.asarray(file["center"]), np.asarray(file["scale"])
    return names, np.concatenate([centre, 200 * scale[:, None]], axis=1)


def _from_json(path: Path) -> tuple[np.ndarray, np.ndarray]:
    records = json.loads(path.read_bytes())
    names = np.array([record["image"] for record in records])
    centre = np.array([record["center"] for record in records], float)
    return names, mpii_box(centre, np.array([record["scale"] for record in records], float))


def convert_mpii(
    path: str | Path, validation: ValidationPeople | None
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Read `mpii_human_pose_v1_u12_1.mat` -> records for `mpii_annotations.json`, and what was
    left out: reason -> number of people.

    Only the training pictures have annotations. Without a list of validation people, the people of
    one picture in HELD_OUT (by its name) validate. Raises UserError if the file is absent or of
    another layout.
    """
    path = Path(path)
    try:
        release = read_matlab(path)["RELEASE"].reshape(-1)[0]
        pictures, in_training = release["annolist"].reshape(-1), release["img_train"].reshape(-1)
        if len(pictures) != len(in_training):
            raise ValueError("annolist and img_train differ in length")
        records, skipped = [], dict[str, int]()
        for number in np.flatnonzero(in_training).tolist():
            for person, annotation in enumerate(_structs(pictures[number], "annorect")):
                record = _record(_name(pictures[number]), annotation, validation)
                if isinstance(record, str):
                    skipped[record] = skipped.get(record, 0) + 1
                else:
                    records.append(
                        record | {"annolist_index": number + 1, "people_index": person + 1}
                    )
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise UserError(f"{path} is not MPII's annotation file: {error}") from error
    return records, skipped


def _record(
    name: str, annotation: np.void, validation: ValidationPeople | None
) -> dict[str, Any] | str:
    """One person as a JSON record, or why there is none."""
    points = _structs(annotation, "annopoints")
    joints = _joints(points[0]) if len(points) else None
    if joints is None or not (joints[:, :2] > 0).any():
        return "no joints"
    scale = _number(annotation, "scale")
    places = _structs(annotation, "objpos")
    if not scale > 0 or len(places) == 0:
        return "no box"
    centre = [_number(places[0], "x"), _number(places[0], "y")]
    box = mpii_box(np.array([centre]), np.array([scale]))[0]
    split = _held_out(name) if validation is None else validation.split(name, box)
    if split is None:
        return "in a picture with somebody who validates"
    head = [_number(annotation, corner) for corner in ("x1", "y1", "x2", "y2")]
    record = {
        "dataset": "MPI",
        "isValidation": float(split == "val"),
        "img_paths": name,
        "objpos": centre,
        "scale_provided": scale,
        "joint_self": joints.tolist(),
    }
    return record | ({"head_box": head} if np.isfinite(head).all() else {})


def _held_out(name: str) -> str:
    return "train" if zlib.crc32(name.encode()) % HELD_OUT else "val"


def _joints(annopoints: np.void) -> np.ndarray | None:
    """(16, 3) in the JSON's convention: x, y from 1 and 1 seen or 0 hidden; 0, 0, 0 is missing.

    The file leaves `is_visible` empty for neck and head top, and stores it as a number or a
    character; a joint without it counts as seen, as in the published JSON.
    """
    joints = np.zeros((JOINTS, 3))
    points = _structs(annopoints, "point")
    for point in points:
        seen = _number(point, "is_visible")
        number = int(_number(point, "id"))
        joints[number] = _number(point, "x"), _number(point, "y"), 1 if np.isnan(seen) else seen
    return joints if len(points) else None


def _structs(parent: np.void, field: str) -> np.ndarray:
    """The structs in a field, none where the field is absent or empty."""
    names = parent.dtype.names or ()
    value = np.asarray(parent[field]) if field in names else np.empty(0)
    return value.reshape(-1) if value.dtype.names else np.empty(0)


def _number(parent: np.void, field: str) -> float:
    """A number, given as one or as characters; NaN where the field is absent or empty."""
    value = np.asarray(parent[field]) if field in (parent.dtype.names or ()) else np.empty(0)
    return float(value.reshape(-1)[0]) if value.size else float("nan")


def _name(picture: np.void) -> str:
    return str(_structs(picture, "image")[0]["name"].reshape(-1)[0])
