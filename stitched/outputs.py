"""What `pose` leaves behind: names of overlays, rows of the pose file, lines for the reader."""

import os
import re
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from stitched.inputs import Source
from stitched.people import Seen
from stitched.person_finder import Sighting
from utils.atomic import make_writable
from utils.errors import UserError
from utils.pose_file import Poses


def check_folder(folder: Path) -> None:
    """Make the folder if it is not there. Raises UserError if no file can be made in it."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file: --output_dir is a folder")
    try:
        make_writable(folder)
    except OSError as error:
        raise UserError(f"cannot write to {folder}: {error.strerror or error}") from error


_DRAWING = re.compile(r"(.+)_(?:pose|3d)(?:_[0-9]+)?\.(?:jpg|png|mp4)")


def drawn_stem(name: str) -> str | None:
    """Name without ending of what is drawn in a file of this name, if `OverlayNames` could have
    given it."""
    match = _DRAWING.fullmatch(name)
    return match and match[1]


class OverlayNames:
    """Paths in `folder` for what is drawn of each source: no input's, and no other drawing's.

    They depend on the sources alone, not on what becomes of them.
    """

    def __init__(self, folder: Path, sources: Sequence[Source]) -> None:
        self._taken = {_key(Path(source.name)) for source in sources if source.kind != "webcam"}
        self._next: Counter[tuple[str, str]] = Counter()
        self._paths = {source: self._new(folder, source) for source in sources}

    def of(self, source: Source) -> tuple[Path, Path]:
        """Where the overlay goes, and where the overlay beside the 3D pose.

        `<name>_pose` and `<name>_3d`, with `.jpg` for a JPEG, `.png` for another picture, `.mp4`
        for moving ones. Where a name is taken, both get a number: `<name>_pose_2.jpg`.
        """
        return self._paths[source]

    def _new(self, folder: Path, source: Source) -> tuple[Path, Path]:
        stem = f"webcam{source.name}" if source.kind == "webcam" else Path(source.name).stem
        suffix = _overlay_suffix(source)
        while True:
            # Many inputs may share a name: each goes on where the one before it ended.
            self._next[stem, suffix] += 1
            number = self._next[stem, suffix]
            end = (f"_{number}" if number > 1 else "") + suffix
            overlay, panel = folder / f"{stem}_pose{end}", folder / f"{stem}_3d{end}"
            keys = {_key(overlay), _key(panel)}
            if not self._taken & keys:
                self._taken |= keys
                return overlay, panel


def _key(path: Path) -> str:
    # Some file systems take upper and lower case for the same.
    return os.path.realpath(path).casefold()


def _overlay_suffix(source: Source) -> str:
    if source.kind != "picture":
        return ".mp4"
    return ".jpg" if Path(source.name).suffix.lower() in (".jpg", ".jpeg") else ".png"


class PoseRows:
    """Rows of one picture or video, gathered as they come."""

    def __init__(self, source: Source, skeleton: str) -> None:
        self.source = source
        self._skeleton = skeleton
        self._places: list[_Place] = []
        self._seen: list[Seen] = []

    def __len__(self) -> int:
        return len(self._places)

    def add(
        self, seen: Seen, image: np.ndarray, frame: int = 0, time: float = float("nan")
    ) -> None:
        """The people in `image` (H, W, 3); `frame` and `time` (s) of a video's."""
        self._places.append(_Place(frame, time, (image.shape[1], image.shape[0])))
        self._seen.append(seen)

    def poses(self) -> Poses:
        """All rows, in the order of frames. Something must have been added.

        Everybody has a row in each frame from the first to the last that they are in, NaN where
        they are not seen. A frame without anybody has one such row.
        """
        complete = _complete(self._seen)
        rows = [
            (place, person, sighting)
            for place, seen in zip(self._places, complete, strict=True)
            for person, sighting in seen
        ]
        nobody = Sighting.nobody(self._skeleton)
        shown = [nobody if sighting is None else sighting for _, _, sighting in rows]
        return Poses(
            source=np.full(len(rows), self.source.name),
            frame=np.array([place.frame for place, _, _ in rows]),
            time=np.array([place.time for place, _, _ in rows]),
            person=np.array([person for _, person, _ in rows]),
            image_size=np.array([place.image_size for place, _, _ in rows]),
            box=np.array([one.box for one in shown], np.float32),
            keypoints_2d=np.array([one.keypoints for one in shown], np.float32),
            confidence=np.array([one.confidence for one in shown], np.float32),
            visibility=_visibility(shown),
            skeleton_2d=self._skeleton,
        )


