"""Which rows of a data set or a pose file are the frames of one film, and which show an action."""

from collections.abc import Sequence

import numpy as np

from twod_threed.pairs import PosePairs
from utils.errors import UserError
from utils.pose_file import Poses


def sequences_of(pairs: PosePairs) -> list[np.ndarray]:
    """Rows of what each camera saw of each clip, in the order of their frames.

    A sequence goes on as long as its frames come one step after another. The step is the commonest
    of its clip and camera: 1, or 5 where every fifth frame was taken. Where frames are left out it
    ends and another begins: nothing is made up in between.
    """
    return _runs(pairs.clip * len(pairs.camera_names) + pairs.camera, pairs.frame)


def films_of(poses: Poses) -> list[np.ndarray]:
    """Rows of each source, person and camera of a pose file, in the order of their frames.

    Frames may be left out. Raises UserError if a person is there twice in a frame.
    """
    keys = [poses.source, poses.person, *poses.image_size.T]
    if poses.intrinsics is not None:
        keys += list(poses.intrinsics.T)
    codes = [np.unique(key, return_inverse=True)[1].reshape(-1) for key in keys]
    group = np.unique(np.stack(codes), axis=1, return_inverse=True)[1].reshape(-1)
    films = []
    for code in range(group.max(initial=-1) + 1):
        rows = np.flatnonzero(group == code)
        rows = rows[np.argsort(poses.frame[rows], kind="stable")]
        twice = np.flatnonzero(np.diff(poses.frame[rows]) == 0)
        if len(twice):
            row = rows[twice[0]]
            raise UserError(
                f"person {poses.person[row]} of {poses.source[row]} is there twice in frame "
                f"{poses.frame[row]}: a film has one pose a frame"
            )
        films.append(rows)
    return sorted(films, key=lambda rows: rows.min())


def frame_rate_of(pairs: PosePairs, rows: np.ndarray) -> float:
    """Rows of a sequence per second; NaN if unknown or there is one alone."""
    if len(rows) < 2:
        return float("nan")
    return float(pairs.frame_rates[pairs.clip[rows[0]]] / np.diff(pairs.frame[rows[:2]])[0])


def of_actions(pairs: PosePairs, actions: Sequence[str]) -> PosePairs:
    """The rows of the actions asked for; all if none is.

    Names are compared as whole words, whatever their case: those of the wish must be the first of
    the action, or of the last part of the clip's name. "Walking" takes "Walking 1" and "Walking 1
    chunk0"; "Walk" takes neither WalkDog nor WalkTogether. Raises UserError for an action that no
    clip has.
    """
    if not actions:
        return pairs
    there = np.unique(pairs.clip)
    shown = np.zeros(len(pairs.clip_names), bool)
    for action in actions:
        found = [clip for clip in there if _is_action(pairs, clip, action)]
        if not found:
            known = ", ".join(np.unique(pairs.clip_actions[there])[:20].tolist())
            raise UserError(f"no clip is of the action {action}; there are {known}")
        shown[found] = True
    return pairs.select(shown[pairs.clip])


def _is_action(pairs: PosePairs, clip: int, wish: str) -> bool:
    take = str(pairs.clip_names[clip]).rsplit("/", 1)[-1]
    return begins_with(str(pairs.clip_actions[clip]), wish) or begins_with(take, wish)


def begins_with(name: str, wish: str) -> bool:
    """Are the words of the wish the first of the name's, whatever their case?"""
    wanted = wish.casefold().split()
    return name.casefold().split()[: len(wanted)] == wanted


def numbered(count: int, frames: np.ndarray | None) -> tuple[np.ndarray, int]:
    """Places (T,) of frames on a time axis without rows that no frame could have, and the step.

    Raises ValueError if the frames are not so many, or do not rise.
    """
    numbers = np.arange(count) if frames is None else np.asarray(frames, np.int64)
    if numbers.shape != (count,) or (np.diff(numbers) <= 0).any():
        raise ValueError("frames must be as many as there are poses, and rise")
    step = int(np.gcd.reduce(np.diff(numbers))) if count > 1 else 1
    return (numbers - numbers[:1]) // step, step


def near_each_other(numbers: np.ndarray, max_gap: int) -> list[np.ndarray]:
    """Rows of rising numbers (T,), parted where more than `max_gap` of them are left out."""
    far_apart = np.flatnonzero(np.diff(numbers) > max_gap + 1) + 1
    return [rows for rows in np.split(np.arange(len(numbers)), far_apart) if len(rows)]


def on_every_frame(values: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Values (t, ...) at their places (t,), from 0, among all frames; NaN elsewhere: (T, ...)."""
    every = np.full((int(numbers[-1]) + 1, *values.shape[1:]), np.nan, values.dtype)
    every[numbers] = values
    return every


def _runs(group: np.ndarray, frame: np.ndarray) -> list[np.ndarray]:
    """Rows of each group whose frames are one step apart, in their order."""
    order = np.lexsort((frame, group))
    edges = np.flatnonzero(np.diff(group[order])) + 1
    sequences = []
    for rows in np.split(order, edges):
        steps = np.diff(frame[rows])
        values, counts = np.unique(steps, return_counts=True)
        step = values[counts.argmax()] if len(values) else 1
        sequences += np.split(rows, np.flatnonzero(steps != step) + 1)
    return [rows for rows in sequences if len(rows)]
