"""Annotations that are likely wrong: where a trained network that is sure of itself sees others.

LSP extended was annotated by many hands: limbs are exchanged, left for right, and joints lie
elsewhere. A network that has learned from all of them errs less than some of them do.
"""

from dataclasses import dataclass, replace

import numpy as np

from stacked_hourglass.pck import torso_lengths
from stacked_hourglass.person_table import PersonTable
from stacked_hourglass.predictor import Predictor
from stacked_hourglass.reading import people_poses, read_people_joints
from utils.errors import UserError
from utils.skeletons import MPII_16

SURE = 0.8
"""Confidence from which the network is believed rather than the annotation."""
FAR = 0.5
"""Torso lengths between the two from which the annotation is left out."""
PLAINER = 0.3
"""Torso lengths by which limbs must fit better exchanged, in the mean of their joints."""
FARTHEST = 1.0
"""Torso lengths beyond which a joint is simply elsewhere."""
TORSO_SHARE = 0.25
"""Of the box's side, where the torso is not annotated."""
LIMBS = {
    name: [MPII_16.indices(*(f"{side}_{joint}" for joint in joints)) for side in ("left", "right")]
    for name, joints in (
        ("arms", ("shoulder", "elbow", "wrist")),
        ("legs", ("hip", "knee", "ankle")),
    )
}
"""Places of the left and of the right joints."""


@dataclass(frozen=True)
class Mended:
    """A table with what is likely wrong exchanged or left out, and where that is."""

    table: PersonTable
    exchanged: dict[str, np.ndarray]
    """of LIMBS: rows whose left and right were exchanged"""
    left_out: np.ndarray
    """(M, 2) row and joint"""

    def line(self) -> str:
        """What was done."""
        parts = [f"{name} of {len(rows)} people exchanged" for name, rows in self.exchanged.items()]
        return ", ".join([*parts, f"{len(self.left_out)} joints left out"])


def mend(table: PersonTable, predictor: Predictor, batch_size: int = 32) -> Mended:
    """Look at everybody who trains, each with the mirror image, and mend the annotations.

    Raises UserError unless table and network know MPII's joints, and if no picture can be read.
    """
    if table.skeleton != MPII_16.name or predictor.skeleton != MPII_16.name:
        raise UserError(f"{table.name} can be mended where it and the network have MPII's joints")
    unit = torso_lengths(table.keypoints, MPII_16)
    unit = np.where(unit > 0, unit, TORSO_SHARE * table.box[:, 2])
    keypoints, visibility = table.keypoints.copy(), table.visibility.copy()
    sure = sure_joints(table, predictor, batch_size)
    exchanged = {}
    for name, (left, right) in LIMBS.items():
        rows = np.flatnonzero(is_exchanged(keypoints, sure, unit, left, right))
        for values in (keypoints, visibility):
            values[rows[:, None], left + right] = values[rows[:, None], right + left]
        exchanged[name] = rows
    far = np.linalg.norm(keypoints - sure, axis=-1) > FAR * unit[:, None]
    keypoints[far] = visibility[far] = np.nan
    better = replace(table, keypoints=keypoints, visibility=visibility)
    return Mended(better, exchanged, np.argwhere(far))


def sure_joints(table: PersonTable, predictor: Predictor, batch_size: int) -> np.ndarray:
    """Joints (N, 16, 2) px of those who train, where the network is sure of them, else NaN."""
    joints = np.full_like(table.keypoints, np.nan)
    rows = np.flatnonzero(table.split == "train")
    if not len(rows):
        return joints
    people = table.rows(rows)
    reading = read_people_joints(
        predictor, people, (predictor.description.decoder,), True, batch_size
    )
    poses = people_poses(reading, predictor, people)
    is_sure = poses.confidence >= SURE
    joints[rows[reading.rows]] = np.where(is_sure[..., None], poses.keypoints_2d, np.nan)
    return joints


def is_exchanged(
    keypoints: np.ndarray, sure: np.ndarray, unit: np.ndarray, left: list[int], right: list[int]
) -> np.ndarray:
    """Whose left and right limbs (N,) fit what the network is sure of better the other way round.

    keypoints, sure: (N, J, 2) px, NaN where nothing is known; unit: torso lengths (N,) px. On both
    sides something must be known.
    """

    def apart(annotated: list[int]) -> np.ndarray:
        distance = np.linalg.norm(keypoints[:, annotated] - sure[:, left + right], axis=-1)
        return np.minimum(distance / unit[:, None], FARTHEST)

    gain = apart(left + right) - apart(right + left)
    known = np.isfinite(gain)
    both = known[:, : len(left)].any(1) & known[:, len(left) :].any(1)
    return both & (np.where(known, gain, 0).sum(1) > PLAINER * known.sum(1))
