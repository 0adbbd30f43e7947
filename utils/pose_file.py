"""The pose file `poses.npz`: what every command that makes or takes poses writes and reads.

One row per person and frame. docs/pose_file.md describes the fields for other tools.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from utils.atomic import atomic_path
from utils.errors import UserError
from utils.skeletons import skeleton_named

FORMAT_VERSION = 1


@dataclass(frozen=True)
class Field:
    """Type and shape of one field's row; "J2" and "J3" stand for the numbers of joints."""

    dtype: type
    shape: tuple[str | int, ...] = ()
    optional: bool = False

    def row_shape(self, sizes: dict[str, int]) -> tuple[int, ...]:
        """Shape with the numbers of joints put in."""
        return tuple(sizes[n] if isinstance(n, str) else n for n in self.shape)


FIELDS: dict[str, Field] = {
    "source": Field(np.str_),
    "frame": Field(np.int64),
    "time": Field(np.float64),
    "person": Field(np.int64),
    "box": Field(np.float32, (3,)),
    "image_size": Field(np.int64, (2,)),
    "keypoints_2d": Field(np.float32, ("J2", 2)),
    "confidence": Field(np.float32, ("J2",)),
    "visibility": Field(np.float32, ("J2",), optional=True),
    "keypoints_3d": Field(np.float32, ("J3", 3), optional=True),
    "root_camera": Field(np.float32, (3,), optional=True),
    "intrinsics": Field(np.float32, (4,), optional=True),
}


@dataclass(eq=False)
class Poses:
    """People in pictures and frames; N rows.

    source (N,) file name; frame (N,) from 0 (0 for a picture); time (N,) s, NaN for a picture;
    person (N,) track or annotation id; box (N, 3) centre x, centre y, side, px; image_size (N, 2)
    width, height, px; keypoints_2d (N, J2, 2) px of the picture as shown; confidence (N, J2) in
    [0, 1]; visibility (N, J2) in [0, 1]; keypoints_3d (N, J3, 3) mm, camera axes, relative to the
    hip; root_camera (N, 3) the hip in the camera frame, mm; intrinsics (N, 4) fx, fy, cx, cy, px;
    skeleton_2d and skeleton_3d names that `skeleton_named` knows. Unknown values are NaN: a
    missing joint is NaN with confidence 0. Arrays are brought to the types of FIELDS.

    Raises ValueError when a field has the wrong type or shape, or holds what it must not.
    """

    source: np.ndarray
    frame: np.ndarray
    time: np.ndarray
    person: np.ndarray
    box: np.ndarray
    image_size: np.ndarray
    keypoints_2d: np.ndarray
    confidence: np.ndarray
    skeleton_2d: str
    visibility: np.ndarray | None = None
    keypoints_3d: np.ndarray | None = None
    root_camera: np.ndarray | None = None
    intrinsics: np.ndarray | None = None
    skeleton_3d: str | None = None

    def __post_init__(self) -> None:
        self.check()

    def __len__(self) -> int:
        return len(self.source)

    @property
    def joint_names_2d(self) -> tuple[str, ...]:
        return skeleton_named(self.skeleton_2d).joints

    @property
    def joint_names_3d(self) -> tuple[str, ...] | None:
        return skeleton_named(self.skeleton_3d).joints if self.skeleton_3d else None

    @property
    def found(self) -> np.ndarray:
        """(N,) True where somebody is there: at least one 2D joint."""
        return np.asarray(np.isfinite(self.keypoints_2d).all(axis=-1).any(axis=-1))

    def arrays(self) -> dict[str, np.ndarray]:
        """The row fields that are present, by name."""
        fields = {name: getattr(self, name) for name in FIELDS}
        return {name: value for name, value in fields.items() if value is not None}

    def select(self, rows: np.ndarray | slice | Sequence[int]) -> "Poses":
        """The rows asked for (mask, indices or slice), in that order."""
        index = np.arange(len(self))[rows]
        return replace(self, **{name: value[index] for name, value in self.arrays().items()})

    def check(self) -> None:
        """Bring the arrays to their types and check everything. Raises ValueError."""
        sizes = {"J2": _joint_count(self.skeleton_2d, "skeleton_2d")}
        if (self.skeleton_3d is None) != (self.keypoints_3d is None):
            raise ValueError("keypoints_3d and skeleton_3d belong together")
        if self.skeleton_3d is not None:
            sizes["J3"] = _joint_count(self.skeleton_3d, "skeleton_3d")
        for name, field in FIELDS.items():
            value = getattr(self, name)
            if value is None and field.optional:
                continue
            array = _typed(name, value, field.dtype)
            shape = np.shape(self.source)[:1] + field.row_shape(sizes)
            if array.shape != shape:
                raise ValueError(f"{name} has shape {array.shape} where {shape} is needed")
            setattr(self, name, array)
        self._check_values()

    def _check_values(self) -> None:
        for name, values in self.arrays().items():
            if values.dtype.kind == "f" and np.isinf(values).any():
                raise ValueError(f"{name} holds infinite values")
        missing = np.isnan(self.keypoints_2d)
        if (missing[..., 0] != missing[..., 1]).any():
            raise ValueError("keypoints_2d has joints of which only one coordinate is NaN")
        if not ((self.confidence >= 0) & (self.confidence <= 1)).all():
            raise ValueError("confidence must lie between 0 and 1")
        if self.confidence[missing[..., 0]].any():
            raise ValueError("confidence must be 0 where the joint is NaN")
        if self.visibility is not None and ((self.visibility < 0) | (self.visibility > 1)).any():
            raise ValueError("visibility must lie between 0 and 1")
        if (self.box[:, 2] <= 0).any() or (self.image_size <= 0).any():
            raise ValueError("box and image_size must be larger than 0")


