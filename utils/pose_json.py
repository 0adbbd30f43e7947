"""`poses.json`: what the pose file says, as strict JSON with null for NaN.

The head comes first and every row is one line, so that it can be read and written as a stream.
"""

import json
from pathlib import Path
from typing import IO

import numpy as np

from utils.atomic import atomic_path
from utils.errors import UserError
from utils.pose_file import (
    FIELDS,
    FORMAT_VERSION,
    Poses,
    check_joint_names,
    check_version,
    read_poses,
)

# Rows turned into text at a time: bounds the memory for long videos.
_CHUNK = 1000


def write_pose_json(path: str | Path, poses: Poses) -> None:
    """Write poses as JSON, whole or not at all. Raises UserError if the place cannot be written."""
    poses.check()
    with atomic_path(path) as temporary, open(temporary, "w", encoding="ascii") as file:
        _write(file, poses)


def _write(file: IO[str], poses: Poses) -> None:
    head = {
        "format_version": FORMAT_VERSION,
        "skeleton_2d": poses.skeleton_2d,
        "joint_names_2d": poses.joint_names_2d,
        "skeleton_3d": poses.skeleton_3d,
        "joint_names_3d": poses.joint_names_3d,
        "fields": list(poses.arrays()),
    }
    for name, value in head.items():
        file.write(f'{"{" if name == "format_version" else " "}"{name}": {json.dumps(value)},\n')
    file.write(' "poses": [')
    for start in range(0, len(poses), _CHUNK):
        part = poses.select(slice(start, start + _CHUNK))
        columns = {name: _plain(values) for name, values in part.arrays().items()}
        for i in range(len(part)):
            row = {name: values[i] for name, values in columns.items()}
            file.write(",\n  " if start + i else "\n  ")
            file.write(json.dumps(row, allow_nan=False))
    file.write("\n ]}\n")


def _plain(values: np.ndarray) -> list:
    """Nested lists with None for NaN."""
    if values.dtype.kind != "f":
        return values.tolist()
    # By way of text, a float32 gets the shortest decimals that read back as itself.
    decimals = values.astype(np.str_).astype(np.float64)
    plain = decimals.astype(object)
    plain[np.isnan(decimals)] = None
    return plain.tolist()


def read_pose_file(path: str | Path) -> Poses:
    """Read poses.npz or poses.json, which the name tells apart. Raises UserError as they do."""
    return read_pose_json(path) if Path(path).suffix.lower() == ".json" else read_poses(path)


def read_pose_json(path: str | Path) -> Poses:
    """Read what `write_pose_json` wrote. Raises UserError if it is absent, damaged or not poses."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        return _from_content(json.loads(text, parse_constant=_refuse))
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    except KeyError as error:
        raise UserError(f"{path} is not a readable pose file: it has no {error.args[0]}") from error
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise UserError(f"{path} is not a readable pose file: {error}") from error


def _refuse(token: str) -> None:
    raise ValueError(f"{token} is not JSON")


def _from_content(content: dict) -> Poses:
    check_version(content["format_version"])
    skeletons = {field: content[field] for field in ("skeleton_2d", "skeleton_3d")}
    sizes = {}
    for size, field in (("J2", "skeleton_2d"), ("J3", "skeleton_3d")):
        if skeletons[field] is not None:
            names = content[field.replace("skeleton", "joint_names")]
            check_joint_names(skeletons[field], names, field)
            sizes[size] = len(names)
    listed = content["fields"]
    needed = {name for name, field in FIELDS.items() if name in listed or not field.optional}
    arrays = {name: _column(content["poses"], name, sizes) for name in needed}
    return Poses(**arrays, **skeletons)


def _column(rows: list[dict], name: str, sizes: dict[str, int]) -> np.ndarray:
    """One field of all rows as an array."""
    field = FIELDS[name]
    if not rows:
        return np.empty((0, *field.row_shape(sizes)), field.dtype)
    # Values of a float field may be whole numbers, or all null; those of others show their type.
    kind = np.float64 if np.issubdtype(field.dtype, np.floating) else None
    return np.array([row[name] for row in rows], kind)
