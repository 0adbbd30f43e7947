"""The similarity that brings one set of points closest to another (Umeyama, PAMI 1991).

It minimises sum |target - (scale R points + shift)|^2 over the joints that both have: equations 39
to 42 of the paper, for many poses at once. Poses are NumPy arrays (..., J, 3) of any unit.
"""

from dataclasses import dataclass

import numpy as np

# A turn in space is fixed by three points.
_FEWEST = 3


@dataclass(frozen=True)
class Similarity:
    """x -> scale R x + shift. scale (...), rotation (..., 3, 3), shift (..., 3), float64."""

    scale: np.ndarray
    rotation: np.ndarray
    shift: np.ndarray

    def apply(self, points: np.ndarray) -> np.ndarray:
        """Move points (..., J, 3), float64."""
        turned = points @ np.swapaxes(self.rotation, -1, -2)
        return self.scale[..., None, None] * turned + self.shift[..., None, :]


def align(
    points: np.ndarray,
    target: np.ndarray,
    valid: np.ndarray | None = None,
    scale: bool = True,
    reflection: bool = False,
) -> np.ndarray:
    """`points` (..., J, 3) moved, turned and scaled onto `target` (..., J, 3): float64.

    Arguments and degenerate cases as in `similarity`; all joints of `points` are moved, also those
    that did not enter the fit.
    """
    return similarity(points, target, valid, scale, reflection).apply(points)


def similarity(
    points: np.ndarray,
    target: np.ndarray,
    valid: np.ndarray | None = None,
    scale: bool = True,
    reflection: bool = False,
) -> Similarity:
    """The best similarity from `points` to `target`, both (..., J, 3), one for each pose.

    Joints count where `valid` (..., J) is true and both sides are finite. Without `scale` it is 1;
    with `reflection` a mirror image may be taken where it fits better.

    Where the best turn is not unique: fewer than three counting joints, or points that are all
    equal, are only shifted (scale 1); joints on one line get one of the best turns. With no
    counting joint everything is NaN. Raises ValueError for shapes that do not fit.
    """
    points, target = np.asarray(points, np.float64), np.asarray(target, np.float64)
    weight = _counting(points, target, valid)
    count = weight.sum(axis=-1)
    points_mean, points_rest = _centred(points, weight, count)
    target_mean, target_rest = _centred(target, weight, count)
    # Rows are joints: this is the covariance (38) times the number of joints.
    left, spread, right = np.linalg.svd(np.swapaxes(target_rest, -1, -2) @ points_rest)
    signs = np.ones_like(spread)
    if not reflection:
        signs[..., -1] = np.where(np.linalg.det(left) * np.linalg.det(right) < 0, -1.0, 1.0)
    rotation = (left * signs[..., None, :]) @ right
    variance = (points_rest**2).sum(axis=(-1, -2))
    free = (count < _FEWEST) | (variance == 0)
    rotation = np.where(free[..., None, None], np.eye(3), rotation)
    factor = np.ones_like(variance)
    if scale:
        best = (spread * signs).sum(axis=-1)
        np.divide(best, variance, out=factor, where=~free)
    turned = np.einsum("...ij,...j->...i", rotation, points_mean)
    return Similarity(factor, rotation, target_mean - factor[..., None] * turned)


def _counting(points: np.ndarray, target: np.ndarray, valid: np.ndarray | None) -> np.ndarray:
    """(..., J) True where a joint enters the fit."""
    if points.shape != target.shape or points.ndim < 2 or points.shape[-1] != 3:
        raise ValueError(
            f"points {points.shape} and target {target.shape} are not both (..., J, 3)"
        )
    counting = np.asarray(np.isfinite(points + target).all(axis=-1))
    if valid is None:
        return counting
    if valid.shape != counting.shape:
        raise ValueError(f"valid is {valid.shape}, the poses have joints {counting.shape}")
    return counting & valid


def _centred(
    points: np.ndarray, weight: np.ndarray, count: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean (..., 3) of the counting joints, NaN if there are none, and what is left; else 0."""
    kept = np.where(weight[..., None], points, 0.0)
    mean = np.full((*kept.shape[:-2], 3), np.nan)
    np.divide(kept.sum(axis=-2), count[..., None], out=mean, where=count[..., None] > 0)
    return mean, np.where(weight[..., None], points - mean[..., None, :], 0.0)
