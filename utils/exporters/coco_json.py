"""COCO keypoints: people in pictures as the JSON files that COCO's tools read.

Format: cocodataset.org, "Data format" (keypoint detection) and "Results format". COCO counts
pixels from 0, so coordinates are ours as they stand; boxes are measured from the picture's outer
edge, half a pixel before the centre of its first pixel.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from utils.atomic import atomic_path
from utils.pose_file import Poses
from utils.skeleton_conversion import convert
from utils.skeletons import COCO_17, skeleton_named

HIDDEN, SEEN = 1, 2
_PERSON = 1


def write_coco(folder: Path, poses: Poses) -> list[Path]:
    """`coco.json`, laid out like COCO's annotations, and `coco_results.json`, like its results.

    Joints by name: those that the skeleton lacks, or that could only be guessed, are (0, 0, 0).
    Pictures without anybody are listed and have no annotation. Raises UserError if the place
    cannot be written.
    """
    people = _coco_people(poses)
    image_of, images = _images(poses)
    rows = np.flatnonzero(np.isfinite(people.joints).all(-1).any(-1)).tolist()
    annotations = [_annotation(people, row) for row in rows]
    results = [_result(people, row) for row in rows]
    for one, result, row in zip(annotations, results, rows, strict=True):
        one["image_id"] = result["image_id"] = int(image_of[row])
        one["track_id"] = int(poses.person[row])
    described = {
        "info": {"description": "poses found in pictures", "version": "1.0"},
        "licenses": [],
        "images": images,
        "annotations": annotations,
        "categories": [_category()],
    }
    paths = [folder / "coco.json", folder / "coco_results.json"]
    for path, content in zip(paths, (described, results), strict=True):
        with atomic_path(path) as temporary, open(temporary, "w", encoding="ascii") as file:
            json.dump(content, file, allow_nan=False)
    return paths


@dataclass(frozen=True)
class _People:
    """Rows of a pose file in COCO's joints: joints (N, 17, 2) px, NaN for those that are missing or
    would be guessed; confidence (N, 17); hidden (N, 17) where the network says so."""

    joints: np.ndarray
    confidence: np.ndarray
    hidden: np.ndarray


def _coco_people(poses: Poses) -> _People:
    skeleton = skeleton_named(poses.skeleton_2d)
    converted = convert(poses.keypoints_2d, skeleton, COCO_17)
    guessed = [status not in ("exact", "derived") for status in converted.status]
    joints = np.where(np.array(guessed)[:, None], np.nan, converted.poses)
    confidence = convert(poses.confidence[..., None], skeleton, COCO_17).poses[..., 0]
    hidden = np.zeros(confidence.shape, bool)
    if poses.visibility is not None:
        hidden = convert(poses.visibility[..., None], skeleton, COCO_17).poses[..., 0] < 0.5
    return _People(joints, confidence.clip(0, 1), hidden)


def _images(poses: Poses) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """Number of each row's picture (N,), from 1 in the order of the rows, and the pictures."""
    image_of = np.zeros(len(poses), np.int64)
    images: dict[tuple[str, int], dict[str, Any]] = {}
    for row, key in enumerate(zip(poses.source.tolist(), poses.frame.tolist(), strict=True)):
        if key not in images:
            width, height = poses.image_size[row].tolist()
            one = {"id": len(images) + 1, "file_name": key[0], "width": width, "height": height}
            images[key] = one | {"frame": key[1]}
        image_of[row] = images[key]["id"]
    return image_of, list(images.values())


def _annotation(people: _People, row: int) -> dict[str, Any]:
    joints = people.joints[row]
    known = np.isfinite(joints).all(-1)
    low, high = joints[known].min(0).tolist(), joints[known].max(0).tolist()
    # The box goes around the pixels, not through the middles of the outermost.
    width, height = (end - start + 1 for start, end in zip(low, high, strict=True))
    return {
        "id": row + 1,
        "category_id": _PERSON,
        "keypoints": _triples(joints, np.where(people.hidden[row], HIDDEN, SEEN)),
        "num_keypoints": int(known.sum()),
        "bbox": [*low, width, height],
        "area": width * height,
        "iscrowd": 0,
    }


def _result(people: _People, row: int) -> dict[str, Any]:
    joints, confidence = people.joints[row], people.confidence[row]
    known = np.isfinite(joints).all(-1)
    return {
        "category_id": _PERSON,
        "keypoints": _triples(joints, confidence),
        "score": round(float(confidence[known].mean()), 4),
    }


def _triples(joints: np.ndarray, third: np.ndarray) -> list[float]:
    """x, y and a third number of each joint, one after the other; zeros for a missing joint."""
    rows = np.column_stack([joints.round(2), third.round(4)])
    rows[np.isnan(joints).any(-1)] = 0
    return [int(value) if value.is_integer() else value for value in rows.ravel().tolist()]


def _category() -> dict[str, Any]:
    return {
        "id": _PERSON,
        "name": "person",
        "supercategory": "person",
        "keypoints": list(COCO_17.joints),
        "skeleton": [[parent + 1, child + 1] for parent, child in COCO_17.bones],
    }
