"""Keypoints of any kind, of people, animals or things, from annotations in COCO's layout.

The file's category names the joints and the lines between them; which joints a mirror image
exchanges follows from the names, or from `--flip_pairs`.
"""

import re
from os.path import isfile
from pathlib import Path
from typing import Any

import numpy as np

from stacked_hourglass.coco import CocoPeople, Skipped, read_annotations
from stacked_hourglass.options import CustomOptions
from stacked_hourglass.person_table import PersonTable, PictureFiles, make_table
from stacked_hourglass.splits import HELD_OUT, held_out
from stacked_hourglass.turned import as_shown
from utils.errors import UserError
from utils.skeletons import Skeleton, custom_skeleton

# `left` anywhere in a name, or an l that no other letter stands beside.
_LEFT = re.compile(r"left|(?<![a-z])l(?![a-z])", re.IGNORECASE)
_RIGHT = {"left": "right", "Left": "Right", "LEFT": "RIGHT", "l": "r", "L": "R"}


def annotations_file(folder: Path, options: CustomOptions) -> Path:
    """Where the annotations should be."""
    return folder / options.annotations


def read_custom(folder: str | Path, options: CustomOptions) -> PersonTable:
    """Everybody in `--annotations` (and `--validation_annotations`) of a folder.

    Without the second file, one picture in HELD_OUT validates; an only one trains and validates. A
    picture's `file_name` counts from the folder or from its `images/`. Places are in px of the
    pictures as shown; see `turned.as_shown`. Crowds and who has no keypoint, no picture or no box
    are skipped and named. Raises UserError if files are absent, of another layout, or nobody is
    left.
    """
    folder, skipped = Path(folder), {}
    path = annotations_file(folder, options)
    if not path.is_file():
        raise UserError(
            f"there is no {path}: --data_dir is the folder of the pictures, --annotations the file "
            "in COCO's layout (images, annotations, categories), counted from that folder"
        )
    parts = [_read(path, folder, options, skipped)]
    if options.validation_annotations:
        parts.append(_read(folder / options.validation_annotations, folder, options, skipped))
    elif len(set(parts[0].picture.tolist())) == 1:
        parts *= 2
    skeletons = {skeleton_of(part.category, options, path) for part in parts}
    if len(skeletons) > 1:
        raise UserError("--annotations and --validation_annotations have different joints")
    return _table(path.stem, folder, parts, _split(parts), skeletons.pop(), skipped)


def _split(parts: list[CocoPeople]) -> np.ndarray:
    """train or val (N,) for everybody in one file, or in one to train and one to validate on."""
    if len(parts) == 2:
        return np.repeat(["train", "val"], [len(part) for part in parts])
    _, number = np.unique(parts[0].picture, return_inverse=True)
    return np.where(held_out(number, HELD_OUT // 2), "val", "train")


def _read(path: Path, folder: Path, options: CustomOptions, skipped: Skipped) -> CocoPeople:
    def find(name: str) -> str | None:
        # Not Path.is_file, which raises for a name that is too long.
        return next((p for p in (name, f"images/{name}") if isfile(folder / p)), None)

    people = read_annotations(path, options.category, find, skipped)
    if not len(people):
        reasons = ", ".join(f"{len(names)} {why}" for why, names in skipped.items())
        raise UserError(f"{path}: nobody can be used ({reasons or 'it is empty'})")
    return as_shown(people, folder)


def skeleton_of(category: dict[str, Any], options: CustomOptions, path: Path) -> Skeleton:
    """Joints, bones and pairs of a file's category. Raises UserError if they contradict another."""
    joints = [str(name) for name in category["keypoints"]]
    try:
        ends = np.array(category.get("skeleton") or [], int).reshape(-1, 2)
        # COCO numbers joints from 1; what holds a 0 is numbered from 0.
        bones = ends - int(bool(ends.size and ends.min() > 0))
        swaps = [_pair(pair, joints) for pair in options.flip_pairs] or pairs_by_name(joints)
        return custom_skeleton(joints, bones.tolist(), swaps)
    except (TypeError, ValueError, OverflowError) as error:
        raise UserError(f"{path}: the joints of `{category.get('name')}`: {error}") from error


def _pair(pair: str, joints: list[str]) -> tuple[int, int]:
    left, _, right = pair.partition(":")
    if left not in joints or right not in joints:
        raise ValueError(f"--flip_pairs {pair} is no left:right of {', '.join(joints)}")
    return joints.index(left), joints.index(right)


def pairs_by_name(joints: list[str]) -> list[tuple[int, int]]:
    """(left, right) places of joints whose names differ in these words, or in l and r, alone."""
    pairs = []
    for place, joint in enumerate(joints):
        other = _LEFT.sub(lambda found: _RIGHT.get(found[0], found[0]), joint)
        if other != joint and other in joints:
            pairs.append((place, joints.index(other)))
    return pairs


def _table(
    name: str,
    folder: Path,
    parts: list[CocoPeople],
    split: np.ndarray,
    skeleton: Skeleton,
    skipped: Skipped,
) -> PersonTable:
    def of_all(field: str) -> np.ndarray:
        return np.concatenate([getattr(part, field) for part in parts])

    names, picture = np.unique(of_all("picture"), return_inverse=True)
    return make_table(
        name,
        PictureFiles(folder, names, as_shown=True),
        of_all("keypoints"),
        of_all("visibility"),
        of_all("box"),
        split,
        picture=picture,
        annotation_id=of_all("id"),
        skipped=skipped,
        skeleton=skeleton.name,
    )
