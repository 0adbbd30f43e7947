"""2D poses with less jitter: a filter that runs frame by frame, and one that looks both ways.

Lifting smoothed 2D joints works better than smoothing what was lifted: the depths that a network
makes of jittering joints are far more wrong than the joints.

Both keep what is missing: a NaN joint stays NaN, and neither filter takes anything from it. Both go
by the time of each frame: many films have no even rate, and of others not every frame is looked at.
Their parameters are seconds, Hz and shares of the person's size, so that they mean the same at any
resolution, distance and frame rate. Their defaults were chosen on mannequins that walk, run, dance
and box, at 30 frames per second with errors of 4 per cent of the trunk: One-Euro takes a third of
the jitter from frame to frame and an eighth of the error, Savitzky-Golay two thirds and a third.
"""

import math

import numpy as np
from scipy.ndimage import median_filter
from scipy.signal import savgol_filter

MIN_CUTOFF = 1.5
"""Hz; One-Euro's cutoff for a joint that rests. Lower: less jitter, more lag."""
BETA = 20.0
"""Hz per person's size per second; how One-Euro's cutoff rises with a joint's speed. Higher: less
lag in fast motion."""
SPEED_CUTOFF = 1.0
"""Hz; cutoff for the speed itself, as the paper has it."""
WINDOW = 0.25
"""Seconds that Savitzky-Golay looks at."""
ORDER = 2
"""Degree of Savitzky-Golay's polynomials."""
MAX_STEP = 0.15
"""Seconds between two frames from which on Savitzky-Golay lays no polynomial through both: an arm
that swings to and fro in the time of five such frames is no parabola."""
_SIZE_CUTOFF = 0.2  # Hz; a person's size in the picture changes slowly
_TICK = 1e-3  # s; a coarse clock gives two frames of a camera one time
_UNEVEN = 0.1  # share; rounded times make the steps of an even film differ by less
_PAUSE = 2.5  # usual steps; where frames are left out evenly, the others are at most 2 apart
_NEIGHBOURS = 5  # steps whose median is the usual one
_HAIR = 1e-6  # s; rounding of times


class OneEuroFilter:
    """The One-Euro filter (Casiez, Roussel, Vogel, CHI 2012, algorithm 1), frame by frame.

    A low pass x' += a (x - x') with a = 1 / (1 + 1 / (2 pi f dt)), whose cutoff f = min_cutoff +
    beta |speed| rises with the speed of the joint: slow joints are calmed, fast ones follow. The
    speed is a joint's (one cutoff for x and y: turning the picture turns the answer), itself low
    passed at SPEED_CUTOFF, and measured in person's sizes per second. The size is the longer side
    of the box around the joints, low passed from the first frame on: only the past counts.

    dt is the time since the joint was last seen. A joint seen with confidence c moves its state by
    c a instead of a; an absent one leaves it.
    """

    def __init__(self, min_cutoff: float = MIN_CUTOFF, beta: float = BETA) -> None:
        """Raises ValueError unless min_cutoff is positive and beta is not negative."""
        if not (min_cutoff > 0 and beta >= 0):
            raise ValueError(f"no filter has {min_cutoff=}, {beta=}")
        self.min_cutoff, self.beta = min_cutoff, beta
        self.reset()

    def reset(self) -> None:
        """Forget all frames."""
        self._size, self._measured = math.nan, -math.inf
        self._places: np.ndarray | None = None

    def push(
        self, points: np.ndarray, time: float, confidence: np.ndarray | None = None
    ) -> np.ndarray:
        """The next frame, at `time`, s: points (J, 2) px, NaN absent, confidence (J,) in [0, 1]
        -> (J, 2) px."""
        points = np.asarray(points, np.float64)
        seen = np.asarray(np.isfinite(points).all(axis=-1))
        self._measure(points[seen], time)
        if self._places is None:
            self._places = np.full(points.shape, np.nan)
            self._speeds = np.zeros(points.shape)
            self._last = np.full((len(points), 1), -math.inf)
        first = seen & np.isnan(self._places[:, 0])
        self._places[first] = points[first]
        waited = np.maximum(time - self._last, _TICK)
        speeds = (points - self._places) / waited
        share = _share(SPEED_CUTOFF, waited)
        speeds = self._speeds + share * (speeds - self._speeds)
        cutoff = self.min_cutoff
        if self._size > 0:
            speed = np.linalg.norm(speeds, axis=-1, keepdims=True) / self._size
            cutoff = self.min_cutoff + self.beta * speed
        trust = 1.0 if confidence is None else np.asarray(confidence, np.float64)[:, None]
        places = self._places + trust * _share(cutoff, waited) * (points - self._places)
        self._speeds[seen], self._places[seen] = speeds[seen], places[seen]
        self._last[seen] = time
        return np.where(seen[:, None], places, np.nan)

    def _measure(self, points: np.ndarray, time: float) -> None:
        """Update the size of the person, px, from the joints that are there (n, 2)."""
        extent = float(np.ptp(points, axis=0).max()) if len(points) > 1 else 0.0
        if extent > 0:
            known = extent if math.isnan(self._size) else self._size
            waited = max(time - self._measured, _TICK)
            self._size = known + _share(_SIZE_CUTOFF, waited) * (extent - known)
            self._measured = time


