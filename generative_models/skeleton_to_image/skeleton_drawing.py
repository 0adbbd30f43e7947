"""Skeletons as networks see them: one drawing, in training and in use.

Thirteen joints (dance_13) in px of a square picture become either

* a drawn skeleton: fourteen limbs on black, each a round-ended stroke of its own colour (warm on
  the person's left, cold on the right, grey in the middle), 2.4 % of the picture's side wide; neck
  and pelvis are the middles of shoulders and hips; later limbs of `LIMBS` cover earlier ones; or
* heatmaps: for each joint exp(-d^2 / 2 s^2) of the distance d to it, s = 3 % of the side.

Both are computed from exact distances to pixel centres, so that edges are smooth and a skeleton
that moves by a tenth of a pixel changes its picture by as much. A limb that lacks a joint is left
out. It works in torch, on any device, for a whole batch.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from utils.skeletons import DANCE_13, Colour

STROKE = 0.012
"""Half of a limb's width, as part of the picture's side."""
THINNEST = 0.7
"""Half of a limb's width is at least this, px: thinner ones would break up."""
BLOB, SMALLEST_BLOB = 0.03, 1.0
"""Standard deviation of a heatmap's blob, as part of the side, and at least this, px."""


@dataclass(frozen=True)
class Limb:
    """A stroke between two places, each the mean of the joints named, in RGB."""

    start: tuple[str, ...]
    end: tuple[str, ...]
    colour: Colour


_NECK = ("left_shoulder", "right_shoulder")
_PELVIS = ("left_hip", "right_hip")

LIMBS: tuple[Limb, ...] = (
    Limb(_NECK, _PELVIS, (170, 170, 170)),
    Limb(_PELVIS, ("left_hip",), (255, 215, 0)),
    Limb(_PELVIS, ("right_hip",), (0, 215, 255)),
    Limb(("left_hip",), ("left_knee",), (255, 160, 0)),
    Limb(("right_hip",), ("right_knee",), (0, 150, 255)),
    Limb(("left_knee",), ("left_ankle",), (255, 95, 0)),
    Limb(("right_knee",), ("right_ankle",), (0, 80, 255)),
    Limb(_NECK, ("left_shoulder",), (255, 190, 150)),
    Limb(_NECK, ("right_shoulder",), (150, 220, 255)),
    Limb(_NECK, ("nose",), (255, 255, 255)),
    Limb(("left_shoulder",), ("left_elbow",), (255, 0, 60)),
    Limb(("right_shoulder",), ("right_elbow",), (0, 255, 120)),
    Limb(("left_elbow",), ("left_wrist",), (255, 0, 190)),
    Limb(("right_elbow",), ("right_wrist",), (120, 255, 0)),
)


def _ends(names: tuple[str, ...]) -> list[float]:
    """Weights (13,) of the joints whose mean a limb's end is."""
    return [(joint in names) / len(names) for joint in DANCE_13.joints]


_STARTS = torch.tensor([_ends(limb.start) for limb in LIMBS])
_STOPS = torch.tensor([_ends(limb.end) for limb in LIMBS])


def _mean_places(keypoints: Tensor, weights: Tensor) -> Tensor:
    """Places (N, L, 2) of keypoints (N, 13, 2); NaN only where a joint that counts is missing."""
    weights = weights.to(keypoints)
    missing = keypoints.isnan().any(-1).to(keypoints) @ weights.T > 0
    return (weights @ keypoints.nan_to_num(0)).masked_fill(missing[..., None], torch.nan)


def draw_skeletons(keypoints: Tensor, size: int) -> Tensor:
    """keypoints (N, 13, 2) px of a square picture, NaN missing -> (N, 3, size, size) in [0, 1]."""
    keypoints = keypoints.float()
    starts, stops = _mean_places(keypoints, _STARTS), _mean_places(keypoints, _STOPS)
    half = max(STROKE * size, THINNEST)
    axis = torch.arange(size, device=keypoints.device, dtype=torch.float32)
    canvas = keypoints.new_zeros(len(keypoints), 3, size, size)
    for number, limb in enumerate(LIMBS):
        distance = _distance(starts[:, number], stops[:, number], axis)
        # A pixel half a px inside the edge is full, half a px outside it is empty.
        cover = (half + 0.5 - distance).nan_to_num(0).clamp(0, 1)[:, None]
        colour = torch.tensor(limb.colour, device=keypoints.device).view(1, 3, 1, 1) / 255
        canvas = canvas + cover * (colour - canvas)
    return canvas


def _distance(start: Tensor, stop: Tensor, axis: Tensor) -> Tensor:
    """Distance (N, S, S) of all pixels from segments between places (N, 2); NaN where missing."""
    x = axis - start[:, :1]
    y = axis - start[:, 1:]
    along = stop - start
    squared = along.square().sum(-1)[:, None, None].clamp(min=1e-6)
    dx, dy = along[:, 0, None, None], along[:, 1, None, None]
    x, y = x[:, None, :], y[:, :, None]
    part = ((x * dx + y * dy) / squared).clamp(0, 1)
    return ((x - part * dx).square() + (y - part * dy).square()).sqrt()


def draw_heatmaps(keypoints: Tensor, size: int) -> Tensor:
    """keypoints (N, 13, 2) px of a square picture, NaN missing -> (N, 13, size, size) in [0, 1]."""
    keypoints = keypoints.float()
    axis = torch.arange(size, device=keypoints.device, dtype=torch.float32)
    sigma = max(BLOB * size, SMALLEST_BLOB)
    # A blob is the product of one over x and one over y.
    x, y = (torch.exp(-((axis - keypoints[..., i, None]) / sigma).square() / 2) for i in (0, 1))
    return (y[..., :, None] * x[..., None, :]).nan_to_num(0)


def skeleton_pictures(keypoints: np.ndarray, size: int) -> np.ndarray:
    """The drawn skeletons as pictures: (N, 13, 2) px -> (N, size, size, 3) uint8 RGB."""
    drawn = draw_skeletons(torch.as_tensor(np.asarray(keypoints, np.float32)), size)
    return (drawn.permute(0, 2, 3, 1) * 255).round().byte().numpy()
