import math

import torch

from stacked_hourglass.augmentation import (
    CROP_MARGIN,
    Views,
    plain_views,
    random_views,
    view_images,
    view_keypoints,
)
from utils.skeletons import MPII_16

RESOLUTION = 64
CROP = round(RESOLUTION * CROP_MARGIN)
SAME = tuple(range(16))


def crop_with_dots(points: torch.Tensor) -> torch.Tensor:
    """Crops (B, 3, CROP, CROP) with a bright soft dot at each (B, 1, 2)."""
    steps = torch.arange(CROP).float()
    dx = (steps - points[..., 0:1]) ** 2
    dy = (steps - points[..., 1:2]) ** 2
    dots = torch.exp(-dy / 18)[..., None] * torch.exp(-dx / 18)[..., None, :]
    return (dots * 255).round().to(torch.uint8).expand(-1, 3, -1, -1)


def centroid(images: torch.Tensor) -> torch.Tensor:
    """Centre of mass (B, 2) of pictures (B, 3, R, R)."""
    mass = images[:, 0]
    steps = torch.arange(mass.shape[-1]).float()
    total = mass.sum((1, 2))
    x, y = (mass * steps).sum((1, 2)), (mass * steps[:, None]).sum((1, 2))
    return torch.stack([x, y], -1) / total[:, None]


def test_pictures_and_joints_move_together() -> None:
    generator = torch.Generator().manual_seed(0)
    views = random_views(64, generator)
    points = (CROP - 1) / 2 + 12 * (torch.rand(64, 1, 2, generator=generator) - 0.5)
    keypoints = points.expand(-1, 16, -1)
    plain = Views(views.scale, views.rotation, views.flip, torch.ones(64, 3))
    images = view_images(crop_with_dots(points), plain, RESOLUTION)
    moved = view_keypoints(keypoints, views, CROP, RESOLUTION, SAME)[:, 0]
    assert (centroid(images) - moved).norm(dim=-1).max() < 0.1


def test_the_plain_view_is_the_box_itself() -> None:
    keypoints = torch.tensor([[(CROP - 1) / 2 + 10.0, (CROP - 1) / 2]]).expand(1, 16, 2)
    seen = view_keypoints(keypoints, plain_views(1), CROP, RESOLUTION, SAME)[0, 0]
    pixel = CROP / CROP_MARGIN / RESOLUTION
    expected = torch.tensor([(RESOLUTION - 1) / 2 + 10 / pixel, (RESOLUTION - 1) / 2])
    torch.testing.assert_close(seen, expected)


def test_a_flip_mirrors_and_swaps_sides_and_is_an_involution() -> None:
    views = plain_views(1)
    flipped = Views(views.scale, views.rotation, torch.tensor([True]), views.colour)
    keypoints = torch.rand(1, 16, 2) * CROP
    there = view_keypoints(keypoints, views, CROP, RESOLUTION, MPII_16.flip_order)
    mirrored = view_keypoints(keypoints, flipped, CROP, RESOLUTION, MPII_16.flip_order)
    left, right = MPII_16.index("left_wrist"), MPII_16.index("right_wrist")
    assert math.isclose(
        float(mirrored[0, left, 0]), RESOLUTION - 1 - float(there[0, right, 0]), abs_tol=1e-3
    )
    assert math.isclose(float(mirrored[0, left, 1]), float(there[0, right, 1]), abs_tol=1e-3)
    crops = torch.randint(0, 255, (1, 3, CROP, CROP), dtype=torch.uint8)
    once = view_images(crops, flipped, RESOLUTION)
    torch.testing.assert_close(
        once.flip(-1), view_images(crops, views, RESOLUTION), atol=1e-4, rtol=0
    )


def test_ranges_are_the_published_ones() -> None:
    views = random_views(20_000, torch.Generator().manual_seed(0))
    degrees = torch.rad2deg(views.rotation)
    assert views.scale.min() == 0.75 and views.scale.max() == 1.25
    assert degrees.min() >= -60.001 and degrees.max() <= 60.001
    assert abs(float((degrees == 0).float().mean()) - 0.4) < 0.02
    assert abs(float(views.flip.float().mean()) - 0.5) < 0.02
    assert views.colour.min() >= 0.8 and views.colour.max() <= 1.2


def test_missing_joints_stay_missing() -> None:
    keypoints = torch.full((2, 16, 2), float("nan"))
    views = random_views(2, torch.Generator().manual_seed(0))
    assert view_keypoints(keypoints, views, CROP, RESOLUTION, MPII_16.flip_order).isnan().all()
