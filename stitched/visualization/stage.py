"""People in 3D as panels, films and pages show them: who stands where, which way up is, what to
look at.

Everything is in mm in the camera frame (x right, y down, z forward). Up is estimated from the
people, who stand upright on average, so that they also stand upright in front of a tilted camera.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from twod_threed.temporal.global_motion import camera_joints, estimate_up, standing_height
from utils.pose_file import Poses
from utils.pose_panels import Framing, PanelPose, PanelView, draw_panel, frame_poses
from utils.skeleton_conversion import convert
from utils.skeletons import H36M_17, Skeleton, skeleton_named

LEGEND = "left, right"
"""Beside a stroke of the two sides' colours."""

_APART = 1200.0  # mm between people whose places are unknown
_MOST = 99.0  # per cent of the rows fit into what is shown


@dataclass(frozen=True, eq=False)
class Stage:
    """N rows of people in T frames.

    joints (N, J, 3) mm, camera frame, NaN unknown; frame (N,) the number of each row's frame;
    frames (T,) those numbers, rising, each once; centres (T, 3) mm what is looked at in each;
    radius mm about it is shown; floor: its height, mm along `view.up` from the camera.
    """

    joints: np.ndarray
    skeleton: Skeleton
    frame: np.ndarray
    frames: np.ndarray
    centres: np.ndarray
    radius: float
    floor: float
    view: PanelView

    def framing(self, frame: int) -> Framing:
        """What a panel of the frame of this number shows. Raises ValueError if there is none."""
        at = int(np.searchsorted(self.frames, frame))
        if at == len(self.frames) or self.frames[at] != frame:
            raise ValueError(f"there is no frame {frame}")
        return Framing(self.centres[at], self.radius, self.floor)

    def panel(self, frame: int, size: int, title: str = "3D", turned: float = 0.0) -> np.ndarray:
        """The people of a frame as a panel (size, size, 3), seen from `turned` degrees farther
        round."""
        view = replace(self.view, azimuth=self.view.azimuth + turned)
        shown = self.joints[self.frame == frame]
        people = [PanelPose(one, self.skeleton) for one in shown if np.isfinite(one).any()]
        people[:1] = [replace(one, label=LEGEND) for one in people[:1]]
        return draw_panel(people, size, view, self.framing(frame), title=title)


def make_stage(
    poses: Poses, azimuth: float = 35.0, elevation: float = 12.0, places: np.ndarray | None = None
) -> Stage:
    """The stage of the rows of one picture or video; those without 3D are empty.

    places (N, 3) mm, camera frame: where the hips are put, by default those of `find_places`.
    The view of a video follows the people over a floor that stays where it is.
    """
    skeleton = skeleton_named(poses.skeleton_3d or H36M_17.name)
    shape = (len(poses), len(skeleton), 3)
    poses_3d = np.full(shape, np.nan) if poses.keypoints_3d is None else poses.keypoints_3d
    places = find_places(poses) if places is None else places
    joints = camera_joints(poses_3d.astype(np.float64), places)
    view, frames = PanelView(azimuth, elevation), np.unique(poses.frame)
    known = np.isfinite(joints).any(axis=(1, 2))
    if known.any():
        order = np.argsort(poses.frame, kind="stable")
        view = replace(view, up=estimate_up(convert(joints[order], skeleton, H36M_17).poses))
    if known.any() and len(frames) > 1:
        centres, radius, floor = _follow(joints, poses, places, view.ground[1])
    else:
        still = frame_poses(joints, view)
        centres, radius, floor = (
            still.centre[None].repeat(len(frames), 0),
            still.radius,
            still.floor,
        )
    return Stage(joints, skeleton, poses.frame, frames, centres, radius, floor, view)


def _follow(
    joints: np.ndarray, poses: Poses, places: np.ndarray, up: np.ndarray
) -> tuple[np.ndarray, float, float]:
    """Centres (T, 3), radius and floor, mm, that hold joints (N, J, 3) of people at places (N, 3).

    The centre is amid the places of all people, at half of their height, and keeps that height.
    """
    people = _rows_of_people(poses)
    floor = min(standing_height(joints[r] @ up) for r in people if np.isfinite(joints[r]).any())
    highest = np.nan_to_num(joints @ up, nan=-np.inf).max(axis=1)
    middle = (floor + float(np.percentile(highest[np.isfinite(highest)], _MOST))) / 2
    frames = np.unique(poses.frame)
    centres = np.mean([_between(frames, poses.frame[r], places[r]) for r in people], axis=0)
    centres += (middle - centres @ up)[:, None] * up
    away = joints - centres[np.searchsorted(frames, poses.frame)][:, None]
    farthest = np.nan_to_num(np.linalg.norm(away, axis=-1), nan=-1.0).max(axis=1)
    return centres, float(np.percentile(farthest[farthest >= 0], _MOST)), floor


def find_places(poses: Poses) -> np.ndarray:
    """Where the hip of each row is, (N, 3) mm, camera frame.

    What is unknown is taken from the frames before and after. People of whom no place is known
    stand side by side, in the order of their numbers.
    """
    places = np.zeros((len(poses), 3))
    if poses.root_camera is not None:
        places = poses.root_camera.astype(np.float64)
    unknown = 0
    for rows in _rows_of_people(poses):
        if poses.root_camera is None or not np.isfinite(places[rows]).all(axis=1).any():
            places[rows] = [unknown * _APART, 0, 0]
            unknown += 1
        else:
            places[rows] = _between(poses.frame[rows], poses.frame[rows], places[rows])
    return places


def _between(numbers: np.ndarray, frame: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Places (T, 3) in the frames `numbers` (T,), of places (N, 3) in the frames `frame` (N,).

    NaN and absent ones lie on a straight line between their neighbours, or where the first or last
    known one is. One must be known.
    """
    known = np.isfinite(places).all(axis=1)
    columns = [np.interp(numbers, frame[known], axis[known]) for axis in places.T]
    return np.stack(columns, axis=-1)


def _rows_of_people(poses: Poses) -> Sequence[np.ndarray]:
    """Rows of each person, in the order of their frames."""
    order = np.argsort(poses.frame, kind="stable")
    return [order[poses.person[order] == person] for person in np.unique(poses.person)]
