"""Heatmaps -> joints: where each is, and how sure that is."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

CONFIDENCE_RADIUS = 2
"""The confidence is the probability within so many heatmap px of the joint, in x and in y."""

TOLERANCE_SHARE = 0.054
"""What PCK allows, a fifth of the torso, over the side of a person's box: the median of LSP's
validation people, as `balanced` finds them."""


def normalise_scores(scores: Tensor, heatmap_loss: str) -> Tensor:
    """Raw scores (B, J, h, w) -> maps that sum to 1, so that both kinds of training read alike.

    `cross_entropy` scores are logits of exactly that. `mse` scores copy a peak of height 1: what is
    negative is nothing, and a background of mass 1 keeps an empty map from being blown up.
    """
    flat = scores.float().flatten(-2)
    if heatmap_loss == "cross_entropy":
        return F.softmax(flat, dim=-1).view(scores.shape)
    positive = flat.clamp_min(0)
    return (positive / (positive.sum(-1, keepdim=True) + 1)).view(scores.shape)


def peak_indices(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Integer place (column, row), each (B, J), of the largest value of maps (B, J, h, w)."""
    index = maps.flatten(-2).argmax(-1)
    return index % maps.shape[-1], index // maps.shape[-1]


def _value(maps: Tensor, column: Tensor, row: Tensor) -> Tensor:
    """maps (B, J, h, w) at integer places (B, J); beyond the border, the border's value."""
    height, width = maps.shape[-2:]
    index = row.clamp(0, height - 1) * width + column.clamp(0, width - 1)
    return maps.flatten(-2).gather(-1, index[..., None])[..., 0]


def _moved(maps: Tensor, x: Tensor, y: Tensor, step: Tensor) -> Tensor:
    """Peaks (B, J) moved by step (B, J, 2), but not across a border that they lie on: one of the
    two neighbours that tell how far is not on the map."""
    height, width = maps.shape[-2:]
    peak = torch.stack([x, y], dim=-1)
    on_border = (peak == 0) | (peak == torch.tensor([width - 1, height - 1], device=maps.device))
    return peak + step.masked_fill(on_border, 0)


def decode_quarter_offset(maps: Tensor) -> Tensor:
    """Peak moved by a quarter pixel towards the higher neighbour (Newell et al. 2016).

    On a border of the map it is not moved across it. maps (B, J, h, w) -> heatmap px (B, J, 2).
    """
    x, y = peak_indices(maps)
    dx = torch.sign(_value(maps, x + 1, y) - _value(maps, x - 1, y))
    dy = torch.sign(_value(maps, x, y + 1) - _value(maps, x, y - 1))
    return _moved(maps, x, y, 0.25 * torch.stack([dx, dy], dim=-1))


def decode_dark(maps: Tensor) -> Tensor:
    """Peak of the parabola through the logarithm of the map around its maximum.

    Zhang et al., "Distribution-Aware Coordinate Representation for Human Pose Estimation", CVPR
    2020, equations 7 to 9, after smoothing with a 3x3 binomial kernel; the step is kept within a
    pixel, and is none where the surface is not a peak, or across a border that the maximum lies on.
    maps (B, J, h, w) -> heatmap px (B, J, 2).
    """
    kernel = torch.tensor([1.0, 2.0, 1.0], device=maps.device)
    kernel = (kernel[:, None] * kernel / 16).view(1, 1, 3, 3)
    joints = maps.flatten(0, 1)[:, None]
    smooth = F.conv2d(F.pad(joints, (1, 1, 1, 1), mode="replicate"), kernel).view(maps.shape)
    x, y = peak_indices(maps)
    log_map = smooth.clamp_min(1e-10).log()

    def at(dx: int, dy: int) -> Tensor:
        return _value(log_map, x + dx, y + dy)

    gradient = torch.stack([at(1, 0) - at(-1, 0), at(0, 1) - at(0, -1)], dim=-1) / 2
    dxx = at(1, 0) - 2 * at(0, 0) + at(-1, 0)
    dyy = at(0, 1) - 2 * at(0, 0) + at(0, -1)
    dxy = (at(1, 1) - at(-1, 1) - at(1, -1) + at(-1, -1)) / 4
    determinant = dxx * dyy - dxy**2
    is_peak = (determinant > 1e-6) & (dxx < 0)
    safe = torch.where(is_peak, determinant, torch.ones_like(determinant))
    step_x = (dxy * gradient[..., 1] - dyy * gradient[..., 0]) / safe
    step_y = (dxy * gradient[..., 0] - dxx * gradient[..., 1]) / safe
    step = torch.stack([step_x, step_y], dim=-1).clamp(-1, 1)
    return _moved(maps, x, y, torch.where(is_peak[..., None], step, 0.0))


def _gaussian_band(size: int, device: torch.device) -> Tensor:
    """(size, size) matrix that blurs `size` heatmap px by a Gaussian as wide as the tolerance;
    there is nothing beyond the border."""
    places = torch.arange(size, device=device, dtype=torch.float32)
    sigma = TOLERANCE_SHARE * size
    weights = torch.exp(-((places[:, None] - places) ** 2) / (2 * sigma**2))
    return weights / (sigma * math.sqrt(2 * math.pi))


def decode_expected_pck(maps: Tensor) -> Tensor:
    """Place near which the joint most likely is: its expected PCK is the largest, not its density.

    The decision of least expected loss (Berger, "Statistical Decision Theory", 1985, section 4.4),
    the loss being 1 - exp(-d^2 / 2 t^2) at a distance d, with the tolerance of PCK as t: the peak
    of the map blurred by that Gaussian. Where the network wavers between places, those close
    together count as one. Sub-pixel as by `decode_dark`. maps (B, J, h, w), each a probability
    (up to a factor) -> heatmap px (B, J, 2).
    """
    height, width = maps.shape[-2:]
    rows, columns = _gaussian_band(height, maps.device), _gaussian_band(width, maps.device)
    return decode_dark(rows @ maps @ columns)


DECODERS: dict[str, Callable[[Tensor], Tensor]] = {
    "quarter_offset": decode_quarter_offset,
    "dark": decode_dark,
    "expected_pck": decode_expected_pck,
}


def probability_around(maps: Tensor, places: Tensor) -> Tensor:
    """Mass of normalised maps (B, J, h, w) in the window around places (B, J, 2) heatmap px
    -> (B, J) in [0, 1]."""
    size = 2 * CONFIDENCE_RADIUS + 1
    mass = F.avg_pool2d(maps, size, stride=1, padding=CONFIDENCE_RADIUS) * size**2
    column, row = places.round().long().unbind(-1)
    return _value(mass, column, row).clamp(0, 1)


def calibrated(probability: Tensor, calibration: tuple[float, float]) -> Tensor:
    """Platt scaling: sigmoid(slope * logit(p) + offset), the chance that a joint is right."""
    slope, offset = calibration
    return torch.sigmoid(slope * torch.logit(probability.float(), eps=1e-4) + offset)
