"""What comes before and after the network, whatever runs it: crops of pictures, joints of maps."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from stacked_hourglass.decoding import DECODERS, calibrated, peak_probability
from stacked_hourglass.description import Description
from stacked_hourglass.targets import from_heatmap
from utils.crops import crop_to_image, cut_crop


def crop_batch(images: Sequence[np.ndarray], boxes: np.ndarray, size: int) -> Tensor:
    """Boxes (N, 3) px of pictures, uint8 RGB (H, W, 3) each -> uint8 (N, 3, size, size).

    There must be one picture for each box, and at least one.
    """
    crops = [cut_crop(image, box, size) for image, box in zip(images, boxes, strict=True)]
    return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2)


def joints_of_maps(
    maps: Tensor, boxes: np.ndarray, description: Description
) -> tuple[np.ndarray, np.ndarray]:
    """Maps (N, J, h, w) on the CPU, each of sum 1, of the crops of boxes (N, 3) px -> keypoints
    (N, J, 2) float32 in px of the pictures, and calibrated confidence (N, J) in [0, 1]."""
    points = from_heatmap(DECODERS[description.decoder](maps))
    keypoints = crop_to_image(points.numpy(), np.asarray(boxes, np.float64), description.resolution)
    confidence = calibrated(peak_probability(maps), description.calibration)
    return keypoints.astype(np.float32), confidence.numpy()
