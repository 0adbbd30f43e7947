"""PCK against closed forms, and against what must not change it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacked_hourglass.pck import (
    annotated_counts,
    annotation_mean,
    area_under_curve,
    head_sizes,
    joint_mean,
    normalised_distances,
    pck,
    torso_lengths,
)
from utils.skeletons import LSP_14

THRESHOLDS = np.linspace(0, 0.5, 51)


def random_people(seed: int = 0, people: int = 20) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predictions, truth (N, 14, 2) with gaps in both, and lengths (N,); multiples of 1/4."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2000, (people, 14, 2)) / 4
    predictions = truth + rng.integers(-100, 100, truth.shape) / 4
    truth[rng.random((people, 14)) < 0.1] = np.nan
    predictions[rng.random((people, 14)) < 0.1] = np.nan
    return predictions, truth, rng.integers(20, 100, people).astype(float)


def test_head_size_is_six_tenths_of_the_diagonal():
    boxes = np.array([[[10, 20], [40, 60]], [[40, 60], [10, 20]]])
    assert head_sizes(boxes) == pytest.approx([30, 30])


def test_torso_runs_from_left_shoulder_to_right_hip():
    joints = np.full((1, 14, 2), np.nan)
    joints[0, LSP_14.index("left_shoulder")] = (7, 1)
    joints[0, LSP_14.index("right_hip")] = (4, 5)
    assert torso_lengths(joints, LSP_14) == pytest.approx([5])


@pytest.mark.parametrize(("share", "expected"), [(0.0, 100), (0.25, 100), (0.5, 100), (0.51, 0)])
def test_shifted_prediction_is_right_up_to_and_including_the_threshold(share, expected):
    _, truth, lengths = random_people()
    shift = share * lengths[:, None, None] * np.array([0.6, 0.8])
    distances = normalised_distances(truth + shift, truth, lengths)
    assert np.nanmax(np.abs(distances - share)) < 1e-12
    # Rounding may carry a distance just over the threshold that it should be equal to.
    assert pck(distances - 1e-9, np.array([0.5])) == pytest.approx(np.full((1, 14), expected))


def test_the_threshold_itself_counts():
    assert pck(np.array([[0.5], [np.nextafter(0.5, 1)]]), np.array([0.5])) == 50


def test_missing_prediction_is_wrong_and_missing_annotation_is_not_counted():
    truth = np.zeros((4, 2, 2))
    predictions = np.zeros((4, 2, 2))
    predictions[0, 0, 1] = np.nan
    truth[1, 0] = np.nan
    truth[:, 1] = np.nan
    distances = normalised_distances(predictions, truth, np.ones(4))
    assert annotated_counts(distances).tolist() == [3, 0]
    scores = pck(distances, np.array([0.5, 1e9]))
    assert scores[:, 0] == pytest.approx([200 / 3, 200 / 3])
    assert np.isnan(scores[:, 1]).all()


def test_means_weigh_joints_and_annotations():
    scores, counts = np.array([100.0, 50.0, np.nan]), np.array([30, 10, 0])
    assert joint_mean(scores) == pytest.approx(75)
    assert annotation_mean(scores, counts) == pytest.approx(87.5)
    assert np.isnan(joint_mean(np.full(3, np.nan)))
    assert np.isnan(annotation_mean(np.full(3, np.nan), np.zeros(3, int)))


def test_weighted_mean_is_the_share_of_all_labels():
    distances = normalised_distances(*random_people(3))
    labels = distances[~np.isnan(distances)]
    scores = pck(distances, THRESHOLDS)
    mean = annotation_mean(scores, annotated_counts(distances))
    assert mean == pytest.approx([100 * (labels <= t).mean() for t in THRESHOLDS])


def test_area_under_a_perfect_a_straight_and_a_late_curve():
    assert area_under_curve(np.full(51, 100.0), THRESHOLDS) == pytest.approx(100)
    assert area_under_curve(np.linspace(0, 80, 51), THRESHOLDS) == pytest.approx(40)
    step = pck(np.array([[0.2501]]), THRESHOLDS)
    # Right from 0.26 on: 24 whole intervals of 50, and half of the one before.
    assert area_under_curve(step, THRESHOLDS) == pytest.approx([100 * 24.5 / 50])


@pytest.mark.parametrize(
    ("shapes", "lengths"),
    [
        (((3, 14, 2), (3, 16, 2)), np.ones(3)),
        (((3, 14, 2), (3, 14, 2)), np.ones(2)),
        (((2, 14, 2), (2, 14, 2)), np.array([1.0, 0.0])),
        (((2, 14, 2), (2, 14, 2)), np.array([1.0, np.nan])),
    ],
)
def test_shapes_and_lengths_are_checked(shapes, lengths):
    with pytest.raises(ValueError, match=r"shapes differ|positive"):
        normalised_distances(np.zeros(shapes[0]), np.zeros(shapes[1]), lengths)


@given(
    seed=st.integers(0, 2**32 - 1),
    exponent=st.integers(-4, 4),
    move=st.tuples(st.integers(-5000, 5000), st.integers(-5000, 5000)),
)
def test_moving_and_scaling_everything_changes_nothing(seed, exponent, move):
    """Powers of two and whole moves, so that even the last bit must agree."""
    predictions, truth, lengths = random_people(seed, people=4)
    scale = 2.0**exponent
    plain = normalised_distances(predictions, truth, lengths)
    moved = normalised_distances(predictions * scale + move, truth * scale + move, lengths * scale)
    np.testing.assert_array_equal(pck(moved, THRESHOLDS), pck(plain, THRESHOLDS))
    np.testing.assert_array_equal(moved, plain)


@given(seed=st.integers(0, 2**32 - 1))
def test_more_distance_never_scores_less(seed):
    curves = pck(normalised_distances(*random_people(seed, people=6)), THRESHOLDS)
    present = curves[:, ~np.isnan(curves[0])]
    assert (np.diff(present, axis=0) >= 0).all()
    assert ((present >= 0) & (present <= 100)).all()


@given(seed=st.integers(0, 2**32 - 1), order=st.permutations(range(6)))
def test_order_of_people_does_not_matter(seed, order):
    predictions, truth, lengths = random_people(seed, people=6)
    shuffled = normalised_distances(predictions[order], truth[order], lengths[order])
    plain = normalised_distances(predictions, truth, lengths)
    np.testing.assert_array_equal(pck(shuffled, THRESHOLDS), pck(plain, THRESHOLDS))
