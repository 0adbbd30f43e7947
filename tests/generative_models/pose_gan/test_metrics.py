"""Measures of distributions beside closed forms, and beside SciPy."""

import numpy as np
import pytest
from scipy import linalg
from scipy.spatial.distance import cdist

from generative_models.pose_gan import metrics
from tests.generative_models.pose_gan.small_poses import still_poses
from utils.skeletons import H36M_17


def normal(count: int, size: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, size)).astype(np.float32)


def test_joint_features_are_metres_from_the_hip() -> None:
    poses = still_poses(5)
    found = metrics.joint_features(poses + 1000)
    others = [joint for joint in range(17) if joint != H36M_17.root]
    expected = (poses[:, others] - poses[:, [H36M_17.root]]) / 1000
    assert np.allclose(found, expected.reshape(5, 48), atol=1e-5)


def test_direction_features_have_length_one() -> None:
    poses = still_poses(5)
    found = metrics.direction_features(poses).reshape(5, 16, 3)
    assert np.allclose(np.linalg.norm(found, axis=-1), 1, atol=1e-5)
    start, end = H36M_17.bones[0]
    bone = poses[0, end] - poses[0, start]
    assert np.allclose(found[0, 0] * np.linalg.norm(bone), bone, atol=1e-2)
    assert not metrics.direction_features(np.zeros((1, 17, 3))).any()


def test_frechet_distance_beside_scipy() -> None:
    """With SciPy's matrix square root in place of ours."""
    first, second = normal(300, 6, 0), 2 * normal(400, 6, 1) @ normal(6, 6, 2) + 1
    one, other = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    root = np.real(linalg.sqrtm(one @ other))
    shift = first.mean(0) - second.mean(0)
    expected = shift @ shift + np.trace(one + other - 2 * root)
    assert metrics.frechet_distance(first, second) == pytest.approx(expected, rel=1e-4)


def test_frechet_distance_of_what_is_shifted_and_stretched() -> None:
    """Of a set to its c-fold, moved by d: d^2 + (c - 1)^2 tr C."""
    features = normal(500, 4, 0).astype(float)
    features -= features.mean(0)
    trace = np.trace(np.cov(features, rowvar=False))
    moved = 1.5 * features + np.array([3.0, 0, 0, 4])
    assert metrics.frechet_distance(features, moved) == pytest.approx(25 + 0.25 * trace)
    assert metrics.frechet_distance(features, features) == pytest.approx(0, abs=1e-9)


def mmd_by_hand(first: np.ndarray, second: np.ndarray, scale: float) -> float:
    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        squares = cdist(a.astype(float), b.astype(float), "sqeuclidean")
        widths = [(width * scale) ** 2 for width in metrics.KERNEL_WIDTHS]
        return np.mean([np.exp(-squares / (2 * width)) for width in widths], axis=0)

    def within(a: np.ndarray) -> float:
        return (kernel(a, a).sum() - len(a)) / (len(a) * (len(a) - 1))

    return within(first) + within(second) - 2 * kernel(first, second).mean()


def test_mmd_beside_scipy() -> None:
    first, second = normal(300, 5, 0), normal(200, 5, 1) + 0.5
    expected = mmd_by_hand(first, second, 1.7)
    assert metrics.mmd_squared(first, second, 1.7) == pytest.approx(expected, rel=1e-4)
    assert expected > 0.01


def test_mmd_of_equal_distributions_is_around_zero() -> None:
    found = [metrics.mmd_squared(normal(200, 3, n), normal(200, 3, n + 99), 2.0) for n in range(20)]
    assert abs(np.mean(found)) < 2 * np.std(found) / np.sqrt(20) + 1e-5
    assert min(found) < 0 < max(found)


def test_kernel_scale_is_the_median_distance() -> None:
    features = normal(150, 4, 0)
    squares = cdist(features, features)[np.triu_indices(150, 1)]
    assert metrics.kernel_scale(features) == pytest.approx(float(np.median(squares)), rel=1e-4)


def test_kernel_scale_looks_at_all_rows() -> None:
    """Rows of few and many people follow one another: 3,999 must not stop at the first 2,000."""
    features = normal(3999, 4, 0) * np.repeat([1.0, 3.0], [2000, 1999])[:, None]
    squares = cdist(features, features)[np.triu_indices(3999, 1)]
    assert metrics.kernel_scale(features) == pytest.approx(float(np.median(squares)), rel=0.03)


def support_by_hand(real: np.ndarray, made: np.ndarray, k: int) -> tuple[float, float, float]:
    """With SciPy's distances; row 0 of the sorted distances to its own set is the row itself."""
    across = cdist(real, made)
    reach = np.sort(cdist(real, real), axis=1)[:, k]
    their_reach = np.sort(cdist(made, made), axis=1)[:, k]
    precision = (across <= reach[:, None]).any(0).mean()
    recall = (across <= their_reach).any(1).mean()
    return precision, recall, (across.min(1) <= reach).mean()


def test_support_beside_scipy() -> None:
    real, made = normal(900, 4, 0), 0.6 * normal(700, 4, 1) + 0.8
    found = metrics.support(real, made)
    # k is the same share of both sets: 4 of 900 and of 700.
    expected = support_by_hand(real, made, 4)
    assert (found.precision, found.recall, found.coverage) == pytest.approx(expected, abs=2e-3)
    assert found.precision > found.recall


def test_support_of_what_is_far_away_is_none_and_of_itself_all() -> None:
    real = normal(100, 3, 0)
    far, same = metrics.support(real, real + 50), metrics.support(real, real)
    assert (far.precision, far.recall, far.coverage) == (0, 0, 0)
    assert (same.precision, same.recall, same.coverage) == (1, 1, 1)


def test_support_of_one_mode_of_two() -> None:
    """Half of the real poses are never made: precision is full, recall and coverage are half."""
    left, right = normal(300, 3, 0), normal(300, 3, 1) + 100
    found = metrics.support(np.concatenate([left, right]), left + 1e-3)
    assert found.precision == 1
    assert found.recall == pytest.approx(0.5, abs=0.01)
    assert found.coverage == pytest.approx(0.5, abs=0.01)


def test_support_needs_neighbours() -> None:
    with pytest.raises(ValueError, match="more than 3"):
        metrics.support(normal(3, 2, 0), normal(9, 2, 0))


def test_nearest_beside_scipy() -> None:
    queries, reference = normal(200, 5, 0), normal(300, 5, 1)
    table = cdist(queries, reference)
    distances, rows = metrics.nearest(queries, reference)
    assert np.array_equal(rows, table.argmin(1))
    assert np.allclose(distances, table.min(1), rtol=1e-5)
    assert metrics.nearest(reference[:7], reference)[0].tolist() == [0] * 7