def empty_row(
    source: str,
    image_size: tuple[int, int],
    skeleton_2d: str,
    frame: int = 0,
    time: float = float("nan"),
    person: int = 0,
) -> Poses:
    """One row that says: nobody was found in this picture or frame."""
    joints = len(skeleton_named(skeleton_2d))
    return Poses(
        source=np.array([source]),
        frame=np.array([frame]),
        time=np.array([time], np.float64),
        person=np.array([person]),
        box=np.full((1, 3), np.nan),
        image_size=np.array([image_size]),
        keypoints_2d=np.full((1, joints, 2), np.nan),
        confidence=np.zeros((1, joints)),
        skeleton_2d=skeleton_2d,
    )


def concatenate(parts: Sequence[Poses]) -> Poses:
    """Join rows in order. An optional field that only some parts have is NaN in the others.

    Raises ValueError when there are no parts, or their skeletons differ.
    """
    skeletons_2d = {part.skeleton_2d for part in parts}
    skeletons_3d = {part.skeleton_3d for part in parts if part.skeleton_3d is not None}
    if len(skeletons_2d) != 1 or len(skeletons_3d) > 1:
        names = sorted(skeletons_2d | skeletons_3d) or "none"
        raise ValueError(f"poses to be joined need one skeleton, not {names}")
    fields = {}
    for name in FIELDS:
        values = [getattr(part, name) for part in parts]
        row_shapes = [value.shape[1:] for value in values if value is not None]
        if row_shapes:
            blanks = (np.full((len(part), *row_shapes[0]), np.nan, np.float32) for part in parts)
            pairs = zip(values, blanks, strict=True)
            fields[name] = np.concatenate([blank if v is None else v for v, blank in pairs])
    return Poses(
        **fields, skeleton_2d=skeletons_2d.pop(), skeleton_3d=next(iter(skeletons_3d), None)
    )


