"""Every measure of 3D poses at once."""

from collections.abc import Callable

import numpy as np

from utils import pose_metrics

# Poses in a go: alignment needs room for several copies.
_SLICE = 8192


def pose_measures(
    predictions: np.ndarray,
    truth: np.ndarray,
    valid: np.ndarray,
    film: np.ndarray,
    frame: np.ndarray,
) -> dict[str, np.ndarray]:
    """Every measure of `evaluation_report.UNITS`, (N, J) each.

    predictions and truth (N, J, 3) mm, relative to the hip; valid (N, J) bool. The velocity is that
    from one frame to the next of a film: film (N,) and frame (N,) int say which.
    """
    slices = [slice(start, start + _SLICE) for start in range(0, len(truth), _SLICE)]

    def in_slices(measure: Callable[..., np.ndarray]) -> np.ndarray:
        return np.concatenate([measure(predictions[s], truth[s], valid[s]) for s in slices])

    errors, missing = in_slices(pose_metrics.joint_errors), in_slices(pose_metrics.missing)
    return {
        "MPJPE": errors,
        "P-MPJPE": in_slices(pose_metrics.aligned_errors),
        "N-MPJPE": in_slices(pose_metrics.scaled_errors),
        "PCK3D@150": pose_metrics.pck_3d(errors, missing),
        "AUC": pose_metrics.auc_3d(errors, missing),
        "MPJVE": pose_metrics.velocity_errors(predictions, truth, film, frame, valid),
        "missing": 100 * missing,
    }
