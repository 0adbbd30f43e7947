"""Which film `viz.py temporal_render` shows: one person, seen by one camera."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from twod_threed.h36m import read_h36m
from twod_threed.h36m_takes import ACTIONS, SUBJECTS
from twod_threed.humaneva import read_humaneva
from twod_threed.pairs import PosePairs
from twod_threed.pose_rows import rows_of_pairs
from twod_threed.temporal.inference import rate_of
from twod_threed.temporal.mannequin_clips import mannequin_clips
from twod_threed.temporal.sequences import begins_with, films_of
from twod_threed.temporal.visualization_options import TemporalRenderOptions
from twod_threed.training_data import read_motion
from twod_threed.views import stored_views
from utils.errors import UserError
from utils.mocap.store import MotionStore
from utils.pose_file import Poses
from utils.pose_json import read_pose_file
from utils.skeletons import H36M_17, Skeleton, skeleton_named

VIRTUAL_CAMERAS = 4
"""That look at motion, as many as Human3.6M has."""
MANNEQUINS, MANNEQUIN_RATE = 4, 25.0
_FIRST_MANNEQUIN = 2_000_000  # those that test
_KEYPOINTS = {"h36m": "cpn_ft_h36m_dbb", "humaneva": "detectron_pt_coco"}
_MOST_NAMES = 30


@dataclass(frozen=True)
class Film:
    """One person before one camera.

    `poses`: a row for each of T frames, in order, perhaps with 3D; `frame_rate` of their numbers,
    per second, NaN unknown. What is known of the truth: `truth` (T, J3, 3) mm, camera frame, of
    `truth_skeleton`, and `up` (3,) in camera axes.
    """

    title: str
    poses: Poses
    frame_rate: float
    truth: np.ndarray | None = None
    truth_skeleton: Skeleton = H36M_17
    up: np.ndarray | None = None


def find_film(options: TemporalRenderOptions) -> Film:
    """The film that the options ask for. Raises UserError, saying what there is, if it is not."""
    if options.poses:
        return _of_poses(options)
    return _of_pairs(_views(options), options.viz.viz_camera)


def choose_clip(
    names: np.ndarray, subjects: np.ndarray, actions: np.ndarray, who: str, what: str
) -> int:
    """Which clip, of names (C,) with subjects (C,) and actions (C,), is of this subject and action.

    what: a take, which is the last part of a name, or the first words of a take or an action that
    only one has; empty wishes fit everything. Raises UserError, saying what there is, unless one
    clip fits.
    """
    own = [clip for clip, subject in enumerate(subjects) if who in ("", str(subject))]
    if not own or (not who and len(set(subjects)) > 1):
        amiss = f"there is no subject {who}" if who else "say whose film with --viz_subject"
        raise UserError(f"{amiss}; there are {_told(sorted(subjects))}")
    takes = {clip: str(names[clip]).rsplit("/", 1)[-1] for clip in own}
    found = [clip for clip in own if what in ("", takes[clip])]
    found = found or [
        clip
        for clip in own
        if begins_with(takes[clip], what) or begins_with(str(actions[clip]), what)
    ]
    if len(found) == 1:
        return found[0]
    amiss = "say which film with --viz_action" if found else f"there is no action {what}"
    raise UserError(f"{amiss}; {who or subjects[0]} has {_told([takes[c] for c in found or own])}")


def _told(names: Iterable[str]) -> str:
    """The names, each once, the first of them where there are many."""
    there = list(dict.fromkeys(map(str, names)))
    more = f" and {len(there) - _MOST_NAMES} more" if len(there) > _MOST_NAMES else ""
    return ", ".join(there[:_MOST_NAMES]) + more


def _views(options: TemporalRenderOptions) -> PosePairs:
    """The clip that is wanted, as every camera saw it."""
    if options.dataset == "mocap":
        found = read_motion(options.data_dir)
    elif options.dataset == "mannequin":
        found = mannequin_clips(options.seed, _FIRST_MANNEQUIN, MANNEQUINS, MANNEQUIN_RATE)
    else:
        found = _published(options)
    wish = (options.viz.viz_subject, options.viz.viz_action)
    if isinstance(found, MotionStore):
        clip = choose_clip(found.names, found.subjects, found.actions, *wish)
        chosen = found.select(np.arange(len(found)) == clip)
        return stored_views(chosen, options.seed, cameras=VIRTUAL_CAMERAS)
    clips = np.unique(found.clip)
    names, subjects = found.clip_names[clips], found.clip_subjects[clips]
    clip = clips[choose_clip(names, subjects, found.clip_actions[clips], *wish)]
    return found.select(found.clip == clip)


def _published(options: TemporalRenderOptions) -> PosePairs:
    """Takes of the subject: of the action in Human3.6M, all in HumanEva-I; the joints as found."""
    who = options.viz.viz_subject
    name = "h36m" if options.dataset == "h36m" else "humaneva"
    place = options.data_dir or f"data/{name}"
    keypoints = options.keypoints or _KEYPOINTS[name]
    if not who:
        raise UserError("say whose film with --viz_subject, such as S11 or Validate/S2")
    if name == "humaneva":
        joints = 20 if options.dataset == "humaneva20" else 15
        return read_humaneva(place, (who,), keypoints, joints, skeleton_2d=None)
    if who not in SUBJECTS:
        raise UserError(f"there is no subject {who}; there are {', '.join(SUBJECTS)}")
    wish = options.viz.viz_action.split(" ")[0]
    action = next((one for one in ACTIONS if one.casefold() == wish.casefold()), "")
    if not action:
        amiss = f"there is no action {wish}" if wish else "say which film with --viz_action"
        raise UserError(f"{amiss}; there are {', '.join(ACTIONS)}")
    return read_h36m(place, (who,), (action,), keypoints, skeleton_2d=None)


def _of_pairs(pairs: PosePairs, camera: int) -> Film:
    """What one camera, counted from 0, saw of a clip."""
    codes = np.unique(pairs.camera)
    if camera >= len(codes):
        there = ", ".join(f"{n} ({pairs.camera_names[k]})" for n, k in enumerate(codes))
        raise UserError(f"there is no camera {camera}; there are {there}")
    rows = np.flatnonzero(pairs.camera == codes[camera])
    pairs = pairs.select(rows[np.argsort(pairs.frame[rows])])
    known = np.isfinite(pairs.poses_3d).all(axis=-1).any()
    return Film(
        title=str(pairs.source_names()[0]),
        poses=rows_of_pairs(pairs),
        frame_rate=float(pairs.frame_rates[pairs.clip[0]]),
        truth=pairs.poses_3d if known else None,
        truth_skeleton=skeleton_named(pairs.skeleton_3d),
        up=pairs.camera_of(0).rotation @ pairs.up,
    )


def _of_poses(options: TemporalRenderOptions) -> Film:
    """One person of a pose file."""
    poses = read_pose_file(options.poses)
    poses = poses.select(_rows(poses, options))
    rate = rate_of(poses.frame, poses.time, options.film.fps)
    return Film(Path(str(poses.source[0])).name, poses, rate or float("nan"))


def _rows(poses: Poses, options: TemporalRenderOptions) -> np.ndarray:
    """Rows of the film that is wanted, in order."""
    films = films_of(poses)
    sources = list(dict.fromkeys(str(poses.source[rows[0]]) for rows in films))
    if not films:
        raise UserError(f"{options.poses} has no poses")
    if options.viz.viz_subject not in sources and (options.viz.viz_subject or len(sources) > 1):
        raise UserError(
            f"{options.poses}: say which source with --viz_subject: {_told(sorted(sources))}"
        )
    source = options.viz.viz_subject or sources[0]
    films = [rows for rows in films if poses.source[rows[0]] == source]
    people = [int(poses.person[rows[0]]) for rows in films]
    if options.person is not None:
        if options.person not in people:
            there = ", ".join(map(str, sorted(set(people))))
            raise UserError(f"{options.poses} has no person {options.person}, only {there}")
        films = [rows for rows, one in zip(films, people, strict=True) if one == options.person]
    return max(films, key=lambda rows: int(poses.found[rows].sum()))
