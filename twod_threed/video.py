"""Poses as the frames of a video: who is who, and gaps that are filled."""

import numpy as np

from utils.pose_file import Poses


def sequences(poses: Poses) -> list[np.ndarray]:
    """Rows of each source and person, in the order of their frames."""
    keys = np.rec.fromarrays([poses.source, poses.person])
    _, group = np.unique(keys, return_inverse=True)
    order = np.lexsort([poses.frame, group.reshape(-1)])
    ends = np.flatnonzero(np.diff(group.reshape(-1)[order])) + 1
    return [rows for rows in np.split(order, ends) if len(rows)]


def fill_gaps(keypoints: np.ndarray, frames: np.ndarray, longest: int) -> np.ndarray:
    """Joints (T, J, 2) with short gaps interpolated linearly over time.

    frames (T,): their numbers, rising. A gap of at most `longest` frames between two frames that
    have the joint is filled; longer ones, and those at the ends, stay NaN.
    """
    filled = keypoints.copy()
    for joint in range(keypoints.shape[1]):
        known = np.flatnonzero(~np.isnan(keypoints[:, joint]).any(axis=-1))
        if len(known) < 2:
            continue
        following = np.searchsorted(known, np.arange(len(frames)))
        inside = (following > 0) & (following < len(known))
        before = known[np.clip(following - 1, 0, None)]
        after = known[np.clip(following, None, len(known) - 1)]
        short = frames[after] - frames[before] - 1 <= longest
        missing = np.isnan(keypoints[:, joint]).any(axis=-1) & inside & short
        for axis in range(keypoints.shape[2]):
            values = keypoints[known, joint, axis]
            filled[missing, joint, axis] = np.interp(frames[missing], frames[known], values)
    return filled
