"""Measures of made frames against real ones, uint8 RGB (N, H, W, 3)."""

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from generative_models.skeleton_to_image.dancer_data import clip_starts
from generative_models.skeleton_to_image.losses import sharpness

_SIGMA, _RADIUS = 1.5, 5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def l1(made: np.ndarray, real: np.ndarray) -> float:
    """Mean absolute difference of pictures in [-1, 1]."""
    return float(np.abs(made.astype(np.float32) - real).mean() / 127.5)


def psnr(made: np.ndarray, real: np.ndarray) -> float:
    """Peak signal-to-noise ratio, dB, averaged over the frames; infinite where one is exact."""
    squared = np.square(made.astype(np.float64) - real).mean(axis=(1, 2, 3))
    with np.errstate(divide="ignore"):
        return float((10 * np.log10(255**2 / squared)).mean())


def ssim(made: np.ndarray, real: np.ndarray) -> float:
    """Structural similarity (Wang, Bovik, Sheikh, Simoncelli 2004, eq. 13), mean over the frames.

    Gaussian window of 11 x 11 with deviation 1.5, for each channel, where the window fits.
    """
    return float(np.mean([_ssim(x, y) for x, y in zip(made, real, strict=True)]))


def _ssim(made: np.ndarray, real: np.ndarray) -> float:
    x, y = made.astype(np.float64), real.astype(np.float64)

    def mean(values: np.ndarray) -> np.ndarray:
        blurred = gaussian_filter(values, (_SIGMA, _SIGMA, 0), radius=(_RADIUS, _RADIUS, 0))
        return blurred[_RADIUS:-_RADIUS, _RADIUS:-_RADIUS]

    mx, my = mean(x), mean(y)
    vx, vy, both = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
    similar = (2 * mx * my + _C1) * (2 * both + _C2)
    return float((similar / ((mx**2 + my**2 + _C1) * (vx + vy + _C2))).mean())


def sharpness_ratio(made: np.ndarray, real: np.ndarray) -> float:
    """Laplacian energy of all made frames over that of the real ones: 1 is as sharp."""
    energies = [
        float(sharpness(torch.from_numpy(one).permute(0, 3, 1, 2) / 127.5).mean())
        for one in (made, real)
    ]
    return energies[0] / max(energies[1], 1e-12)


def flicker_ratio(made: np.ndarray, real: np.ndarray, frame: np.ndarray) -> float:
    """Mean change from frame to frame over that of the real film: above 1 it flickers.

    frame (N,): numbers; only pairs with no frame left out between them count. NaN without such a
    pair, or where nothing moves in the real film.
    """
    starts = clip_starts(frame, 2)
    changes = [
        np.abs(one[starts + 1].astype(np.float32) - one[starts]).mean() if len(starts) else np.nan
        for one in (made, real)
    ]
    return float(changes[0] / changes[1]) if changes[1] else float("nan")


def pose_error(found: np.ndarray, asked: np.ndarray, size: int) -> float:
    """Median distance of joints found in pictures of `size` px from those that were to be drawn,
    both (N, 13, 2) px, in % of the side. A joint that is asked for and not found is the side away.
    NaN where none is asked for."""
    distance = np.linalg.norm(found - asked, axis=-1)
    wanted = np.isfinite(asked).all(axis=-1)
    distance = np.where(np.isfinite(distance), distance, size)[wanted]
    return float(100 * np.median(distance) / size) if len(distance) else float("nan")
