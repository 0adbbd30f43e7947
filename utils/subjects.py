"""People of motion data who never train unless somebody says so. Nothing heavy is imported."""

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
