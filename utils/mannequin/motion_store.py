"""The built-in data: bodies of the mannequin, in poses and in motion, as a motion store."""

import numpy as np

from utils.dataset_statistics import cache_key, cached
from utils.mannequin.body import h36m_joints, sample_body
from utils.mannequin.motion import sample_motion
from utils.mannequin.still_poses import sample_still_poses
from utils.mocap.store import MANNEQUIN, MotionStore, make_store

VERSION = 1
STILL_POSES, MOVING_POSES = 250, 250
"""Poses of each body."""
STILL = "still"
"""Action of the clip of unrelated poses."""
MOTION_RATE = 10.0
"""Frames of a motion per second: more would hardly differ."""


def _body_poses(seed: int, index: int) -> np.ndarray:
    """(STILL_POSES + MOVING_POSES, 17, 3) float32 mm, y up: unrelated poses, then a motion."""
    rng = np.random.default_rng([seed, index])
    body = sample_body(rng)
    _, still = sample_still_poses(rng, body, STILL_POSES)
    motion = sample_motion(rng, body, MOVING_POSES / MOTION_RATE)
    moving = motion.posture(np.arange(MOVING_POSES) / MOTION_RATE)
    poses = np.concatenate([h36m_joints(body, still), h36m_joints(body, moving)])
    return poses.astype(np.float32)


def mannequin_store(seed: int, first: int, count: int) -> MotionStore:
    """Bodies `first` to `first + count` of the data set `seed`, each a subject with two clips.

    Kept in .cache/ under everything they depend on.
    """
    options = {"seed": seed, "first": first, "count": count}
    options |= {"still": STILL_POSES, "moving": MOVING_POSES, "rate": MOTION_RATE}

    def draw() -> dict[str, np.ndarray]:
        bodies = [_body_poses(seed, index) for index in range(first, first + count)]
        return {"poses": np.stack(bodies)}

    poses = cached(cache_key("mannequin_motion", [], options, VERSION), draw)["poses"]
    names = [f"{MANNEQUIN}/{index}" for index in range(first, first + count)]
    clips = [part for body in poses for part in (body[:STILL_POSES], body[STILL_POSES:])]
    kinds = (STILL, "moving")
    return make_store(
        clips,
        names=[f"{name}/{kind}" for name in names for kind in kinds],
        sources=[MANNEQUIN] * len(clips),
        subjects=[name for name in names for _ in kinds],
        actions=list(kinds) * count,
        frame_rates=[MOTION_RATE] * len(clips),
        validity=[np.zeros(poses.shape[2], np.uint8)] * len(clips),
    )
