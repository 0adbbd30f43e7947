"""Similarity alignment: against SciPy, invariances, and cases without one answer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import procrustes
from scipy.spatial.transform import Rotation

from utils.procrustes import align, similarity


def pair(seed: int, poses: int = 6, joints: int = 17) -> tuple[np.ndarray, np.ndarray]:
    """Points and a target that no similarity brings together."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(poses, joints, 3)) * 300
    turns = Rotation.from_rotvec(rng.normal(size=(poses, 3)) * 2).as_matrix()
    moved = points @ turns.transpose(0, 2, 1) * rng.uniform(0.5, 2, (poses, 1, 1))
    return points, moved + rng.normal(size=(poses, 1, 3)) * 1000 + rng.normal(
        size=points.shape
    ) * 60


def residual(points: np.ndarray, target: np.ndarray) -> np.ndarray:
    return ((points - target) ** 2).sum(axis=(-1, -2))


@given(st.integers(0, 10**6))
def test_a_similarity_is_undone(seed):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(3, 5, 3)) * 400
    turns = Rotation.from_rotvec(rng.normal(size=(3, 3)) * 2)
    factor, shift = rng.uniform(0.1, 10, 3), rng.normal(size=(3, 3)) * 1e4
    target = (
        factor[:, None, None] * (points @ turns.as_matrix().transpose(0, 2, 1)) + shift[:, None]
    )
    found = similarity(points, target)
    np.testing.assert_allclose(found.rotation, turns.as_matrix(), atol=1e-7)
    np.testing.assert_allclose(found.scale, factor, rtol=1e-7)
    np.testing.assert_allclose(found.shift, shift, atol=1e-4)
    np.testing.assert_allclose(found.apply(points), target, atol=1e-5)


def test_residual_with_scale_and_reflection_is_scipys():
    """SciPy normalises both sides and lets mirror images pass."""
    points, target = pair(1)
    points[::2, :, 0] *= -1
    moved = align(points, target, reflection=True)
    for ours, p, t in zip(residual(moved, target), points, target, strict=True):
        _, _, disparity = procrustes(t, p)
        assert ours == pytest.approx(disparity * ((t - t.mean(axis=0)) ** 2).sum(), rel=1e-9)


def test_rotation_without_scale_is_scipys():
    """SciPy's has no shift and allows no mirror image; some of these would be better mirrored."""
    points, target = pair(2)
    points[::2, :, 1] *= -1
    found = similarity(points, target, scale=False)
    assert (found.scale == 1).all()
    np.testing.assert_allclose(np.linalg.det(found.rotation), 1)
    for turn, p, t in zip(found.rotation, points, target, strict=True):
        expected = Rotation.align_vectors(t - t.mean(axis=0), p - p.mean(axis=0))[0]
        np.testing.assert_allclose(turn, expected.as_matrix(), atol=1e-9)


def test_the_scale_is_the_best_one():
    points, target = pair(3)
    points[..., 0] *= -1  # mirrored, so that the smallest singular value enters with a minus
    found = similarity(points, target)
    best = residual(found.apply(points), target)
    for factor in (0.99, 1.01):
        centre = target.mean(axis=1, keepdims=True)
        assert (residual(centre + factor * (found.apply(points) - centre), target) > best).all()


def test_a_mirror_image_fits_only_when_asked_for():
    points, _ = pair(4)
    mirrored = points * [-1, 1, 1]
    assert residual(align(mirrored, points, reflection=True), points).max() < 1e-12
    assert residual(align(mirrored, points), points).min() > 1000


def test_where_the_points_lie_does_not_matter():
    points, target = pair(5)
    turn = Rotation.from_euler("xyz", [20, 130, -70], degrees=True).as_matrix()
    moved = 3.7 * points @ turn.T + [1e4, -2e4, 5e3]
    np.testing.assert_allclose(align(moved, target), align(points, target), atol=1e-6)


def test_order_of_joints_and_poses_does_not_matter():
    points, target = pair(6)
    order = np.random.default_rng(0).permutation(17)
    expected = align(points, target)
    np.testing.assert_allclose(align(points[:, order], target[:, order]), expected[:, order])
    np.testing.assert_allclose(align(points[::-1], target[::-1]), expected[::-1])
    np.testing.assert_allclose(align(points[2], target[2]), expected[2])


def test_only_counting_joints_enter_and_all_are_moved():
    points, target = pair(7)
    valid = np.ones(points.shape[:2], bool)
    valid[:, [3, 9]] = False
    target[0, 4] = np.nan
    points[1, 5] = np.nan
    moved = align(points, target, valid)
    wild = target.copy()
    wild[:, [3, 9]] = 1e6
    np.testing.assert_array_equal(align(points, wild, valid), moved)
    kept = [j for j in range(17) if j not in (3, 9, 4)]
    only = similarity(points[0, kept], target[0, kept])
    np.testing.assert_allclose(moved[0], only.apply(points[0]), atol=1e-9)
    assert np.isnan(moved).any(axis=-1).sum() == 1 and np.isnan(moved[1, 5]).all()


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_joints_are_only_shifted(count):
    points, target = pair(8)
    valid = np.zeros(points.shape[:2], bool)
    valid[:, :count] = True
    found = similarity(points, target, valid)
    assert (found.rotation == np.eye(3)).all() and (found.scale == 1).all()
    shift = (target[:, :count] - points[:, :count]).mean(axis=1)
    np.testing.assert_allclose(found.shift, shift, atol=1e-9)


def test_equal_points_go_to_the_middle_and_equal_targets_draw_points_in():
    points, target = pair(9)
    same = np.broadcast_to(points[:, :1], points.shape)
    found = similarity(np.round(same), target)
    assert (found.rotation == np.eye(3)).all() and (found.scale == 1).all()
    centre = np.broadcast_to(target.mean(axis=1, keepdims=True), target.shape)
    np.testing.assert_allclose(found.apply(np.round(same)), centre, atol=1e-9)
    np.testing.assert_allclose(align(points, np.round(same)), np.round(same), atol=1e-9)


def test_points_on_a_line_are_laid_on_a_line():
    along = np.linspace(-1, 1, 5)[:, None]
    turned = align(along * [100.0, 0, 0], along * [0, 50.0, 0] + 7)
    np.testing.assert_allclose(turned, along * [0, 50.0, 0] + 7, atol=1e-9)


def test_nothing_to_align_gives_nothing():
    points, target = pair(10)
    assert np.isnan(align(points, target, np.zeros(points.shape[:2], bool))).all()
    assert align(points[:0], target[:0]).shape == (0, 17, 3)


def test_shapes_that_do_not_fit_are_refused():
    points, target = pair(11)
    for wrong in (target[:, :16], target[..., :2], target[:2]):
        with pytest.raises(ValueError, match=r"not both \(\.\.\., J, 3\)"):
            align(points, wrong)
    with pytest.raises(ValueError, match="valid is"):
        align(points, target, np.ones(17, bool))
