"""From pictures and boxes to joints, with a trained hourglass."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from stacked_hourglass.decoding import normalise_scores
from stacked_hourglass.description import Description, description_from_metadata
from stacked_hourglass.joints import FoundJoints, crop_batch, flip_average, joints_of_maps
from stacked_hourglass.model import StackedHourglass, convolve_in, fold_batch_norm
from stacked_hourglass.pytorch_pose import is_pytorch_pose, read_pytorch_pose
from utils.checkpoint import read_weights
from utils.devices import device_kind, pick_precision
from utils.errors import UserError
from utils.skeletons import skeleton_named
from utils.weights import building, load_into, shipped_names

PREFERRED = ("balanced", "lightweight")
"""Shipped hourglasses, the most accurate first."""


def best_shipped() -> str:
    """Name of the most accurate hourglass that ships. Raises UserError if none is there."""
    for name in PREFERRED:
        if name in shipped_names():
            return name
    raise UserError("no hourglass weights are shipped here: train one and give it with --load")


def load_model(name_or_path: str) -> tuple[StackedHourglass, Description]:
    """Network and description from anything that `--load` takes; "" is the best shipped one.

    Raises UserError if there is nothing, or something else.
    """
    source = name_or_path or best_shipped()
    weights, description = read_hourglass(source)
    with building(source):
        model = StackedHourglass(description.architecture)
    load_into(model, weights, source)
    return model, description


def read_hourglass(source: str) -> tuple[dict[str, Tensor], Description]:
    """Weights and description from anything that `--load` takes.

    Raises UserError if there is nothing, or something else.
    """
    weights, metadata = read_weights(source)
    if not metadata and is_pytorch_pose(weights):
        return read_pytorch_pose(weights, source)
    return weights, description_from_metadata(metadata, source)


class Predictor:
    """Joints of the person in a box of a picture.

    Calling it with pictures (uint8 RGB (H, W, 3)) and boxes (N, 3), one for each picture, gives
    `FoundJoints`; their confidence is the calibrated chance that the joint is within the tolerance
    of PCK.
    """

    def __init__(
        self,
        model: StackedHourglass,
        description: Description,
        accelerator: str = "auto",
        precision: str = "auto",
    ) -> None:
        kind = device_kind(accelerator)
        self.device = torch.device(kind)
        self.autocast_dtype = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}.get(
            pick_precision(precision, kind)
        )
        self.description = description
        self.model = fold_batch_norm(model).to(self.device)
        if self.autocast_dtype is not None:
            convolve_in(self.model, self.autocast_dtype)
        self.model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.flip_order = list(skeleton_named(description.skeleton).flip_order)

    @classmethod
    def load(
        cls, name_or_path: str, accelerator: str = "auto", precision: str = "auto"
    ) -> "Predictor":
        """From anything that `--load` takes; "" is the best shipped model."""
        return cls(*load_model(name_or_path), accelerator, precision)

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
        """See the class. `flip` averages each crop with its mirror image."""
        if len(images) == 0:
            return FoundJoints.of_nobody(len(self.flip_order))
        crops = crop_batch(images, boxes, self.resolution)
        maps, visible = self.maps_and_visibility(crops, flip)
        return joints_of_maps(maps, visible, boxes, self.description)

    @property
    def frames(self) -> int:
        """Frames of a film that it looks at together: 1 without attention over time."""
        return self.description.frames if self.description.architecture.attention else 1

    @torch.inference_mode()
    def maps_and_visibility(
        self, crops: Tensor, flip: bool = True, frames: int = 1
    ) -> tuple[Tensor, Tensor | None]:
        """uint8 crops (B, 3, R, R) -> maps (B, J, R / 4, R / 4), each of sum 1, and the probability
        (B, J) that each joint is seen, not hidden; None from a network that was not trained to
        tell. Both on the CPU. `frames`: how many of them, one after another, are a film's."""
        mean = torch.tensor(self.description.mean, device=self.device).view(1, 3, 1, 1)
        std = torch.tensor(self.description.std, device=self.device).view(1, 3, 1, 1)
        images = (crops.to(self.device).float() / 255 - mean) / std
        if not flip:
            maps, visible = self._forward(images, frames)
            return maps.cpu(), None if visible is None else visible.cpu()
        # One pass over both: a single picture alone would not fill the cores.
        maps, visible = self._forward(torch.cat([images, images.flip(-1)]), frames)
        maps = flip_average(maps, self.flip_order).cpu()
        return maps, None if visible is None else flip_average(visible, self.flip_order).cpu()

    def _forward(self, images: Tensor, frames: int) -> tuple[Tensor, Tensor | None]:
        images = images.contiguous(memory_format=torch.channels_last)
        enabled = self.autocast_dtype is not None
        with torch.autocast(self.device.type, dtype=self.autocast_dtype, enabled=enabled):
            scores, logits = self.model(images, visibility=True, frames=frames)
        visible = None if logits is None else logits.float().sigmoid()
        return normalise_scores(scores[-1], self.description.heatmap_loss), visible
