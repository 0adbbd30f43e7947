"""Which films train, validate and test."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from twod_threed.data import Bodies, measure_bodies
from twod_threed.h36m import read_h36m
from twod_threed.h36m_takes import ACTIONS
from twod_threed.humaneva import read_humaneva
from twod_threed.pairs import PosePairs
from twod_threed.temporal.camera_rig import seen_at_rest
from twod_threed.temporal.mannequin_clips import mannequin_clips
from twod_threed.temporal.options import FIXED_FILMS, TemporalDataOptions
from twod_threed.temporal.sequences import begins_with, frame_rate_of, of_actions, sequences_of
from twod_threed.training_data import read_motion
from twod_threed.views import stored_views
from utils.errors import UserError
from utils.mannequin.motion_store import MANNEQUIN, STILL
from utils.mocap.store import MotionStore, resample
from utils.skeleton_conversion import convert
from utils.skeletons import H36M_17, MPII_16, skeleton_named
from utils.subjects import check_subjects

Part = Literal["train", "unlabeled", "validation", "test"]

# Mannequin bodies that validate and test have numbers of their own.
HELD_OUT_BODIES = 20
_FIRST_BODY: dict[Part, int] = {"train": 0, "validation": 1_000_000, "test": 2_000_000}


def members(
    subjects: np.ndarray, data: TemporalDataOptions, part: Part, unlabeled: Sequence[str] = ()
) -> np.ndarray:
    """Which of `subjects` (N,) belong to a part, (N,) bool. Raises UserError if none does, or if
    somebody who is named is not there."""
    check_subjects(
        subjects.tolist(),
        training=data.subjects_train,
        unlabelled=unlabeled,
        validation=data.subjects_validation,
        test=data.subjects_test,
    )
    wanted = unlabeled if part == "unlabeled" else getattr(data, f"subjects_{part}")
    if part == "train" and not wanted:
        mask = ~np.isin(subjects, [*data.held_out, *unlabeled])
    else:
        mask = np.isin(subjects, list(wanted))
    if not mask.any():
        there = ", ".join(np.unique(subjects)[:12])
        raise UserError(f"none of the --subjects_{part} is in the data, which has {there}")
    return mask


def _shows(store: MotionStore, actions: Sequence[str]) -> np.ndarray:
    """Which clips (C,) are of these actions: their words, whatever their case, begin the clip's
    action or its name. Raises UserError for an action that no clip has."""
    if not actions:
        return np.ones(len(store), bool)
    shown = np.zeros((len(actions), len(store)), bool)
    for clip in range(len(store)):
        for words in (store.actions[clip], store.names[clip].rsplit("/", 1)[-1]):
            shown[:, clip] |= [begins_with(words, action) for action in actions]
    for action, clips in zip(actions, shown, strict=True):
        if not clips.any():
            known = ", ".join(np.unique(store.actions)[:20].tolist())
            raise UserError(f"no clip is of the action {action}; there are {known}")
    return np.asarray(shown.any(0))


def _read_films(data: TemporalDataOptions, subjects: Sequence[str]) -> PosePairs:
    """Human3.6M or HumanEva-I."""
    skeleton = None if data.input_joints == "own" else MPII_16.name
    place = data.data_dir or f"data/{data.dataset}"
    if data.dataset == "humaneva":
        return read_humaneva(
            place, subjects, data.keypoints, data.humaneva_joints, skeleton_2d=skeleton
        )
    first = {action.casefold().split()[0] for action in data.actions}
    known = [action for action in ACTIONS if action.casefold() in first]
    return read_h36m(place, subjects, known or ACTIONS, data.keypoints, skeleton_2d=skeleton)


def _chosen(pairs: PosePairs, data: TemporalDataOptions) -> PosePairs:
    """The frames and actions that are wanted."""
    return of_actions(pairs.select(pairs.frame % data.downsample == 0), data.actions)


def read_source(
    data: TemporalDataOptions, part: Part, seed: int, unlabeled: Sequence[str] = ()
) -> PosePairs | MotionStore:
    """Films, or motion at the frame rate that is wanted. Raises UserError for what is absent.

    Motion that cameras at rest see is films; the seed has no say in where they stand.
    """
    if part == "validation" and not data.has_validation:
        raise UserError("nobody validates: name somebody with --subjects_validation")
    if data.dataset in FIXED_FILMS:
        wanted = unlabeled if part == "unlabeled" else getattr(data, f"subjects_{part}")
        return _chosen(_read_films(data, wanted), data)
    found = _read_motion(data, part, seed, unlabeled)
    if data.cameras_at_rest == 0:
        return found
    if isinstance(found, PosePairs):
        raise UserError(f"--cameras_at_rest is for motion: {data.data_dir} has cameras of its own")
    return seen_at_rest(found, data.cameras_at_rest, data.field_of_view)


def _read_motion(
    data: TemporalDataOptions, part: Part, seed: int, unlabeled: Sequence[str]
) -> PosePairs | MotionStore:
    """Mannequins or motion capture, which may be a file of pairs."""
    rate = data.frame_rate / data.downsample
    if data.dataset == "mannequin":
        count = data.mannequin_count if part == "train" else HELD_OUT_BODIES
        return mannequin_clips(seed, _FIRST_BODY[part], count, rate)
    found = read_motion(data.data_dir)
    found = found.select(members(found.subjects, data, part, unlabeled))
    if isinstance(found, PosePairs):
        return _chosen(found, data)
    # A mannequin's still poses have nothing to do with each other: they are no film.
    found = found.select((found.sources != MANNEQUIN) | (found.actions != STILL))
    return resample(found.select(_shows(found, data.actions)), rate)


def fixed_films(
    data: TemporalDataOptions, part: Part, seed: int, unlabeled: Sequence[str] = ()
) -> PosePairs:
    """A part as fixed films: motion is seen by cameras drawn once from the seed, a clip by one,
    or by all --cameras_at_rest.

    Raises UserError for what is absent.
    """
    found = read_source(data, part, seed, unlabeled)
    if isinstance(found, PosePairs):
        return found
    return stored_views(found, seed, ranges=data.view_ranges())


def validation_films(data: TemporalDataOptions, seed: int) -> PosePairs:
    """What validates: of motion, the middle of each clip, about --validation_frames together."""
    part: Part = "validation" if data.has_validation else "test"
    pairs = fixed_films(data, part, seed)
    share = data.validation_frames / len(pairs)
    if data.dataset in FIXED_FILMS or share >= 1:
        return pairs
    return pairs.select(np.concatenate([middle(film, share) for film in sequences_of(pairs)]))


def middle(film: np.ndarray, share: float) -> np.ndarray:
    """The middle frames of a film (T,), so much of it, but two if there are: of one frame alone of
    each film nobody could tell the rate."""
    count = min(len(film), max(2, round(len(film) * share)))
    start = (len(film) - count) // 2
    return film[start : start + count]


def film_rate(pairs: PosePairs) -> float:
    """Frames per second of the films, which must all have the same; nan if unknown.

    Raises UserError if they differ.
    """
    rates = {frame_rate_of(pairs, rows) for rows in sequences_of(pairs) if len(rows) > 1}
    known = {round(rate, 3) for rate in rates if not np.isnan(rate)}
    if len(known) > 1:
        told = ", ".join(f"{rate:g}" for rate in sorted(known))
        raise UserError(f"the films have different frame rates ({told}): a network needs one")
    return known.pop() if known else float("nan")


def bodies_of(pairs: PosePairs) -> Bodies:
    """Sizes of the people in films, whatever their 3D joints. Raises UserError."""
    poses = np.where(pairs.valid[..., None], pairs.poses_3d, np.nan)
    standard = convert(poses, skeleton_named(pairs.skeleton_3d), H36M_17).poses
    known = np.asarray(np.isfinite(standard).all(-1))
    return measure_bodies(standard, known, pairs.clip_subjects, pairs.clip)
