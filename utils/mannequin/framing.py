"""Cameras that look at people from all around and hold them in the picture."""

from typing import NamedTuple

import numpy as np

_CROPPED = 0.12
_NEAREST = 900.0
_LOWEST = 150.0


class Cameras(NamedTuple):
    """N pinhole cameras: world-to-camera rotations (N, 3, 3), positions (N, 3) mm, and intrinsics
    (N, 4): fx, fy, cx, cy in px."""

    rotation: np.ndarray
    position: np.ndarray
    intrinsics: np.ndarray

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """World points (N, P, 3) -> camera points (N, P, 3), mm."""
        return (points - self.position[:, None]) @ self.rotation.transpose(0, 2, 1)

    def project(self, points: np.ndarray) -> np.ndarray:
        """Camera points (N, P, 3), mm -> px (N, P, 2); NaN behind the camera."""
        return project(points, self.intrinsics[:, None])


def project(points: np.ndarray, intrinsics: np.ndarray) -> np.ndarray:
    """Pinhole projection of camera points (..., 3), mm, to px (..., 2); NaN where z <= 0.

    `intrinsics` (..., 4) or (4,): fx, fy, cx, cy in px.
    """
    depth = np.where(points[..., 2:] > 0, points[..., 2:], np.nan)
    return points[..., :2] / depth * intrinsics[..., :2] + intrinsics[..., 2:]


def frame_people(
    rng: np.random.Generator,
    points: np.ndarray,
    width: int,
    height: int,
    cropped: bool = True,
    tight: bool = False,
) -> Cameras:
    """Draw N cameras that hold the world points (N, P, 3) of people in pictures of that size.

    Lens, distance, height and tilt vary; people face all ways, so the camera always looks along
    +z. With `cropped` some pictures cut people off; without, all points lie inside. `tight` fills
    the picture as far as it goes.
    """
    count = len(points)
    low, high = points.min(axis=1), points.max(axis=1)
    target = (low + high) / 2
    reach = np.linalg.norm(points - target[:, None], axis=-1).max(axis=1)
    tangent = np.tan(np.radians(rng.uniform(14, 62, count)) / 2)
    distance = np.maximum(reach / tangent, reach + _NEAREST)
    elevation = rng.normal(7, 8, count)
    steep = rng.random(count) < 0.15
    elevation[steep] = rng.uniform(-20, 50, steep.sum())
    lift = np.maximum(target[:, 1] + distance * np.sin(np.radians(elevation)), _LOWEST)
    position = target - np.array([0, 0, 1.0]) * (distance * np.cos(np.radians(elevation)))[:, None]
    position[:, 1] = lift
    roll = rng.normal(0, 3, count) * np.where(rng.random(count) < 0.15, 4, 1)
    rotation = _looking_at(position, target, np.radians(roll))
    fill = rng.uniform(0.8 if tight else 0.5, 0.93, count)
    if cropped:
        cut = rng.random(count) < _CROPPED
        fill[cut] = rng.uniform(0.93, 1.6, cut.sum())
    flat = (points - position[:, None]) @ rotation.transpose(0, 2, 1)
    flat = flat[..., :2] / flat[..., 2:]
    return Cameras(rotation, position, _intrinsics(rng, flat, width, height, fill))


def _looking_at(position: np.ndarray, target: np.ndarray, roll: np.ndarray) -> np.ndarray:
    """World-to-camera rotations (N, 3, 3) that look at targets, rolled by radians (N,)."""
    forward = target - position
    forward /= np.linalg.norm(forward, axis=1, keepdims=True)
    right = np.cross(forward, np.array([0.0, 1.0, 0.0]))
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    down = np.cross(forward, right)
    c, s = np.cos(roll)[:, None], np.sin(roll)[:, None]
    return np.stack([c * right + s * down, c * down - s * right, forward], axis=1)


def _intrinsics(
    rng: np.random.Generator, flat: np.ndarray, width: int, height: int, fill: np.ndarray
) -> np.ndarray:
    """Zoom and shift (N, 4) that make plane points (N, P, 2) fill `fill` (N,) of the picture."""
    count = len(flat)
    low, high = flat.min(axis=1), flat.max(axis=1)
    extent = np.maximum(high - low, 1e-6)
    size = np.array([width, height], float)
    focal = fill * (size / extent).min(axis=1)
    slack = np.maximum(size - focal[:, None] * extent, 0) / 2
    spread = np.where(fill > 0.93, 0.12 * size.min(), 0)[:, None]
    shift = rng.uniform(-0.85, 0.85, (count, 2)) * slack + rng.uniform(-1, 1, (count, 2)) * spread
    middle = (size - 1) / 2 + shift - focal[:, None] * (low + high) / 2
    return np.concatenate([focal[:, None], focal[:, None], middle], axis=1)
