"""MPII Human Pose as a table of people, from either of the two public JSON layouts.

Files count from 1, as MATLAB does; 1 is subtracted from joints, centres and head boxes.
The published rule for the box: the centre moves down by 15 px per unit of scale, and its side is
200 px per unit of scale, enlarged by a quarter (Newell et al. 2016).
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.spatial import KDTree

from stacked_hourglass.person_table import JOINTS, PersonTable, PictureFiles, make_table
from stacked_hourglass.sources import absent
from utils.errors import UserError
from utils.matlab_files import read_matlab

ANNOTATIONS = "mpii_annotations.json"
# Name in the folder or in its annot/ -> split of the layout that HRNet and mmpose share.
HRNET_FILES = {"train.json": "train", "valid.json": "val", "test_mpii.json": "val"}
HEAD_BOX_FILES = ("detections_our_format.mat", "gt_valid.mat")


class Person(NamedTuple):
    """One record of a file, still counting from 1."""

    picture: str
    joints: np.ndarray
    """(16, 3): x, y, and 1 seen, 0 hidden, NaN not told; NaN where missing"""
    centre: np.ndarray
    scale: float
    split: str
    head_box: np.ndarray


def mpii_box(centre: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Boxes (N, 3) of people with centres (N, 2) px and scales (N,) as MPII annotates them."""
    y = centre[:, 1] + 15 * scale
    return np.stack([centre[:, 0], y, 200 * 1.25 * scale], axis=-1)


def read_mpii(folder: str | Path) -> PersonTable:
    """MPII from `mpii_annotations.json`, or from `train.json` and `valid.json`.

    Pictures lie in `images/`, or beside the annotations. Head boxes of the validation people come
    from `detections_our_format.mat` if it is there. People without a box, without joints or without
    their picture are skipped and named. Raises UserError if files are absent or of another layout.
    """
    folder = Path(folder)
    people = _read_annotations(folder)
    images = folder / "images" if (folder / "images").is_dir() else folder
    here = {path.name for path in images.iterdir()}
    skipped: dict[str, list[str]] = {}
    kept: list[int] = []
    for row, person in enumerate(people):
        reason = _reason_to_skip(person, here)
        if reason:
            skipped.setdefault(reason, []).append(person.picture)
        else:
            kept.append(row)
    if not kept:
        raise absent("mpii", folder, f"none of the {len(people)} people annotated has a picture")
    return _table(folder, images, [people[row] for row in kept], np.array(kept), skipped)


def has_annotations(folder: Path) -> bool:
    """Are there annotations that `read_mpii` takes?"""
    names = (ANNOTATIONS, *HRNET_FILES)
    return any((place / name).is_file() for name in names for place in (folder, folder / "annot"))


def _table(
    folder: Path,
    images: Path,
    people: list[Person],
    rows: np.ndarray,
    skipped: dict[str, list[str]],
) -> PersonTable:
    names, picture = np.unique([person.picture for person in people], return_inverse=True)
    joints = np.array([person.joints for person in people])
    scale = np.array([person.scale for person in people])
    box = mpii_box(np.array([person.centre for person in people]) - 1, scale)
    keypoints = joints[..., :2] - 1
    heads = np.array([person.head_box for person in people]) - 1
    split = np.array([person.split for person in people])
    return make_table(
        "mpii",
        PictureFiles(images, names),
        keypoints,
        joints[..., 2],
        box,
        split,
        picture=picture,
        annotation_id=rows,
        head_box=_with_published_heads(heads, keypoints, split, folder),
        skipped=skipped,
    )


def _reason_to_skip(person: Person, here: set[str]) -> str:
    if person.picture not in here:
        return "picture missing"
    if not (person.centre > 0).any() or not 0 < person.scale < np.inf:
        return "no box"
    return "" if np.isfinite(person.joints[:, 0]).any() else "no joints"


def _read_annotations(folder: Path) -> list[Person]:
    if (folder / ANNOTATIONS).is_file():
        return _read_records(folder / ANNOTATIONS, _from_pytorch_pose)
    people, done = [], set[str]()
    for name, split in HRNET_FILES.items():
        for path in (folder / name, folder / "annot" / name):
            if split not in done and path.is_file():  # the same people may lie in both places
                people += _read_records(path, lambda record, s=split: _from_hrnet(record, s))
                done.add(split)
    if not people:
        raise absent("mpii", folder)
    return people


