"""Names of clips, who moves in them, and what the person does, from the names of files."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from utils.errors import UserError

# Named groups: subject, and action where the name tells it.
_PATTERNS = {
    "cmu": re.compile(r"(?P<subject>\d+)_\d+"),
    "hdm05": re.compile(r"HDM_(?P<subject>[a-z]+)_(?P<action>.+?)(_\d+)*"),
    "bandai": re.compile(r"(?P<subject>dataset-\d)_(?P<action>[^_]+)_.*"),
    "uiprmd": re.compile(r"(?P<action>m\d+)_(?P<subject>s\d+)_e\d+(_inc)?"),
    "reactidle": re.compile(r"(?P<subject>\d+)_(?P<action>[a-z]+)"),
}
# HDM05 writes the frame rate of its clips last in their names.
_HDM05_RATE = re.compile(r"HDM_.*_\d+_(\d{2,3})")


def subject_and_action(
    source: str, place: str, folder: str, subject_pattern: str = ""
) -> tuple[str, str]:
    """Who moves in a clip ("cmu/06"), and what the person does.

    source: name of the data set; place: path of the clip in the folder that is read, without
    ending ("06/06_01"); folder: that folder's name.

    The subject is what the group of `subject_pattern`, a regular expression, finds in the place;
    without one, what the names of known sources say; else the folder that the clip lies in, with
    those around it, or `folder` itself. An action that is not known is the name of the clip.
    Raises UserError if the pattern finds nothing.
    """
    path = PurePosixPath(place)
    known = _PATTERNS[source].fullmatch(path.name) if source in _PATTERNS else None
    groups = known.groupdict() if known else {}
    if subject_pattern:
        found = re.search(subject_pattern, place)
        if not found or not found[1]:
            raise UserError(f"--subject_pattern finds no subject in {place}")
        subject = found[1]
    else:
        around = path.parent.as_posix()
        subject = groups.get("subject") or (folder if around == "." else around)
    return f"{source}/{subject}", groups.get("action") or path.name


def distinct_names(sources: Sequence[str], places: Sequence[str]) -> list[str]:
    """A name for each clip that no other clip of its source has.

    It is the last part of the clip's place, or all of the place where several clips would have the
    same name; a number follows where even their places are the same.
    """
    short = [PurePosixPath(place).name for place in places]
    count = Counter(zip(sources, short, strict=True))
    names: dict[tuple[str, str], None] = {}
    for source, last, place in zip(sources, short, places, strict=True):
        wanted = place if count[source, last] > 1 else last
        name, number = wanted, 1
        while (source, name) in names:
            number += 1
            name = f"{wanted} ({number})"
        names[source, name] = None
    return [name for _, name in names]


def frame_rate_in_name(name: str) -> float | None:
    """Frames per second that HDM05's name of a clip tells, if it is one."""
    found = _HDM05_RATE.fullmatch(name)
    return float(found[1]) if found and int(found[1]) > 0 else None
