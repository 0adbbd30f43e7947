"""The hourglass run by onnxruntime instead of torch: a predictor like `predictor.Predictor`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from stacked_hourglass.description import description_from_metadata
from stacked_hourglass.joints import crop_batch, joints_of_maps
from stacked_hourglass.onnx_export import export_hourglass
from stacked_hourglass.predictor import best_shipped
from utils.onnx_files import OnnxSession, onnx_file
from utils.skeletons import SKELETONS


class OnnxPredictor:
    """Joints of the person in a box of a picture, as `Predictor` finds them, by an ONNX file."""

    def __init__(self, path: Path) -> None:
        self.session = OnnxSession(path)
        self.description = description_from_metadata(self.session.metadata, str(path))
        self.flip_order = list(SKELETONS[self.description.skeleton].flip_order)

    @property
    def resolution(self) -> int:
        """Side of the network's input, px."""
        return self.description.resolution

    @property
    def skeleton(self) -> str:
        """Name of the joint set."""
        return self.description.skeleton

    def __call__(
        self, images: Sequence[np.ndarray], boxes: np.ndarray, flip: bool = True
    ) -> tuple[np.ndarray, np.ndarray]:
        """Pictures, uint8 RGB (H, W, 3) each, and boxes (N, 3) px -> keypoints (N, J, 2) float32 px
        and confidence (N, J) in [0, 1]. `flip` averages each crop with its mirror image."""
        if len(images) == 0:
            joints = len(self.flip_order)
            return np.zeros((0, joints, 2), np.float32), np.zeros((0, joints), np.float32)
        maps = self.maps(crop_batch(images, boxes, self.resolution), flip)
        return joints_of_maps(maps, boxes, self.description)

    def maps(self, crops: Tensor, flip: bool = True) -> Tensor:
        """uint8 crops (B, 3, R, R) -> maps (B, J, R / 4, R / 4), each of sum 1."""
        if not flip:
            return self._forward(crops)
        plain, mirrored = self._forward(torch.cat([crops, crops.flip(-1)])).chunk(2)
        return (plain + mirrored.flip(-1)[:, self.flip_order]) / 2

    def _forward(self, crops: Tensor) -> Tensor:
        (maps,) = self.session(crops=np.ascontiguousarray(crops.numpy()))
        return torch.from_numpy(maps)


def load_onnx_predictor(name_or_path: str = "") -> OnnxPredictor:
    """From an .onnx file, or from anything that `--load` takes; "" is the best shipped model.

    Other than .onnx files are exported when they are first used, which takes some seconds, and
    kept in .cache/. Raises UserError if there is nothing, something else, or no onnxruntime.
    """
    return OnnxPredictor(onnx_file(name_or_path or best_shipped(), export_hourglass))
