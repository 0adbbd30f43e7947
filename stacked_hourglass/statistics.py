"""Colour mean and deviation of the pictures a network is trained on, measured once and kept."""

from collections.abc import Iterator

import numpy as np

from stacked_hourglass.person_table import PersonTable
from utils.dataset_statistics import cached, channel_mean_std

SAMPLES = 2000
"""Pictures measured: the mean of so many is known to about 0.002."""
VERSION = 1

Colour = tuple[float, float, float]


def colour_statistics(table: PersonTable, seed: int) -> tuple[Colour, Colour]:
    """Mean and standard deviation of each RGB channel in [0, 1], over SAMPLES pictures of `table`.

    Kept in .cache/ under everything they depend on. Raises UserError if a picture cannot be read.
    """
    count = min(SAMPLES, len(table))
    rows = np.sort(np.random.default_rng(seed).permutation(len(table))[:count])

    def pictures() -> Iterator[np.ndarray]:
        for row in rows.tolist():
            yield table.read_picture(row).image

    def measure() -> dict[str, np.ndarray]:
        mean, std = channel_mean_std(pictures())
        return {"mean": mean, "std": std}

    values = cached(table.cache_key("colour", rows, VERSION), measure)
    mean, std = (tuple(round(float(v), 5) for v in values[name]) for name in ("mean", "std"))
    return mean, std  # pyright: ignore[reportReturnType]
