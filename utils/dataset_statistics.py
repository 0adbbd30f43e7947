"""Figures measured over a data set, and a cache for what is slow to measure."""

import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from utils.array_files import load_arrays
from utils.atomic import atomic_path, make_writable
from utils.errors import UserError

CACHE = Path(__file__).resolve().parents[1] / ".cache"
"""Folder of the cache."""


def can_keep() -> bool:
    """Whether files can be written into the cache, as they cannot where the program is installed
    for reading alone."""
    try:
        make_writable(CACHE)
    except OSError:
        return False
    return True


def cache_key(
    name: str, files: Iterable[str | Path], options: Mapping[str, Any], version: int
) -> str:
    """A name that changes with everything cached values depend on.

    name: of the data set and the figure, such as "mpii_channels". files: what is read; their paths,
    sizes and times of change count, in any order. options: values that JSON can hold. version: of
    the code that measures; raise it when the code changes.
    """
    stats = sorted((str(path), path.stat()) for path in map(Path, files))
    described = [(path, stat.st_size, stat.st_mtime_ns) for path, stat in stats]
    text = json.dumps([described, dict(options), version], sort_keys=True)
    return f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:20]}"


def _read(path: Path) -> dict[str, np.ndarray] | None:
    """The arrays of a cache file, or None if it is not there or damaged."""
    try:
        return load_arrays(path, "file of the cache")
    except UserError:
        return None


def cached(
    key: str, compute: Callable[[], Mapping[str, np.ndarray]], folder: Path | None = None
) -> dict[str, np.ndarray]:
    """Arrays by name: from the cache, or computed and put there.

    key: from `cache_key`. A file that cannot be read is made again; what cannot be kept is told on
    stderr.
    """
    path = (folder or CACHE) / f"{key}.npz"
    arrays = _read(path)
    if arrays is None:
        arrays = {name: np.asarray(array) for name, array in compute().items()}
        try:
            with atomic_path(path) as temporary:
                np.savez(temporary, allow_pickle=False, **arrays)
        except UserError as error:
            print(f"{error}: what it would keep is computed anew each time", file=sys.stderr)
    return arrays


def channel_mean_std(images: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each channel over all pixels, (3,) float64 each, in [0, 1].

    images: uint8 (height, width, 3), of any sizes, read once. Sums are of integers, so that the
    result does not depend on the order of the images. Raises ValueError if there is no pixel.
    """
    count, total, squares = 0, [0] * 3, [0] * 3
    levels = np.arange(256, dtype=np.int64)
    for image in images:
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(f"need uint8 (height, width, 3), not {image.dtype} {image.shape}")
        count += image.shape[0] * image.shape[1]
        for channel in range(3):
            histogram = np.bincount(image[..., channel].ravel(), minlength=256)
            total[channel] += int(histogram @ levels)
            squares[channel] += int(histogram @ levels**2)
    if count == 0:
        raise ValueError("no images to measure")
    # Exact integers up to here: n * sum(x^2) - sum(x)^2 has no cancellation error.
    variance = [(count * q - s * s) / count**2 for s, q in zip(total, squares, strict=True)]
    return np.array(total) / count / 255, np.sqrt(variance) / 255
