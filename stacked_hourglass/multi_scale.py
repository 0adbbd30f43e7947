"""Multi-scale testing: what a network says of boxes of several sizes round a person, averaged."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from stacked_hourglass.description import Description
from stacked_hourglass.joints import FoundJoints, crop_batch, joints_of_maps

Answer = tuple[Tensor, Tensor | None]
"""Maps (N, J, h, w) of people, and the probability (N, J) that each joint is seen, if told."""


class Network(Protocol):
    """A predictor that also tells its maps; PyTorch's and ONNX Runtime's are."""

    description: Description
    flip_order: list[int]

    @property
    def skeleton(self) -> str: ...

    def maps_and_visibility(self, crops: Tensor, flip: bool = True) -> Answer: ...


class MultiScale:
    """A predictor that looks at boxes in each of `scales`, sizes in their own, with a network."""

    def __init__(self, network: Network, scales: Sequence[float]) -> None:
        self.network, self.scales = network, scales

    @property
    def skeleton(self) -> str:
        """Name of the joint set."""
        return self.network.skeleton

    def __call__(
        self, images: Sequence[np.ndarray], boxes: np.ndarray, flip: bool = True
    ) -> FoundJoints:
        """Pictures, uint8 RGB (H, W, 3) each, and boxes (N, 3) px -> joints. `flip` averages each
        crop with its mirror image, too."""
        if len(images) == 0:
            return FoundJoints.of_nobody(len(self.network.flip_order))
        description = self.network.description
        maps, visible = look_at_scales(
            lambda crops: self.network.maps_and_visibility(crops, flip),
            lambda places: crop_batch(images, places, description.resolution),
            boxes,
            self.scales,
        )
        return joints_of_maps(maps, visible, boxes, description)


def look_at_scales(
    look: Callable[[Tensor], Answer],
    cut: Callable[[np.ndarray], Tensor],
    boxes: np.ndarray,
    scales: Sequence[float],
) -> Answer:
    """Mean of what `look` says of the crops that `cut` makes of boxes (N, 3) px times each scale.

    The maps are those of the boxes themselves.
    """
    answers = [look(cut(boxes * np.array([1, 1, scale]))) for scale in scales]
    pairs = zip(answers, scales, strict=True)
    maps = torch.stack([onto_boxes(maps, scale) for (maps, _), scale in pairs]).mean(0)
    told = [visible for _, visible in answers if visible is not None]
    return maps, torch.stack(told).mean(0) if told else None


def onto_boxes(maps: Tensor, scale: float) -> Tensor:
    """Maps (N, J, h, w) of boxes `scale` times as large -> maps of the boxes, (N, J, h, w).

    A joint's mass stays at its place in the picture; what lies outside the box is lost.
    """
    if scale == 1:
        return maps
    matrix = torch.eye(2, 3).expand(len(maps), 2, 3) / scale
    grid = torch.nn.functional.affine_grid(matrix, list(maps.shape), align_corners=False)
    moved = torch.nn.functional.grid_sample(maps, grid, align_corners=False)
    return moved / scale**2
