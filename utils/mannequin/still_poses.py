"""Poses for still pictures: key poses recombined, blended, disturbed, checked for collisions."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from utils.mannequin.angles import (
    ARM_ANGLES,
    HIGH,
    LEG_ANGLES,
    LOW,
    NAMES,
    SIDES,
    SPREAD,
    mirrored,
    side_columns,
    within_limits,
)
from utils.mannequin.body import Body, Posture, places, standing
from utils.mannequin.key_poses import FAMILY_WEIGHTS, LIBRARY

_CANDIDATES = 4
# A pose whose parts run into each other by less than this (mm, summed) is taken as it is.
_TOLERATED = 60.0
_STRAY_ARMS = 0.35
_BLENDED = 0.25
_FREE_LIMB = 0.12


class _Tables(NamedTuple):
    """The library as arrays: S stances (their rows, odds, family's span), their arms, all arms."""

    rows: np.ndarray
    odds: np.ndarray
    span: np.ndarray
    pairs: list[np.ndarray]
    free_arms: np.ndarray
    arms: np.ndarray


@lru_cache(maxsize=1)
def _tables() -> _Tables:
    arm_names = list(LIBRARY.arms)
    rows, odds, span, pairs, free_arms = [], [], [], [], []
    for family, weight in FAMILY_WEIGHTS.items():
        stances = LIBRARY.families[family].values()
        span += [(len(rows), len(stances))] * len(stances)
        for stance in stances:
            rows.append(stance.row)
            odds.append(weight / len(stances))
            pairs.append(np.array([[arm_names.index(a) for a in pair] for pair in stance.arms]))
            # Whoever stands on the hands or lies keeps the arms that belong to it more often.
            stray = _STRAY_ARMS if family in ("upright", "sport", "dance") else _STRAY_ARMS / 3
            free_arms.append(stray)
    arms = np.array(list(LIBRARY.arms.values()))
    odds = np.array(odds) / np.sum(odds)
    return _Tables(np.array(rows), odds, np.array(span), pairs, np.array(free_arms), arms)


def draw_poses(rng: np.random.Generator, count: int) -> np.ndarray:
    """Pose rows (count, A) within the joint limits; parts of the body may run into each other."""
    tables = _tables()
    stance = rng.choice(len(tables.odds), count, p=tables.odds)
    poses = _with_arms(rng, tables, stance)
    start, size = tables.span[stance].T
    other = start + (rng.random(count) * size).astype(int)
    share = np.where(rng.random(count) < _BLENDED, rng.uniform(0, 0.6, count), 0)[:, None]
    poses = (1 - share) * poses + share * _with_arms(rng, tables, other)
    strength = np.exp(rng.normal(-0.1, 0.5, (count, 1))).clip(0.2, 2.2)
    poses += SPREAD * strength * rng.standard_normal(poses.shape)
    _free_limbs(rng, poses)
    lift = poses[:, NAMES.index("lift")]
    lift *= rng.uniform(0.3, 1.2, count)
    flip = rng.random(count) < 0.5
    poses[flip] = mirrored(poses[flip])
    poses[:, NAMES.index("yaw")] = rng.uniform(-180, 180, count)
    return within_limits(poses)


def _with_arms(rng: np.random.Generator, tables: _Tables, stance: np.ndarray) -> np.ndarray:
    """Rows of stances with arms that suit them, some replaced by any other arms."""
    count = len(stance)
    poses = tables.rows[stance]
    pick = rng.random(count)
    pairs = np.array(
        [tables.pairs[s][int(p * len(tables.pairs[s]))] for s, p in zip(stance, pick, strict=True)]
    )
    stray = rng.random((count, 2)) < tables.free_arms[stance][:, None]
    arm = np.where(stray, rng.integers(0, len(tables.arms), (count, 2)), pairs)
    for i, side in enumerate(SIDES):
        poses[:, side_columns(side, ARM_ANGLES)] = tables.arms[arm[:, i]]
    return poses


def _free_limbs(rng: np.random.Generator, poses: np.ndarray) -> None:
    """Now and then give one limb any angles that the limits allow, in place."""
    for names, odds in ((ARM_ANGLES, _FREE_LIMB), (LEG_ANGLES, _FREE_LIMB / 3)):
        for side in SIDES:
            chosen = np.flatnonzero(rng.random(len(poses)) < odds)
            limb = np.array(side_columns(side, names))
            poses[chosen[:, None], limb] = rng.uniform(
                LOW[limb], HIGH[limb], (len(chosen), len(limb))
            )


def sample_still_poses(
    rng: np.random.Generator, body: Body, count: int
) -> tuple[np.ndarray, Posture]:
    """Pose rows (count, A) and the posture of `body` on the floor, chosen so that limbs stay apart.

    Of a few candidates for each pose the first that (nearly) avoids collisions is taken, or the
    best of them.
    """
    poses = draw_poses(rng, count * _CANDIDATES)
    posture = standing(body, poses)
    overlap = body_overlap(body, posture).reshape(count, _CANDIDATES)
    cost = np.maximum(overlap, _TOLERATED)
    chosen = np.arange(count) * _CANDIDATES + cost.argmin(axis=1)
    return poses[chosen], Posture(posture.origins[chosen], posture.rotations[chosen])


_PROBES = tuple(
    f"{s}_{p}" for s in SIDES for p in ("elbow", "wrist", "hand", "knee", "ankle", "toe")
)
_CORES = (
    ("pelvis", "chest", "hips", 0.8),
    ("chest", "neck", "chest", 0.75),
    ("head_centre", "head_centre", "head", 0.45),
    *((f"{s}_hip", f"{s}_knee", "thigh", 0.8) for s in SIDES),
    *((f"{s}_knee", f"{s}_ankle", "calf", 0.8) for s in SIDES),
)
_PROBE_RADIUS = 30.0


def _own_parts() -> np.ndarray:
    """Mask (probes, cores): False where a probe belongs to the core, or always lies near it."""
    apart = np.ones((len(_PROBES), len(_CORES)), bool)
    for i, probe in enumerate(_PROBES):
        side, part = probe.split("_", 1)
        for j, (start, _, radius, _) in enumerate(_CORES):
            if part in ("knee", "ankle", "toe") and start.startswith(side):
                apart[i, j] = False
            # Folded knees meet the trunk, and knees each other, in many a healthy pose.
            if part == "knee" and radius in ("hips", "chest", "thigh", "calf"):
                apart[i, j] = False
    return apart


_APART = _own_parts()


def body_overlap(body: Body, posture: Posture) -> np.ndarray:
    """How deep hands, elbows and feet sink into trunk, head and legs, summed (N,), mm."""
    probes = places(body, posture, _PROBES)[:, :, None]
    start = places(body, posture, tuple(c[0] for c in _CORES))[:, None]
    end = places(body, posture, tuple(c[1] for c in _CORES))[:, None]
    axis = end - start
    along = ((probes - start) * axis).sum(-1) / np.maximum((axis**2).sum(-1), 1e-9)
    nearest = start + along.clip(0, 1)[..., None] * axis
    distance = np.linalg.norm(probes - nearest, axis=-1)
    reach = np.array([body.radii[r] * share for _, _, r, share in _CORES]) + _PROBE_RADIUS
    return (np.maximum(reach - distance, 0) * _APART).sum(axis=(1, 2))
