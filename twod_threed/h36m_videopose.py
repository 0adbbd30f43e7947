"""Human3.6M as VideoPose3D makes it: `data_3d_h36m.npz` and `data_2d_h36m_<detector>.npz`.

Both hold pickled dictionaries, subject -> action -> positions: (T, 32, 3) in m in the world, and
for each of the four cameras (T', J, 2) px with T' >= T. Neither holds the calibration, so that
comes from `h36m_cameras.json`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from twod_threed.h36m_cameras import camera_ids, published_cameras
from twod_threed.h36m_takes import LARGEST, Take, Wanted, absent, positions_of
from utils.errors import UserError
from utils.foreign_files import read_foreign
from utils.skeletons import (
    COCO_17,
    H36M_17,
    HUMANEVA_15,
    HUMANEVA_20,
    MPII_16,
    SKELETONS,
    Skeleton,
)

_POSITIONS_FILE = "data_3d_h36m.npz"
# Names of their layouts; a file of the user's own may also use a name of `utils.skeletons`.
_LAYOUTS = {
    "mpii": MPII_16,
    "coco": COCO_17,
    "h36m": H36M_17,
    "humaneva15": HUMANEVA_15,
    "humaneva20": HUMANEVA_20,
    **SKELETONS,
}


def is_videopose(folder: Path) -> bool:
    """Whether `folder` has this layout."""
    return (folder / _POSITIONS_FILE).is_file()


def videopose_takes(folder: Path, wanted: Wanted, keypoints: str | None = None) -> Iterator[Take]:
    """The takes of the files in `folder` (S11's damaged one is not among them).

    `keypoints`: the detector whose 2D joints to read ("cpn_ft_h36m_dbb", "detectron_pt_coco",
    ...); None for projections of the 3D joints. Joints that a detector gives for more frames than
    there are in 3D are cut to those. Raises UserError if a file, subject or take is absent, or a
    file is damaged or of another structure.
    """
    path = folder / _POSITIONS_FILE
    positions = _dictionary(read_foreign(path), "positions_3d", path)
    found, skeleton = None, H36M_17
    if keypoints is not None:
        found = folder / f"data_2d_h36m_{keypoints}.npz"
        detections, skeleton = read_keypoints(found)
    for subject in wanted.subjects:
        if subject not in positions:
            raise absent(folder, f"{path.name} has no {subject}")
        cameras = published_cameras(subject)
        for take, values in sorted(_takes_of(positions, subject, path).items()):
            name = wanted.take(take)
            if not name:
                continue
            world = _positions(values, path)
            points = None
            if found is not None:
                points = _of_take(detections, subject, take, len(world), skeleton, found)
            yield Take(subject, name, world, cameras, points, skeleton)


def read_keypoints(path: Path) -> tuple[dict[str, Any], Skeleton]:
    """The 2D joints of a detector, subject -> take -> one array a camera, and their skeleton.

    Raises UserError if the file is absent, of another structure, or of an unknown skeleton.
    """
    if not path.is_file():
        names = sorted(p.stem[len("data_2d_h36m_") :] for p in path.parent.glob("data_2d_h36m_*"))
        raise UserError(f"{path} is not there; there are joints of {', '.join(names) or 'nobody'}")
    content = read_foreign(path)
    detections = _dictionary(content, "positions_2d", path)
    metadata = _dictionary(content, "metadata", path)
    return detections, _skeleton(metadata, path)


def _dictionary(content: Any, key: str, path: Path) -> dict[str, Any]:
    """The dictionary in an array of one object. UserError if there is something else."""
    array = content.get(key) if isinstance(content, dict) else None
    value = array[()] if isinstance(array, np.ndarray) and array.shape == () else None
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise UserError(f"{path} is not as VideoPose3D makes it: {key} is no dictionary")
    return value


def _takes_of(values: dict[str, Any], subject: str, path: Path) -> dict[str, Any]:
    takes = values.get(subject)
    if not isinstance(takes, dict) or not all(isinstance(name, str) for name in takes):
        raise UserError(f"{path} has no takes of {subject}")
    return takes


def _positions(values: Any, path: Path) -> np.ndarray:
    """(T, 32, 3) m -> (T, 17, 3) mm."""
    if not isinstance(values, np.ndarray) or values.ndim != 3 or values.shape[2] != 3:
        raise UserError(f"{path} holds positions that are not of shape (frames, 32, 3)")
    return positions_of(values.reshape(len(values), values.shape[1] * 3), path) * 1000


def _of_take(
    detections: dict[str, Any], subject: str, take: str, count: int, skeleton: Skeleton, path: Path
) -> tuple[np.ndarray, ...]:
    """(T, J, 2) px for each camera of one take."""
    views = _takes_of(detections, subject, path).get(take)
    if not isinstance(views, list | tuple) or len(views) != len(camera_ids()):
        raise UserError(f"{path} has no four cameras for {subject} {take}")
    return tuple(_points(points, count, skeleton, f"{path}: {subject} {take}") for points in views)


def _points(points: Any, count: int, skeleton: Skeleton, where: str) -> np.ndarray:
    """What one camera saw, cut to `count` frames: (count, J, 2) px. Scores are left out."""
    if not isinstance(points, np.ndarray) or points.dtype.kind != "f" or points.ndim != 3:
        raise UserError(f"{where} is no array of points")
    if points.shape[1] != len(skeleton) or points.shape[2] not in (2, 3):
        raise UserError(f"{where} has shape {points.shape}, not (frames, {len(skeleton)}, 2)")
    if (np.abs(points[..., :2]) >= LARGEST).any():  # NaN is a joint that was not seen
        raise UserError(f"{where} has joints that no picture has")
    if len(points) < count:
        raise UserError(f"{where} has {len(points)} frames in 2D and {count} in 3D")
    return points[:count, :, :2]


def _skeleton(metadata: dict[str, Any], path: Path) -> Skeleton:
    """The skeleton that the metadata name, or describe by number of joints and their sides."""
    name, joints = metadata.get("layout_name"), metadata.get("num_joints")
    try:
        left, right = (frozenset(map(int, side)) for side in metadata["keypoints_symmetry"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise UserError(f"{path}: its metadata lack keypoints_symmetry, left and right") from error
    if name is not None and (not isinstance(name, str) or name not in _LAYOUTS):
        raise UserError(f"{path} has joints in an unknown order, {name!r}")
    for skeleton in [_LAYOUTS[name]] if name is not None else _LAYOUTS.values():
        sides = [frozenset(side) for side in zip(*skeleton.pairs, strict=True)]
        if joints == len(skeleton) and sides == [left, right]:
            return skeleton
    told = name if name is not None else "known"
    raise UserError(f"{path}: the {joints} joints, their left and right are no {told} skeleton's")
