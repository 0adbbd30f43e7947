"""`eval.py motion_transfer_*`: motion on held-out bodies, of which the truth is known.

A pair is a clip of somebody who did not train, the source, and another clip of somebody who did
not train, on limbs scaled at random, the target. Both are seen by a pinhole camera of their own, in
pictures 512 px high. The truth is the source's 3D motion with the target's bone lengths, seen by
the source's camera, as large as the target. Everything is relative to the hip, frame by frame, as
Yang et al. (2020) publish it.
"""

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from generative_models.motion_transfer.invariance import (
    invariance_table,
    invariances,
    write_invariances,
)
from generative_models.motion_transfer.limbs import (
    ROOT,
    SKELETON,
    STANDARD_SIZE,
    limb_lengths,
    scale_limbs,
)
from generative_models.motion_transfer.motion import Motion, read_motion
from generative_models.motion_transfer.options import TransferEvalOptions
from generative_models.motion_transfer.predictor import LearnedRetargeter
from generative_models.motion_transfer.retarget import retarget_bones, retarget_scale
from generative_models.motion_transfer.training import random_factors
from generative_models.motion_transfer.views import random_views
from utils.atomic import atomic_path
from utils.errors import UserError
from utils.pose_file import Poses

HEIGHT = 512
"""px, of the square pictures."""
FOCAL = 914.0
"""px: somebody of 1.75 m, 5 m away, is 320 px tall."""
DISTANCES = (4000.0, 6000.0)
"""mm, from a camera to the hips where they are nearest."""
LONGEST, SHORTEST = 120, 32
"""Frames of a clip that are looked at, at most; clips with fewer than the second are left out."""

Retargeter = Callable[[Poses, Poses], Poses]
Lift = Callable[[Poses], Poses]


@dataclass(frozen=True)
class Pair:
    """Pose files of source and target, true 3D poses in them; where the joints (T, 15, 2) should
    be, px from the hip of the target's picture; what a px there is at the target, mm."""

    source: Poses
    target: Poses
    truth: np.ndarray
    millimetres: float


@dataclass(frozen=True)
class Score:
    """Means over pairs: `mae` px and `mse` px^2 of coordinates, `distance` mm of joints."""

    mae: float
    mse: float
    distance: float


def _clip(motion: Motion, rng: np.random.Generator) -> Tensor:
    """Frames (T, 15, 3) of a clip drawn evenly over data sets and their subjects; mm."""
    keys = list(zip(motion.sources, motion.subjects, strict=True))
    source = rng.choice(sorted({source for source, _ in keys}))
    subjects = sorted({subject for one, subject in keys if one == source})
    key = (source, subjects[rng.integers(len(subjects))])
    clips = [clip for clip, one in zip(motion.clips, keys, strict=True) if one == key]
    clip = clips[rng.integers(len(clips))]
    start = int(rng.integers(0, max(1, len(clip) - LONGEST + 1)))
    points = clip[start : start + LONGEST] * STANDARD_SIZE
    return points - points[:, ROOT].mean(0)


def projected(points: Tensor, distance: float) -> Tensor:
    """Points (..., 3) mm about a place so far ahead of the camera, mm -> px (..., 2)."""
    place = points + torch.tensor([0.0, 0.0, distance])
    return FOCAL * place[..., :2] / place[..., 2:] + (HEIGHT - 1) / 2


def pose_rows(
    points: Tensor, frame_rate: float, distance: float, name: str, jitter: Tensor
) -> Poses:
    """The pose file of what a camera so far away sees of points (T, 15, 3) mm, `frame_rate` a
    second, with errors of 2D joints (T, 15, 2) px. A joint that is NaN is absent."""
    count = len(points)
    keypoints = (projected(points, distance) + jitter).numpy().astype(np.float32)
    relative = (points - points[:, ROOT, None]).numpy()
    middle = (HEIGHT - 1) / 2
    return Poses(
        source=np.array([name] * count),
        frame=np.arange(count),
        time=np.arange(count) / frame_rate,
        person=np.zeros(count, np.int64),
        box=np.full((count, 3), np.nan),
        image_size=np.full((count, 2), HEIGHT),
        keypoints_2d=keypoints,
        confidence=np.asarray(np.isfinite(keypoints).all(-1), np.float32),
        skeleton_2d=SKELETON.name,
        keypoints_3d=relative,
        root_camera=points[:, ROOT].numpy() + np.array([0, 0, distance]),
        intrinsics=np.tile(np.array([FOCAL, FOCAL, middle, middle]), (count, 1)),
        skeleton_3d=SKELETON.name,
    )


