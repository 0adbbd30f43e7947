"""How far 3D poses are from the truth: MPJPE and its relatives, joint by joint.

Poses are (N, J, 3) mm, relative to the hip, in the camera frame. Every measure is first an array
(N, J) with NaN where a joint does not count, because the truth lacks it or `valid` (N, J) is false;
`pose_mean` makes one number of it, in which every pose weighs the same.

A joint that was not predicted (NaN) is taken to be at the hip, so that a lost pose costs what a
guess of nothing costs; it is never right in PCK and AUC, and `missing` counts such joints.

The hip is one of the joints, although its error is always zero: Martinez et al. (ICCV 2017) and
Pavllo et al. (CVPR 2019) average over all 17 joints, too, and figures would not compare without it.
"""

import numpy as np

from utils.procrustes import align

PCK_THRESHOLD = 150.0
"""mm, about half a head (Mehta et al., 3DV 2017)."""

AUC_THRESHOLDS = np.arange(0.0, 151.0, 5.0)
"""mm; the 31 thresholds of the MPI-INF-3DHP evaluation."""


def hip_relative(poses: np.ndarray, hip: int) -> np.ndarray:
    """Poses (N, J, 3) with their joint `hip` at 0; where it is NaN, 0 is taken for it."""
    return poses - np.nan_to_num(poses[:, hip : hip + 1])


def missing(
    predictions: np.ndarray, truth: np.ndarray, valid: np.ndarray | None = None
) -> np.ndarray:
    """(N, J) 1 where a joint that counts was not predicted, 0 where it was, NaN elsewhere."""
    lost = np.isnan(predictions).any(axis=-1).astype(np.float64)
    return np.where(_counting(truth, valid), lost, np.nan)


def joint_errors(
    predictions: np.ndarray, truth: np.ndarray, valid: np.ndarray | None = None
) -> np.ndarray:
    """(N, J) mm, distance of each joint from its true place: MPJPE before the mean.

    Also called protocol 1. Raises ValueError for shapes that differ.
    """
    _check(predictions, truth, valid)
    return _distances(_filled(predictions), truth, valid)


def aligned_errors(
    predictions: np.ndarray, truth: np.ndarray, valid: np.ndarray | None = None
) -> np.ndarray:
    """(N, J) mm after each pose was moved, turned and scaled onto the truth: P-MPJPE, protocol 2.

    Only joints that count enter the alignment; mirror images are not allowed. Poses of which fewer
    than three joints count are only shifted (see `utils.procrustes`). Raises ValueError.
    """
    _check(predictions, truth, valid)
    counting = _counting(truth, valid)
    return _distances(align(_filled(predictions), truth, counting), truth, valid)


def scaled_errors(
    predictions: np.ndarray, truth: np.ndarray, valid: np.ndarray | None = None
) -> np.ndarray:
    """(N, J) mm after each pose was scaled to the truth: N-MPJPE (Rhodin et al., CVPR 2018).

    The scale that minimises the squared distances is <truth, pose> / <pose, pose> over the joints
    that count, about the hip; a pose of nothing but zeros stays as it is. Raises ValueError.
    """
    _check(predictions, truth, valid)
    counting = _counting(truth, valid)[..., None]
    poses = _filled(predictions)
    kept, wanted = np.where(counting, poses, 0.0), np.where(counting, truth, 0.0)
    square = (kept * kept).sum(axis=(1, 2))
    scale = np.ones_like(square)
    np.divide((kept * wanted).sum(axis=(1, 2)), square, out=scale, where=square > 0)
    return _distances(poses * scale[:, None, None], truth, valid)


def velocity_errors(
    predictions: np.ndarray,
    truth: np.ndarray,
    clip: np.ndarray,
    frame: np.ndarray,
    valid: np.ndarray | None = None,
) -> np.ndarray:
    """(N, J) mm per frame: error of each joint's velocity, MPJVE (Pavllo et al., CVPR 2019).

    The velocity is the step from the frame before to this one of the same clip, so that the value
    is NaN where `clip` (N,) has no row with the number before this `frame` (N,), and where a joint
    does not count in both. Rows may be in any order. Raises ValueError for shapes that differ.
    """
    _check(predictions, truth, valid)
    code = np.unique(clip, return_inverse=True)[1]
    order = np.lexsort((frame, code))
    next_to = (np.diff(code[order]) == 0) & (np.diff(frame[order]) == 1)
    before, after = order[:-1][next_to], order[1:][next_to]
    drift = _filled(predictions) - np.where(_counting(truth, valid)[..., None], truth, np.nan)
    errors = np.full(truth.shape[:2], np.nan)
    errors[after] = np.linalg.norm(drift[after] - drift[before], axis=-1)
    return errors


