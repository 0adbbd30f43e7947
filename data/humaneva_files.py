"""The files of HumanEva-I's official download: calibrations, offsets, measurements, markers."""

import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from utils.cameras import world_to_camera
from utils.errors import UserError
from utils.matlab_files import read_matlab

_NUMBERS_OF_CALIBRATION = 22
_NUMBERS_OF_OFFSET = 3
_MEASUREMENT = re.compile(r"^\s*\$?(\w+)\s*=\s*([-+.\deE]+)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Calibration:
    """One camera, as Bouguet's calibration toolbox describes it: Brown's lens, with skew.

    Its pixels count from (0, 0), the centre of the top-left one.
    """

    intrinsics: np.ndarray
    """(4,) fx, fy, cx, cy px"""
    skew: float
    distortion: np.ndarray
    """(5,) k1, k2, p1, p2, k3"""
    rotation: np.ndarray
    """(3, 3), world to camera"""
    position: np.ndarray
    """(3,) mm, in the world"""

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """World points (..., 3), mm -> camera points (..., 3), mm."""
        return world_to_camera(points, self.rotation, self.position)

    def project(self, points: np.ndarray) -> np.ndarray:
        """Camera points (..., 3), mm -> px (..., 2); NaN where they are not before the camera.

        With (x, y) = (X/Z, Y/Z), r2 = x^2 + y^2 and radial = 1 + k1 r2 + k2 r2^2 + k3 r2^3:
            x' = x radial + 2 p1 x y + p2 (r2 + 2 x^2)
            y' = y radial + p1 (r2 + 2 y^2) + 2 p2 x y
            u = fx (x' + skew y') + cx,  v = fy y' + cy
        """
        flat = np.asarray(points, np.float64).reshape(-1, 3)
        in_front = flat[:, 2] > 0
        plane = np.full((len(flat), 2), np.nan)
        if in_front.any():
            still = np.zeros(3)
            bent, _ = cv2.projectPoints(flat[in_front], still, still, np.eye(3), self.distortion)
            plane[in_front] = bent.reshape(-1, 2)
        plane[:, 0] += self.skew * plane[:, 1]
        pixels = plane * self.intrinsics[:2] + self.intrinsics[2:]
        return pixels.reshape(*np.shape(points)[:-1], 2)


@dataclass(frozen=True)
class Offset:
    """Which frame of a video and which of the motion capture show the same moment, from 1."""

    video: float
    mocap: float
    step: float
    """frames of the motion capture in one of the video"""


@dataclass(frozen=True)
class Markers:
    """What the motion capture measured, and what Vicon made of it."""

    labels: tuple[str, ...]
    positions: np.ndarray
    """(T, M, 3) mm in the world; NaN where a marker was lost"""

    def place(self, name: str, path: str | Path) -> int:
        """Number of the first marker whose label has the name in it (labels may name the subject
        before it). Raises UserError, with the path, if there is none."""
        for number, label in enumerate(self.labels):
            if name in label:
                return number
        raise UserError(f"{path} has no marker {name}")


def read_calibration(path: Path) -> Calibration:
    """A `.cal`: focal lengths, centre, skew, distortion, rotation by rows, translation, as text.

    A point of the world is R X + T in the camera, mm. Raises UserError for anything else.
    """
    values = _numbers(path, _NUMBERS_OF_CALIBRATION, "a calibration")
    rotation, translation = values[10:19].reshape(3, 3), values[19:]
    if not np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-3) or (values[:2] <= 0).any():
        raise UserError(f"{path} is no calibration: its rotation or its focal lengths are none")
    return Calibration(
        intrinsics=values[:4],
        skew=float(values[4]),
        distortion=values[5:10],
        rotation=rotation,
        position=-rotation.T @ translation,
    )


def read_offset(path: Path) -> Offset:
    """An `.ofs`: frame of the video, frame of the motion capture, frames of the one in the other.

    Raises UserError for anything else.
    """
    video, mocap, step = _numbers(path, _NUMBERS_OF_OFFSET, "a file of offsets").tolist()
    if step <= 0:
        raise UserError(f"{path} is no file of offsets: {step:g} frames in a frame")
    return Offset(video, mocap, step)


