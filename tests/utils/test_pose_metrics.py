"""Errors of 3D poses: closed forms, SciPy, what they do not depend on, and lost joints."""

import numpy as np
import pytest
from scipy.spatial import procrustes
from scipy.spatial.transform import Rotation

from utils.pose_metrics import (
    AUC_THRESHOLDS,
    aligned_errors,
    auc_3d,
    hip_relative,
    joint_errors,
    joint_mean,
    missing,
    mpjpe,
    n_mpjpe,
    p_mpjpe,
    pck_3d,
    pck_curve,
    pose_mean,
    scaled_errors,
    velocity_errors,
)


def truth_and_noise(seed: int = 0, poses: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(poses, 17, 3)) * 300
    predictions = truth + rng.normal(size=truth.shape) * 50
    truth[:, 0] = predictions[:, 0] = 0
    return predictions, truth


def test_a_moved_pose_is_as_far_as_it_was_moved():
    _, truth = truth_and_noise()
    moved = truth + np.array([30, -40, 120])
    np.testing.assert_allclose(joint_errors(moved, truth), 130)
    assert mpjpe(truth + np.array([0, 3, 4]), truth) == pytest.approx(5)
    assert p_mpjpe(moved, truth) == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(joint_errors(hip_relative(moved, 0), truth), 0, atol=1e-9)


def test_the_hip_is_one_of_the_seventeen():
    predictions, truth = truth_and_noise()
    errors = joint_errors(predictions, truth)
    assert (errors[:, 0] == 0).all()
    assert mpjpe(predictions, truth) == pytest.approx(errors[:, 1:].mean() * 16 / 17)


def test_a_scaled_pose_has_no_error_once_scaled():
    _, truth = truth_and_noise()
    np.testing.assert_allclose(
        joint_errors(1.1 * truth, truth), 0.1 * np.linalg.norm(truth, axis=-1)
    )
    np.testing.assert_allclose(scaled_errors(1.1 * truth, truth), 0, atol=1e-9)
    assert p_mpjpe(1.1 * truth, truth) == pytest.approx(0, abs=1e-6)


def test_a_turned_pose_has_no_error_once_aligned():
    _, truth = truth_and_noise()
    turned = truth @ Rotation.from_rotvec(np.arange(15).reshape(5, 3) / 5).as_matrix()
    assert p_mpjpe(0.3 * turned + 70, truth) == pytest.approx(0, abs=1e-6)
    assert n_mpjpe(turned, truth) > 100
    assert p_mpjpe(truth * [1, 1, -1], truth) > 100  # a mirror image is another pose


def test_the_scale_of_n_mpjpe_is_the_least_squares_one():
    predictions, truth = truth_and_noise()
    for p, t, errors in zip(predictions, truth, scaled_errors(predictions, truth), strict=True):
        best = np.linalg.lstsq(p.reshape(-1, 1), t.reshape(-1))[0]
        np.testing.assert_allclose(errors, np.linalg.norm(best * p - t, axis=-1), rtol=1e-5)


def test_aligned_squares_are_scipys():
    predictions, truth = truth_and_noise()
    errors = aligned_errors(predictions, truth)
    for p, t, e in zip(predictions, truth, errors, strict=True):
        _, _, disparity = procrustes(t, p)
        assert (e**2).sum() == pytest.approx(disparity * ((t - t.mean(axis=0)) ** 2).sum())


def test_order_does_not_matter():
    predictions, truth = truth_and_noise()
    order = np.random.default_rng(1).permutation(17)
    for measure in (joint_errors, aligned_errors, scaled_errors):
        expected = measure(predictions, truth)
        found = measure(predictions[::-1, order], truth[::-1, order])
        np.testing.assert_allclose(found, expected[::-1, order])


def test_joints_that_do_not_count_have_no_influence():
    predictions, truth = truth_and_noise()
    valid = np.ones(truth.shape[:2], bool)
    valid[:, 10] = False
    absent = truth.copy()
    absent[:, 10] = np.nan
    wild = predictions.copy()
    wild[:, 10] = 1e5
    kept = np.delete(np.arange(17), 10)
    for measure in (joint_errors, aligned_errors, scaled_errors):
        expected = measure(predictions[:, kept], truth[:, kept])
        for found in (measure(wild, truth, valid), measure(wild, absent)):
            assert np.isnan(found[:, 10]).all()
            np.testing.assert_allclose(found[:, kept], expected)


def test_every_pose_weighs_the_same():
    predictions = np.zeros((2, 17, 3))
    truth = np.zeros((2, 17, 3))
    truth[0, :, 0], truth[1, :, 1] = 10, 40
    truth[1, 3:] = np.nan
    assert mpjpe(predictions, truth) == 25
    truth[1] = np.nan
    assert mpjpe(predictions, truth) == 10
    assert np.isnan(mpjpe(predictions, np.full_like(truth, np.nan)))


