"""Pinhole cameras, with the lens distortion of Human3.6M.

World and camera points are in millimetres. The camera frame has x to the right, y down and z
forward; pixels have their origin in the centre of the top-left pixel. Every function takes NumPy
arrays or tensors (points of any leading shape) and returns what it was given, differentiable.
"""

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch

Array = TypeVar("Array", np.ndarray, torch.Tensor)

_UNDISTORT_STEPS = 30


@dataclass(frozen=True)
class Camera:
    """One calibrated camera.

    `rotation` (3, 3) turns world axes into camera axes, `position` (3,) is where it stands in the
    world, mm. `intrinsics` is (fx, fy, cx, cy) in px. `radial` is (k1, k2, k3) and `tangential`
    (p1, p2), as in Human3.6M; zeros for a pure pinhole. `image_size` is (width, height) in px.
    """

    rotation: np.ndarray
    position: np.ndarray
    intrinsics: np.ndarray
    image_size: tuple[int, int]
    radial: tuple[float, float, float] = (0.0, 0.0, 0.0)
    tangential: tuple[float, float] = (0.0, 0.0)
    name: str = ""

    def to_camera(self, points: Array) -> Array:
        """World points (..., 3), mm -> camera points (..., 3), mm."""
        return world_to_camera(points, self.rotation, self.position)

    def to_world(self, points: Array) -> Array:
        """Camera points (..., 3), mm -> world points (..., 3), mm."""
        return camera_to_world(points, self.rotation, self.position)

    def project(self, points: Array) -> Array:
        """Camera points (..., 3), mm -> px (..., 2), with the lens's distortion."""
        return project_with_distortion(points, self.intrinsics, self.radial, self.tangential)

    def unproject(self, pixels: Array, depth: Array) -> Array:
        """Inverse of `project`: px (..., 2) and depth z (...), mm -> camera points, mm (..., 3)."""
        plane = _from_pixels(pixels, self.intrinsics)
        return _at_depth(_undistort(plane, self.radial, self.tangential), depth)


