"""The hourglass run by onnxruntime instead of torch: a predictor like `predictor.Predictor`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from stacked_hourglass.description import description_from_metadata
from stacked_hourglass.joints import FoundJoints, crop_batch, flip_average, joints_of_maps
from stacked_hourglass.onnx_export import export_hourglass
from stacked_hourglass.predictor import best_shipped
from utils.onnx_files import OnnxSession, onnx_file
from utils.skeletons import skeleton_named


class OnnxPredictor:
    """Joints of the person in a box of a picture, as `Predictor` finds them, by an ONNX file."""

    def __init__(self, path: Path) -> None:
        self.session = OnnxSession(path)
        self.description = description_from_metadata(self.session.metadata, str(path))
        self.flip_order = list(skeleton_named(self.description.skeleton).flip_order)

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
    ) -> FoundJoints:
        """Pictures, uint8 RGB (H, W, 3) each, and boxes (N, 3) px -> joints. `flip` averages each
        crop with its mirror image."""
        if len(images) == 0:
            return FoundJoints.of_nobody(len(self.flip_order))
        crops = crop_batch(images, boxes, self.resolution)
        maps, visible = self.maps_and_visibility(crops, flip)
        return joints_of_maps(maps, visible, boxes, self.description)

    def maps_and_visibility(self, crops: Tensor, flip: bool = True) -> tuple[Tensor, Tensor | None]:
        """uint8 crops (B, 3, R, R) -> maps (B, J, R / 4, R / 4), each of sum 1, and the probability
        (B, J) that each joint is seen; None from a network that was not trained to tell."""
        looks = torch.cat([crops, crops.flip(-1)]) if flip else crops
        outputs = self.session(crops=np.ascontiguousarray(looks.numpy()))
        values = [torch.from_numpy(output) for output in outputs]
        if flip:
            values = [flip_average(one, self.flip_order) for one in values]
        return values[0], values[1] if self.description.architecture.visibility else None


def load_onnx_predictor(name_or_path: str = "") -> OnnxPredictor:
    """From an .onnx file, or from anything that `--load` takes; "" is the best shipped model.

    Other than .onnx files are exported when they are first used, which takes some seconds, and
    kept in .cache/. Raises UserError if there is nothing, something else, or no onnxruntime.
    """
    return OnnxPredictor(onnx_file(name_or_path or best_shipped(), export_hourglass))
