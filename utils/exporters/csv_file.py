"""CSV: everything in the pose file as one table for spreadsheets and scripts."""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from utils.atomic import atomic_path
from utils.pose_file import Poses

# Rows turned into text at a time: bounds the memory for long videos.
_CHUNK = 1000


def write_csv(folder: Path, poses: Poses) -> list[Path]:
    """`poses.csv`: a line for each row of the pose file, a column for each number; NaN is empty.
    What in a source's name is no UTF-8 stands as in poses.json, `\\udce9`.

    Raises UserError if the place cannot be written.
    """
    path = folder / "poses.csv"
    with (
        atomic_path(path) as temporary,
        open(temporary, "w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([name for name, _ in _columns(poses)])
        for start in range(0, len(poses), _CHUNK):
            part = poses.select(slice(start, start + _CHUNK))
            columns = (_words(values) for _, values in _columns(part))
            writer.writerows(zip(*columns, strict=True))
    return [path]


def _columns(poses: Poses) -> Iterator[tuple[str, np.ndarray]]:
    """Name and values (N,) of each column."""
    for name in ("source", "frame", "time", "person"):
        yield name, getattr(poses, name)
    yield from _split("box", poses.box, ("cx", "cy", "side"))
    yield from _split("image", poses.image_size, ("width", "height"))
    for j, joint in enumerate(poses.joint_names_2d):
        yield from _split(joint, poses.keypoints_2d[:, j], ("x", "y"))
        yield f"{joint}_confidence", poses.confidence[:, j]
        if poses.visibility is not None:
            yield f"{joint}_visibility", poses.visibility[:, j]
    if poses.keypoints_3d is not None:
        for j, joint in enumerate(poses.joint_names_3d or ()):
            yield from _split(f"{joint}_3d", poses.keypoints_3d[:, j], ("x", "y", "z"))
    if poses.root_camera is not None:
        yield from _split("root_camera", poses.root_camera, ("x", "y", "z"))
    if poses.intrinsics is not None:
        yield from _split("intrinsics", poses.intrinsics, ("fx", "fy", "cx", "cy"))


def _split(
    name: str, values: np.ndarray, parts: tuple[str, ...]
) -> Iterator[tuple[str, np.ndarray]]:
    """Columns of values (N, len(parts))."""
    for k, part in enumerate(parts):
        yield f"{name}_{part}", values[:, k]


def _words(values: np.ndarray) -> list[str]:
    """Numbers as the shortest text that reads back as themselves."""
    words = values.astype(np.str_)
    return np.where(words == "nan", "", words).tolist() if values.dtype.kind == "f" else list(words)