def read_measurements(path: Path) -> dict[str, float]:
    """A Vicon `.mp`: what was measured on the subject, mm, by name. Raises UserError."""
    found = _MEASUREMENT.findall(_text(path))
    try:
        return {name: float(value) for name, value in found}
    except ValueError as error:
        raise UserError(f"{path} is no file of measurements: {error}") from error


def read_markers(stem: Path) -> tuple[Markers, str]:
    """`<stem>.mat` or, if it is absent or cannot be read, `<stem>.c3d`; and why the first was not
    taken though it is there, else nothing.

    Raises UserError if neither can be read.
    """
    matlab, c3d = (stem.with_name(stem.name + suffix) for suffix in (".mat", ".c3d"))
    if not matlab.is_file():
        if not c3d.is_file():
            raise UserError(f"there is neither {matlab} nor {c3d.name}")
        return _read_c3d(c3d), ""
    try:
        return _read_matlab(matlab), ""
    except UserError as error:
        if not c3d.is_file():
            raise
        return _read_c3d(c3d), f"{error}; {c3d.name} is taken instead"


def _read_c3d(path: Path) -> Markers:
    import c3d

    frames = []
    try:
        with warnings.catch_warnings(), path.open("rb") as file:
            warnings.simplefilter("ignore")  # of what such files may lack, as these do
            reader = c3d.Reader(file)
            labels, stated = (
                [str(label).strip() for label in reader.point_labels],
                reader.frame_count,
            )
            frames = [points[:, :3] for _, points, _ in reader.read_frames()]
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    except Exception as error:  # a damaged file surfaces as whatever the parser trips over
        raise UserError(f"{path} is not a readable C3D file: {error}") from error
    if len(frames) < max(stated, 1):
        raise UserError(f"{path} breaks off after {len(frames)} of {stated} frames")
    return _markers(labels, np.stack(frames), path)


def _read_matlab(path: Path) -> Markers:
    """`Markers` (T, M, 3), and their labels in `ParameterGroup`, group POINT, parameter LABELS."""
    content = read_matlab(path)
    positions, groups = content.get("Markers"), content.get("ParameterGroup")
    if positions is None or positions.dtype.kind not in "fiu" or positions.ndim != 3:
        raise UserError(f"{path} has no `Markers` that can be read here")
    labels = _parameter(groups, "POINT", "LABELS")
    if labels is None:
        raise UserError(f"{path} has no names of markers that can be read here")
    return _markers([_first_text(label) for label in labels.ravel()], positions, path)


def _parameter(groups: Any, group: str, parameter: str) -> np.ndarray | None:
    """`data` of a parameter in MATLAB's structures; None if they have another form."""
    for one in _records(groups, "name", "Parameter"):
        if group in _first_text(one["name"]):
            for inner in _records(one["Parameter"], "name", "data"):
                if _first_text(inner["name"]) == parameter:
                    return np.asarray(inner["data"])
    return None


def _records(values: Any, *names: str) -> list[Any]:
    """Elements of a structure array that has these fields, else none."""
    is_structure = isinstance(values, np.ndarray) and {*names} <= {*(values.dtype.names or ())}
    return list(values.ravel()) if is_structure else []


def _first_text(value: Any) -> str:
    """Text out of cells in cells."""
    while isinstance(value, np.ndarray) and value.size:
        value = value.ravel()[0]
    return str(value).strip() if isinstance(value, str) else ""


def _markers(labels: list[str], positions: np.ndarray, path: Path) -> Markers:
    if positions.shape[1] < len(labels) or positions.shape[2] != 3 or not labels:
        raise UserError(f"{path}: {len(labels)} labels do not fit markers of {positions.shape}")
    positions = np.array(positions[:, : len(labels)], np.float64)
    positions[(positions == 0).all(axis=-1) | ~np.isfinite(positions).all(axis=-1)] = np.nan
    return Markers(tuple(labels), positions)


def _numbers(path: Path, count: int, what: str) -> np.ndarray:
    try:
        values = np.array(_text(path).split(), np.float64)
    except ValueError as error:
        raise UserError(f"{path} is not {what}: it holds more than numbers") from error
    if len(values) != count or not np.isfinite(values).all():
        raise UserError(f"{path} is not {what}: {len(values)} numbers, not {count}")
    return values


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="latin-1")
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
