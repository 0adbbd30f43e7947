"""Key poses as arrays: what legs and trunk do, what an arm does, and which go together.

The poses themselves are in `key_poses.toml`.
"""

import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from utils.mannequin.angles import ARM_ANGLES, SIDES, pose_row, side_columns

# How often still pictures show each family; sport comes first, as in sport photographs.
FAMILY_WEIGHTS = {
    "upright": 0.33,
    "sport": 0.36,
    "dance": 0.10,
    "low": 0.10,
    "lying": 0.05,
    "inverted": 0.06,
}


@dataclass(frozen=True)
class Stance:
    """A key pose of legs, trunk and whole body; `arms` are the (left, right) names that suit it."""

    row: np.ndarray
    arms: tuple[tuple[str, str], ...]

    def with_arms(self, left: str, right: str) -> np.ndarray:
        """Pose row (A,) with both arms set to key arms."""
        row = self.row.copy()
        for side, arm in zip(SIDES, (left, right), strict=True):
            row[side_columns(side, ARM_ANGLES)] = LIBRARY.arms[arm]
        return row


class Library:
    """The key poses, read once when first asked for."""

    @cached_property
    def _tables(self) -> dict[str, dict[str, dict]]:
        path = Path(__file__).with_suffix(".toml")
        return tomllib.loads(path.read_text(encoding="utf-8"))

    @cached_property
    def arms(self) -> dict[str, np.ndarray]:
        """Key arms: angles (len(ARM_ANGLES),) in the order of `ARM_ANGLES`."""
        left = side_columns("left", ARM_ANGLES)
        return {name: pose_row(values)[left] for name, values in self._tables["arms"].items()}

    @cached_property
    def families(self) -> dict[str, dict[str, Stance]]:
        """Stances by family and name."""
        return {
            family: {name: _stance(values) for name, values in self._tables[family].items()}
            for family in FAMILY_WEIGHTS
        }

    @cached_property
    def stances(self) -> dict[str, Stance]:
        """All stances by name."""
        return {name: s for family in self.families.values() for name, s in family.items()}


def _stance(values: dict) -> Stance:
    angles = {name: value for name, value in values.items() if name != "arms"}
    pairs = [pair.partition("/") for pair in values["arms"]]
    return Stance(pose_row(angles), tuple((left, right) for left, _, right in pairs))


LIBRARY = Library()
