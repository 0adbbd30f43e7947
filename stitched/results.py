"""Rows that are finished: kept, saved now and then, and those of an earlier run found again."""

import os
import re
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stitched.inputs import Source
from stitched.options import VideoOptions
from stitched.outputs import drawn_stem
from utils.errors import UserError
from utils.pose_file import Poses, concatenate, read_poses, write_poses
from utils.video import VideoReader

POSES = "poses.npz"
_PART = re.compile(r"poses\.part[0-9]+\.npz")
SAVE_EVERY = 60.0
"""Seconds between two saves of what is finished, so that little is lost when the run is killed."""
# A container may state a duration that is longer than its frames by this much, s, and some frames.
_SLACK, _SLACK_FRAMES = 0.25, 2


class Results:
    """Rows of the sources that are finished. Every now and then they are saved to `path`."""

    def __init__(self, path: Path, earlier: Poses | None) -> None:
        self.path = path
        self._parts = [] if earlier is None else [earlier]
        self._saved = time.monotonic()

    def __bool__(self) -> bool:
        return bool(self._parts)

    def add(self, poses: Poses) -> None:
        """More rows. Raises UserError if they cannot go into one file with the others."""
        for part in self._parts[:1]:
            check_alike(part, poses)
        self._parts.append(poses)
        if time.monotonic() - self._saved > SAVE_EVERY:
            write_poses(self.path, concatenate(self._parts))
            self._saved = time.monotonic()

    def poses(self) -> Poses | None:
        """All rows; None if there are none."""
        return concatenate(self._parts) if self._parts else None


def check_alike(one: Poses, other: Poses) -> None:
    """Raises UserError if the rows are of different skeletons."""
    pairs = [(one.skeleton_2d, other.skeleton_2d), (one.skeleton_3d, other.skeleton_3d)]
    for first, second in pairs:
        if None not in (first, second) and first != second:
            raise UserError(
                f"poses of {first} and of {second} do not go into one file: take another "
                "--output_dir for the second kind"
            )


def part_path(folder: Path, rank: int) -> Path:
    """Where a process that is one of several saves what it has."""
    return folder / f"poses.part{rank}.npz"


def remove_parts(folder: Path) -> None:
    """Remove what processes saved by themselves, once all of it is in one file."""
    for place in _parts_in(folder):
        place.unlink()


def _parts_in(folder: Path) -> list[Path]:
    return sorted(place for place in folder.glob("poses.part*") if _PART.fullmatch(place.name))


def earlier_rows(folder: Path) -> Poses | None:
    """Rows that an earlier run left in a folder, finished or killed; None if there are none.

    Raises UserError for files that cannot be read.
    """
    places = [folder / POSES, *_parts_in(folder)]
    parts: list[Poses] = []
    for place in places:
        if not place.exists():
            continue
        poses = read_poses(place)
        known = np.concatenate([part.source for part in parts]) if parts else np.zeros(0, str)
        parts.append(poses.select(~np.isin(poses.source, known)))
        check_alike(parts[0], parts[-1])
    return concatenate(parts) if parts else None


def without_drawings(sources: Sequence[Source], folder: Path) -> list[Source]:
    """The sources but for drawings of others that an earlier run left in `folder`, its output.

    Only what stands in a folder or fits a pattern is left out, never a file that was named. A
    picture of the user's that is called like a drawing was an input of that run, too, and stays.
    Raises UserError for pose files in the folder that cannot be read.
    """
    place = os.path.realpath(folder)
    suspects: dict[Source, str] = {}
    for source in sources:
        path = Path(source.name)
        is_named = str(Path(source.given).expanduser()) == source.name
        stem = drawn_stem(path.name)
        if stem and not is_named and os.path.realpath(path.parent) == place:
            suspects[source] = stem
    earlier = earlier_rows(folder) if suspects else None
    if earlier is None:
        return list(sources)
    inputs = {Path(name).name for name in np.unique(earlier.source).tolist()}
    kept = {
        source for source in sources if source not in suspects or Path(source.name).name in inputs
    }
    drawn = {Path(source.name).stem for source in kept}
    return [source for source in sources if source in kept or suspects[source] not in drawn]


def drawn_before(earlier: Poses | None, sources: Sequence[Source]) -> list[Source]:
    """The sources in the order in which drawings are named: first those that have rows already,
    also such as are not asked for now, whose drawings stay."""
    known = {} if earlier is None else dict(zip(earlier.source.tolist(), earlier.time, strict=True))
    asked = {source.name: source for source in sources}
    before = [
        asked.get(name) or Source("picture" if np.isnan(time) else "video", name, name)
        for name, time in known.items()
    ]
    return before + [source for source in sources if source.name not in known]


def split_done(
    sources: Sequence[Source], earlier: Poses, options: VideoOptions
) -> tuple[list[Source], Poses | None]:
    """The sources that still have to be looked at, and the rows that stay.

    A picture is done if it has a row, a video if its rows reach its end; a webcam never is. Rows of
    what is looked at again do not stay.
    """
    seen = set(earlier.source.tolist())
    todo = [
        source
        for source in sources
        if source.name not in seen or not _is_done(source, earlier, options)
    ]
    stay = ~np.isin(earlier.source, [source.name for source in todo])
    return todo, earlier.select(stay) if stay.any() else None


def _is_done(source: Source, earlier: Poses, options: VideoOptions) -> bool:
    """Is a source that has rows looked at to its end?"""
    if source.kind != "video":
        return source.kind == "picture"
    rows = earlier.source == source.name
    try:
        with VideoReader(source.name) as video:
            duration, fps = video.duration, video.fps
    except UserError:
        return False  # whoever looks at it says what is wrong
    ends = [end for end in (options.end, duration) if end is not None]
    steps = 1 / (options.fps or fps) + _SLACK_FRAMES / fps
    first, last = earlier.time[rows].min(), earlier.time[rows].max()
    if first > options.start + steps:
        return False
    reaches = bool(ends) and last >= min(ends) - steps - _SLACK
    return reaches or not _has_frame(source.name, last + steps, options.end)


def _has_frame(film: str, start: float, end: float | None) -> bool:
    """Is there a frame? A film may say that it lasts longer, such as one that shows its last
    frame for long."""
    try:
        with VideoReader(film, start, end):
            return True
    except UserError:
        return False


def in_order(poses: Poses, sources: Sequence[Source]) -> Poses:
    """Rows in the order of their sources; those of others come first, as they were."""
    places = {source.name: number for number, source in enumerate(sources)}
    keys = [places.get(name, -1) for name in poses.source.tolist()]
    return poses.select(np.argsort(keys, kind="stable"))