def make_pair(motion: Motion, options: TransferEvalOptions, number: int) -> Pair:
    """Pair `number`, decided by the seed."""
    rng = np.random.default_rng([options.seed, number])
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    clips = [_clip(motion, rng), _clip(motion, rng)]
    clips[1] = scale_limbs(clips[1], random_factors(1, options.limb_scale, generator)[0])
    views = random_views(2, generator, torch.device("cpu"))
    # Turned, tilted, but not enlarged.
    views = views / views[:, :1].norm(dim=-1, keepdim=True)
    source, target = (clip @ view.mT for clip, view in zip(clips, views, strict=True))
    near, far = (float(rng.uniform(*DISTANCES) - one[:, ROOT, 2].min()) for one in (source, target))
    lengths = [limb_lengths(one) for one in (target, source)]
    wanted = scale_limbs(source, (lengths[0] / lengths[1]).nan_to_num(1.0))
    # The hips stay where the source's are, as far as perspective goes.
    wanted = wanted - wanted[:, ROOT, None] + source[:, ROOT, None]
    truth = projected(wanted, near)
    truth = (truth - truth[:, ROOT, None]) * near / far
    errors = [
        options.jitter * torch.randn(*one.shape[:2], 2, generator=generator)
        for one in (source, target)
    ]
    return Pair(
        pose_rows(source, options.data.frame_rate, near, "source", errors[0]),
        pose_rows(target, options.data.frame_rate, far, "target", errors[1]),
        truth.numpy(),
        far / FOCAL,
    )


def without_3d(poses: Poses) -> Poses:
    """The rows with 2D joints alone."""
    return replace(poses, keypoints_3d=None, skeleton_3d=None, root_camera=None)


def score(pairs: list[Pair], retargeter: Retargeter) -> Score:
    """Errors of a way to retarget, of joints that are in the truth; every pair weighs the same."""
    rows = []
    for pair in pairs:
        found = retargeter(pair.source, pair.target).keypoints_2d
        away = found - found[:, ROOT, None] - pair.truth
        other = [joint for joint in range(len(SKELETON)) if joint != ROOT]
        away = away[:, other][np.isfinite(pair.truth[:, other]).all(-1)]
        distance = pair.millimetres * np.linalg.norm(away, axis=-1).mean()
        rows.append((np.abs(away).mean(), np.square(away).mean(), distance))
    return Score(*np.mean(rows, axis=0).tolist())


def _nothing(source: Poses, _: Poses) -> Poses:
    return source


def retargeters(options: TransferEvalOptions, lift: Lift | None) -> dict[str, Retargeter]:
    """The ways to be compared, by name. Raises UserError for weights that are absent."""
    known: dict[str, Retargeter] = {"nothing done": _nothing}
    if "scale" in options.methods:
        known["scale"] = retarget_scale
    if "bones" in options.methods:
        known["bones, seen in 2D"] = lambda a, b: retarget_bones(without_3d(a), without_3d(b))
        if lift is not None:
            known["bones, lifted"] = lambda a, b: retarget_bones(
                lift(without_3d(a)), lift(without_3d(b))
            )
        known["bones, true 3D"] = retarget_bones
    if "learned" in options.methods:
        weights = options.weights
        known["learned"] = LearnedRetargeter.load(weights.load, weights.accelerator)
    return known


def table(scores: Mapping[str, Score]) -> str:
    """A line for each way."""
    lines = [f"{'':20}{'MAE px':>9}{'MSE px2':>10}{'mean mm':>10}"]
    for name, one in scores.items():
        lines.append(f"{name:20}{one.mae:9.2f}{one.mse:10.1f}{one.distance:10.1f}")
    return "\n".join(lines)


def write_scores(path: Path, scores: Mapping[str, Score]) -> None:
    """results.csv, whole or not at all."""
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["method", "mae_px", "mse_px2", "mean_mm"])
        writer.writerows([name, one.mae, one.mse, one.distance] for name, one in scores.items())


def evaluate(options: TransferEvalOptions, lift: Lift | None = None) -> int:
    """Score what the options name on pairs of held-out bodies, print and write a table; of a
    network, measure how invariant its codes are as well.

    lift: gives the rows of a pose file 3D poses; with it, bones of lifted poses are compared too.
    -> exit code 0. Raises UserError for data or weights that are absent or too short.
    """
    ways = retargeters(options, lift)
    (motion,) = read_motion(options.data, (options.split,), options.seed)
    motion = motion.select(np.array([len(clip) >= SHORTEST for clip in motion.clips], bool))
    if not motion.clips:
        raise UserError(f"no clip of --split {options.split} has {SHORTEST} frames")
    pairs = [make_pair(motion, options, number) for number in range(options.pairs)]
    scores = {name: score(pairs, way) for name, way in ways.items()}
    print(f"{len(pairs)} pairs, pictures {HEIGHT} px high, relative to the hip\n{table(scores)}")
    write_scores(options.output_dir / "results.csv", scores)
    learned = ways.get("learned")
    if isinstance(learned, LearnedRetargeter):
        changes = invariances(learned, motion, options.limb_scale, options.seed)
        print(invariance_table(changes))
        write_invariances(options.output_dir / "invariance.csv", changes)
    print(f"wrote to {options.output_dir}")
    return 0
