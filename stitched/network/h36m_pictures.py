"""Human3.6M's pictures with their poses, as `data/prepare.py h36m_images` writes them.

The folder holds `index.npz`, pairs of 2D and 3D poses, and for each of them the picture
`<subject>/<take>/<camera>/<frame>.jpg`.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stacked_hourglass.person_table import PictureFiles
from stitched.network.data import PicturedPairs
from twod_threed.pairs import PosePairs, read_pairs
from utils.errors import UserError
from utils.skeleton_conversion import conversion_rules
from utils.skeletons import H36M_17, MPII_16

INDEX = "index.npz"

_RULES = zip(MPII_16.joints, conversion_rules(H36M_17, MPII_16), strict=True)
KNOWN_JOINTS = tuple(joint for joint, rule in _RULES if rule.status in ("exact", "derived"))
"""MPII's joints that Human3.6M's determine; the rest (the top of the head) are guesses."""


def picture_names(pairs: PosePairs) -> np.ndarray:
    """(N,) name of the picture of each row, relative to the folder."""
    views = zip(pairs.source_names().tolist(), pairs.frame.tolist(), strict=True)
    return np.array([f"{view}/{frame:06d}.jpg" for view, frame in views], np.str_)


def read_h36m_pictures(folder: Path, subjects: Sequence[str], every: int = 1) -> PicturedPairs:
    """The pictured people of some subjects, in every so many-th of their pictures.

    Raises UserError if the folder or a subject is absent.
    """
    index = folder / INDEX
    if not index.is_file():
        raise UserError(
            f"no pictures of Human3.6M in {folder}: there is no {index}; get the videos and poses "
            f"(D3_Positions) from http://vision.imar.ro/human3.6m and run `python data/prepare.py "
            f"h36m_images --output {folder}`; stitched_mannequin needs no data"
        )
    pairs = read_pairs(index)
    lacking = sorted(set(subjects) - set(pairs.subjects.tolist()))
    if lacking:
        there = ", ".join(np.unique(pairs.subjects).tolist())
        raise UserError(f"{index} has no pictures of {', '.join(lacking)}, only of {there}")
    frames = np.unique(pairs.frame)[::every]
    pairs = pairs.select(np.isin(pairs.subjects, subjects) & np.isin(pairs.frame, frames))
    return PicturedPairs(pairs, PictureFiles(folder, picture_names(pairs)), KNOWN_JOINTS)