def one_euro(
    points: np.ndarray,
    times: np.ndarray,
    confidence: np.ndarray | None = None,
    min_cutoff: float = MIN_CUTOFF,
    beta: float = BETA,
) -> np.ndarray:
    """Smooth points (T, J, 2) px, NaN absent, with `OneEuroFilter`: (T, J, 2) px, same type.

    times (T,) s, rising; confidence (T, J) in [0, 1]. Causal: a frame depends on itself and those
    before it. min_cutoff Hz, beta Hz per person's size per second. Raises ValueError as the filter
    does.
    """
    live = OneEuroFilter(min_cutoff, beta)
    result = np.empty_like(points)
    for frame, (joints, time) in enumerate(zip(points, times.tolist(), strict=True)):
        result[frame] = live.push(joints, time, None if confidence is None else confidence[frame])
    return result


def savitzky_golay(
    points: np.ndarray, times: np.ndarray, window: float = WINDOW, order: int = ORDER
) -> np.ndarray:
    """Smooth points (T, J, D), NaN absent, with polynomials fitted around each frame: (T, J, D).

    Savitzky and Golay 1964. times (T,) s, rising, even or not: frames that were not looked at have
    no row. window: s, made an odd number of frames, the nearest, but at least so many that the
    polynomials do not merely pass through them (5 of degree 2); order: degree of the polynomials,
    which pass unchanged. Each run of frames that have a joint is smoothed for itself, the frames at
    its ends by the polynomials of the first and last whole windows. A run also ends where the next
    frame is more than MAX_STEP away, or much further than those around it. In a run shorter than
    the window the window shrinks to it; one of too few frames is left as it is. Raises ValueError
    for a window that is not positive, or a negative order.
    """
    if not (window > 0 and order >= 0):
        raise ValueError(f"there is no polynomial fit with {window=}, {order=}")
    least = order + 3 - order % 2
    result = points.copy()
    for stretch in _stretches(times):
        frames = _even_window(times[stretch], window, least)
        for joint in range(points.shape[1]):
            known = stretch[np.isfinite(points[stretch, joint]).all(axis=-1)]
            for run in np.split(known, np.flatnonzero(np.diff(known) > 1) + 1):
                line = points[run, joint]
                if len(run) < least:
                    continue
                if frames is None:
                    result[run, joint] = _local_fits(line, times[run], window, order, least)
                else:
                    length = min(frames, len(run) - 1 + len(run) % 2)
                    result[run, joint] = savgol_filter(line, length, order, axis=0)
    return result


def _stretches(times: np.ndarray) -> list[np.ndarray]:
    """Rows of times (T,) s that follow each other without a pause."""
    steps = np.diff(times)
    usual = median_filter(steps, _NEIGHBOURS) if len(steps) else steps
    pauses = steps > np.minimum(_PAUSE * usual, MAX_STEP + _HAIR)
    return np.split(np.arange(len(times)), np.flatnonzero(pauses) + 1)


def _even_window(times: np.ndarray, window: float, least: int) -> int | None:
    """Frames at times (T,) s in a window, an odd number; None where the frames are not even."""
    if len(times) < 2:
        return least
    steps, lasted = np.diff(times), float(times[-1] - times[0])
    if (np.abs(steps * len(steps) / lasted - 1) > _UNEVEN).any():
        return None
    # Rounded, because 5 and 7 frames are as near to the window at 24 a second.
    rate = round(len(steps) / lasted, 6)
    return max(2 * round((window * rate - 1) / 2) + 1, least)


def _local_fits(
    line: np.ndarray, times: np.ndarray, window: float, order: int, least: int
) -> np.ndarray:
    """What Savitzky and Golay do, for points (T, D) at times (T,) s that are not even: the values
    of polynomials fitted to the `window` s, and `least` points, about each: (T, D)."""
    count = len(times)
    begin = np.clip(times - window / 2, times[0], max(times[0], times[-1] - window))
    first = np.searchsorted(times, begin - _HAIR)
    end = np.searchsorted(times, begin + window + _HAIR)
    nearest = np.clip(np.arange(count) - least // 2, 0, count - least)
    first = np.where(end - first < least, nearest, first)
    end = np.maximum(end, first + least)
    rows = first[:, None] + np.arange((end - first).max())
    inside = rows < end[:, None]
    rows = np.minimum(rows, count - 1)
    away = (times[rows] - times[:, None]) / window
    powers = inside[..., None] * away[..., None] ** np.arange(order + 1)
    transposed = powers.swapaxes(1, 2)
    # Where a polynomial is looked at, its variable is 0, and its value the first coefficient.
    weights = np.linalg.solve(transposed @ powers, transposed)[:, 0]
    return (weights[..., None] * line[rows]).sum(axis=1)


def _share(cutoff: float | np.ndarray, seconds: float | np.ndarray) -> np.ndarray:
    """How much of the way a first-order low pass goes in a step: 1 / (1 + 1 / (2 pi f dt))."""
    return np.asarray(1 / (1 + 1 / (2 * math.pi * np.asarray(cutoff) * seconds)))
