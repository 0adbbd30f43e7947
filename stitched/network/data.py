"""Pictures with 2D and 3D poses, and the crops that training reads them through."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from stacked_hourglass.augmentation import CROP_MARGIN
from stacked_hourglass.data import crop_size
from stacked_hourglass.person_table import Pictures
from twod_threed.data import Bodies, measure_bodies
from twod_threed.pairs import PosePairs
from utils.crops import box_around, image_to_crop
from utils.skeletons import H36M_17, MPII_16

BOX_MARGIN = 1.25
"""Side of a person's box over the longer extent of the joints."""


@dataclass(frozen=True)
class PicturedPairs:
    """N people with 2D joints of MPII-16 in px, 3D joints in mm, and a picture each.

    Raises ValueError if the parts are not of the same people.
    """

    pairs: PosePairs
    pictures: Pictures
    """row i of the pairs is seen in picture i"""
    supervised: tuple[str, ...] = MPII_16.joints
    """2D joints that are really known, and not guessed from others"""

    def __post_init__(self) -> None:
        joints = (self.pairs.skeleton_2d, self.pairs.skeleton_3d)
        if joints != (MPII_16.name, H36M_17.name):
            raise ValueError(f"pictured pairs have joints {joints}")
        if len(self.pairs) != len(self.pictures):
            raise ValueError(f"{len(self.pairs)} poses, {len(self.pictures)} pictures")

    def __len__(self) -> int:
        return len(self.pairs)

    def boxes(self) -> np.ndarray:
        """(N, 3) centre x, centre y, side, px, around the joints of everybody."""
        return np.stack([box_around(points, BOX_MARGIN) for points in self.pairs.poses_2d])

    def bodies(self) -> Bodies:
        """Sizes of the people. Raises UserError."""
        pairs = self.pairs
        return measure_bodies(pairs.poses_3d, pairs.valid, pairs.clip_subjects, pairs.clip)


class PicturedDataset(Dataset):
    """Crops of pictured people, each cut CROP_MARGIN times larger than the person's box."""

    def __init__(self, people: PicturedPairs, resolution: int) -> None:
        self.pictures, self.size = people.pictures, crop_size(resolution)
        pairs, bodies = people.pairs, people.bodies()
        self.boxes = people.boxes()
        self.intrinsics = pairs.intrinsics[pairs.camera].astype(np.float32)
        self.body = bodies.size[bodies.subject].astype(np.float32)
        self.poses_2d, self.poses_3d, self.valid = pairs.poses_2d, pairs.poses_3d, pairs.valid
        self.supervised = np.isin(MPII_16.joints, people.supervised)

    def __len__(self) -> int:
        return len(self.poses_3d)

    def __getitem__(self, row: int) -> dict[str, Any]:
        """One person.

        image: uint8 RGB (S, S, 3), black beyond the picture; keypoints: (16, 2) crop px, NaN where
        the picture does not show the place or the data do not really know it; keypoints_image: (16,
        2) px of the picture, everywhere; poses_3d (17, 3) mm, camera frame; valid (17,); box (3,)
        and intrinsics (4,) px; size (): mm, of the body. Raises UserError if the picture cannot be
        read.
        """
        picture, box, places = self.pictures.read(row), self.boxes[row], self.poses_2d[row]
        wide = box * np.array([1, 1, CROP_MARGIN], np.float32)
        keypoints = image_to_crop(places, wide, self.size).astype(np.float32)
        keypoints[~(picture.contains(places) & self.supervised)] = np.nan
        return {
            "image": picture.crop(wide, self.size),
            "keypoints": keypoints,
            "keypoints_image": places,
            "poses_3d": self.poses_3d[row],
            "valid": self.valid[row],
            "box": box,
            "intrinsics": self.intrinsics[row],
            "size": self.body[row],
        }


def plain_crops(
    people: PicturedPairs, resolution: int, batch_size: int
) -> Iterator[tuple[Tensor, np.ndarray, np.ndarray]]:
    """Everybody in order: uint8 crops (B, 3, R, R), their boxes (B, 3) and rows (B,)."""
    boxes = people.boxes()
    for start in range(0, len(people), batch_size):
        rows = np.arange(start, min(start + batch_size, len(people)))
        crops = [people.pictures.read(row).crop(boxes[row], resolution) for row in rows.tolist()]
        yield as_batch(crops), boxes[rows], rows


def as_batch(crops: Sequence[np.ndarray]) -> Tensor:
    """uint8 crops (R, R, 3) -> (B, 3, R, R) in channels_last memory."""
    return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2)
