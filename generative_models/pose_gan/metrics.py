"""How far one set of poses is from another, as distributions.

A set is a matrix (N, D) of features: a row for each pose. `joint_features` and `direction_features`
make them of poses (N, 17, 3), Human3.6M-17, mm; nothing here asks for more of the poses than that
both sets are in one frame.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from utils.skeletons import H36M_17

REACH = 0.005
"""Each pose of a set reaches as far as this share of the set: k = 50 in 10,000. The papers' 3 and 5
are for pictures that have nothing to do with each other; the nearest of a pose from a film are the
frames before and after it."""
FEWEST_NEIGHBOURS = 3
"""k for sets of up to 600."""
KERNEL_WIDTHS = (2.0, 1.0, 0.5, 0.25)
"""Widths of the kernel's Gaussians, each half of the one before, in units of `kernel_scale`."""

_HIP = H36M_17.root
_OTHERS = [joint for joint in range(len(H36M_17)) if joint != _HIP]
_PARENTS = [H36M_17.parents[joint] for joint in _OTHERS]
_MM_PER_UNIT = 1000.0
# Rows at a time of a table of all distances: 128 x 10,000 float32 take 5 MB, which caches hold.
_ROWS = 128
_SCALE_ROWS = 2000


@dataclass(frozen=True)
class Support:
    """How well two supports overlap, each a share from 0 to 1."""

    precision: float
    """Generated poses that lie where real ones do"""
    recall: float
    """Real poses that lie where generated ones do"""
    coverage: float
    """Real poses with a generated one nearby"""


def joint_features(poses: np.ndarray) -> np.ndarray:
    """Poses (N, 17, 3) mm -> places of the sixteen joints from the hip, m: (N, 48) float32."""
    relative = poses[:, _OTHERS] - poses[:, _HIP : _HIP + 1]
    return (relative / _MM_PER_UNIT).reshape(len(poses), -1).astype(np.float32)


def direction_features(poses: np.ndarray) -> np.ndarray:
    """Poses (N, 17, 3) -> unit vectors along the sixteen bones, towards the child: (N, 48)
    float32. A bone without length has no direction: zeros."""
    bones = poses[:, _OTHERS] - poses[:, _PARENTS]
    lengths = np.linalg.norm(bones, axis=-1, keepdims=True)
    directions = np.divide(bones, lengths, out=np.zeros_like(bones), where=lengths > 0)
    return directions.reshape(len(poses), -1).astype(np.float32)


