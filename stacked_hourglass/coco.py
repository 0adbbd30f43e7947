"""COCO person keypoints as a table of people, and whatever else is annotated in COCO's layout.

COCO's keypoints are numbers of pixels from 0, so they already are coordinates of pixel centres. Its
boxes are measured from the picture's outer edge, half a pixel before that: 0.5 is subtracted.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stacked_hourglass.person_table import PersonTable, PictureFiles, make_table
from stacked_hourglass.readers import to_mpii
from stacked_hourglass.sources import absent
from utils.crops import box_around
from utils.errors import UserError
from utils.skeletons import COCO_17

BOX_MARGIN = 1.25
# Where no box is annotated, that of the keypoints counts, times this: they lie inside the outline.
KEYPOINTS_MARGIN = 1.4
_FILE = re.compile(r"person_keypoints_((train|val)\d{4})\.json")
FindPicture = Callable[[str], str | None]
"""File name of a picture -> its path relative to the data set's folder, None if it is not there."""
Skipped = dict[str, list[str]]
"""Why people were left out -> their pictures."""


@dataclass(frozen=True)
class CocoPeople:
    """N usable annotations, and the kind of thing that they are of."""

    category: dict[str, Any]
    """`name`, `keypoints` (names) and what else the file says of it"""
    keypoints: np.ndarray
    """(N, J, 2) px, NaN where not annotated"""
    visibility: np.ndarray
    """(N, J) 1 seen, 0 annotated though hidden, NaN not annotated"""
    box: np.ndarray
    """(N, 3)"""
    picture: np.ndarray
    """(N,) paths relative to the folder"""
    picture_size: np.ndarray
    """(N, 2) width and height of the pictures as the file gives them, px; NaN where it does not"""
    id: np.ndarray
    """(N,) of the annotations"""

    def __len__(self) -> int:
        return len(self.box)


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
    skipped: Skipped = {}
    parts, split = [], []
    for path, match in matches:
        people = read_annotations(path, "person", _pictures_of(folder, match[1]).get, skipped)
        if tuple(people.category["keypoints"]) != COCO_17.joints:
            raise UserError(f"{path}: its category `person` does not have the 17 joints of COCO")
        parts.append(people)
        split += [match[2]] * len(people)
    if not split:
        raise absent("coco", folder, "nobody annotated has a picture")
    return _table(folder, parts, np.array(split), skipped)


def _pictures_of(folder: Path, part: str) -> dict[str, str]:
    """File name -> path relative to `folder` of the pictures of a part such as train2017."""
    places = (place for place in (part, f"images/{part}") if (folder / place).is_dir())
    place = next(places, None)
    if place is None:
        return {}
    return {path.name: f"{place}/{path.name}" for path in (folder / place).iterdir()}


def read_annotations(
    path: Path, category: str, find_picture: FindPicture, skipped: Skipped
) -> CocoPeople:
    """The usable annotations of one file; the others are added to `skipped`.

    category: name of the kind of thing; "" is the only one of the file that has keypoints. Raises
    UserError if the file cannot be read, is of another layout, or has no such category.
    """
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not JSON: {error}") from error
    try:
        kind = _find_category(path, content["categories"], category)
        count = len(kind["keypoints"])
        images = {image["id"]: image for image in content["images"]}
        people = []
        for annotation in content["annotations"]:
            if annotation.get("category_id", kind.get("id")) != kind.get("id"):
                continue
            image = images[annotation["image_id"]]
            name = str(image["file_name"])
            picture = find_picture(name)
            reason = _reason_to_skip(annotation, picture)
            if reason:
                skipped.setdefault(reason, []).append(name)
            else:
                size = [float(image.get(side) or np.nan) for side in ("width", "height")]
                person = _person(annotation, count)
                people.append(person | {"picture": picture, "picture_size": np.array(size)})
    except KeyError as error:
        raise UserError(f"{path} lacks {error}") from error
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise UserError(f"{path} is malformed: {error}") from error
    return _columns(kind, people)


def _find_category(path: Path, categories: list[dict[str, Any]], name: str) -> dict[str, Any]:
    with_joints = [one for one in categories if one.get("keypoints")]
    fitting = [one for one in with_joints if not name or one.get("name") == name]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(str(one.get("name")) for one in with_joints) or "none"
    wanted = f"no category `{name}`" if name else "not one category"
    raise UserError(f"{path} has {wanted} with keypoints; it has {names}")


def _reason_to_skip(annotation: dict[str, Any], picture: str | None) -> str:
    if annotation.get("iscrowd", 0):
        return "crowd"
    if not any(flag > 0 for flag in annotation.get("keypoints", [])[2::3]):
        return "no joints"
    if picture is None:
        return "picture missing"
    if "bbox" in annotation:
        return "" if min(annotation["bbox"][2:]) > 0 else "no box"
    return "" if sum(flag > 0 for flag in annotation["keypoints"][2::3]) > 1 else "no box"


def _person(annotation: dict[str, Any], count: int) -> dict[str, Any]:
    numbers = np.array(annotation["keypoints"], float)
    if numbers.shape != (3 * count,):
        raise ValueError(f"annotation {annotation['id']} has {numbers.size} keypoint numbers")
    joints, flags = numbers.reshape(-1, 3)[:, :2], numbers[2::3]
    joints = np.where(flags[:, None] > 0, joints, np.nan)
    if "bbox" in annotation:
        x, y, width, height = map(float, annotation["bbox"])
        middle = x + width / 2 - 0.5, y + height / 2 - 0.5
        box = np.array([*middle, BOX_MARGIN * max(width, height)])
    else:
        box = box_around(joints, KEYPOINTS_MARGIN)
    # 0 not annotated, 1 annotated though hidden, 2 seen.
    visibility = np.where(flags > 0, flags - 1, np.nan)
    return {
        "keypoints": joints,
        "visibility": visibility,
        "box": box,
        "id": np.int64(int(annotation["id"])),
    }


def _columns(category: dict[str, Any], people: list[dict[str, Any]]) -> CocoPeople:
    count = len(category["keypoints"])
    shapes = {"keypoints": (count, 2), "visibility": (count,), "box": (3,), "id": ()}
    shapes |= {"picture_size": (2,)}
    arrays = {
        name: np.array([one[name] for one in people]).reshape(len(people), *shape)
        for name, shape in shapes.items()
    }
    picture = np.array([one["picture"] for one in people], str)
    return CocoPeople(category, **arrays, picture=picture)


def _table(
    folder: Path, parts: list[CocoPeople], split: np.ndarray, skipped: Skipped
) -> PersonTable:
    def of_all(name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in parts])

    paths = of_all("picture")
    keypoints, visibility = to_mpii(of_all("keypoints"), of_all("visibility"), COCO_17)
    usable = np.isfinite(keypoints[..., 0]).any(axis=-1)
    skipped.setdefault("no joints", []).extend(Path(path).name for path in paths[~usable])
    names, picture = np.unique(paths, return_inverse=True)
    return make_table(
        "coco",
        PictureFiles(folder, names),
        keypoints[usable],
        visibility[usable],
        of_all("box")[usable],
        split[usable],
        picture=picture[usable],
        annotation_id=of_all("id")[usable],
        skipped=skipped,
    )
