"""`--detector torchvision`: boxes around people, by a general detector that others trained."""

import urllib.error
from typing import Any

import numpy as np
import torch

from stitched.boxes_file import Boxes
from utils.devices import device_kind
from utils.errors import UserError

SURE = 0.5
"""Score from which the detector's answer counts."""
MARGIN = 1.1
"""Side of a person's box over the longer side of the detector's rectangle."""
_PERSON = 1  # the detector's label, of COCO
_MISSING = (
    "--detector torchvision needs torchvision, which cannot be used here ({}): install the one "
    "that belongs to your PyTorch, or give the boxes with --boxes"
)


class TorchvisionDetector:
    """Faster R-CNN on MobileNetV3 (Ren et al. 2015, Howard et al. 2019), trained on COCO.

    Raises UserError if torchvision is not installed, or its weights are neither here nor to be
    downloaded.
    """

    def __init__(self, accelerator: str = "auto") -> None:
        self._device = torch.device(device_kind(accelerator))
        self._network = _load().eval().to(self._device)

    @torch.inference_mode()
    def __call__(self, image: np.ndarray) -> Boxes:
        """Picture uint8 RGB (H, W, 3) -> boxes of the people in it, the surest first."""
        pixels = torch.from_numpy(image).to(self._device).permute(2, 0, 1).float() / 255
        found = {name: value.cpu().numpy() for name, value in self._network([pixels])[0].items()}
        return Boxes(person_boxes(found["boxes"], found["labels"], found["scores"]), None)


def person_boxes(edges: np.ndarray, labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Rectangles (N, 4) left, top, right, bottom, px, from the corner of the picture; labels and
    scores (N,) -> square boxes (M, 3) of the people that are sure, the surest first."""
    people = np.flatnonzero((labels == _PERSON) & (scores >= SURE))
    low, high = np.split(edges[people[np.argsort(-scores[people], kind="stable")]], 2, axis=1)
    # The detector counts from the corner of the first pixel, not from its middle.
    centres = (low + high) / 2 - 0.5
    sides = MARGIN * (high - low).max(axis=1, keepdims=True)
    return np.concatenate([centres, sides], axis=1).astype(np.float32)


def _load() -> Any:
    try:
        from torchvision.models import detection  # pyright: ignore[reportMissingImports]
    # An installation that does not fit torch fails in whatever way its operators do.
    except (ImportError, RuntimeError, AttributeError, OSError) as error:
        raise UserError(_MISSING.format(str(error).splitlines()[0])) from error
    weights = detection.FasterRCNN_MobileNet_V3_Large_FPN_Weights.DEFAULT
    try:
        return detection.fasterrcnn_mobilenet_v3_large_fpn(weights=weights)
    except (urllib.error.URLError, OSError) as error:
        cause = getattr(error, "reason", None) or error
        raise UserError(
            f"cannot download the detector's weights from {weights.url} ({cause}): connect to the "
            "internet once, or give the boxes with --boxes"
        ) from error
