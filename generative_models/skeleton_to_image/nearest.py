"""The stored frame with the nearest pose: poses made comparable, and a k-d tree over them."""

import numpy as np
from scipy.spatial import KDTree

from utils.skeletons import DANCE_13

PLACE_WEIGHT = 1.0
"""How much the place of the hips counts beside the pose; both in lengths of the trunk."""
_SHOULDERS = DANCE_13.indices("left_shoulder", "right_shoulder")
_HIPS = DANCE_13.indices("left_hip", "right_hip")


class NearestPose:
    """Finds, among stored poses (N, 13, 2) px, that which is nearest to a pose.

    A pose is its joints relative to the middle of the hips, and that middle, all divided by the
    length of a usual stored trunk (a single pose's own would make it grow when the person bends).
    A missing joint is taken at its usual place.
    """

    def __init__(self, keypoints: np.ndarray) -> None:
        keypoints = np.asarray(keypoints, np.float64)
        trunk = keypoints[:, _SHOULDERS].mean(axis=1) - keypoints[:, _HIPS].mean(axis=1)
        lengths = np.linalg.norm(trunk, axis=1)
        known = lengths[np.isfinite(lengths)]
        self.scale = max(float(np.median(known)), 1.0) if len(known) else 1.0
        numbers = self._numbers(keypoints)
        seen = np.isfinite(numbers)
        self.usual = np.where(seen, numbers, 0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
        self.tree = KDTree(self._filled(numbers))

    def __call__(self, keypoints: np.ndarray) -> np.ndarray:
        """Keypoints (M, 13, 2) px, NaN missing -> rows (M,) of the nearest stored poses."""
        if not len(keypoints):
            return np.zeros(0, np.int64)
        numbers = self._filled(self._numbers(np.asarray(keypoints, np.float64)))
        return np.asarray(self.tree.query(numbers)[1])

    def _numbers(self, keypoints: np.ndarray) -> np.ndarray:
        """(M, 28): joints from the hips, then the hips' place, in trunks."""
        hips = keypoints[:, _HIPS].mean(axis=1)
        pose = (keypoints - hips[:, None]).reshape(len(keypoints), -1)
        return np.concatenate([pose, PLACE_WEIGHT * hips], axis=1) / self.scale

    def _filled(self, numbers: np.ndarray) -> np.ndarray:
        return np.where(np.isfinite(numbers), numbers, self.usual)
