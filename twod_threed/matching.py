"""Pose files beside the pose pairs they were made from: which row belongs to which."""

from pathlib import Path

import numpy as np

from twod_threed.pairs import PosePairs
from utils.errors import UserError
from utils.pose_file import Poses
from utils.pose_json import read_pose_file
from utils.skeletons import H36M_17


def matching_rows(poses: Poses, pairs: PosePairs, path: Path) -> np.ndarray:
    """Row of `poses`, which were read from `path`, for each row of `pairs`: (N,).

    Rows belong together if source ("clip/camera") and frame are the same. Other rows of the file
    are left out. Raises UserError if a row is absent, or there twice.
    """
    keys = list(zip(poses.source.tolist(), poses.frame.tolist(), strict=True))
    rows = {key: row for row, key in enumerate(keys)}
    if len(rows) < len(keys):
        source, frame = next(key for row, key in enumerate(keys) if rows[key] != row)
        raise UserError(f"{path} has several poses for frame {frame} of {source}: one is needed")
    wanted = list(zip(pairs.source_names().tolist(), pairs.frame.tolist(), strict=True))
    absent = [key for key in wanted if key not in rows]
    if absent:
        source, frame = absent[0]
        raise UserError(
            f"{path} lacks {len(absent)} of the {len(wanted)} poses of the ground truth, "
            f"first frame {frame} of {source}; run the model on all of them"
        )
    return np.array([rows[key] for key in wanted], np.int64)


def read_predictions(path: Path, pairs: PosePairs) -> tuple[np.ndarray, int]:
    """3D poses (N, 17, 3), mm, of the rows of `pairs` from a pose file; how many others it has.

    Raises UserError for a file that is absent, damaged, of another skeleton or not of these pairs.
    """
    poses = read_pose_file(path)
    if poses.keypoints_3d is None or poses.skeleton_3d != H36M_17.name:
        held = poses.skeleton_3d or "no 3D"
        raise UserError(f"{path} has {held} poses; {H36M_17.name} is needed: lift it with run.py")
    rows = matching_rows(poses, pairs, path)
    return poses.keypoints_3d[rows], len(poses) - len(rows)
