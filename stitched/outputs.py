"""What `pose` leaves behind: names of overlays, rows of the pose file, lines for the reader."""

import os
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from stitched.inputs import Source
from stitched.person_finder import Sighting
from utils.errors import UserError
from utils.pose_file import Poses


def check_folder(folder: Path) -> None:
    """Make the folder if it is not there. Raises UserError if no file can be made in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(f"cannot write to {folder}: {error.strerror or error}") from error


class OverlayNames:
    """A path in `folder` for the overlay of each source: no input's, and no other overlay's."""

    def __init__(self, folder: Path, sources: Sequence[Source]) -> None:
        self._folder = folder
        self._taken = {_key(Path(source.name)) for source in sources if source.kind != "webcam"}

    def new(self, source: Source) -> Path:
        """`<name>_pose.jpg` for a JPEG, `.png` for another picture, `.mp4` for moving ones.

        A name that is taken gets a number: `<name>_pose_2.jpg`.
        """
        stem = f"webcam{source.name}" if source.kind == "webcam" else Path(source.name).stem
        suffix = _overlay_suffix(source)
        path, number = self._folder / f"{stem}_pose{suffix}", 1
        while _key(path) in self._taken:
            number += 1
            path = self._folder / f"{stem}_pose_{number}{suffix}"
        self._taken.add(_key(path))
        return path


def _key(path: Path) -> str:
    # Some file systems take upper and lower case for the same.
    return os.path.realpath(path).casefold()


def _overlay_suffix(source: Source) -> str:
    if source.kind != "picture":
        return ".mp4"
    return ".jpg" if Path(source.name).suffix.lower() in (".jpg", ".jpeg") else ".png"


class PoseRows:
    """Rows of the pose file, one a picture or frame, gathered as they come."""

    def __init__(self, skeleton: str) -> None:
        self._skeleton = skeleton
        self._columns: dict[str, list] = defaultdict(list)

    def __len__(self) -> int:
        return len(self._columns["source"])

    def add(
        self,
        source: Source,
        sighting: Sighting,
        image: np.ndarray,
        frame: int = 0,
        time: float = float("nan"),
    ) -> None:
        """One person, or nobody, in `image` (H, W, 3); `frame` and `time` (s) of a video's."""
        row = {
            "source": source.name,
            "frame": frame,
            "time": time,
            "person": 0,
            "box": np.asarray(sighting.box, np.float32),
            "image_size": (image.shape[1], image.shape[0]),
            "keypoints_2d": np.asarray(sighting.keypoints, np.float32),
            "confidence": np.asarray(sighting.confidence, np.float32),
        }
        for name, value in row.items():
            self._columns[name].append(value)

    def poses(self) -> Poses:
        """All rows. There must be one."""
        columns: dict[str, Any] = {name: np.array(rows) for name, rows in self._columns.items()}
        return Poses(**columns, skeleton_2d=self._skeleton)


@dataclass
class _Tally:
    """What came of one thing that the user named."""

    waiting: int
    units: Counter[str] = field(default_factory=Counter)
    found: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        if self.units == {"picture": 1}:
            return "a person" if self.found else "nobody"
        units = " and ".join(
            unit if count == 1 else unit + "s" for unit, count in self.units.items()
        )
        line = f"a person in {self.found} of {self.units.total()} {units}"
        if set(self.units) == {"frame"} and self.seconds:
            line += f", {self.units['frame'] / self.seconds:.1f} frames/s"
        return line


class Report:
    """Tells the user what became of each input: errors to stderr, the rest to stdout.

    The error of a command's only input is kept for the end, where it may be all there is to say.
    """

    def __init__(self, sources: Sequence[Source], errors: Sequence[UserError]) -> None:
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

    def count(self, source: Source, found: bool) -> None:
        """A picture or frame was looked at."""
        tally = self._tallies[source.given]
        tally.units["picture" if source.kind == "picture" else "frame"] += 1
        tally.found += found

    def done(self, source: Source, seconds: float = 0.0) -> None:
        """Nothing more comes from this source; a video took `seconds`."""
        tally = self._tallies[source.given]
        tally.seconds += seconds
        tally.waiting -= 1
        if not tally.waiting and tally.units:
            tqdm.write(f"{source.given}: {tally}")

    def finish(self, rows: int) -> None:
        """Say what was kept for the end. Raises UserError if there is not a single row."""
        if rows:
            if self._only_input:
                for error in self.errors:
                    print(f"error: {error}", file=sys.stderr)
        elif len(self.errors) == 1:
            raise self.errors[0]
        else:
            raise UserError("none of the inputs could be used; nothing was written")
