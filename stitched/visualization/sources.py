"""The lifted poses of one video or picture, of a pose file."""

from pathlib import Path

import numpy as np

from utils.errors import UserError
from utils.pose_file import Poses
from utils.pose_json import read_pose_file
from utils.pose_sources import rows_of


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
