"""Poses as files that other tools read: one module for each format. docs/exports.md describes them.

The table is what `--export` chooses from. An exporter writes into a folder and says which files.
"""

from collections.abc import Callable
from pathlib import Path

from utils.exporters.bvh_file import write_bvh
from utils.exporters.coco_json import write_coco
from utils.exporters.csv_file import write_csv
from utils.exporters.trc_file import write_trc
from utils.pose_file import Poses, write_poses
from utils.pose_json import write_pose_json

Exporter = Callable[[Path, Poses], list[Path]]


def _write_npz(folder: Path, poses: Poses) -> list[Path]:
    path = folder / "poses.npz"
    write_poses(path, poses)
    return [path]


def _write_json(folder: Path, poses: Poses) -> list[Path]:
    path = folder / "poses.json"
    write_pose_json(path, poses)
    return [path]


EXPORTERS: dict[str, Exporter] = {
    "npz": _write_npz,
    "json": _write_json,
    "coco": write_coco,
    "csv": write_csv,
    "bvh": write_bvh,
    "trc": write_trc,
}

NEED_3D = ("bvh", "trc")
"""Formats that hold nothing but 3D poses: they raise UserError for poses never lifted."""

__all__ = ["EXPORTERS", "NEED_3D", "Exporter"]
