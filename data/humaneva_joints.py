"""From HumanEva-I's markers to the joints that it is scored on, at the moments of its videos.

Vicon gives each segment a frame of its own as four virtual markers, one after another: the origin
(label ...O) and a point on its z axis (along the bone), its x axis and its y axis. Limbs are
measured for themselves, so that elbows and knees have two places, of the upper and the lower limb.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from data.humaneva_files import Markers, Offset
from utils.errors import UserError
from utils.skeletons import HUMANEVA_20

MARKER_RADIUS = 7.0  # mm
PELVIS_BEHIND = 50.0  # mm from the pelvis' own origin, which lies between the front markers
NECK_TO_HEAD = 316.103  # mm, the same for everybody
SIDES = {"left": "L", "right": "R"}
# On the skin; a frame counts only if all of these were found. FRM is called FRA in some takes.
_IN_THE_MIDDLE = ("C7", "T10", "CLAV", "STRN", "RBAK")
_ON_BOTH_SIDES = (
    *("FHD", "BHD", "SHO", "UPA", "ELB", "FRM", "FRA", "WRA", "WRB", "FIN"),
    *("ASI", "PSI", "THI", "KNE", "TIB", "ANK", "HEE", "TOE"),
)
# Origins of the segments that the joints are made from.
_SEGMENTS = ("PELO", "TRXO", "HEDO")
_SEGMENTS_ON_BOTH_SIDES = ("CLO", "HUO", "RAO", "FEO", "TIO")


@dataclass(frozen=True)
class Synchronised:
    """How frames that all cameras share, counted from 1, are found in videos and motion capture."""

    first_video: Mapping[str, int]
    """camera -> number in its video, from 1, of frame 1"""
    first_mocap: float
    """number in the motion capture, from 1, of frame 1"""
    step: float

    def in_video(self, camera: str, frame: int) -> int:
        """Number in the camera's video, from 0."""
        return self.first_video[camera] + frame - 2

    def in_mocap(self, frames: np.ndarray) -> np.ndarray:
        """Numbers in the motion capture, from 1, of frames (F,); they may lie between two."""
        return self.first_mocap + (frames - 1) * self.step


def synchronise(offsets: Mapping[str, Offset]) -> Synchronised:
    """Frame 1 is the first one that all cameras and the motion capture have, as HumanEva counts.

    The order of the cameras matters: HumanEva's is C1 to C3, BW1 to BW4.
    """
    first = next(iter(offsets.values()))
    step = float(np.mean([offset.step for offset in offsets.values()]))
    starts = {
        camera: offset.video + (first.mocap - offset.mocap) / offset.step
        for camera, offset in offsets.items()
    }
    before = min(starts.values()) - 1
    mocap = first.mocap - step * before
    late = max(1 - mocap, 0) / step
    return Synchronised(
        {camera: int(np.floor(start - before + late + 0.5)) for camera, start in starts.items()},
        max(mocap, 1.0),
        step,
    )


@dataclass(frozen=True)
class Body:
    """What is known of a subject, mm."""

    trunk_radius: float
    shoulder_offset: Mapping[str, float]
    """by side, from the marker to the joint"""


def measure_body(static: Markers, path: Path, measured: Mapping[str, float], mp: Path) -> Body:
    """From the take in which the subject stands still, at `path`, and the measurements of `mp`.

    Raises UserError for what they lack.
    """
    shoulders = [static.positions[:, static.place(f"{s}SHO", path)] for s in SIDES.values()]
    width = np.linalg.norm(shoulders[0] - shoulders[1], axis=-1)
    if not np.isfinite(width).any():
        raise UserError(f"{path}: both shoulders are never seen at once")
    names = {side: f"{letter}ShoulderOffset" for side, letter in SIDES.items()}
    for name in names.values():
        if name not in measured:
            raise UserError(f"{mp} has no {name}")
    offsets = {side: measured[name] for side, name in names.items()}
    return Body(float(np.nanmean(width)) / 2 - MARKER_RADIUS, offsets)


def body_joints(markers: Markers, path: Path, times: np.ndarray, body: Body) -> np.ndarray:
    """The 20 joints (F, 20, 3) mm in the world, of HUMANEVA_20, at times (F,): numbers of frames of
    the motion capture, from 1, which may lie between two.

    NaN for all joints of a time at which a marker was lost or nothing was captured. Raises
    UserError if the take at `path` lacks a marker that they are made from.
    """
    moments = _Moments(markers, path, times)
    complete = moments.complete
    joints = _trunk(moments, body)
    for side, letter in SIDES.items():
        joints |= _arm(moments, side, letter, body.shoulder_offset[side])
        joints |= _leg(moments, side, letter)
    poses = np.stack([joints[name] for name in HUMANEVA_20.joints], axis=1)
    poses[~complete] = np.nan
    return poses


