"""Calibrations of Human3.6M's four cameras: the published ones, and files of 3d-pose-baseline."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np

from utils.cameras import Camera
from utils.errors import UserError

_PUBLISHED = Path(__file__).with_name("h36m_cameras.json")
# Numbers in one camera of cameras.h5.
_COUNTS = {"R": 9, "T": 3, "f": 2, "c": 2, "k": 3, "p": 2}
_LARGEST = 1e6  # mm, px


@cache
def _published() -> dict:
    return json.loads(_PUBLISHED.read_text(encoding="utf-8"))


def camera_ids() -> tuple[str, ...]:
    """Serial numbers of the cameras, in the order that published files keep them."""
    return tuple(_published()["cameras"])


def published_cameras(subject: str) -> tuple[Camera, ...]:
    """The four cameras as they stood for `subject` ("S1", ...): world axes mm, z up."""
    cameras = []
    for name, lens in _published()["cameras"].items():
        turn, position = _published()["places"][subject][name]
        rotation, _ = cv2.Rodrigues(np.array(turn))
        cameras.append(
            Camera(
                rotation,
                np.array(position),
                np.array([*lens["f"], *lens["c"]]),
                tuple(lens["size"]),
                tuple(lens["k"]),
                tuple(lens["p"]),
                name,
            )
        )
    return tuple(cameras)


def read_cameras_h5(path: str | Path, subject: str) -> tuple[Camera, ...]:
    """The four cameras of a subject from `cameras.h5`, which stores R transposed.

    Raises UserError if the file cannot be read, or a camera or a part of it is missing.
    """
    try:
        with h5py.File(path, "r") as file:
            return tuple(_camera(file, f"subject{subject[1:]}/camera{n}") for n in range(1, 5))
    except KeyError as error:
        raise UserError(
            f"{path} lacks {error.args[0]}: take the one of the same download"
        ) from error
    except (OSError, ValueError, TypeError, OverflowError) as error:
        raise UserError(f"{path} is not the cameras.h5 of 3d-pose-baseline: {error}") from error


def _camera(file: h5py.File, group: str) -> Camera:
    values = {}
    for name, count in _COUNTS.items():
        values[name] = np.asarray(_dataset(file, f"{group}/{name}"), np.float64).ravel()
        if len(values[name]) != count or not (np.abs(values[name]) < _LARGEST).all():
            raise ValueError(f"{group}/{name} does not hold {count} numbers")
    if not (values["f"] > 0).all():
        raise ValueError(f"{group}/f is not above 0")
    name = "".join(chr(int(code)) for code in np.ravel(_dataset(file, f"{group}/Name")))
    if name not in camera_ids():
        raise ValueError(f"{group} is called {name!r}, not one of {', '.join(camera_ids())}")
    k1, k2, k3 = values["k"].tolist()
    p1, p2 = values["p"].tolist()
    return Camera(
        values["R"].reshape(3, 3).T.copy(),
        values["T"],
        np.concatenate([values["f"], values["c"]]),
        tuple(_published()["cameras"][name]["size"]),
        (k1, k2, k3),
        (p1, p2),
        name,
    )


def _dataset(file: h5py.File, name: str) -> Any:
    found = file.get(name)
    if not isinstance(found, h5py.Dataset):
        raise KeyError(name)
    return found[()]
