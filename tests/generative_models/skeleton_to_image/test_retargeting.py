"""One person's motion on another's limbs."""

import numpy as np

from generative_models.skeleton_to_image.retargeting import (
    fit_motion,
    fit_size,
    limb_lengths,
    lowest_ankles,
    size_ratio,
)
from tests.generative_models.skeleton_to_image.small_dancer import standing
from utils.skeletons import DANCE_13


def moving(count: int = 40) -> np.ndarray:
    """Somebody in all sorts of poses, px."""
    rng = np.random.default_rng(2)
    return standing(count, 100) + rng.normal(0, 4, (count, 13, 2))


def test_the_own_motion_on_the_own_limbs_is_unchanged() -> None:
    poses = moving()
    assert np.allclose(fit_motion(poses, poses), poses, atol=1e-6)
    assert np.allclose(fit_size(poses, poses), poses, atol=1e-6)


def test_a_body_twice_as_large_elsewhere_moves_alike_there() -> None:
    poses = moving()
    target = 2 * poses + np.array([31.0, -17.0])
    assert size_ratio(poses, target) == 2
    for fit in (fit_motion, fit_size):
        assert np.allclose(fit(poses, target), target, atol=1e-6)


def test_limbs_take_the_new_lengths_and_keep_their_directions() -> None:
    source, target = moving(), moving()
    names = ("left_wrist", "right_wrist")
    for side in ("left", "right"):
        elbow, wrist = DANCE_13.indices(f"{side}_elbow", f"{side}_wrist")
        target[:, wrist] += 0.5 * (target[:, wrist] - target[:, elbow])
    fitted = fit_motion(source, target)
    assert np.allclose(limb_lengths(fitted), limb_lengths(target))
    others = [j for j in range(13) if j not in DANCE_13.indices(*names)]
    assert np.allclose(fitted[:, others], source[:, others], atol=1e-6)
    elbow, wrist = DANCE_13.indices("left_elbow", "left_wrist")
    one, two = (pose[:, wrist] - pose[:, elbow] for pose in (source, fitted))
    assert np.allclose(two, 1.5 * one, atol=1e-6)


def test_feet_stay_as_high_above_the_ground_as_they_were() -> None:
    """Long legs on short ones: nobody sinks in, and a jump stays a jump."""
    source, target = standing(50, 100), standing(50, 100)
    source[20] -= np.array([0, 12])
    for side in ("left", "right"):
        hip, knee, ankle = DANCE_13.indices(f"{side}_hip", f"{side}_knee", f"{side}_ankle")
        target[:, ankle] = target[:, hip] + 0.6 * (target[:, ankle] - target[:, hip])
        target[:, knee] = target[:, hip] + 0.6 * (target[:, knee] - target[:, hip])
    fitted = fit_motion(source, target)
    heights = lowest_ankles(target)[0] - lowest_ankles(fitted)
    assert np.allclose(np.delete(heights, 20), 0, atol=1e-6)
    assert np.isclose(heights[20], 12 * size_ratio(source, target))


def test_what_is_missing_stays_missing() -> None:
    source, target = moving(), moving()
    source[3, DANCE_13.index("left_elbow")] = np.nan
    source[5] = np.nan
    source[7, DANCE_13.indices("left_ankle", "right_ankle")] = np.nan
    fitted = fit_motion(source, target)
    missing = np.isnan(fitted).any(axis=-1)
    expected = np.zeros((40, 13), bool)
    expected[3, DANCE_13.indices("left_elbow", "left_wrist")] = True
    expected[5] = True
    expected[7, DANCE_13.indices("left_ankle", "right_ankle")] = True
    assert (missing == expected).all()
    assert np.isnan(fit_motion(np.full((2, 13, 2), np.nan), target)).all()