def test_a_lost_joint_is_taken_to_be_at_the_hip():
    predictions, truth = truth_and_noise()
    zero = predictions.copy()
    zero[0], zero[1, 5] = 0, 0
    predictions[0], predictions[1, 5, 2] = np.nan, np.nan
    for measure in (joint_errors, aligned_errors, scaled_errors):
        np.testing.assert_array_equal(measure(predictions, truth), measure(zero, truth))
    lengths = np.linalg.norm(truth[0], axis=-1)
    np.testing.assert_allclose(joint_errors(predictions, truth)[0], lengths)
    np.testing.assert_allclose(scaled_errors(predictions, truth)[0], lengths)
    from_centre = np.linalg.norm(truth[0] - truth[0].mean(axis=0), axis=-1)
    np.testing.assert_allclose(aligned_errors(predictions, truth)[0], from_centre)


def test_missing_counts_lost_joints_that_count():
    predictions, truth = truth_and_noise()
    predictions[0], predictions[1, 5, 2], predictions[2, 3] = np.nan, np.nan, np.nan
    truth[2, 3] = np.nan
    lost = missing(predictions, truth)
    assert np.nansum(lost) == 18 and lost[1, 5] == 1 and np.isnan(lost[2, 3])


def test_a_lost_joint_is_never_right():
    errors = np.array([[0.0, 149.9, 150.0, np.nan, 10.0]])
    lost = np.array([[0.0, 0, 0, np.nan, 1]])
    np.testing.assert_array_equal(pck_3d(errors, lost), [[100, 100, 0, np.nan, 0]])
    np.testing.assert_array_equal(pck_3d(errors, lost, 200)[0, :3], [100, 100, 100])
    assert auc_3d(errors, lost)[0, 4] == 0
    assert pck_curve(errors, lost)[0, -1] == 50


def test_auc_is_the_mean_of_the_curve():
    rng = np.random.default_rng(3)
    errors = np.round(rng.uniform(0, 200, (50, 17)))  # many lie on a threshold
    lost = (rng.uniform(size=errors.shape) < 0.1).astype(float)
    errors[rng.uniform(size=errors.shape) < 0.1] = np.nan
    within = [pose_mean(pck_3d(errors, lost, t)) for t in AUC_THRESHOLDS]
    np.testing.assert_allclose(pck_curve(errors, lost).mean(axis=0), within)
    assert pose_mean(auc_3d(errors, lost)) == pytest.approx(np.mean(within))


def test_known_areas():
    """Thresholds 0, 5, ... 150: an error of 0 is below 30 of 31, one of 75 below 15."""
    errors = np.array([[0.0, 75.0, 149.0, 150.0, 1e6]])
    np.testing.assert_allclose(
        auc_3d(errors, np.zeros_like(errors))[0], np.array([30, 15, 1, 0, 0]) / 31 * 100
    )


def test_velocity_error_of_a_drift_is_the_drift():
    _, truth = truth_and_noise(poses=8)
    frame = np.array([0, 1, 2, 3, 0, 1, 3, 4])
    clip = np.array(["a"] * 4 + ["b"] * 4)
    drift = frame[:, None, None] * np.array([3.0, 0, 4.0])
    errors = velocity_errors(truth + drift, truth, clip, frame)
    has_one_before = [False, True, True, True, False, True, False, True]
    np.testing.assert_array_equal(~np.isnan(errors).all(axis=1), has_one_before)
    np.testing.assert_allclose(errors[has_one_before], 5)
    assert pose_mean(velocity_errors(truth + 100, truth, clip, frame)) == pytest.approx(0, abs=1e-9)
    shuffled = np.random.default_rng(0).permutation(8)
    again = velocity_errors(
        (truth + drift)[shuffled], truth[shuffled], clip[shuffled], frame[shuffled]
    )
    np.testing.assert_allclose(again, errors[shuffled])


def test_velocity_needs_the_joint_in_both_frames():
    predictions, truth = truth_and_noise(poses=3)
    truth[1, 4] = np.nan
    errors = velocity_errors(predictions, truth, np.zeros(3, int), np.arange(3))
    assert np.isnan(errors[:, 4]).all() and np.isfinite(errors[1:, 5]).all()
    assert velocity_errors(predictions[:0], truth[:0], np.zeros(0), np.zeros(0)).shape == (0, 17)


def test_means_leave_out_what_is_not_there():
    values = np.array([[1.0, np.nan, 3], [np.nan, np.nan, np.nan]])
    np.testing.assert_array_equal(joint_mean(values), [2, np.nan])


def test_shapes_that_do_not_fit_are_refused():
    predictions, truth = truth_and_noise()
    for measure in (joint_errors, aligned_errors, scaled_errors):
        with pytest.raises(ValueError, match=r"not both \(N, J, 3\)"):
            measure(predictions[:, 1:], truth)
        with pytest.raises(ValueError, match="valid is"):
            measure(predictions, truth, np.ones(17, bool))
