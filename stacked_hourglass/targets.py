"""Heatmaps to learn from: a peak at each joint's sub-pixel place."""

import torch
from torch import Tensor

from stacked_hourglass.model import HEATMAP_STRIDE


def to_heatmap(keypoints: Tensor) -> Tensor:
    """Input px (..., 2) -> heatmap px: h = (x + 0.5) / 4 - 0.5."""
    return (keypoints + 0.5) / HEATMAP_STRIDE - 0.5


def from_heatmap(points: Tensor) -> Tensor:
    """Heatmap px (..., 2) -> input px; the inverse of `to_heatmap`."""
    return (points + 0.5) * HEATMAP_STRIDE - 0.5


def inside(points: Tensor, width: int, height: int) -> Tensor:
    """Which points (..., 2) lie on a map or picture of that size; NaN does not. -> bool (...)."""
    x, y = points.unbind(-1)
    return (x >= -0.5) & (x < width - 0.5) & (y >= -0.5) & (y < height - 0.5)


def make_heatmaps(
    points: Tensor, width: int, height: int, sigma: float, label_type: str = "Gaussian"
) -> Tensor:
    """Peaks of height 1 at heatmap px `points` (B, J, 2) -> (B, J, height, width).

    Gaussian exp(-d^2 / (2 sigma^2)), or Cauchy (1 + d^2 / sigma^2)^(-3/2), d the distance in
    heatmap px. The map of a NaN joint is all zero.
    """
    columns = torch.arange(width, device=points.device, dtype=points.dtype)
    rows = torch.arange(height, device=points.device, dtype=points.dtype)
    dx2 = (columns - points[..., 0:1]) ** 2
    dy2 = (rows - points[..., 1:2]) ** 2
    if label_type == "Gaussian":
        factor = -0.5 / sigma**2
        maps = torch.exp(factor * dy2)[..., None] * torch.exp(factor * dx2)[..., None, :]
    else:
        maps = (1 + (dy2[..., None] + dx2[..., None, :]) / sigma**2) ** -1.5
    return torch.nan_to_num(maps, nan=0.0)
