"""Bars over a batch of training pictures, at random, on the device of the pictures."""

import torch
from torch import Tensor

from stacked_hourglass.options import MaskingOptions


def random_bars(
    points: Tensor, resolution: int, options: MaskingOptions, generator: torch.Generator
) -> Tensor:
    """Which pixels a bar covers: bool (B, resolution, resolution).

    points (B, J, 2): joints in px, NaN where missing. A bar begins anywhere within the box that
    the joints span, is up to `max_cover_ratio` of that box wide, at least 1 px, and goes across
    the whole picture. Who has no joint gets none. Every choice is a draw of its own.
    """
    count = len(points)
    draw = torch.rand(4, count, generator=generator).to(points.device)
    chosen, vertical = draw[0] < options.mask_prob, draw[1] < options.orientation_prob
    along = torch.where(vertical[:, None], points[..., 0], points[..., 1])
    known = ~along.isnan()
    low = along.masked_fill(~known, torch.inf).amin(1).clamp(0, resolution)
    high = along.masked_fill(~known, -torch.inf).amax(1).clamp(0, resolution)
    start = low + (high - low) * draw[2]
    width = (high - low) * options.max_cover_ratio * draw[3]
    pixels = torch.arange(resolution, device=points.device)
    first = start.floor().clamp(max=resolution - 1)[:, None]
    bar = (pixels >= first) & (pixels < torch.maximum(first + 1, (start + width)[:, None]))
    bar &= (chosen & known.any(1))[:, None]
    across = torch.where(vertical[:, None, None], bar[:, None, :], bar[:, :, None])
    return across.expand(count, resolution, resolution)


def mask_images(
    images: Tensor,
    covered: Tensor,
    mean: tuple[float, float, float],
    options: MaskingOptions,
    generator: torch.Generator,
    noise: torch.Generator,
) -> Tensor:
    """Pictures (B, 3, R, R) with the covered pixels (B, R, R) in the mean colour or, drawn for
    each picture, as noise about it. `noise` is a generator on the device of the pictures."""
    is_plain = torch.rand(len(images), generator=generator) < options.mean_valued_prob
    fill = images.new_tensor(mean).view(1, 3, 1, 1).expand_as(images).clone()
    rows = (~is_plain).nonzero().flatten().to(images.device)
    grain = torch.empty(len(rows), *images.shape[1:], device=images.device)
    fill[rows] += grain.normal_(0, options.noise_std, generator=noise)
    return torch.where(covered[:, None], fill, images)


def hide(visibility: Tensor, points: Tensor, covered: Tensor) -> Tensor:
    """Visibility (B, J), 1 seen, 0 hidden, NaN unknown, with 0 for the joints, (B, J, 2) px, that
    lie on covered pixels (B, R, R). What is unknown stays so: it may be outside the picture."""
    last = covered.shape[-1] - 1
    x, y = points.nan_to_num().round().long().clamp(0, last).unbind(-1)
    picture = torch.arange(len(points), device=points.device)[:, None]
    is_hidden = covered[picture, y, x] & ~visibility.isnan()
    return visibility.masked_fill(is_hidden, 0.0)
