"""Checks of options that commands of several subpackages share. Nothing heavy is imported here."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from utils.errors import UserError, need

LARGEST_FIELD_OF_VIEW = 170.0
SCALES = (0.5, 2.0)
MOST_LAYERS = 100
"""Layers, blocks or stacks one after the other: so that damaged weights do not ask for networks
without end."""


def at_least_one(**values: float) -> None:
    """Raises UserError for the first of the options, by name, that is below 1."""
    for name, value in values.items():
        need(value >= 1, f"--{name} must be at least 1, not {value}")


def refuse_idle(options: Any, used_by: Mapping[str, Sequence[str]]) -> None:
    """Raises UserError for one of the options that was given though the data set, which the
    dataclass `options` names as `dataset`, has no use for it.

    used_by: option -> the data sets that have. An option counts as given if it is not the default.
    """
    for one in fields(options):
        datasets = used_by.get(one.name, (options.dataset,))
        need(
            options.dataset in datasets or getattr(options, one.name) == one.default,
            f"--{one.name} does nothing for {options.dataset}: it is for {', '.join(datasets)}",
        )


def check_poses_alone(poses: str, data: Any, part_is_usual: bool) -> None:
    """Raises UserError if `poses`, a file's name, is given together with options of the data set
    `data`, a dataclass whose `dataset` is fixed, or with a part of it."""
    is_usual = part_is_usual and data == type(data)(dataset=data.dataset)
    need(
        not poses or is_usual,
        "--poses is lifted instead of a data set: leave out what chooses one, as --data_dir and "
        "--split do",
    )


def refuse_given(options: Any, names: Sequence[str], where: str) -> None:
    """Raises UserError for one of the options `names`, of a dataclass, that is not the default
    though it does nothing `where`: "with --lift False"."""
    usual = {one.name: one.default for one in fields(options)}
    for name in names:
        need(getattr(options, name) == usual[name], f"--{name} does nothing {where}: leave it out")


def check_scales(scales: Sequence[float]) -> None:
    """Raises UserError for sizes of a box, in its own, that show too little of it or of anybody."""
    low, high = SCALES
    need(
        len(scales) > 0 and all(low <= scale <= high for scale in scales),
        f"--scales must be from {low:g} to {high:g}, not {' '.join(map(str, scales)) or 'nothing'}",
    )


def check_lens(focal: float | None, fov: float | None) -> None:
    """Raises UserError unless at most one is given, focal length in px or field of view in degrees,
    and makes sense."""
    need(focal is None or fov is None, "give --focal or --fov, not both")
    need(focal is None or focal > 0, f"--focal must be above 0, not {focal}")
    need(
        fov is None or 0 < fov <= LARGEST_FIELD_OF_VIEW,
        f"--fov must be above 0 and at most {LARGEST_FIELD_OF_VIEW:g} degrees",
    )


def check_height(height: float | None) -> None:
    """Raises UserError for a standing height, mm, that no person has."""
    need(
        height is None or 500 <= height <= 2500,
        f"--height is in mm, between 500 and 2500, not {height}",
    )


def check_disjoint(*groups: tuple[str, ...], parts: str = "training, validation and test") -> None:
    """Raises UserError if somebody is in two groups; `parts`: what the groups are called."""
    everybody = [name for group in groups for name in set(group)]
    twice = sorted({name for name in everybody if everybody.count(name) > 1})
    need(not twice, f"in more than one of {parts}: {''.join(twice[:1])}")


def named_models(given: tuple[str, ...]) -> dict[str, str]:
    """Names -> what to load, of words "name=what" or "what" alone, whose name is its last part.

    Raises UserError for empty ones and names given twice.
    """
    found: dict[str, str] = {}
    for word in given:
        name, sign, place = word.partition("=")
        if not sign:
            name, place = Path(word).name, word
        if not name or not place:
            raise UserError(f"--models takes name=path, not {word!r}")
        if name in found:
            raise UserError(f"--models: {name} is given twice; write name=path with another name")
        found[name] = place
    return found