def write_poses(path: str | Path, poses: Poses) -> None:
    """Write a pose file, whole or not at all. Raises UserError when the place cannot be written."""
    poses.check()
    arrays = {"format_version": np.array(FORMAT_VERSION), **poses.arrays()}
    arrays["skeleton_2d"] = np.array(poses.skeleton_2d)
    arrays["joint_names_2d"] = np.array(poses.joint_names_2d)
    if poses.skeleton_3d is not None:
        arrays["skeleton_3d"] = np.array(poses.skeleton_3d)
        arrays["joint_names_3d"] = np.array(poses.joint_names_3d)
    # Through a handle: given a name, NumPy would add its suffix to one that has another.
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def read_poses(path: str | Path) -> Poses:
    """Read a pose file. Fields that this version does not know are left unread.

    Raises UserError when it is absent, damaged, not a pose file, or of a newer version.
    """
    path = Path(path)
    if path.is_dir():
        raise UserError(f"{path} is a folder; a pose file is wanted (poses.npz or poses.json)")
    try:
        # Opened here, because np.load leaves damaged files open.
        with open(path, "rb") as file:
            if file.read(2) != b"PK":  # otherwise NumPy would advise to unpickle it
                raise ValueError("it is no .npz file")
            file.seek(0)
            with np.load(file, allow_pickle=False) as content:
                check_version(_scalar(content, "format_version"))
                return _from_content(content)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    except Exception as error:  # a damaged file surfaces as whatever the zip reader trips over
        raise UserError(
            f"{path} is not a readable pose file: {str(error) or type(error).__name__}"
        ) from error


def check_version(version: object) -> None:
    """Raises ValueError unless `version` is one that this code reads."""
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise ValueError(f"format_version is {version!r}, not a number from 1")
    if version > FORMAT_VERSION:
        raise ValueError(
            f"it has format version {version}, newer than the {FORMAT_VERSION} known here: "
            "update this program"
        )


def check_joint_names(skeleton: str, names: Sequence[str], field: str) -> None:
    """Raises ValueError unless `names` are those of the skeleton, in its order."""
    _joint_count(skeleton, field)
    if tuple(names) != skeleton_named(skeleton).joints:
        raise ValueError(f"its joint names are not those of {skeleton_named(skeleton).title}")


def _from_content(content: np.lib.npyio.NpzFile) -> Poses:
    skeletons = {}
    for field, names in (("skeleton_2d", "joint_names_2d"), ("skeleton_3d", "joint_names_3d")):
        if field in content or field == "skeleton_2d":
            skeletons[field] = str(_scalar(content, field))
            check_joint_names(skeletons[field], _array(content, names).tolist(), field)
    needed = {name for name, field in FIELDS.items() if name in content or not field.optional}
    return Poses(**{name: _array(content, name) for name in needed}, **skeletons)


def _array(content: np.lib.npyio.NpzFile, name: str) -> np.ndarray:
    if name not in content:
        raise ValueError(f"it has no {name}")
    return content[name]


def _scalar(content: np.lib.npyio.NpzFile, name: str) -> object:
    value = _array(content, name)
    if value.shape != ():
        raise ValueError(f"{name} has shape {value.shape} where a single value is needed")
    return value.item()


def _joint_count(skeleton: str, field: str) -> int:
    try:
        return len(skeleton_named(skeleton))
    except ValueError as error:
        raise ValueError(f"{field}: {error}") from error


def _typed(name: str, value: np.ndarray | None, dtype: type) -> np.ndarray:
    """`value` as an array of `dtype`; ValueError where that would change its meaning."""
    array = np.asarray(value)
    kinds = {np.str_: "U", np.int64: "iu"}.get(dtype, "fiu")
    lossless = dtype is not np.int64 or np.can_cast(array.dtype, np.int64)
    if array.ndim == 0 or array.dtype.kind not in kinds or not lossless:
        raise ValueError(f"{name} is of type {array.dtype} with {array.ndim} axes")
    with np.errstate(over="ignore"):  # becomes infinite, which is reported as such
        return array if dtype is np.str_ else array.astype(dtype, copy=False)
