"""The nearest stored pose."""

import numpy as np

from generative_models.skeleton_to_image.nearest import NearestPose
from tests.generative_models.skeleton_to_image.small_dancer import standing
from utils.skeletons import DANCE_13


def poses(count: int = 60) -> np.ndarray:
    rng = np.random.default_rng(3)
    return standing(count, 64) + rng.normal(0, 3, (count, 13, 2))


def test_a_stored_pose_finds_itself_and_a_moved_one_its_neighbour() -> None:
    stored = poses()
    nearest = NearestPose(stored)
    assert nearest(stored).tolist() == list(range(60))
    noise = np.random.default_rng(0).normal(0, 0.05, stored.shape)
    assert nearest(stored + noise).tolist() == list(range(60))


def test_it_agrees_with_looking_at_all_of_them() -> None:
    stored, asked = poses(), poses()[::-1] + 5
    hips = DANCE_13.indices("left_hip", "right_hip")

    def numbers(one: np.ndarray) -> np.ndarray:
        middle = one[:, hips].mean(1)
        return np.concatenate([(one - middle[:, None]).reshape(len(one), -1), middle], 1)

    distances = np.linalg.norm(numbers(asked)[:, None] - numbers(stored)[None], axis=-1)
    assert NearestPose(stored)(asked).tolist() == distances.argmin(axis=1).tolist()


def test_place_counts_as_well_as_pose() -> None:
    stored = np.concatenate([standing(1, 64), standing(1, 64) + np.array([20, 0])])
    nearest = NearestPose(stored)
    assert nearest(standing(1, 64) + np.array([14, 0])).tolist() == [1]


def test_missing_joints_and_nobody_find_a_frame() -> None:
    stored = poses()
    asked = stored[7:8].copy()
    asked[0, DANCE_13.index("nose")] = np.nan
    assert NearestPose(stored)(asked).tolist() == [7]
    assert NearestPose(stored)(np.full((2, 13, 2), np.nan)).shape == (2,)
    assert NearestPose(stored)(np.zeros((0, 13, 2))).shape == (0,)
