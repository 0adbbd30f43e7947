"""Human3.6M as downloaded: CDF files in `S1/MyPoseFeatures/D3_Positions` and `D2_Positions`.

Each file holds `Pose`: (1, frames, 96) mm in world coordinates, or, in a file for each camera
("Directions.54138969.cdf"), (1, frames, 64) px. Calibrations come from `h36m_cameras.json`.
"""

import gzip
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from twod_threed.h36m_cameras import published_cameras
from twod_threed.h36m_takes import DAMAGED, Take, Wanted, absent, positions_of
from utils.cameras import Camera
from utils.errors import UserError

_POSITIONS = "MyPoseFeatures/D3_Positions"
_VERSION_3 = b"\xcd\xf3\x00\x01"
_PLAIN, _COMPRESSED = b"\x00\x00\xff\xff", b"\xcc\xcc\x00\x01"
_KEYPOINTS = "MyPoseFeatures/D2_Positions"


def is_official(folder: Path) -> bool:
    """Whether `folder` has this layout."""
    return any(folder.glob(f"S*/{_POSITIONS}"))


def official_takes(folder: Path, wanted: Wanted, keypoints: bool = False) -> Iterator[Take]:
    """The takes in `folder`, without S11's damaged one.

    `keypoints`: with the 2D joints of `D2_Positions`, instead of projections of the 3D ones.
    Raises UserError if a subject or a file is absent or damaged.
    """
    for subject in wanted.subjects:
        cameras = published_cameras(subject)
        paths = sorted((folder / subject / _POSITIONS).glob("*.cdf"), key=lambda path: path.stem)
        if not paths:
            raise absent(folder, f"{subject}/{_POSITIONS} has no .cdf file")
        for path in paths:
            name = wanted.take(path.stem)
            if name and (subject, name) != DAMAGED:
                world = positions_of(read_pose(path), path)
                found = _keypoints(path, cameras, len(world)) if keypoints else None
                yield Take(subject, name, world, cameras, found)


def _keypoints(path: Path, cameras: tuple[Camera, ...], count: int) -> tuple[np.ndarray, ...]:
    """(T, 17, 2) px of each camera, from the files that belong to one of D3_Positions."""
    found = []
    for camera in cameras:
        file = path.parents[2] / _KEYPOINTS / f"{path.stem}.{camera.name}.cdf"
        points = positions_of(read_pose(file), file, axes=2)
        if len(points) < count:
            raise UserError(f"{file} has {len(points)} frames, {path} has {count}")
        found.append(points[:count])
    return tuple(found)


def read_pose(path: Path) -> np.ndarray:
    """The variable `Pose` of a CDF file as (frames, numbers).

    Raises UserError if the file is absent, damaged, or has no such variable.
    """
    # Imported by those alone who have such files.
    import cdflib

    if not path.is_file():
        raise UserError(f"{path} is not there")
    try:
        _check_counts(path.read_bytes())
        values = np.asarray(cdflib.CDF(path).varget("Pose"))
    except Exception as error:  # a damaged file surfaces as whatever the parser trips over
        reason = str(error) or type(error).__name__
        raise UserError(f"{path} is no readable CDF file with a Pose: {reason}") from error
    return values[0] if values.ndim == 3 and len(values) == 1 else values


def _unpacked(data: bytes) -> bytes:
    """A file of version 3 that gzip has compressed as a whole, as it was before."""
    if data[:8] != _VERSION_3 + _COMPRESSED:
        raise ValueError("it does not begin as a CDF file does")
    end = 8 + int.from_bytes(data[8:16], "big")
    return _VERSION_3 + _PLAIN + gzip.decompress(data[40:end])


def _check_counts(data: bytes) -> None:
    """ValueError if a file announces more records than it can hold.

    cdflib goes through all that are announced; a damaged file announces billions. The places are
    those of the global descriptor record, "CDF Internal Format Description"; before version 3
    places in files have four bytes.
    """
    if data[4:8] != _PLAIN:
        data = _unpacked(data)
    pointer, start = (data[20:28], 44) if data[:4] == _VERSION_3 else (data[16:20], 24)
    first = int.from_bytes(pointer, "big") + start
    counts = [data[first + place : first + place + 4] for place in (0, 4, 12, 16)]
    if not counts[-1] or any(int.from_bytes(count, "big") > len(data) // 4 for count in counts):
        raise ValueError("it announces more than it holds")
