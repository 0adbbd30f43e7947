"""Films: people in frames one after another, that a network with attention over time sees together.

A window is some of a film's frames in a row. Each is cut out by the person's own box, so that the
same place of the crop is about the same part of the person, wherever they go.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor
from torch.utils.data import Dataset

from stacked_hourglass.data import PeopleDataset, collate
from stacked_hourglass.person_table import PersonTable


def window_starts(film: np.ndarray, frames: int, step: int) -> np.ndarray:
    """First rows (M,) of windows of `frames` rows of one film, `step` apart, the last one at the
    film's end. Films that are too short have none.

    film (N,): see `PersonTable`.
    """
    starts: list[int] = []
    ends = np.flatnonzero(np.diff(film)) + 1
    for begin, end in zip([0, *ends.tolist()], [*ends.tolist(), len(film)], strict=True):
        last = end - frames
        if film[begin] >= 0 and last >= begin:
            starts += sorted({*range(begin, last + 1, step), last})
    return np.array(starts, np.int64)


def in_windows(table: PersonTable, starts: np.ndarray, frames: int) -> PersonTable:
    """The rows of all windows, window after window."""
    return table.rows((starts[:, None] + np.arange(frames)).reshape(-1))


class FilmDataset(Dataset):
    """Crops of the windows of a table that `in_windows` has made, one window an item."""

    def __init__(self, table: PersonTable, resolution: int, frames: int) -> None:
        self.people, self.frames = PeopleDataset(table, resolution), frames

    def __len__(self) -> int:
        return len(self.people) // self.frames

    def __getitem__(self, window: int) -> list[dict[str, Any]]:
        """The frames of one window, each as `PeopleDataset` has them."""
        first = window * self.frames
        return [self.people[first + frame] for frame in range(self.frames)]


def collate_films(items: Sequence[list[dict[str, Any]]]) -> dict[str, Tensor]:
    """Windows -> tensors as of `collate`, with one window's frames after the other's in front."""
    return collate([frame for window in items for frame in window])


def reading_windows(
    film: np.ndarray, frames: int, causal: bool
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows of the windows that read out a table, and which of a window's rows it settles.

    Windows overlap by half. A row is settled by the one that shows most of what the network looks
    at: in which it is nearest to the middle or, if the network only looks back, the latest. A film
    shorter than a window is one of its own, a picture that stands alone too. film (N,): see
    `PersonTable`.
    """
    windows = []
    ends = np.flatnonzero((np.diff(film) != 0) | (film[1:] < 0)) + 1
    for begin, end in zip([0, *ends.tolist()], [*ends.tolist(), len(film)], strict=True):
        last = max(end - begin - frames, 0)
        starts = np.array(sorted({*range(0, last + 1, max(frames // 2, 1)), last}))
        places = np.arange(end - begin) - starts[:, None]
        worth = places if causal else -np.abs(places - (frames - 1) / 2)
        inside = (places >= 0) & (places < frames)
        settles = np.where(inside, worth, -np.inf).argmax(axis=0)
        for number, start in enumerate(starts.tolist()):
            rows = np.arange(start, min(start + frames, end - begin))
            windows.append((begin + rows, settles[rows] == number))
    return windows
