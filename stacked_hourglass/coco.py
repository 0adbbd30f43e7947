"""COCO person keypoints as a table of people.

COCO's keypoints are numbers of pixels from 0, so they already are coordinates of pixel centres. Its
boxes are measured from the picture's outer edge, half a pixel before that: 0.5 is subtracted.
"""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from stacked_hourglass.person_table import PersonTable, PictureFiles, make_table
from stacked_hourglass.readers import to_mpii
from stacked_hourglass.sources import absent
from utils.errors import UserError
from utils.skeletons import COCO_17

BOX_MARGIN = 1.25
_FILE = re.compile(r"person_keypoints_((train|val)\d{4})\.json")


def read_coco(folder: str | Path) -> PersonTable:
    """COCO from `annotations/person_keypoints_{train,val}2017.json` (or another year).

    Pictures lie in `train2017/` and `val2017/`, in the folder or in its `images/`. The box is the
    annotated one, square and `BOX_MARGIN` times as large. Crowds, people without a joint that MPII
    has and people without their picture are skipped and named. Raises UserError if files are absent
    or of another layout.
    """
    folder = Path(folder)
    annotations = folder / "annotations"
    files = sorted(annotations.iterdir()) if annotations.is_dir() else []
    matches = [(path, match) for path in files if (match := _FILE.fullmatch(path.name))]
    if not matches:
        raise absent("coco", folder)
    people: list[dict[str, Any]] = []
    skipped: dict[str, list[str]] = {}
    for path, match in matches:
        people += _read_people(path, _pictures_of(folder, match[1]), match[2], skipped)
    if not people:
        raise absent("coco", folder, "nobody annotated has a picture")
    return _table(folder, people, skipped)


def _pictures_of(folder: Path, part: str) -> dict[str, str]:
    """File name -> path relative to `folder` of the pictures of a part such as train2017."""
    places = (place for place in (part, f"images/{part}") if (folder / place).is_dir())
    place = next(places, None)
    if place is None:
        return {}
    return {path.name: f"{place}/{path.name}" for path in (folder / place).iterdir()}


def _read_people(
    path: Path, pictures: dict[str, str], split: str, skipped: dict[str, list[str]]
) -> list[dict[str, Any]]:
    """The usable annotations of one file; the others are added to `skipped`."""
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise UserError(f"{path} is not JSON: {error}") from error
    people = []
    try:
        _check_joints(path, content["categories"])
        names = {image["id"]: str(image["file_name"]) for image in content["images"]}
        for annotation in content["annotations"]:
            name = names[annotation["image_id"]]
            reason = _reason_to_skip(annotation, name in pictures)
            if reason:
                skipped.setdefault(reason, []).append(name)
            else:
                people.append(_person(annotation, pictures[name], split))
    except KeyError as error:
        raise UserError(f"{path} lacks {error}") from error
    except (TypeError, ValueError) as error:
        raise UserError(f"{path} is malformed: {error}") from error
    return people


def _check_joints(path: Path, categories: list[dict[str, Any]]) -> None:
    order = next((c["keypoints"] for c in categories if c.get("name") == "person"), None)
    if order is None or tuple(order) != COCO_17.joints:
        raise UserError(f"{path}: its category `person` does not have the 17 joints of COCO")


def _reason_to_skip(annotation: dict[str, Any], has_picture: bool) -> str:
    if annotation.get("iscrowd", 0):
        return "crowd"
    if not any(flag > 0 for flag in annotation["keypoints"][2::3]):
        return "no joints"
    if not has_picture:
        return "picture missing"
    return "" if min(annotation["bbox"][2:]) > 0 else "no box"


def _person(annotation: dict[str, Any], picture: str, split: str) -> dict[str, Any]:
    joints = np.array(annotation["keypoints"], float)
    x, y, width, height = map(float, annotation["bbox"])
    if joints.shape != (3 * len(COCO_17),):
        raise ValueError(f"annotation {annotation['id']} has {joints.size} keypoint numbers")
    return {
        "joints": joints.reshape(-1, 3),
        "box": (x + width / 2 - 0.5, y + height / 2 - 0.5, BOX_MARGIN * max(width, height)),
        "picture": picture,
        "split": split,
        "id": int(annotation["id"]),
    }


def _table(
    folder: Path, people: list[dict[str, Any]], skipped: dict[str, list[str]]
) -> PersonTable:
    columns = {name: np.array([person[name] for person in people]) for name in people[0]}
    joints, flags = columns["joints"][..., :2], columns["joints"][..., 2]
    joints = np.where(flags[..., None] > 0, joints, np.nan)
    # 0 not annotated, 1 annotated though hidden, 2 seen.
    keypoints, visibility = to_mpii(joints, np.where(flags > 0, flags - 1, np.nan), COCO_17)
    usable = np.isfinite(keypoints[..., 0]).any(axis=-1)
    faces = [Path(picture).name for picture in columns["picture"][~usable]]
    skipped.setdefault("no joints", []).extend(faces)
    names, picture = np.unique(columns["picture"], return_inverse=True)
    return make_table(
        "coco",
        PictureFiles(folder, names),
        keypoints[usable],
        visibility[usable],
        columns["box"][usable],
        columns["split"][usable],
        picture=picture[usable],
        annotation_id=columns["id"][usable],
        skipped=skipped,
    )
