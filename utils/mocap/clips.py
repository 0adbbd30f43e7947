"""Clips as they should be trained on: without jumps, and at the frame rate that is wanted."""

from itertools import pairwise

import numpy as np

# No joint of a person moves faster, mm/s: in whole clips wrists reach 14 m/s in CMU, 9 in HDM05,
# while knees that flip over and bodies that jump come to 20 to 300 m/s.
SPEED_LIMIT = 20_000.0
# What is left between two jumps is thrown away if it is shorter, s.
SHORTEST = 0.25


def smooth_parts(positions: np.ndarray, frame_rate: float) -> list[slice]:
    """Frames of (T, J, 3), mm, between jumps.

    There is a jump between two frames if any joint moves faster than SPEED_LIMIT. Parts shorter
    than SHORTEST are left out. Joints that are NaN are passed over.
    """
    steps = np.linalg.norm(np.diff(positions, axis=0), axis=-1)
    jumps = np.flatnonzero((steps * frame_rate > SPEED_LIMIT).any(axis=-1)) + 1
    edges = [0, *jumps.tolist(), len(positions)]
    parts = [slice(a, b) for a, b in pairwise(edges)]
    if len(parts) == 1:
        return parts
    return [part for part in parts if part.stop - part.start >= SHORTEST * frame_rate]


def changed_rate(positions: np.ndarray, frame_rate: float, wanted: float) -> np.ndarray:
    """A clip (T, J, 3) at another frame rate; the first frame stays.

    Every n-th frame is kept where the rates divide; else each frame is interpolated between its
    neighbours in time.
    """
    if wanted <= 0:
        raise ValueError(f"a frame rate of {wanted}")
    ratio = frame_rate / wanted
    count = int(np.floor((len(positions) - 1) / ratio + 1e-6)) + 1
    times = np.minimum(np.arange(count) * ratio, len(positions) - 1)
    before = np.floor(times + 1e-6).astype(int)
    after = np.minimum(before + 1, len(positions) - 1)
    weight = np.clip(times - before, 0, 1).astype(positions.dtype)[:, None, None]
    if abs(ratio - round(ratio)) < 1e-6:
        return positions[before]
    return positions[before] * (1 - weight) + positions[after] * weight
