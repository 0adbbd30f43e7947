"""What `eval.py custom_PCK` and `eva_PCK` compare: predictions in the order of annotations, and
lengths."""

from pathlib import Path

import numpy as np

from stacked_hourglass.coco import BOX_MARGIN
from stacked_hourglass.person_table import PersonTable
from utils.errors import UserError, need
from utils.pose_file import Poses
from utils.pose_json import read_pose_file
from utils.skeletons import skeleton_named


def read_custom_predictions(path: Path, table: PersonTable) -> tuple[np.ndarray, int]:
    """Predictions (N, J, 2) px for the N annotations of a table, NaN where the file has none, and
    how many those are.

    Matched by the picture's path as the annotations give it and the number of the annotation.
    Raises UserError if the file is of other joints or has nobody of the table.
    """
    poses = read_pose_file(path)
    if poses.joint_names_2d != skeleton_named(table.skeleton).joints:
        raise UserError(f"{path} has other joints than the annotations")
    return in_order(poses, poses.keypoints_2d, table, path)


def in_order(
    poses: Poses, points: np.ndarray, table: PersonTable, path: Path
) -> tuple[np.ndarray, int]:
    """Points (M, J, 2) px of the poses of a file in the order of the table (N, J, 2), NaN where it
    has none, and how many those are.

    Matched by the picture's path as the table gives it and the number of the annotation. Raises
    UserError if the file has nobody of the table.
    """
    keys = zip(poses.source.tolist(), poses.person.tolist(), strict=True)
    row_of = {key: row for row, key in enumerate(keys)}
    wanted = [
        (table.picture_name(row), number) for row, number in enumerate(table.annotation_id.tolist())
    ]
    found = [place for place, key in enumerate(wanted) if key in row_of]
    if not found:
        raise UserError(f"{path} has none of the {len(table)} annotations of {table.name}")
    predictions = np.full((len(table), *points.shape[1:]), np.nan)
    predictions[found] = points[[row_of[wanted[place]] for place in found]]
    return predictions, len(table) - len(found)


def person_lengths(table: PersonTable, joints: tuple[str, str] | None) -> np.ndarray:
    """Unit of length (N,) px: the distance of two joints, NaN where one is not annotated, or the
    longer side of the annotated box (without one, KEYPOINTS_MARGIN / BOX_MARGIN times that of the
    joints').

    Raises UserError for joints that are not there, and if nobody has both.
    """
    if joints is None:
        return table.box[:, 2] / BOX_MARGIN
    skeleton = skeleton_named(table.skeleton)
    for joint in joints:
        known = ", ".join(skeleton.joints)
        need(joint in skeleton.joints, f"--length_joints: no joint is {joint}; they are {known}")
    first, second = skeleton.indices(*joints)
    lengths = np.linalg.norm(table.keypoints[:, first] - table.keypoints[:, second], axis=-1)
    if not (lengths > 0).any():
        raise UserError(f"--length_joints: nobody has both {joints[0]} and {joints[1]}")
    return lengths