def _read_records(path: Path, parse: Callable[[dict[str, Any]], Person]) -> list[Person]:
    """The people of a JSON list. Raises UserError naming the entry that is not as it should be."""
    try:
        records = json.loads(path.read_bytes())
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not JSON: {error}") from error
    if not isinstance(records, list):
        raise UserError(f"{path} is no list of people")
    people = []
    for number, record in enumerate(records):
        try:
            people.append(parse(record))
        except KeyError as error:
            raise UserError(f"{path}: entry {number} lacks the field {error}") from error
        except (TypeError, ValueError, OverflowError) as error:
            raise UserError(f"{path}: entry {number} is malformed: {error}") from error
    return people


def _numbers(values: Any, shape: tuple[int, ...], name: str) -> np.ndarray:
    array = np.array(values, float)
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}, not {shape}")
    return array


def _from_pytorch_pose(record: dict[str, Any]) -> Person:
    """Layout of pytorch-pose: a missing joint is (0, 0, 0), the third number says if seen."""
    joints = _numbers(record["joint_self"], (JOINTS, 3), "joint_self")
    joints[(joints[:, :2] <= 0).all(axis=-1)] = np.nan
    return Person(
        picture=str(record["img_paths"]),
        joints=joints,
        centre=_numbers(record["objpos"], (2,), "objpos"),
        scale=float(record["scale_provided"]),
        split="val" if record["isValidation"] else "train",
        head_box=_numbers(record.get("head_box", [np.nan] * 4), (4,), "head_box"),
    )


def _from_hrnet(record: dict[str, Any], split: str) -> Person:
    """Layout of HRNet and mmpose: `joints_vis` is 1 where annotated; nobody says what is seen."""
    joints = np.full((JOINTS, 3), np.nan)
    joints[:, :2] = _numbers(record["joints"], (JOINTS, 2), "joints")
    annotated = _numbers(record["joints_vis"], (JOINTS,), "joints_vis") > 0
    joints[~annotated | (joints[:, :2] <= 0).all(axis=-1)] = np.nan
    return Person(
        picture=str(record["image"]),
        joints=joints,
        centre=_numbers(record["center"], (2,), "center"),
        scale=float(record["scale"]),
        split=split,
        head_box=np.full(4, np.nan),
    )


def _with_published_heads(
    heads: np.ndarray, keypoints: np.ndarray, split: np.ndarray, folder: Path
) -> np.ndarray:
    """Head boxes (N, 4), those of validation people from the published file if the folder has it.

    People are recognised by their joints, so neither order nor number has to agree.
    """
    path = next((folder / n for n in HEAD_BOX_FILES if (folder / n).is_file()), None)
    rows = np.flatnonzero(split == "val")
    if path is None or len(rows) == 0:
        return heads
    published, boxes = _read_head_boxes(path)
    near = np.sqrt(2 * JOINTS)  # one px in every coordinate: some copies are cut to whole pixels
    distance, match = KDTree(_without_nan(published)).query(
        _without_nan(keypoints[rows]), distance_upper_bound=near
    )
    found = np.isfinite(distance)
    if not found.any():
        raise UserError(f"{path} holds none of the validation people of {folder}")
    heads = heads.copy()
    heads[rows[found]] = boxes[np.asarray(match)[found]]
    return heads


def _without_nan(keypoints: np.ndarray) -> np.ndarray:
    return np.nan_to_num(keypoints, nan=-1.0).reshape(len(keypoints), -1)


def _read_head_boxes(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Joints (N, 16, 2) and head boxes (N, 4) of the published validation file, from 0."""
    arrays = read_matlab(path)
    try:
        joints = arrays["pos_gt_src"].transpose(2, 0, 1).astype(float) - 1
        missing = arrays["jnt_missing"].T != 0
        boxes = arrays["headboxes_src"].transpose(2, 0, 1).reshape(len(joints), 4) - 1
    except (KeyError, ValueError) as error:
        raise UserError(f"{path} is not the published evaluation file: {error}") from error
    if joints.shape[1:] != (JOINTS, 2) or missing.shape != joints.shape[:2]:
        raise UserError(f"{path} is not the published evaluation file: its shapes differ")
    joints[missing] = np.nan
    return joints, boxes.astype(float)
