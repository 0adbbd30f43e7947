"""Who moves in a clip, and what the person does, from the names of files."""

import re
from pathlib import PurePosixPath
from typing import NamedTuple

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


class ClipName(NamedTuple):
    """What a motion store knows of a clip: its name, its subject ("cmu/06"), its action."""

    name: str
    subject: str
    action: str


def name_clip(source: str, place: str, subject_pattern: str = "") -> ClipName:
    """Names of the clip at `place`, its path in the folder without ending ("06/06_01").

    The subject is what the group of `subject_pattern`, a regular expression, finds in the place;
    without one, what the names of known sources say; else the folder that the clip lies in. An
    action that is not known is the name of the clip. Raises UserError if the pattern finds nothing.
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
        subject = groups.get("subject") or path.parent.name or path.name
    return ClipName(path.name, f"{source}/{subject}", groups.get("action") or path.name)


def frame_rate_in_name(name: str) -> float | None:
    """Frames per second that HDM05's name of a clip tells, if it is one."""
    found = _HDM05_RATE.fullmatch(name)
    return float(found[1]) if found and int(found[1]) > 0 else None