def frechet_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Squared Frechet distance of the Gaussians fitted to features (N, D) and (M, D).

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), Dowson and Landau 1982, the "FID" of Heusel et al.
    2017 with poses in place of network features; in squared units of the features.
    """
    first, second = first.astype(np.float64), second.astype(np.float64)
    shift = first.mean(axis=0) - second.mean(axis=0)
    one, other = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    values, vectors = np.linalg.eigh(one)
    root = vectors * np.sqrt(values.clip(min=0)) @ vectors.T
    # (C1 C2)^(1/2) has the eigenvalues of the symmetric (C1^(1/2) C2 C1^(1/2))^(1/2).
    common = np.sqrt(np.linalg.eigvalsh(root @ other @ root).clip(min=0)).sum()
    return float(shift @ shift + np.trace(one) + np.trace(other) - 2 * common)


def kernel_scale(features: np.ndarray) -> float:
    """Median distance between two rows of features (N, D), from 2,000 spread evenly over them."""
    chosen = np.linspace(0, len(features) - 1, min(len(features), _SCALE_ROWS)).astype(int)
    rows = features[chosen]
    squares = np.concatenate([block for _, block in _distances(rows, rows)])
    return float(np.sqrt(np.median(squares[np.triu_indices(len(rows), 1)])))


def mmd_squared(first: np.ndarray, second: np.ndarray, scale: float) -> float:
    """Squared maximum mean discrepancy of features (N, D) and (M, D), unbiased.

    Equation 3 of Gretton et al., JMLR 2012. The kernel is the mean over w in KERNEL_WIDTHS of
    exp(-|x - y|^2 / (2 (w scale)^2)). For equal distributions it is around 0, and may be below.
    """
    within = [
        (_kernel_sum(rows, rows, scale) - len(rows)) / (len(rows) * (len(rows) - 1))
        for rows in (first, second)
    ]
    across = _kernel_sum(first, second, scale) / (len(first) * len(second))
    return within[0] + within[1] - 2 * across


def support(real: np.ndarray, generated: np.ndarray) -> Support:
    """Precision and recall (Kynkaanniemi et al., NeurIPS 2019, equations 1 and 2) and coverage
    (Naeem et al., ICML 2020, equation 5) of generated features (M, D) beside real ones (N, D).

    A row reaches as far as its k-th neighbour in its own set, itself not counted. Precision is the
    share of generated rows within reach of a real one, recall the same the other way round, and
    coverage the share of real rows with a generated one within their reach. k is REACH of the set.
    Raises ValueError for sets too small to have such neighbours.
    """
    if min(len(real), len(generated)) <= FEWEST_NEIGHBOURS:
        raise ValueError(f"each set needs more than {FEWEST_NEIGHBOURS} poses")
    reach, their_reach = _reaches(real), _reaches(generated)
    inside = np.zeros(len(generated), bool)
    recalled, covered = np.zeros(len(real), bool), np.zeros(len(real), bool)
    for rows, squares in _distances(real, generated):
        inside |= (squares <= reach[rows, None]).any(axis=0)
        recalled[rows] = (squares <= their_reach).any(axis=1)
        covered[rows] = squares.min(axis=1) <= reach[rows]
    return Support(float(inside.mean()), float(recalled.mean()), float(covered.mean()))


def nearest(queries: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest row of `reference` (M, D) to each of `queries` (N, D): distances and rows (N,).

    Distances are Euclidean, in units of the features.
    """
    found = [squares.argmin(axis=1) for _, squares in _distances(queries, reference)]
    rows = np.concatenate(found)
    # Taken anew, as small differences of large products are not exact.
    return np.linalg.norm(queries - reference[rows], axis=1), rows


def _distances(first: np.ndarray, second: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Squared distances of some rows of the first set to all of the second, from the first on."""
    # About their middle, where float32 loses least in |x|^2 + |y|^2 - 2 x.y.
    middle = second.mean(axis=0)
    one, other = first - middle, second - middle
    lengths = np.square(other).sum(axis=1)
    for start in range(0, len(one), _ROWS):
        rows = slice(start, start + _ROWS)
        squares = one[rows] @ other.T
        squares *= -2
        squares += np.square(one[rows]).sum(axis=1)[:, None]
        squares += lengths
        yield rows, np.maximum(squares, 0, out=squares)


def _kernel_sum(first: np.ndarray, second: np.ndarray, scale: float) -> float:
    """Sum of the kernel over all pairs of rows."""
    total = 0.0
    for _, squares in _distances(first, second):
        squares *= -0.5 / (KERNEL_WIDTHS[0] * scale) ** 2
        kernel = np.exp(squares, out=squares)
        total += float(kernel.sum(axis=1).sum(dtype=np.float64))
        for _ in KERNEL_WIDTHS[1:]:
            # Half the width: the fourth power.
            kernel *= kernel
            kernel *= kernel
            total += float(kernel.sum(axis=1).sum(dtype=np.float64))
    return total / len(KERNEL_WIDTHS)


def _reaches(features: np.ndarray) -> np.ndarray:
    """Squared distances (N,) to the k-th nearest other row."""
    k = max(round(REACH * len(features)), FEWEST_NEIGHBOURS)
    parts = []
    for rows, squares in _distances(features, features):
        # A row is its own nearest, exactly.
        squares[np.arange(len(squares)), np.arange(len(features))[rows]] = 0
        parts.append(np.partition(squares, k, axis=1)[:, k])
    return np.concatenate(parts)