def pck_3d(errors: np.ndarray, missing: np.ndarray, threshold: float = PCK_THRESHOLD) -> np.ndarray:
    """(N, J) 100 where the error is below the threshold (mm), else 0; NaN where errors are.

    errors and missing: (N, J) from `joint_errors` and `missing`. "Below" is strict, as in the
    MPI-INF-3DHP evaluation (Mehta et al., 3DV 2017).
    """
    right = (errors < threshold) & (missing == 0)
    return np.where(np.isnan(errors), np.nan, 100.0 * right)


def auc_3d(errors: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """(N, J) per cent of `AUC_THRESHOLDS` that the error is below; NaN where errors are.

    Its mean is the area under the PCK curve as the MPI-INF-3DHP evaluation computes it. Nothing is
    below the first threshold, 0, so that a perfect pose has 96.8.
    """
    above = len(AUC_THRESHOLDS) - np.searchsorted(AUC_THRESHOLDS, errors, side="right")
    share = 100.0 * above / len(AUC_THRESHOLDS)
    return np.where(np.isnan(errors), np.nan, np.where(missing == 0, share, 0.0))


def pck_curve(errors: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """(N, T) per cent of each pose's counting joints that are below each of `AUC_THRESHOLDS`.

    NaN for a pose of which no joint counts.
    """
    within = np.where(missing == 0, errors, np.inf)[..., None] < AUC_THRESHOLDS
    return 100.0 * _divide(within.sum(axis=1), (~np.isnan(errors)).sum(axis=1)[:, None])


def joint_mean(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis, NaN left out: (..., J) -> (...); NaN where nothing is left."""
    present = ~np.isnan(values)
    return _divide(np.where(present, values, 0.0).sum(axis=-1), present.sum(axis=-1))


def pose_mean(values: np.ndarray) -> float:
    """Mean over the poses of (N, J) of the means over their joints."""
    return float(joint_mean(joint_mean(values)))


def mpjpe(predictions: np.ndarray, truth: np.ndarray, valid: np.ndarray | None = None) -> float:
    """Mean per-joint position error, mm, of (N, J, 3)."""
    return pose_mean(joint_errors(predictions, truth, valid))


def p_mpjpe(predictions: np.ndarray, truth: np.ndarray, valid: np.ndarray | None = None) -> float:
    """MPJPE after similarity alignment of each pose, mm, of (N, J, 3)."""
    return pose_mean(aligned_errors(predictions, truth, valid))


def n_mpjpe(predictions: np.ndarray, truth: np.ndarray, valid: np.ndarray | None = None) -> float:
    """MPJPE after each pose got the best scale, mm, of (N, J, 3)."""
    return pose_mean(scaled_errors(predictions, truth, valid))


def _check(predictions: np.ndarray, truth: np.ndarray, valid: np.ndarray | None) -> None:
    if predictions.shape != truth.shape or truth.ndim != 3 or truth.shape[-1] != 3:
        raise ValueError(f"{predictions.shape} and {truth.shape} are not both (N, J, 3)")
    if valid is not None and valid.shape != truth.shape[:2]:
        raise ValueError(f"valid is {valid.shape}, the poses have joints {truth.shape[:2]}")


def _counting(truth: np.ndarray, valid: np.ndarray | None) -> np.ndarray:
    """(N, J) True where there is a truth that counts."""
    known = np.asarray(~np.isnan(truth).any(axis=-1))
    return known if valid is None else known & valid


def _filled(predictions: np.ndarray) -> np.ndarray:
    """float64, with a joint of which any coordinate is NaN at the hip."""
    lost = np.isnan(predictions).any(axis=-1, keepdims=True)
    return np.where(lost, 0.0, predictions).astype(np.float64)


def _distances(poses: np.ndarray, truth: np.ndarray, valid: np.ndarray | None) -> np.ndarray:
    apart = poses - truth
    # The plain formula: np.linalg.norm takes several times as long over an axis of three.
    distances = np.sqrt(np.einsum("nji,nji->nj", apart, apart))
    return np.where(_counting(truth, valid), distances, np.nan)


def _divide(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    """total / count, NaN where there is nothing to count."""
    total, count = np.broadcast_arrays(np.asarray(total, np.float64), count)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
