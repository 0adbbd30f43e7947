"""Pairs of 2D and 3D poses with the cameras that saw them: what every data set becomes.

Rows are ordered by clip, then camera, then frame. What many rows share (names, calibrations)
stands once in a table that the rows point into, so that a million rows take about 0.4 GB, in
memory and on disk: a `.npz` of plain arrays that only this module reads and writes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from utils.array_files import load_arrays
from utils.atomic import atomic_path
from utils.cameras import Camera
from utils.errors import UserError
from utils.skeletons import H36M_17, SKELETONS, skeleton_named

FORMAT_VERSION = 1
PROJECTED = "gt"

# Type and shape of each array: N rows, J and J3 joints in 2D and 3D, K cameras, C clips.
_ARRAYS: dict[str, tuple[type, tuple[str | int, ...]]] = {
    "poses_3d": (np.float32, ("N", "J3", 3)),
    "valid": (np.bool_, ("N", "J3")),
    "poses_2d": (np.float32, ("N", "J", 2)),
    "camera": (np.int64, ("N",)),
    "clip": (np.int64, ("N",)),
    "frame": (np.int64, ("N",)),
    "intrinsics": (np.float64, ("K", 4)),
    "distortion": (np.float64, ("K", 5)),
    "image_size": (np.int64, ("K", 2)),
    "rotation": (np.float64, ("K", 3, 3)),
    "position": (np.float64, ("K", 3)),
    "camera_names": (np.str_, ("K",)),
    "clip_names": (np.str_, ("C",)),
    "clip_sources": (np.str_, ("C",)),
    "clip_subjects": (np.str_, ("C",)),
    "clip_actions": (np.str_, ("C",)),
    "frame_rates": (np.float64, ("C",)),
    "up": (np.float64, (3,)),
}
ROW_ARRAYS = tuple(name for name, (_, shape) in _ARRAYS.items() if shape[0] == "N")
# What may hold NaN: missing joints, and the rate of frames that are no film.
_WITH_GAPS = ("poses_3d", "poses_2d", "frame_rates")


@dataclass(frozen=True, eq=False)
class PosePairs:
    """N pairs of a 2D and a 3D pose.

    Raises ValueError if an array has another type or shape, points outside its table, or holds
    what it must not.
    """

    poses_3d: np.ndarray
    """(N, J3, 3) float32, mm, camera frame, not relative to the hip; NaN unknown"""
    valid: np.ndarray
    """(N, J3) bool: joints to train on and to score; all of these are known"""
    poses_2d: np.ndarray
    """(N, J, 2) float32, px; NaN absent"""
    camera: np.ndarray
    """(N,) int64, row of the tables of cameras"""
    clip: np.ndarray
    """(N,) int64, row of the tables of clips"""
    frame: np.ndarray
    """(N,) int64, number of the frame in its clip as it was filmed, from 0"""
    intrinsics: np.ndarray
    """(K, 4) fx, fy, cx, cy, px"""
    distortion: np.ndarray
    """(K, 5) k1, k2, k3, p1, p2, as in `utils.cameras`"""
    image_size: np.ndarray
    """(K, 2) int64 width, height, px"""
    rotation: np.ndarray
    """(K, 3, 3) world axes to camera axes"""
    position: np.ndarray
    """(K, 3) place in the world, mm"""
    camera_names: np.ndarray
    """(K,) name of each camera; the same name may stand for other places in other clips"""
    clip_names: np.ndarray
    """(C,) each once"""
    clip_sources: np.ndarray
    """(C,) data set: h36m, cmu, ..."""
    clip_subjects: np.ndarray
    """(C,) who moves: S9, cmu/06, ..."""
    clip_actions: np.ndarray
    """(C,) what they do: WalkDog, ..."""
    frame_rates: np.ndarray
    """(C,) frames per second as filmed, NaN where unknown"""
    up: np.ndarray
    """(3,) upward direction of the world, length 1"""
    skeleton_2d: str = "mpii_16"
    """skeleton of `poses_2d`, a name in `utils.skeletons`"""
    keypoints: str = PROJECTED
    """what `poses_2d` are: "gt", projections of the 3D joints, or the name of a detector"""
    skeleton_3d: str = H36M_17.name
    """skeleton of `poses_3d`, a name in `utils.skeletons`"""

    def __post_init__(self) -> None:
        for name in ("skeleton_2d", "skeleton_3d"):
            if getattr(self, name) not in SKELETONS:
                raise ValueError(f"{name} is {getattr(self, name)!r}, not one of {[*SKELETONS]}")
        sizes = {
            "N": len(self.poses_3d),
            "J": len(skeleton_named(self.skeleton_2d)),
            "J3": len(skeleton_named(self.skeleton_3d)),
            "K": len(self.intrinsics),
            "C": len(self.clip_names),
        }
        for name, (dtype, shape) in _ARRAYS.items():
            wanted = tuple(sizes[n] if isinstance(n, str) else n for n in shape)
            object.__setattr__(self, name, _typed(name, getattr(self, name), dtype, wanted))
        self._check_values(sizes)

    def _check_values(self, sizes: dict[str, int]) -> None:
        for name, table in (("camera", "K"), ("clip", "C")):
            codes = getattr(self, name)
            if len(codes) and not 0 <= codes.min() <= codes.max() < sizes[table]:
                raise ValueError(f"{name} points outside its table of {sizes[table]}")
        if len(set(self.clip_names.tolist())) < sizes["C"]:
            raise ValueError("two clips have the same name")
        if not np.isfinite(self.poses_3d[self.valid]).all():
            raise ValueError("joints that are called valid are not known")
        if abs(np.linalg.norm(self.up) - 1) > 1e-6:
            raise ValueError("up is not of length 1")
        if (self.intrinsics[:, :2] <= 0).any() or (self.image_size <= 0).any():
            raise ValueError("focal lengths and sizes of pictures must be above 0")

    def __len__(self) -> int:
        return len(self.poses_3d)

    @property
    def sources(self) -> np.ndarray:
        """(N,) data set of each row."""
        return self.clip_sources[self.clip]

    @property
    def subjects(self) -> np.ndarray:
        """(N,) subject of each row."""
        return self.clip_subjects[self.clip]

    @property
    def actions(self) -> np.ndarray:
        """(N,) action of each row."""
        return self.clip_actions[self.clip]

    def source_names(self) -> np.ndarray:
        """(N,) "clip/camera": what a pose file calls the source of each row."""
        count = len(self.camera_names)
        codes, inverse = np.unique(self.clip * count + self.camera, return_inverse=True)
        views = zip(codes // count, codes % count, strict=True)
        names = [f"{self.clip_names[clip]}/{self.camera_names[cam]}" for clip, cam in views]
        return np.array(names, dtype=np.str_)[inverse]

    def select(self, rows: np.ndarray | slice | Sequence[int]) -> "PosePairs":
        """The rows asked for (mask, indices or slice), in that order; the tables stay whole."""
        index = np.arange(len(self))[rows]
        return replace(self, **{name: getattr(self, name)[index] for name in ROW_ARRAYS})

    def camera_of(self, row: int) -> Camera:
        """The camera that saw a row."""
        k = self.camera[row]
        k1, k2, k3, p1, p2 = self.distortion[k].tolist()
        width, height = self.image_size[k].tolist()
        return Camera(
            self.rotation[k],
            self.position[k],
            self.intrinsics[k],
            (width, height),
            (k1, k2, k3),
            (p1, p2),
            str(self.camera_names[k]),
        )

    def world_poses(self, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        """(n, J3, 3) float32 poses of the rows asked for in the world, mm: X = R^T X_camera + T."""
        index = self.camera[rows]
        rotation, position = self.rotation.astype(np.float32), self.position.astype(np.float32)
        return self.poses_3d[rows] @ rotation[index] + position[index][:, None]


def join_pairs(parts: Sequence[PosePairs]) -> PosePairs:
    """The rows and the tables of all parts, in order.

    Raises ValueError if there are none, if two have a clip of the same name, or if they differ in
    their joints or in the upward direction of their worlds.
    """
    if not parts:
        raise ValueError("there are no pairs to join")
    first = parts[0]
    for part in parts:
        if (part.skeleton_2d, part.keypoints) != (first.skeleton_2d, first.keypoints):
            raise ValueError("pairs with other 2D joints cannot be joined")
        if part.skeleton_3d != first.skeleton_3d:
            raise ValueError("pairs with other 3D joints cannot be joined")
        if not np.allclose(part.up, first.up):
            raise ValueError("pairs of worlds with another upward direction cannot be joined")
    joined = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in _ARRAYS
        if name != "up"
    }
    for code, table in (("camera", "intrinsics"), ("clip", "clip_names")):
        before = np.cumsum([0] + [len(getattr(part, table)) for part in parts[:-1]])
        joined[code] += np.repeat(before, [len(part) for part in parts])
    return replace(first, **joined)


def _typed(name: str, value: np.ndarray, dtype: type, shape: tuple[int, ...]) -> np.ndarray:
    """`value` as an array of that type and shape; ValueError where its meaning would change."""
    array = np.asarray(value)
    kinds = {np.str_: "U", np.int64: "iu", np.bool_: "b"}.get(dtype, "fiu")
    empty_text = dtype is np.str_ and array.size == 0
    if array.dtype.kind not in kinds and not empty_text:
        raise ValueError(f"{name} is of type {array.dtype}")
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape} where {shape} is needed")
    if dtype is not np.str_:
        array = array.astype(dtype, copy=False)
    if array.dtype.kind == "f":
        amiss = np.isinf(array) if name in _WITH_GAPS else ~np.isfinite(array)
        if amiss.any():
            raise ValueError(f"{name} holds values that are not finite")
    return array


def write_pairs(path: str | Path, pairs: PosePairs) -> None:
    """Write pairs as one `.npz`, whole or not at all. Raises UserError if it cannot be written."""
    arrays = {field.name: np.asarray(getattr(pairs, field.name)) for field in fields(pairs)}
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        # Not compressed: coordinates hardly shrink, and reading would take ten times as long.
        np.savez(file, allow_pickle=False, format_version=np.array(FORMAT_VERSION), **arrays)


def read_pairs(path: str | Path, skeleton_3d: str | None = H36M_17.name) -> PosePairs:
    """Read what `write_pairs` wrote, if its 3D joints are of that skeleton; None takes any.

    Raises UserError if the file is absent, damaged or something else.
    """
    pairs = _read(Path(path))
    if skeleton_3d not in (None, pairs.skeleton_3d):
        raise UserError(f"{path} has 3D joints of {pairs.skeleton_3d}, not of {skeleton_3d}")
    return pairs


def _read(path: Path) -> PosePairs:
    content = load_arrays(path, "file of pose pairs")
    if content.get("format_version", np.array(0)).tolist() != FORMAT_VERSION:
        raise UserError(f"{path} is no file of pose pairs of version {FORMAT_VERSION}")
    try:
        arrays = {name: content[name] for name in _ARRAYS}
        skeleton, keypoints = str(content["skeleton_2d"]), str(content["keypoints"])
        # Files written before there were other skeletons lack it.
        poses = str(content.get("skeleton_3d", H36M_17.name))
        return PosePairs(**arrays, skeleton_2d=skeleton, keypoints=keypoints, skeleton_3d=poses)
    except KeyError as error:
        raise UserError(f"{path} is a damaged file of pose pairs: it has no {error}") from error
    except (ValueError, TypeError) as error:
        raise UserError(f"{path} is a damaged file of pose pairs: {error}") from error