@dataclass(frozen=True)
class _Moments:
    """Markers at times that may lie between two frames."""

    markers: Markers
    path: Path
    times: np.ndarray

    @cached_property
    def around(self) -> tuple[np.ndarray, np.ndarray]:
        """Markers (F, M, 3) of the frames before and after each time; NaN beyond the take."""
        positions, frames = self.markers.positions, []
        for number in (np.floor(self.times), np.ceil(self.times)):
            row = number.astype(int) - 1
            inside = (row >= 0) & (row < len(positions))
            found = positions[np.where(inside, row, 0)]
            frames.append(np.where(inside[:, None, None], found, np.nan))
        return frames[0], frames[1]

    @property
    def share(self) -> np.ndarray:
        """Of the later frame (F, 1)."""
        return (self.times - np.floor(self.times))[:, None]

    @cached_property
    def complete(self) -> np.ndarray:
        """Times (F,) before and after which no marker was lost. Raises UserError for a take that
        lacks one of those that joints are made from."""
        labels = self.markers.labels
        on_both = [f"{s}{name}" for s in SIDES.values() for name in _ON_BOTH_SIDES]
        skin = [m for m in (*_IN_THE_MIDDLE, *on_both) if any(m in label for label in labels)]
        places = [self.markers.place(name, self.path) for name in skin]
        inner = [f"{s}{name}" for s in SIDES.values() for name in _SEGMENTS_ON_BOTH_SIDES]
        for origin in (*_SEGMENTS, *inner):
            places += range(first := self.markers.place(origin, self.path), first + 4)
        if max(places) >= len(labels):
            raise UserError(f"{self.path}: its last segment has no axes")
        around = np.concatenate([frame[:, places] for frame in self.around], axis=1)
        return np.asarray(np.isfinite(around).all(axis=(1, 2)))

    def point(self, name: str) -> np.ndarray:
        """A marker (F, 3), mm."""
        place = self.markers.place(name, self.path)
        before, after = (frame[:, place] for frame in self.around)
        return before + self.share * (after - before)

    def length(self, one: str, other: str) -> np.ndarray:
        """Distance (F, 1) of two markers, mm: mean of the frames before and after."""
        first, second = (self.markers.place(name, self.path) for name in (one, other))
        parts = [np.linalg.norm(f[:, first] - f[:, second], axis=-1) for f in self.around]
        return ((parts[0] + parts[1]) / 2)[:, None]

    def axes(self, origin: str) -> np.ndarray:
        """Of a segment: x, y and z axis in the world as columns (F, 3, 3), turned evenly between
        the frames; of nobody, where they are not known."""
        place = self.markers.place(origin, self.path)
        turns = []
        for frame in self.around:
            directions = frame[:, [place + 2, place + 3, place + 1]] - frame[:, [place]]
            lengths = np.linalg.norm(directions, axis=-1, keepdims=True)
            directions = directions / np.where(lengths > 0, lengths, np.nan)
            known = np.isfinite(directions).all(axis=(1, 2), keepdims=True)
            columns = np.where(known, directions, np.eye(3)).swapaxes(1, 2)
            turns.append(Rotation.from_matrix(columns))
        between = (turns[0].inv() * turns[1]).as_rotvec()
        return (turns[0] * Rotation.from_rotvec(self.share * between)).as_matrix()


def _along(axes: np.ndarray, angle: np.ndarray | float = 0.0) -> np.ndarray:
    """Direction (F, 3) of the z axis, leant back by angles (F, 1) about the y axis."""
    return np.cos(angle) * axes[..., 2] - np.sin(angle) * axes[..., 0]


def _trunk(at: _Moments, body: Body) -> dict[str, np.ndarray]:
    """The spine lies half the trunk's depth behind the line from pelvis to thorax."""
    axes, length = at.axes("PELO"), at.length("TRXO", "PELO")
    pelvis = at.point("PELO") - PELVIS_BEHIND * axes[..., 0]
    neck = at.point("TRXO")
    return {
        "pelvis": pelvis,
        "torso_top": pelvis + length * _along(axes, np.arctan2(body.trunk_radius / 2, length)),
        "head_base": neck,
        "head": neck + NECK_TO_HEAD * _along(at.axes("HEDO")),
    }


def _arm(at: _Moments, side: str, letter: str, offset: float) -> dict[str, np.ndarray]:
    """The upper arm is turned so that its joints lie within the arm, and carries the lower."""
    shoulder, elbow, wrist = (f"{letter}{name}" for name in ("CLO", "HUO", "RAO"))
    upper, lower = at.length(shoulder, elbow), at.length(elbow, wrist)
    upper_axes, lower_axes = at.axes(elbow), at.axes(wrist)
    turn = np.arctan2(offset / 2, upper)
    top = at.point(shoulder)
    end = top - upper * _along(upper_axes, -turn)
    straight = top - upper * _along(upper_axes)
    start = end + at.point(elbow) - straight
    return {
        f"{side}_shoulder": top,
        f"{side}_elbow_upper": end,
        f"{side}_elbow_lower": start,
        f"{side}_wrist": start - lower * _along(lower_axes, turn),
    }


def _leg(at: _Moments, side: str, letter: str) -> dict[str, np.ndarray]:
    hip, knee, ankle = (f"{letter}{name}" for name in ("FEP", "FEO", "TIO"))
    top, bend = at.point(hip), at.point(knee)
    return {
        f"{side}_hip": top,
        f"{side}_knee_upper": top - at.length(hip, knee) * _along(at.axes(knee)),
        f"{side}_knee_lower": bend,
        f"{side}_ankle": bend - at.length(knee, ankle) * _along(at.axes(ankle)),
    }
