"""People over time, in the world of motion files: what BVH and TRC are written from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from utils.errors import UserError
from utils.frames import frame_rate
from utils.pose_file import Poses

USUAL_RATE = 25.0
"""Frames per second where no times are known, as for a picture."""

# Camera axes (x right, y down, z away) to those of motion files (x right, y up, z towards us).
_UPRIGHT = np.array([1.0, -1.0, -1.0])


@dataclass(frozen=True)
class Track:
    """One person of one source, at all T frames of that source that the pose file has.

    `source` as in the pose file, `stem` for names of files (no other source has it); `frames` (T,)
    rising; `times` (T,) s; `rate` frames per second, the mean without gaps; `skeleton` name in
    SKELETONS; `positions` (T, J, 3) mm, x right, y up, z towards the camera, NaN for what is
    missing. They are measured from the camera, or, where the pose file does not say where the
    person is, from their hip.
    """

    source: str
    stem: str
    person: int
    frames: np.ndarray
    times: np.ndarray
    rate: float
    skeleton: str
    positions: np.ndarray

    def path(self, folder: Path, suffix: str) -> Path:
        """`<folder>/<stem>_person<number><suffix>`."""
        return folder / f"{self.stem}_person{self.person}{suffix}"


def tracks_of(poses: Poses, file_format: str) -> list[Track]:
    """Everybody of whom a 3D joint is known, by source and person; nobody, where nobody was found.

    Raises UserError if the poses were never lifted, or one person is there twice in a frame.
    """
    if poses.keypoints_3d is None:
        raise UserError(f"{file_format} files hold 3D poses, and here there are none")
    groups = list(_groups(poses.source))
    stems = _unique_stems([str(poses.source[rows[0]]) for rows in groups])
    tracks = []
    for stem, rows in zip(stems, groups, strict=True):
        part = poses.select(rows)
        frames, first = np.unique(part.frame, return_index=True)
        times, rate = _times(frames, part.time[first])
        for person in np.unique(part.person):
            positions = _positions(part.select(part.person == person), frames)
            if np.isfinite(positions).any():
                source = str(part.source[0])
                one = Track(
                    source, stem, int(person), frames, times, rate, str(part.skeleton_3d), positions
                )
                tracks.append(one)
    return tracks


def _groups(sources: np.ndarray) -> Iterator[np.ndarray]:
    """Rows of each source, in the order in which the sources first come."""
    _, first, codes = np.unique(sources, return_index=True, return_inverse=True)
    order = np.argsort(codes, kind="stable")
    rows = np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
    yield from (rows[code] for code in np.argsort(first))


def _unique_stems(sources: Sequence[str]) -> list[str]:
    """Names of files without their endings; a name that is taken gets a number: `clip_2`."""
    stems: list[str] = []
    taken: set[str] = set()
    for source in sources:
        stem = candidate = Path(source).stem
        number = 1
        # Some file systems take upper and lower case for the same.
        while candidate.casefold() in taken:
            number += 1
            candidate = f"{stem}_{number}"
        taken.add(candidate.casefold())
        stems.append(candidate)
    return stems


def _times(frames: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, float]:
    """Seconds (T,) of the frames, and frames per second on average, without gaps."""
    if np.isnan(times).any():
        times = frames / USUAL_RATE
    return times, frame_rate(times, USUAL_RATE)


def _positions(person: Poses, frames: np.ndarray) -> np.ndarray:
    """(T, J, 3) mm, upright: the rows of one person of one source on all of its frames."""
    numbers, count = np.unique(person.frame, return_counts=True)
    if (count > 1).any():
        raise UserError(
            f"person {person.person[0]} of {person.source[0]} is there twice in frame "
            f"{numbers[count > 1][0]}: a motion file holds one pose a frame"
        )
    assert person.keypoints_3d is not None
    camera = person.keypoints_3d.astype(np.float64)
    if person.root_camera is not None and np.isfinite(person.root_camera).any():
        camera = camera + person.root_camera[:, None]
    positions = np.full((len(frames), *camera.shape[1:]), np.nan)
    positions[np.searchsorted(frames, person.frame)] = camera * _UPRIGHT
    return positions
