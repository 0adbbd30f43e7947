"""Which rows of a pose file belong to a video or picture."""

from pathlib import Path, PurePosixPath

import numpy as np

from utils.errors import UserError
from utils.pose_file import Poses
from utils.pose_json import read_pose_file

_MOST_NAMES = 10


def read_rows(path: Path, source: str) -> Poses:
    """The rows of a pose file that are of `source`, as `rows_of` finds them, in order of frames.

    Raises UserError for a file that is absent or damaged, or has no 3D poses of it.
    """
    poses = rows_of(read_pose_file(path), source, str(path))
    is_lifted = poses.keypoints_3d is not None and np.isfinite(poses.keypoints_3d).any()
    if poses.keypoints_3d is None or (poses.found.any() and not is_lifted):
        raise UserError(
            f"{path} has no 3D poses of {source or poses.source[0]}: lift them with "
            "`run.py 2d3d_mocap --poses` first"
        )
    return poses


def rows_of(poses: Poses, source: str, place: str = "the pose file") -> Poses:
    """The rows of one video or picture, in order of frames.

    It is the source of this name; else the only one whose file has this name, wherever it lies;
    else the only one that there is, since files are renamed. An empty name means that one. Raises
    UserError, saying what there is, if that is not clear; `place`: what to call the poses.
    """
    names = np.unique(poses.source).tolist()
    alike = [name for name in names if _file_name(name) == _file_name(source)]
    for candidates in ([source] if source in names else [], alike, names):
        if len(candidates) == 1:
            rows = poses.select(poses.source == candidates[0])
            return rows.select(np.argsort(rows.frame, kind="stable"))
    if not names:
        raise UserError(f"{place} has no poses")
    told = ", ".join(names[:_MOST_NAMES]) + (", ..." if len(names) > _MOST_NAMES else "")
    amiss = (
        f"has no {source}, or several" if source else "has several sources: say which with --source"
    )
    raise UserError(f"{place} {amiss}; it has {told}")


def _file_name(source: str) -> str:
    return PurePosixPath(source.replace("\\", "/")).name
