"""One person's film out of a pose file: fifteen joints, evenly in time, gaps filled; and back."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.interpolate import CubicSpline
from torch import Tensor

from generative_models.motion_transfer.limbs import ROOT, SKELETON
from utils.errors import UserError
from utils.frames import rise
from utils.pose_file import Poses
from utils.skeleton_conversion import conversion_rules, convert
from utils.skeletons import skeleton_named


@dataclass(frozen=True)
class Film:
    """N frames, one step apart, of one person.

    points (N, 15, 2) float32 px, a joint that is absent for some frames interpolated over time, at
    the ends held; NaN if it is never seen. poses: the T rows of the pose file, by frame; places
    (T,): which of the N they are; seen (T, 15): which joints were there; confidence (T, 15).
    """

    points: Tensor
    poses: Poses
    places: np.ndarray
    seen: np.ndarray
    confidence: np.ndarray


def filled(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Values (T, J, D), NaN absent, at rising places (T,) from 0 -> every place (N, J, D).

    Linear between the nearest frames that have the joint; held at the ends; NaN if there is none.
    """
    every = np.arange(places[-1] + 1)
    result = np.full((len(every), *values.shape[1:]), np.nan, values.dtype)
    for joint in range(values.shape[1]):
        known = np.flatnonzero(np.isfinite(values[:, joint]).all(-1))
        if len(known):
            for axis in range(values.shape[2]):
                column = values[known, joint, axis]
                result[:, joint, axis] = np.interp(every, places[known], column)
    return result


def film_of(poses: Poses, name: str) -> Film:
    """The film in a pose file. `name` is said in errors.

    Raises UserError if there are several people or videos, a frame is there twice, or the hips,
    from which all is measured, are never seen.
    """
    if len({*zip(poses.source.tolist(), poses.person.tolist(), strict=True)}) != 1:
        raise UserError(f"{name} must hold one person of one video, and no more")
    poses = poses.select(np.argsort(poses.frame, kind="stable"))
    steps = np.diff(poses.frame)
    if (steps == 0).any():
        raise UserError(f"{name} has frame {poses.frame[:-1][steps == 0][0]} twice")
    step = int(np.gcd.reduce(steps)) if len(steps) else 1
    places = (poses.frame - poses.frame[0]) // step
    source = skeleton_named(poses.skeleton_2d)
    points = convert(poses.keypoints_2d, source, SKELETON).poses
    if not np.isfinite(points[:, ROOT]).any():
        raise UserError(f"{name} has no frame in which both hips are seen")
    return Film(
        points=torch.from_numpy(filled(points, places)),
        poses=poses,
        places=places,
        seen=np.asarray(np.isfinite(points).all(-1)),
        confidence=_converted_confidence(poses),
    )


def frame_times(film: Film, frame_rate: float) -> np.ndarray:
    """Times (N,), s, rising, of the frames of a film; `frame_rate` a second where it has none."""
    every, times = np.arange(len(film.points)), film.poses.time
    return np.interp(every, film.places, times) if rise(times) else every / frame_rate


def resampled(points: Tensor, times: np.ndarray, wanted: np.ndarray) -> Tensor:
    """Points (N, J, D), known at rising times (N,), N at least 2, at others between them (M,).

    -> (M, J, D), along a cubic spline. A joint is NaN in all frames or in none.
    """
    line = CubicSpline(times, points.nan_to_num(0).numpy())
    made = torch.from_numpy(line(wanted)).to(points.dtype)
    return made.masked_fill(points[:1].isnan(), torch.nan)


def _converted_confidence(poses: Poses) -> np.ndarray:
    """(T, 15): each joint is as sure as the least sure of those that it is made of."""
    rules = conversion_rules(skeleton_named(poses.skeleton_2d), SKELETON)
    columns = [
        poses.confidence[:, [joint for joint, _ in rule.parts]].min(axis=1)
        if rule.parts
        else np.zeros(len(poses))
        for rule in rules
    ]
    return np.stack(columns, axis=1)


def with_points(film: Film, points: Tensor, image_size: np.ndarray) -> Poses:
    """The rows of a film with new points (N, 15, 2) px, in pictures of `image_size` (2,) px.

    What was absent stays so. The rows have no 3D.
    """
    keypoints = points.numpy()[film.places].astype(np.float32)
    keypoints = np.where(film.seen[..., None], keypoints, np.nan)
    there = np.asarray(np.isfinite(keypoints).all(-1))
    return replace(
        film.poses,
        box=_boxes(keypoints),
        image_size=np.tile(image_size, (len(keypoints), 1)),
        keypoints_2d=np.where(there[..., None], keypoints, np.nan),
        confidence=np.where(there, film.confidence, 0),
        skeleton_2d=SKELETON.name,
        visibility=None,
        keypoints_3d=None,
        root_camera=None,
        intrinsics=None,
        skeleton_3d=None,
    )


def _boxes(keypoints: np.ndarray) -> np.ndarray:
    """Boxes (T, 3) round the joints (T, J, 2), a quarter larger; NaN where there are none."""
    there = np.isfinite(keypoints)
    low = np.where(there, keypoints, np.inf).min(axis=1)
    high = np.where(there, keypoints, -np.inf).max(axis=1)
    side = 1.25 * np.maximum((high - low).max(axis=1), 1.0)
    with np.errstate(invalid="ignore"):  # of nobody: infinities of both signs
        box = np.column_stack([(low + high) / 2, side])
    return np.where(np.isfinite(box).all(axis=1, keepdims=True), box, np.nan)
