"""PCK and PCKh: the share of joints that a prediction places near enough.

A distance is divided by a length of the same person (head size, torso), so that a threshold means
the same for people near and far. Yang & Ramanan, TPAMI 2013 (PCK); Andriluka et al., CVPR 2014
(PCKh). Everything here is plain NumPy on arrays; scores are in per cent.
"""

import numpy as np

from utils.skeletons import Skeleton

# The MPII evaluation measures the head as this share of its box's diagonal.
HEAD_SHARE_OF_DIAGONAL = 0.6


def head_sizes(boxes: np.ndarray) -> np.ndarray:
    """Head size (N,) in px from head boxes (N, 2, 2): two opposite corners, x and y in px."""
    return HEAD_SHARE_OF_DIAGONAL * np.linalg.norm(boxes[:, 1] - boxes[:, 0], axis=-1)


def torso_lengths(joints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Distance (N,) in px from left shoulder to right hip of joints (N, J, 2) in px."""
    shoulder = joints[:, skeleton.index("left_shoulder")]
    hip = joints[:, skeleton.index("right_hip")]
    return np.linalg.norm(shoulder - hip, axis=-1)


def normalised_distances(
    predictions: np.ndarray, truth: np.ndarray, lengths: np.ndarray
) -> np.ndarray:
    """Distance of each predicted joint from its annotation, in units of the person's length.

    predictions, truth: (N, J, 2) px of the same frame; lengths: (N,) px.
    Returns (N, J): NaN where the annotation is missing (not counted), infinite where only the
    prediction is missing (always wrong). Raises ValueError for shapes that differ and for lengths
    that are not positive.
    """
    if predictions.shape != truth.shape or lengths.shape != truth.shape[:1]:
        raise ValueError(f"shapes differ: {predictions.shape}, {truth.shape}, {lengths.shape}")
    if not (lengths > 0).all():
        raise ValueError("every person needs a positive reference length")
    distances = np.linalg.norm(predictions - truth, axis=-1) / lengths[:, None]
    distances[np.isnan(predictions).any(axis=-1)] = np.inf
    distances[np.isnan(truth).any(axis=-1)] = np.nan
    return distances


def annotated_counts(distances: np.ndarray) -> np.ndarray:
    """How many people have each joint annotated: (J,) from normalised distances (N, J)."""
    return (~np.isnan(distances)).sum(axis=0)


def pck(distances: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Per cent of annotated joints within each threshold, the threshold itself included.

    distances: (N, J) as `normalised_distances` gives them; thresholds: (T,) in the same unit.
    Returns (T, J), NaN for a joint that nobody has annotated.
    """
    hits = (distances[None] <= thresholds[:, None, None]).sum(axis=1)
    return 100 * _divide(hits, annotated_counts(distances)[None])


def joint_mean(scores: np.ndarray) -> np.ndarray:
    """Plain mean over the last axis: every joint weighs the same. (..., J) -> (...).

    Joints without annotations (NaN) are left out.
    """
    present = ~np.isnan(scores)
    return _divide(np.where(present, scores, 0).sum(axis=-1), present.sum(axis=-1))


def annotation_mean(scores: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mean over the last axis weighted by annotations (J,): every label weighs the same."""
    return _divide((np.where(counts > 0, scores, 0) * counts).sum(axis=-1), counts.sum())


def area_under_curve(scores: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Mean height of PCK curves (T, ...) over thresholds (T,), by trapezoids, in per cent.

    As in the MPII evaluation: the axis of thresholds is scaled to length one.
    """
    return np.trapezoid(scores, thresholds, axis=0) / (thresholds[-1] - thresholds[0])


def _divide(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    """total / count, NaN where there is nothing to count."""
    total, count = np.broadcast_arrays(np.asarray(total, float), count)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
