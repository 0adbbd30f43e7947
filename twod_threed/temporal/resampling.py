"""Poses from one frame rate to another and back, for networks that were trained at one rate.

Points are interpolated, not filtered. People hardly move above 6 Hz (Winter, "Biomechanics and
motor control of human movement"), so that nothing of the motion is lost down to about 15 frames per
second. What lies above is the detector's jitter: taking fewer frames leaves it as large in each
frame as the network has learned to expect, where an anti-aliasing filter would make it another one,
and spread the errors of a frame over its neighbours. Who wants less jitter smooths
(`twod_threed/temporal/smoothing.py`), which is another choice.

Gaps stay gaps. A joint that is NaN in a frame breaks its line, and so do two frames that are more
than `max_gap` seconds apart; nothing is made up between the ends of a break, nor before the first
and after the last sight of a joint. There and back, a break grows by less than one of the coarser
frames at each end, and what is seen for less than that is lost.
"""

from typing import Literal

import numpy as np
from scipy.interpolate import CubicSpline, make_interp_spline

Interpolation = Literal["cubic", "linear"]
MAX_GAP = 0.2
"""Seconds between two frames from which on nothing is known of what happened between them."""
_CUBIC_NEEDS = 4  # points; of fewer a line is made


def even_times(times: np.ndarray, frame_rate: float) -> np.ndarray:
    """Times (N,), s, from the first to the last of `times` (T,), `frame_rate` a second.

    Both ends are met, so that the way back needs nothing outside what is known; for that the rate
    gives way a little: by half a frame over the whole length. A single time stays alone. Raises
    ValueError if the times are not rising numbers, or the rate is not positive.
    """
    _check_times(times)
    if not 0 < frame_rate < float("inf"):
        raise ValueError(f"there are no {frame_rate} frames per second")
    if len(times) < 2:
        return times.astype(np.float64)
    steps = max(round((times[-1] - times[0]) * frame_rate), 1)
    return np.linspace(times[0], times[-1], steps + 1)


def resample(
    points: np.ndarray,
    times: np.ndarray,
    wanted: np.ndarray,
    interpolation: Interpolation = "cubic",
    max_gap: float = MAX_GAP,
) -> np.ndarray:
    """Points (T, J, D), known at times (T,), at other times `wanted` (N,): (N, J, D), same type.

    Times are s, rising, at any distances; points of any unit, NaN absent. "cubic" is a spline with
    continuous curvature (exact for cubic polynomials; a line where fewer than four points are
    known in a row), "linear" never leaves the range of its points. At a time that is one of `times`
    the point of that time is given. Raises ValueError if the arrays do not fit.
    """
    _check_times(times)
    _check_times(wanted)
    if points.ndim != 3 or len(points) != len(times):
        raise ValueError(f"points of shape {points.shape} at {len(times)} times")
    result = np.full((len(wanted), *points.shape[1:]), np.nan, points.dtype)
    known = np.isfinite(points).all(axis=-1)
    # Joints that are known in the same frames go through one spline.
    patterns, pattern_of = np.unique(known, axis=1, return_inverse=True)
    for number, pattern in enumerate(patterns.T):
        joints = np.flatnonzero(pattern_of.reshape(-1) == number)
        for rows in _unbroken(pattern, times, max_gap):
            inside = (wanted >= times[rows[0]]) & (wanted <= times[rows[-1]])
            line = points[np.ix_(rows, joints)].astype(np.float64)
            values = _interpolate(times[rows], line, wanted[inside], interpolation)
            result[np.ix_(np.flatnonzero(inside), joints)] = values
    return result


def _unbroken(known: np.ndarray, times: np.ndarray, max_gap: float) -> list[np.ndarray]:
    """Runs of frames, each an array of rows, with the joint known (T,) and no long wait between."""
    rows = np.flatnonzero(known)
    broken = (np.diff(rows) > 1) | (np.diff(times[rows]) > max_gap)
    return [run for run in np.split(rows, np.flatnonzero(broken) + 1) if len(run)]


def _interpolate(
    times: np.ndarray, values: np.ndarray, wanted: np.ndarray, interpolation: Interpolation
) -> np.ndarray:
    """Values (T, J, D) without a break at times inside their range: (N, J, D)."""
    if len(times) == 1:
        return values.repeat(len(wanted), axis=0)
    if interpolation == "cubic" and len(times) >= _CUBIC_NEEDS:
        return CubicSpline(times, values)(wanted)
    return make_interp_spline(times, values, k=1)(wanted)


def _check_times(times: np.ndarray) -> None:
    if times.ndim != 1 or not np.isfinite(times).all() or (np.diff(times) <= 0).any():
        raise ValueError("times must be numbers that rise")
