"""From pictures, boxes and cameras to 2D and 3D joints, with a stitched network."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from stacked_hourglass.decoding import DECODERS, calibrated, normalise_scores, probability_around
from stacked_hourglass.model import convolve_in, fold_batch_norm
from stitched.network.data import PicturedPairs, plain_crops
from stitched.network.loading import open_network
from stitched.network.model import StitchedNetwork
from stitched.network.options import JoinOptions
from twod_threed.pose_rows import lift_rows, rows_of_pairs
from twod_threed.predictor import LiftingModel
from utils.devices import device_kind, pick_precision
from utils.pose_file import Poses
from utils.skeletons import skeleton_named

Crops = tuple[Tensor, np.ndarray, np.ndarray]
"""uint8 crops (B, 3, R, R), boxes (B, 3) that they cover, px, and numbers (B,) of their people."""


class Found(NamedTuple):
    """Joints of some people: their numbers (B,), boxes (B, 3), joints (B, J, 2), all px of the
    pictures, and confidence (B, J)."""

    rows: np.ndarray
    boxes: np.ndarray
    keypoints: np.ndarray
    confidence: np.ndarray


class StitchedModel:
    """A stitched network, ready for use: batch norm folded, nothing trained."""

    def __init__(
        self, network: StitchedNetwork, accelerator: str = "auto", precision: str = "auto"
    ) -> None:
        kind = device_kind(accelerator)
        self.device = torch.device(kind)
        self.autocast_dtype = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}.get(
            pick_precision(precision, kind)
        )
        self.description = network.description
        self.lifting = LiftingModel(network.lifter, self.description.lifter, accelerator)
        folded = fold_batch_norm(network.hourglass)
        parts = (folded, network.soft_argmax, network.lifter, self.description)
        self.network = StitchedNetwork(*parts).to(self.device).eval()
        if self.autocast_dtype is not None:
            convolve_in(self.network, self.autocast_dtype)
        self.network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.flip_order = list(skeleton_named(self.skeleton).flip_order)

    @classmethod
    def load(
        cls,
        load: str = "",
        join: JoinOptions | None = None,
        accelerator: str = "auto",
        precision: str = "auto",
    ) -> "StitchedModel":
        """A whole network, or without it the two of `join`. Raises UserError."""
        return cls(open_network(load, join or JoinOptions()), accelerator, precision)

    @property
    def resolution(self) -> int:
        """Side of the network's input, px."""
        return self.description.hourglass.resolution

    @property
    def skeleton(self) -> str:
        """Name of the 2D joint set."""
        return self.description.hourglass.skeleton

    @torch.inference_mode()
    def keypoints(
        self, crops: Tensor, boxes: np.ndarray, flip: bool = True
    ) -> tuple[np.ndarray, np.ndarray]:
        """uint8 crops (B, 3, R, R) of boxes (B, 3) -> joints (B, J, 2) px of the picture, and
        confidence (B, J), the calibrated chance that the hourglass's joint is right; NaN and 0 for
        joints that it never learned.

        flip: average the scores with those of the mirror images.
        """
        images = crops.to(self.device).float() / 255
        scores = self._scores(images)
        if flip:
            mirrored = self._scores(images.flip(-1)).flip(-1)[:, self.flip_order]
            scores = (scores + mirrored) / 2
        found = self.network.keypoints(scores, torch.as_tensor(boxes, device=self.device))
        hourglass = self.description.hourglass
        maps = normalise_scores(scores, hourglass.heatmap_loss)
        places = DECODERS[hourglass.decoder](maps)
        confidence = calibrated(probability_around(maps, places), hourglass.calibration)
        learned = ~np.isin(skeleton_named(self.skeleton).joints, hourglass.untrained)
        places = np.where(learned[:, None], found.float().cpu().numpy(), np.nan)
        return places.astype(np.float32), np.where(learned, confidence.cpu().numpy(), 0)

    def _scores(self, images: Tensor) -> Tensor:
        enabled = self.autocast_dtype is not None
        with torch.autocast(self.device.type, dtype=self.autocast_dtype, enabled=enabled):
            return self.network.scores(images)[-1].float()

    def batches(self, crops: Iterable[Crops], flip: bool = True) -> Iterator[Found]:
        """Joints of the people in each batch of crops."""
        for images, boxes, rows in crops:
            yield Found(rows, boxes, *self.keypoints(images, boxes, flip))

    def lift(self, poses: Poses, intrinsics: np.ndarray, height: float | None = None) -> Poses:
        """Rows with 3D joints and the hip's place, by the network's own lifter.

        intrinsics (N, 4) px; height: of the people, mm.
        """
        return lift_rows(self.lifting, poses, intrinsics, height)


def filled(people: Poses, found: Sequence[Found], skeleton: str) -> Poses:
    """Rows of people with the boxes and joints of `skeleton` that were found for them."""
    rows, boxes, keypoints, confidence = (
        np.concatenate(column) for column in zip(*found, strict=True)
    )
    return replace(
        people.select(rows),
        box=boxes,
        keypoints_2d=keypoints,
        confidence=confidence,
        skeleton_2d=skeleton,
    )


def find_pairs(model: StitchedModel, people: PicturedPairs, flip: bool, batch_size: int) -> Poses:
    """2D joints of everybody, in order, with their own cameras' intrinsics."""
    crops = plain_crops(people, model.resolution, batch_size)
    return filled(rows_of_pairs(people.pairs), [*model.batches(crops, flip)], model.skeleton)
