"""Small data sets in the published layouts, for tests."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import scipy.io

from utils.skeletons import COCO_17


def write_picture(path: Path, width: int = 60, height: int = 40, seed: int = 0) -> np.ndarray:
    """A smooth random picture, RGB as a decoder will see it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    image = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, 95])
    return cv2.cvtColor(np.asarray(cv2.imread(str(path))), cv2.COLOR_BGR2RGB)


def write_lsp(folder: Path, count: int = 3, pictures: int | None = None) -> np.ndarray:
    """LSP in its own layout; joint j of person i at (10 + i + j, 5 + 2 j), counting from 1."""
    joint, person = np.meshgrid(np.arange(14), np.arange(count), indexing="ij")
    hidden = (joint == 0) & (person == 1)
    joints = np.stack([10 + person + joint, 5 + 2 * joint, hidden]).astype(float)
    folder.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(folder / "joints.mat", {"joints": joints})
    for number in range(1, (count if pictures is None else pictures) + 1):
        write_picture(folder / f"images/im{number:04d}.jpg", seed=number)
    return joints


def write_lsp_extended(folder: Path, count: int = 3) -> np.ndarray:
    """LSP extended; the first person's left hip is not annotated, the last has one joint only."""
    joint, person = np.meshgrid(np.arange(14), np.arange(count), indexing="ij")
    joints = np.stack([10 + person + joint, 5 + 2 * joint, np.ones_like(joint)], 1).astype(float)
    joints[3, :, 0] = (-700, 900, 0)
    joints[1:, 2, count - 1] = 0
    folder.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(folder / "joints.mat", {"joints": joints})
    for number in range(1, count + 1):
        write_picture(folder / f"images/im{number:05d}.jpg", seed=number)
    return joints


def coco_annotation(number: int, picture: int, **changes) -> dict:
    """One person: joint k at (k, 2 k), all seen."""
    keypoints = [value for k in range(17) for value in (k, 2 * k, 2)]
    standard = {"id": number, "image_id": picture, "iscrowd": 0, "num_keypoints": 17}
    return standard | {"keypoints": keypoints, "bbox": [10.0, 5.0, 20.0, 30.0]} | changes


def write_coco(folder: Path, split: str, annotations: list[dict]) -> None:
    """One part of COCO with two pictures, 1 and 2, of which only the first is there."""
    images = [{"id": n, "file_name": f"{n:012d}.jpg", "width": 60, "height": 40} for n in (1, 2)]
    categories = [{"id": 1, "name": "person", "keypoints": list(COCO_17.joints)}]
    path = folder / f"annotations/person_keypoints_{split}2017.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"images": images, "annotations": annotations, "categories": categories}
    path.write_text(json.dumps(content))
    write_picture(folder / f"{split}2017/{1:012d}.jpg")


def hrnet_record(image: str, **changes) -> dict:
    """One person of HRNet's layout: joint j at (20 + j, 30 + j), counting from 1."""
    joints = [[20.0 + j, 30.0 + j] for j in range(16)]
    standard = {"image": image, "center": [28.0, 35.0], "scale": 0.25}
    return standard | {"joints": joints, "joints_vis": [1] * 16} | changes


def pytorch_pose_record(image: str, **changes) -> dict:
    """The same person in pytorch-pose's layout."""
    joints = [[20.0 + j, 30.0 + j, 1.0] for j in range(16)]
    standard = {"dataset": "MPI", "isValidation": 0.0, "img_paths": image, "joint_self": joints}
    return standard | {"objpos": [28.0, 35.0], "scale_provided": 0.25} | changes


def mpii_matlab_person(joints: list[dict] | None, **changes) -> dict:
    """One `annorect` of the official file; values as MATLAB writes them, changes replace fields."""
    person: dict[str, Any] = {"x1": 11.0, "y1": 6.0, "x2": 17.0, "y2": 14.0, "scale": 0.25}
    person["objpos"] = {"x": 28.0, "y": 35.0}
    person["annopoints"] = np.zeros((0, 0)) if joints is None else {"point": struct_array(joints)}
    return person | changes


def struct_array(records: list[dict]) -> np.ndarray:
    """A MATLAB struct array (1, n); a field that a record lacks is an empty matrix."""
    names = list(dict.fromkeys(name for record in records for name in record))
    array = np.empty((1, len(records)), [(name, object) for name in names])
    for place, record in enumerate(records):
        for name in names:
            array[0, place][name] = record.get(name, np.zeros((0, 0)))
    return array


def write_mpii_matlab(path: Path, pictures: list[tuple[str, int, list[dict]]]) -> None:
    """The official annotation file: (picture, is it for training, its people)."""
    annolist = [
        {
            "image": {"name": name},
            "annorect": struct_array(people) if people else np.zeros((0, 0)),
        }
        for name, _, people in pictures
    ]
    release = {
        "annolist": struct_array(annolist),
        "img_train": np.array([[training for _, training, _ in pictures]], np.uint8),
        "version": "12",
        "single_person": np.array([[np.array([[1.0]]) for _ in pictures]], object),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(path, {"RELEASE": release})
