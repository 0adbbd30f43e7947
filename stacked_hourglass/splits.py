"""Who validates where a data set marks nobody: whole pictures, so that none of them trains, too."""

from dataclasses import replace

import numpy as np

from stacked_hourglass.person_table import PersonTable

HELD_OUT = 20
"""One picture in so many validates."""


def held_out(picture: np.ndarray, first: int) -> np.ndarray:
    """Who validates (N,) bool, of people in pictures (N,) that are numbered from 0: all in every
    HELD_OUT-th picture from `first` on, or in the last one where there are fewer."""
    return picture % HELD_OUT == min(first, picture.max())


def hold_out(table: PersonTable) -> PersonTable:
    """The table, with every HELD_OUT-th picture of those who train validating if the data set marks
    nobody; an only picture does both.

    Raises UserError if nobody trains.
    """
    if "val" in table.split:
        return table
    names = picture_names(table.of_split("train"))
    trains, split = np.flatnonzero(table.split == "train"), table.split.copy()
    number = {name: place for place, name in enumerate(dict.fromkeys(names))}
    if len(number) == 1:
        both = table.rows(np.append(np.arange(len(table)), trains))
        return replace(both, split=np.append(split, ["val"] * len(trains)))
    split[trains[held_out(np.array([number[name] for name in names]), 0)]] = "val"
    return replace(table, split=split)


def picture_names(table: PersonTable) -> list[str]:
    """The picture that each person is in."""
    return [table.picture_name(row) for row in range(len(table))]