def _visibility(shown: Sequence[Sighting]) -> np.ndarray | None:
    """(N, J) of all rows, NaN of nobody; None where no network told."""
    if all(one.visibility is None for one in shown):
        return None
    unknown = np.full(len(shown[0].confidence), np.nan)
    rows = (unknown if one.visibility is None else one.visibility for one in shown)
    return np.stack(list(rows)).astype(np.float32)


class _Place(NamedTuple):
    frame: int
    time: float
    image_size: tuple[int, int]


def _complete(frames: list[Seen]) -> list[list[tuple[int, Sighting | None]]]:
    """The people of each frame, with None for those who are there before and after it."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for number, seen in enumerate(frames):
        for person, _ in seen:
            first.setdefault(person, number)
            last[person] = number
    somebody = min(first, default=0)
    complete: list[list[tuple[int, Sighting | None]]] = []
    here: set[int] = set()
    for number, seen in enumerate(frames):
        here |= {person for person, _ in seen}
        found: dict[int, Sighting | None] = dict.fromkeys(sorted(here))
        found.update(seen)
        complete.append(list(found.items()) or [(somebody, None)])
        here = {person for person in here if last[person] > number}
    return complete


@dataclass
class _Tally:
    """What came of one thing that the user named."""

    waiting: int
    units: Counter[str] = field(default_factory=Counter)
    found: int = 0
    most: int = 0
    """people in one picture or frame"""
    seconds: float = 0.0

    def __str__(self) -> str:
        if self.units == {"picture": 1}:
            return "nobody" if not self.most else _people(self.most)
        units = " and ".join(
            unit if count == 1 else unit + "s" for unit, count in self.units.items()
        )
        who = "a person" if self.most < 2 else f"up to {_people(self.most)}"
        line = f"{who} in {self.found} of {self.units.total()} {units}"
        if set(self.units) == {"frame"} and self.seconds:
            line += f", {self.units['frame'] / self.seconds:.1f} frames/s"
        return line


def _people(count: int) -> str:
    return "a person" if count == 1 else f"{count} people"


class Report:
    """Tells the user what became of each input: errors to stderr, the rest to stdout.

    The error of an only input is kept for the end, where it may be all there is to say.
    """

    def __init__(self, sources: Sequence[Source], errors: Sequence[UserError]) -> None:
        """sources: what is to be looked at; errors: inputs that are already known to be none."""
        self.sources = sources
        self.errors: list[UserError] = []
        waiting = Counter(source.given for source in sources)
        self._tallies = {given: _Tally(count) for given, count in waiting.items()}
        self._only_input = len(sources) + len(errors) == 1
        for error in errors:
            self.fail(error)

    def fail(self, error: UserError) -> None:
        """Something could not be read or written."""
        self.errors.append(error)
        if not self._only_input:
            tqdm.write(f"error: {error}", file=sys.stderr)

    def note(self, line: str) -> None:
        """Something that the user should know, on stdout."""
        tqdm.write(line)

    def count(self, source: Source, seen: Seen) -> None:
        """A picture or frame was looked at."""
        people = sum(one.is_somebody for _, one in seen)
        tally = self._tallies[source.given]
        tally.units["picture" if source.kind == "picture" else "frame"] += 1
        tally.found += people > 0
        tally.most = max(tally.most, people)

    @property
    def looked(self) -> int:
        """Pictures and frames that were looked at."""
        return sum(tally.units.total() for tally in self._tallies.values())

    def done(self, source: Source, seconds: float = 0.0) -> None:
        """Nothing more comes from this source; a video took `seconds`."""
        tally = self._tallies[source.given]
        tally.seconds += seconds
        tally.waiting -= 1
        if not tally.waiting and tally.units:
            tqdm.write(f"{source.given}: {tally}")

    def finish(self, rows: int) -> None:
        """Say what was kept for the end. Raises UserError if there is not a single row.

        What other processes looked at, and what had been done before, counts among the rows.
        """
        if rows:
            self.tell()
        elif len(self.errors) == 1:
            raise self.errors[0]
        else:
            raise UserError("none of the inputs could be used; nothing was written")

    def tell(self) -> None:
        """Say what was kept for the end."""
        for error in self.errors if self._only_input else ():
            print(f"error: {error}", file=sys.stderr)
