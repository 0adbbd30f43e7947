"""Human3.6M as 3d-pose-baseline has it: `S1/MyPoses/3D_positions/*.h5` and `cameras.h5`.

Each file holds `3D_positions` (96, frames): 32 joints in world coordinates, mm.
"""

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from twod_threed.h36m_cameras import published_cameras, read_cameras_h5
from twod_threed.h36m_takes import Take, Wanted, absent, positions_of
from utils.errors import UserError

_POSITIONS = "MyPoses/3D_positions"
_KEY = "3D_positions"


def is_tree(folder: Path) -> bool:
    """Whether `folder` has this layout."""
    return any(folder.glob(f"S*/{_POSITIONS}"))


def tree_takes(folder: Path, wanted: Wanted) -> Iterator[Take]:
    """The takes of the tree in `folder`, S11's damaged one as well, as 3d-pose-baseline reads them.

    Cameras come from `cameras.h5` in the folder; without it the published calibration, of which it
    is a copy, serves. Raises UserError if a subject is absent or a file is damaged.
    """
    calibration = folder / "cameras.h5"
    for subject in wanted.subjects:
        paths = sorted((folder / subject / _POSITIONS).glob("*.h5"), key=lambda path: path.stem)
        if not paths:
            raise absent(folder, f"{subject}/{_POSITIONS} has no .h5 file")
        if calibration.is_file():
            cameras = read_cameras_h5(calibration, subject)
        else:
            cameras = published_cameras(subject)
        for path in paths:
            name = wanted.take(path.stem)
            if name:
                yield Take(subject, name, _read_positions(path), cameras)


def _read_positions(path: Path) -> np.ndarray:
    """(T, 17, 3) mm."""
    try:
        with h5py.File(path, "r") as file:
            found = file.get(_KEY)
            if not isinstance(found, h5py.Dataset):
                raise UserError(f"{path} lacks the key {_KEY}")
            values = found[()]
    except UserError:
        raise
    except Exception as error:  # a damaged file surfaces as whatever the library trips over
        raise UserError(f"{path} is not a readable h5 file: {error}") from error
    return positions_of(np.asarray(values).T, path)
