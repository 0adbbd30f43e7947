"""Random views of a whole batch of crops at once, on the device of the crops.

The ranges are those of Newell et al. 2016, section 3.1, as the public PyTorch form draws them.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

CROP_MARGIN = 1.8
"""Side of the cut crop over side of the box: rotation by 60 degrees at scale 1.25 needs it."""


@dataclass(frozen=True)
class Views:
    """What is done to each crop of a batch."""

    scale: Tensor
    """(B,) side of the view over the side of the person's box"""
    rotation: Tensor
    """(B,) radians, clockwise as seen"""
    flip: Tensor
    """(B,) bool, left and right exchanged"""
    colour: Tensor
    """(B, 3) factor for each channel"""


def plain_views(count: int) -> Views:
    """Views that change nothing: the person's box as it is."""
    return Views(
        torch.ones(count),
        torch.zeros(count),
        torch.zeros(count, dtype=torch.bool),
        torch.ones(count, 3),
    )


def random_views(count: int, generator: torch.Generator) -> Views:
    """Scale 1 + 0.25 N kept in [0.75, 1.25]; with probability 0.6 a rotation of 30 N degrees kept
    in +-60; half of them flipped; each channel times U(0.8, 1.2). Drawn on the CPU."""
    scale = (1 + 0.25 * torch.randn(count, generator=generator)).clamp(0.75, 1.25)
    degrees = (30 * torch.randn(count, generator=generator)).clamp(-60, 60)
    rotated = torch.rand(count, generator=generator) < 0.6
    flip = torch.rand(count, generator=generator) < 0.5
    colour = torch.empty(count, 3).uniform_(0.8, 1.2, generator=generator)
    return Views(scale, torch.deg2rad(degrees) * rotated, flip, colour)


def views_of_films(views: Views, frames: int) -> Views:
    """The view of each film, for each of its frames."""
    return Views(*(part.repeat_interleave(frames, dim=0) for part in vars(views).values()))


def _view_to_crop(views: Views, crop_pixels_per_view_pixel: float) -> Tensor:
    """Linear part (B, 2, 2) of the map from view px to crop px, both about their centres."""
    size = views.scale * crop_pixels_per_view_pixel
    cos, sin = torch.cos(views.rotation) * size, torch.sin(views.rotation) * size
    sign = torch.where(views.flip, -1.0, 1.0)
    rows = torch.stack([cos * sign, sin, -sin * sign, cos], dim=-1)
    return rows.view(-1, 2, 2)


def view_images(crops: Tensor, views: Views, resolution: int) -> Tensor:
    """uint8 crops (B, 3, S, S), cut CROP_MARGIN times larger than the box -> floats in [0, 1]
    (B, 3, resolution, resolution); black beyond the crop."""
    size = crops.shape[-1]
    matrix = _view_to_crop(views, size / CROP_MARGIN / resolution).to(crops.device)
    # grid_sample counts in half pictures: crop px c is at (2 c + 1) / S - 1, so centres are at 0.
    steps = torch.arange(resolution, device=crops.device) - (resolution - 1) / 2
    offsets = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), dim=-1)
    grid = torch.einsum("bij,hwj->bhwi", matrix, offsets) * (2 / size)
    images = crops.float() / 255
    images = F.grid_sample(images, grid, padding_mode="zeros", align_corners=False)
    return (images * views.colour.to(crops.device)[:, :, None, None]).clamp_(0, 1)


def view_keypoints(
    keypoints: Tensor, views: Views, crop_size: int, resolution: int, flip_order: tuple[int, ...]
) -> Tensor:
    """Crop px (B, J, 2) -> view px; in a flipped view the two sides' joints are exchanged."""
    matrix = _view_to_crop(views, crop_size / CROP_MARGIN / resolution).to(keypoints.device)
    centred = keypoints - (crop_size - 1) / 2
    points = torch.linalg.solve(matrix, centred.transpose(1, 2)).transpose(1, 2)
    points = points + (resolution - 1) / 2
    flip = views.flip.to(keypoints.device)[:, None, None]
    return torch.where(flip, points[:, list(flip_order)], points)
