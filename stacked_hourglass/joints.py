"""What comes before and after the network, whatever runs it: crops of pictures, joints of maps."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from stacked_hourglass.decoding import DECODERS, calibrated, probability_around
from stacked_hourglass.description import Description
from stacked_hourglass.targets import from_heatmap
from utils.crops import crop_to_image, cut_crop
from utils.skeletons import skeleton_named


class FoundJoints(NamedTuple):
    """Joints of N people, by a network that knows J."""

    keypoints: np.ndarray
    """(N, J, 2) float32, px of their pictures"""
    confidence: np.ndarray
    """(N, J) float32 in [0, 1]"""
    visibility: np.ndarray | None = None
    """(N, J) float32, probability that the joint is seen and not hidden; None where the network was
    not trained to tell"""

    @classmethod
    def of_nobody(cls, joints: int) -> "FoundJoints":
        """No people."""
        return cls(np.zeros((0, joints, 2), np.float32), np.zeros((0, joints), np.float32))


def crop_batch(images: Sequence[np.ndarray], boxes: np.ndarray, size: int) -> Tensor:
    """Boxes (N, 3) px of pictures, uint8 RGB (H, W, 3) each -> uint8 (N, 3, size, size).

    There must be one picture for each box, and at least one.
    """
    crops = [cut_crop(image, box, size) for image, box in zip(images, boxes, strict=True)]
    return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2)


def flip_average(values: Tensor, flip_order: Sequence[int]) -> Tensor:
    """(2 N, J, ...) of pictures and then of their mirror images -> their mean (N, J, ...).

    Maps (2 N, J, h, w) are mirrored back; `flip_order` swaps the sides' joints.
    """
    plain, mirrored = values.chunk(2)
    mirrored = mirrored[:, list(flip_order)]
    return (plain + (mirrored.flip(-1) if values.ndim == 4 else mirrored)) / 2


def joints_of_maps(
    maps: Tensor, visibility: Tensor | None, boxes: np.ndarray, description: Description
) -> FoundJoints:
    """Maps (N, J, h, w) on the CPU, each of sum 1, and visibility (N, J), of the crops of boxes
    (N, 3) px -> joints in px of the pictures, with calibrated confidence."""
    places = DECODERS[description.decoder](maps)
    keypoints = crop_to_image(
        from_heatmap(places).numpy(), np.asarray(boxes, np.float64), description.resolution
    )
    confidence = calibrated(probability_around(maps, places), description.calibration)
    return known_joints(keypoints, confidence, visibility, description)


def known_joints(
    keypoints: np.ndarray, confidence: Tensor, visibility: Tensor | None, description: Description
) -> FoundJoints:
    """Joints (N, J, 2) px with confidence and visibility (N, J), without those that the network was
    not trained to find: these are NaN, of confidence 0."""
    untrained = np.isin(skeleton_named(description.skeleton).joints, description.untrained)
    return FoundJoints(
        np.where(untrained[:, None], np.nan, keypoints).astype(np.float32),
        np.where(untrained, 0, confidence.numpy()),
        None if visibility is None else np.where(untrained, np.nan, visibility.numpy()),
    )
