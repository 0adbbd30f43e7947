"""People of motion data who never train unless somebody says so. Nothing heavy is imported."""

import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from utils.errors import need

VALIDATION_SUBJECTS = {
    "h36m": ("S8",),
    "mocap": ("cmu/06", "hdm05/dg", "uiprmd/s07"),
    "mannequin": (),
}
TEST_SUBJECTS = {
    "h36m": ("S9", "S11"),
    "mocap": ("cmu/07", "hdm05/mm", "uiprmd/s08"),
    "mannequin": (),
}


def tell_if_trained(people: Iterable[str], scored: Iterable[str], weights: str) -> None:
    """Says on stderr who of those whom `weights` are scored on is among the `people` who trained
    them: such scores are none of new people."""
    known = sorted({*people} & {*scored})
    if known:
        others = f" and {len(known) - 3} more" if len(known) > 3 else ""
        print(
            f"note: {', '.join(known[:3])}{others} trained {weights}, whose scores on them say "
            "little of others: --test_subjects chooses who is in the test",
            file=sys.stderr,
        )


def check_subjects(there: Iterable[str], **named: Sequence[str]) -> None:
    """Raises UserError, with the names most like it, for a subject who is named and not there.

    there: the subjects of the data; named: part ("test") -> who was named for it. The defaults
    above pass: they name people of several data sets, not all of which need to be there.
    """
    known = sorted(set(there))
    defaults = (*VALIDATION_SUBJECTS.values(), *TEST_SUBJECTS.values())
    for part, names in named.items():
        for name in () if tuple(names) in defaults else names:
            like = get_close_matches(name, known)
            told = f"near names: {', '.join(like)}" if like else f"there: {', '.join(known[:12])}"
            need(name in known, f"the {part} subject {name} is not in the data; {told}")
