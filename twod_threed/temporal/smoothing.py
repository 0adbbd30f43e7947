"""2D poses with less jitter: a filter that runs frame by frame, and one that looks both ways.

Lifting smoothed 2D joints works better than smoothing what was lifted: the depths that a network
makes of jittering joints are far more wrong than the joints.

Both keep what is missing: a NaN joint stays NaN, and neither filter takes anything from it. Their
parameters are seconds, Hz and shares of the person's size, so that they mean the same at any
resolution, distance and frame rate. Their defaults were chosen on mannequins that walk, run, dance
and box, at 30 frames per second with errors of 4 per cent of the trunk: One-Euro takes a third of
the jitter from frame to frame and an eighth of the error, Savitzky-Golay two thirds and a third.
"""

import math

import numpy as np
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
_SIZE_CUTOFF = 0.2  # Hz; a person's size in the picture changes slowly


class OneEuroFilter:
    """The One-Euro filter (Casiez, Roussel, Vogel, CHI 2012, algorithm 1), frame by frame.

    A low pass x' += a (x - x') with a = 1 / (1 + 1 / (2 pi f dt)), whose cutoff f = min_cutoff +
    beta |speed| rises with the speed of the joint: slow joints are calmed, fast ones follow. The
    speed is a joint's (one cutoff for x and y: turning the picture turns the answer), itself low
    passed at SPEED_CUTOFF, and measured in person's sizes per second. The size is the longer side
    of the box around the joints, low passed from the first frame on: only the past counts.

    A joint seen with confidence c moves its state by c a instead of a. An absent one leaves it, and
    dt is then the time since it was last seen.
    """

    def __init__(
        self, frame_rate: float, min_cutoff: float = MIN_CUTOFF, beta: float = BETA
    ) -> None:
        """frame_rate: frames per second. Raises ValueError unless it and min_cutoff are positive
        and beta is not negative."""
        if not (frame_rate > 0 and min_cutoff > 0 and beta >= 0):
            raise ValueError(f"no filter has {frame_rate=}, {min_cutoff=}, {beta=}")
        self.frame_rate, self.min_cutoff, self.beta = frame_rate, min_cutoff, beta
        self.reset()

    def reset(self) -> None:
        """Forget all frames."""
        self._size = math.nan
        self._places: np.ndarray | None = None

    def push(self, points: np.ndarray, confidence: np.ndarray | None = None) -> np.ndarray:
        """The next frame: points (J, 2) px, NaN absent, confidence (J,) in [0, 1] -> (J, 2) px."""
        points = np.asarray(points, np.float64)
        seen = np.asarray(np.isfinite(points).all(axis=-1))
        self._measure(points[seen])
        if self._places is None:
            self._places = np.full(points.shape, np.nan)
            self._speeds = np.zeros(points.shape)
            self._waited = np.ones(len(points))
        first = seen & np.isnan(self._places[:, 0])
        self._places[first] = points[first]
        waited = (self._waited / self.frame_rate)[:, None]
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
        self._waited = np.where(seen, 1, self._waited + 1)
        return np.where(seen[:, None], places, np.nan)

    def _measure(self, points: np.ndarray) -> None:
        """Update the size of the person, px, from the joints that are there (n, 2)."""
        extent = float(np.ptp(points, axis=0).max()) if len(points) > 1 else 0.0
        if extent > 0:
            known = extent if math.isnan(self._size) else self._size
            self._size = known + _share(_SIZE_CUTOFF, 1 / self.frame_rate) * (extent - known)


def one_euro(
    points: np.ndarray,
    frame_rate: float,
    confidence: np.ndarray | None = None,
    min_cutoff: float = MIN_CUTOFF,
    beta: float = BETA,
) -> np.ndarray:
    """Smooth points (T, J, 2) px, NaN absent, with `OneEuroFilter`: (T, J, 2) px, same type.

    confidence (T, J) in [0, 1]. Causal: a frame depends on itself and those before it. min_cutoff
    Hz, beta Hz per person's size per second. Raises ValueError as the filter does.
    """
    live = OneEuroFilter(frame_rate, min_cutoff, beta)
    result = np.empty_like(points)
    for frame, joints in enumerate(points):
        result[frame] = live.push(joints, None if confidence is None else confidence[frame])
    return result


def savitzky_golay(
    points: np.ndarray, frame_rate: float, window: float = WINDOW, order: int = ORDER
) -> np.ndarray:
    """Smooth points (T, J, D), NaN absent, with polynomials fitted around each frame: (T, J, D).

    Savitzky and Golay 1964. window: s, made an odd number of frames, the nearest; order: degree of
    the polynomials, which pass unchanged. Each run of frames that have a joint is smoothed for
    itself, the frames at its ends by the polynomials of the first and last whole windows. In a run
    shorter than the window the window shrinks to it; one that the polynomials would merely pass
    through is left as it is. Raises ValueError for a window or rate that is not positive, or a
    negative order.
    """
    if not (frame_rate > 0 and window > 0 and order >= 0):
        raise ValueError(f"there is no polynomial fit with {frame_rate=}, {window=}, {order=}")
    frames = 2 * round((window * frame_rate - 1) / 2) + 1
    result = points.copy()
    for joint in range(points.shape[1]):
        known = np.flatnonzero(np.isfinite(points[:, joint]).all(axis=-1))
        for run in np.split(known, np.flatnonzero(np.diff(known) > 1) + 1):
            length = min(frames, len(run) - 1 + len(run) % 2)
            if length > order + 1:
                result[run, joint] = savgol_filter(points[run, joint], length, order, axis=0)
    return result


def _share(cutoff: float | np.ndarray, seconds: float | np.ndarray) -> np.ndarray:
    """How much of the way a first-order low pass goes in a step: 1 / (1 + 1 / (2 pi f dt))."""
    return np.asarray(1 / (1 + 1 / (2 * math.pi * np.asarray(cutoff) * seconds)))