def look_at(position: np.ndarray, target: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Rotation (3, 3), world to camera, of a camera at `position` that looks at `target`.

    All (3,), mm. `up` is the world's upward direction. Raises ValueError when the camera would
    stand on its target or look along `up`.
    """
    forward = np.asarray(target, float) - np.asarray(position, float)
    right = np.cross(forward, np.asarray(up, float))
    if np.linalg.norm(right) < 1e-9 * max(np.linalg.norm(forward), 1.0):
        raise ValueError("a camera cannot look along the upward direction")
    forward /= np.linalg.norm(forward)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(forward, right), forward])


def world_to_camera(
    points: Array, rotation: Array | np.ndarray, position: Array | np.ndarray
) -> Array:
    """X_camera = R (X_world - T): points (..., 3), rotation (3, 3), position (3,), mm."""
    turn, origin = _like(rotation, points), _like(position, points)
    return (points - origin) @ turn.T


def camera_to_world(
    points: Array, rotation: Array | np.ndarray, position: Array | np.ndarray
) -> Array:
    """X_world = R^T X_camera + T, the inverse of `world_to_camera`."""
    turn, origin = _like(rotation, points), _like(position, points)
    return points @ turn + origin


def project(points: Array, intrinsics: Array | np.ndarray) -> Array:
    """Pinhole: camera points (..., 3), mm -> px (..., 2).

    `intrinsics` is (fx, fy, cx, cy) in px: one (4,) for all, or one (N, 4) a row for points
    (N, J, 3). NaN where the point is not in front of the camera (z <= 0).
    """
    return _to_pixels(_on_plane(points), intrinsics)


def project_with_distortion(
    points: Array,
    intrinsics: Array | np.ndarray,
    radial: tuple[float, float, float],
    tangential: tuple[float, float],
) -> Array:
    """Pinhole with lens distortion: camera points (..., 3), mm -> px (..., 2).

    The formula of Human3.6M's own code (Ionescu et al. 2014), which its 2D annotations follow to
    1e-4 px. With (x, y) = (X/Z, Y/Z) and r2 = x^2 + y^2:
        (x, y) (1 + k1 r2 + k2 r2^2 + k3 r2^3 + p1 y + p2 x) + (p2, p1) r2
    then focal length and centre. Brown's model, which OpenCV has, counts p1 y + p2 x twice.
    Intrinsics and NaN as in `project`.
    """
    return _to_pixels(_distort(_on_plane(points), radial, tangential), intrinsics)


def unproject(pixels: Array, depth: Array, intrinsics: Array | np.ndarray) -> Array:
    """Inverse of `project`: px (..., 2) and depth z (...), mm -> camera points (..., 3), mm."""
    return _at_depth(_from_pixels(pixels, intrinsics), depth)


def intrinsics_from_field_of_view(width: int, height: int, degrees: float) -> np.ndarray:
    """(fx, fy, cx, cy) in px of a centred camera that sees `degrees` along the longer edge.

    The picture spans [-0.5, width - 0.5], so its centre is ((width - 1) / 2, (height - 1) / 2).
    Raises ValueError unless 0 < degrees < 180.
    """
    if not 0 < degrees < 180:
        raise ValueError(f"the field of view must lie between 0 and 180 degrees, not {degrees}")
    focal = max(width, height) / 2 / math.tan(math.radians(degrees) / 2)
    return np.array([focal, focal, (width - 1) / 2, (height - 1) / 2])


def _on_plane(points: Array) -> Array:
    """(X/Z, Y/Z); NaN unless Z > 0."""
    depth = points[..., 2:]
    if isinstance(depth, torch.Tensor):
        in_front = torch.where(depth > 0, depth, torch.nan)
    else:
        in_front = np.where(depth > 0, depth, _like(np.asarray(np.nan), depth))
    return points[..., :2] / in_front


def _distort(
    plane: Array, radial: tuple[float, float, float], tangential: tuple[float, float]
) -> Array:
    k1, k2, k3 = radial
    p1, p2 = tangential
    x, y = plane[..., :1], plane[..., 1:]
    r2 = x * x + y * y
    factor = 1 + r2 * (k1 + r2 * (k2 + r2 * k3)) + p1 * y + p2 * x
    return plane * factor + r2 * _like(np.array([p2, p1]), plane)


def _undistort(
    plane: Array, radial: tuple[float, float, float], tangential: tuple[float, float]
) -> Array:
    """Inverse of `_distort` by fixed-point iteration; lenses bend little, so it converges fast."""
    straight = plane
    for _ in range(_UNDISTORT_STEPS):
        straight = straight + plane - _distort(straight, radial, tangential)
    return straight


def _to_pixels(plane: Array, intrinsics: Array | np.ndarray) -> Array:
    values = _per_point(intrinsics, plane)
    return plane * values[..., :2] + values[..., 2:]


def _from_pixels(pixels: Array, intrinsics: Array | np.ndarray) -> Array:
    values = _per_point(intrinsics, pixels)
    return (pixels - values[..., 2:]) / values[..., :2]


def _at_depth(plane: Array, depth: Array) -> Array:
    z = depth[..., None]
    if isinstance(plane, torch.Tensor) and isinstance(z, torch.Tensor):
        return torch.cat([plane * z, torch.ones_like(plane[..., :1]) * z], dim=-1)
    return np.concatenate([plane * z, np.ones_like(plane[..., :1]) * z], axis=-1)


def _per_point(intrinsics: Array | np.ndarray, points: Array) -> Array:
    """One row of intrinsics per row of points gains the joint axis; one for all stays as it is."""
    values = _like(intrinsics, points)
    return values[..., None, :] if 1 < values.ndim == points.ndim - 1 else values


def _like(values: Array | np.ndarray, points: Array) -> Array:
    """`values` as an array or tensor of the kind, type and device of `points`; of points that are
    integers as numbers with a fraction."""
    if isinstance(points, torch.Tensor):
        kind = points.dtype if points.is_floating_point() else torch.get_default_dtype()
        return torch.as_tensor(values, dtype=kind, device=points.device)
    kind = points.dtype if np.issubdtype(points.dtype, np.floating) else np.float64
    return np.asarray(values, kind)
