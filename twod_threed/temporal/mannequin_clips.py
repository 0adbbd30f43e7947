"""The built-in films: bodies of the mannequin in motion, as a motion store."""

import numpy as np

from utils.dataset_statistics import cache_key, cached
from utils.mannequin.body import h36m_joints, sample_body
from utils.mannequin.motion import sample_motion
from utils.mocap.store import MotionStore, make_store

VERSION = 1
SECONDS = 30.0
"""Of motion of each body."""


def _body_motion(seed: int, index: int, frame_rate: float) -> np.ndarray:
    """(T, 17, 3) float32 mm, y up."""
    rng = np.random.default_rng([seed, index])
    body = sample_body(rng)
    motion = sample_motion(rng, body, SECONDS)
    times = np.arange(int(SECONDS * frame_rate)) / frame_rate
    return h36m_joints(body, motion.posture(times)).astype(np.float32)


def mannequin_clips(seed: int, first: int, count: int, frame_rate: float) -> MotionStore:
    """Bodies `first` to `first + count` of the data set `seed`, each a subject with one clip.

    Kept in .cache/ under everything they depend on.
    """
    options = {"seed": seed, "first": first, "count": count}
    options |= {"seconds": SECONDS, "rate": frame_rate}

    def draw() -> dict[str, np.ndarray]:
        clips = [_body_motion(seed, index, frame_rate) for index in range(first, first + count)]
        return {"poses": np.stack(clips)}

    poses = cached(cache_key("mannequin_clips", [], options, VERSION), draw)["poses"]
    names = [f"mannequin/{index}" for index in range(first, first + count)]
    return make_store(
        list(poses),
        names=[f"{name}/moving" for name in names],
        sources=["mannequin"] * count,
        subjects=names,
        actions=["moving"] * count,
        frame_rates=[frame_rate] * count,
        validity=[np.zeros(poses.shape[2], np.uint8)] * count,
    )
