"""Smoothing of 2D poses: closed forms, SciPy, units that do not depend on the picture."""

import math

import numpy as np
import pytest
from scipy.signal import savgol_filter

from twod_threed.temporal.smoothing import OneEuroFilter, one_euro, savitzky_golay

RATE = 30.0
SMOOTHERS = [
    lambda points: one_euro(points, even(points)),
    lambda points: savitzky_golay(points, even(points)),
]


def even(points: np.ndarray, rate: float = RATE) -> np.ndarray:
    """Times (T,) s of points (T, ...)."""
    return np.arange(len(points)) / rate


def share(cutoff: float, seconds: float) -> float:
    """The paper's alpha."""
    tau = 1 / (2 * math.pi * cutoff)
    return 1 / (1 + tau / seconds)


def sine(frames: int = 90, joints: int = 3, jitter: float = 0.0, seed: int = 0) -> np.ndarray:
    """(frames, joints, 2) px about places 400 px apart, moving to and fro in two seconds."""
    t = np.arange(frames)[:, None, None] / RATE
    place = 400.0 * np.arange(joints)[:, None] * [0, 1]
    moving = 60 * np.sin(np.pi * t + np.arange(2))
    return place + moving + np.random.default_rng(seed).normal(0, jitter, (frames, joints, 2))


@pytest.mark.parametrize("smooth", SMOOTHERS)
def test_a_constant_passes_unchanged(smooth):
    points = np.full((40, 3, 2), 7.25) + np.arange(3)[:, None]
    np.testing.assert_allclose(smooth(points), points, atol=1e-10)


@pytest.mark.parametrize("smooth", SMOOTHERS)
def test_jitter_is_reduced_and_the_motion_is_kept(smooth):
    exact, noisy = sine(), sine(jitter=8.0)
    found = smooth(noisy)
    jerk = np.diff(noisy - exact, axis=0).std()
    assert np.diff(found - exact, axis=0).std() < 0.65 * jerk
    assert (found - exact).std() < 0.9 * (noisy - exact).std()


@pytest.mark.parametrize("smooth", SMOOTHERS)
def test_what_is_missing_stays_missing_and_changes_no_other_joint(smooth):
    whole, points = sine(jitter=3.0), sine(jitter=3.0)
    # The joint in the middle does not make the person larger or smaller.
    points[10:14, 1] = points[:3, 1] = np.nan
    found = smooth(points)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(points))
    np.testing.assert_array_equal(found[:, [0, 2]], smooth(whole)[:, [0, 2]])
    nobody = np.full_like(points, np.nan)
    assert np.isnan(smooth(nobody)).all()


@pytest.mark.parametrize("smooth", SMOOTHERS)
def test_neither_resolution_nor_place_matter(smooth):
    points = sine(jitter=5.0)
    np.testing.assert_allclose(smooth(3 * points + 100), 3 * smooth(points) + 100, atol=1e-8)
    turned = points[..., ::-1] * [1, -1]
    np.testing.assert_allclose(smooth(turned), smooth(points)[..., ::-1] * [1, -1], atol=1e-8)


@pytest.mark.parametrize("smooth", SMOOTHERS)
def test_the_type_is_kept(smooth):
    assert smooth(sine().astype(np.float32)).dtype == np.float32


def test_one_euro_answers_a_step_as_a_first_order_low_pass():
    points = np.zeros((20, 1, 2))
    points[1:, 0, 0] = 1.0
    found = one_euro(points, even(points), min_cutoff=2.0, beta=0.0)
    alpha = share(2.0, 1 / RATE)
    expected = 1 - (1 - alpha) ** np.arange(20)
    np.testing.assert_allclose(found[:, 0], np.stack([expected, 0 * expected], axis=1))


def test_one_euro_follows_the_papers_algorithm():
    """Against the algorithm, written for one joint with plain numbers."""
    points, beta, cutoff = sine(jitter=4.0), 9.0, 1.2
    found = one_euro(points, even(points), min_cutoff=cutoff, beta=beta)
    size, place, speed = None, points[0, 1], np.zeros(2)
    for frame, joints in enumerate(points):
        extent = max(
            joints[:, 0].max() - joints[:, 0].min(), joints[:, 1].max() - joints[:, 1].min()
        )
        size = extent if size is None else size + share(0.2, 1 / RATE) * (extent - size)
        speed = speed + share(1.0, 1 / RATE) * ((joints[1] - place) * RATE - speed)
        alpha = share(cutoff + beta * math.hypot(*speed) / size, 1 / RATE)
        place = place + alpha * (joints[1] - place)
        np.testing.assert_allclose(found[frame, 1], place, atol=1e-9)


def test_one_euro_frame_by_frame_is_one_euro_at_once():
    points = sine(jitter=4.0)
    points[20:25, 1] = np.nan
    confidence = np.random.default_rng(1).uniform(0, 1, points.shape[:2])
    live, times = OneEuroFilter(), even(points)
    frames = [live.push(*one) for one in zip(points, times.tolist(), confidence, strict=True)]
    np.testing.assert_array_equal(np.stack(frames), one_euro(points, times, confidence))
    live.reset()
    np.testing.assert_array_equal(live.push(points[7], 0.0), points[7])


def test_one_euro_depends_on_the_past_alone():
    points, changed = sine(jitter=4.0), sine(jitter=4.0)
    changed[50:] += 80
    before, after = one_euro(points, even(points)), one_euro(changed, even(points))
    np.testing.assert_array_equal(before[:50], after[:50])
    assert (before[50] != after[50]).all()


def test_one_euro_counts_the_time_that_a_joint_was_away():
    points = np.zeros((8, 1, 2))
    points[2:5] = np.nan
    points[5:] = 10.0
    found = one_euro(points, even(points), min_cutoff=1.0, beta=0.0)
    np.testing.assert_allclose(found[5], 10 * share(1.0, 4 / RATE))


def test_one_euro_goes_by_the_time_of_each_frame():
    times = np.array([0, 0.03, 0.23, 0.3])
    points = np.array([0.0, 1, 1, 1])[:, None, None] * [1, 0]
    found = one_euro(points, times, min_cutoff=2.0, beta=0.0)
    left = np.cumprod([1 - share(2.0, step) for step in np.diff(times)])
    np.testing.assert_allclose(found[1:, 0, 0], 1 - left)


def test_one_euro_takes_an_absent_frame_for_none_at_all():
    points = sine(jitter=4.0)
    gone = np.isin(np.arange(len(points)), [20, 21, 22, 40])
    part = one_euro(points[~gone], even(points)[~gone])
    points[gone] = np.nan
    np.testing.assert_array_equal(one_euro(points, even(points))[~gone], part)


def test_one_euro_stands_two_frames_of_one_time():
    points = sine(jitter=4.0)
    times = even(points)
    times[40] = times[39]
    found = one_euro(points, times)
    step = np.abs(points[40] - points[39]).max()
    assert np.abs(found - one_euro(points, even(points)))[40:].max() < step


def test_one_euro_believes_a_joint_as_far_as_it_is_sure():
    points = np.zeros((4, 2, 2))
    points[1:] = 1.0
    confidence = np.ones((4, 2))
    confidence[1] = [0.5, 0.0]
    found = one_euro(points, even(points), confidence, min_cutoff=3.0, beta=0.0)
    np.testing.assert_allclose(found[1], [[0.5 * share(3.0, 1 / RATE)] * 2, [0, 0]])


def test_a_fast_joint_lags_less_than_without_beta():
    t = np.arange(60)[:, None, None] / RATE
    points = np.concatenate([600 * t * [1, 0], np.zeros((60, 1, 2)), np.full((60, 1, 2), 300)], 1)
    found = [one_euro(points, even(points), beta=beta)[-1, 0, 0] for beta in (0.0, 20.0)]
    lag = points[-1, 0, 0] - found
    assert lag[1] < 0.3 * lag[0]


def sampled(rate: float) -> np.ndarray:
    """Times (T,) s of the frames that `--fps` takes of three seconds of 25 frames a second."""
    times = np.arange(75) / 25
    parts = np.floor(times * rate + 1e-6)
    return times[np.diff(parts, prepend=-1) > 0]


UNEVEN = [sampled(20), sampled(17), np.r_[np.arange(30) / 30, 1 + np.arange(20) / 10]]


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("times", [np.linspace(0, 1, 50), *UNEVEN])
def test_polynomials_pass_savitzky_golay_exactly(times, order):
    t = times[:, None, None]
    points = sum(np.array([[3.0, -2.0]]) * (k + 1) * t**k for k in range(order + 1))
    points = np.repeat(points, 2, axis=1)
    points[20:23, 1] = np.nan
    found = savitzky_golay(points, times, 0.3, order)
    np.testing.assert_allclose(found, points, atol=1e-9)


def test_savitzky_golay_is_scipys_over_an_odd_number_of_frames():
    points = sine(jitter=5.0)
    for window, frames in ((0.25, 7), (0.3, 9), (1 / 6, 5), (0.5, 15)):
        expected = np.asarray(savgol_filter(points, frames, 2, axis=0))
        found = savitzky_golay(points, even(points), window)
        np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize(
    ("rate", "frames"), [(8, 5), (10, 5), (12.5, 5), (24, 5), (25, 7), (29.97, 7), (50, 13)]
)
def test_the_window_is_a_quarter_of_a_second_and_at_least_five_frames(rate, frames):
    points = sine(jitter=5.0)
    expected = np.asarray(savgol_filter(points, frames, 2, axis=0))
    found = savitzky_golay(points, even(points, rate))
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_times_in_whole_milliseconds_are_as_even_as_others():
    points = sine(jitter=5.0)
    for rate in (25, 29.97, 60):
        times = even(points, rate)
        found = savitzky_golay(points, times.round(3))
        np.testing.assert_array_equal(found, savitzky_golay(points, times))


@pytest.mark.parametrize("times", UNEVEN)
def test_uneven_films_lose_their_jitter_and_keep_their_motion(times):
    exact = 60 * np.sin(np.pi * times[:, None, None] + np.arange(2)) + np.zeros((1, 4, 1))
    noisy = exact + np.random.default_rng(0).normal(0, 5, exact.shape)
    found = savitzky_golay(noisy, times)
    assert (found != noisy).all()
    assert (found - exact).std() < 0.8 * (noisy - exact).std()


def test_uneven_frames_are_weighted_as_their_times_say():
    """Against NumPy's fits of parabolas, frame by frame."""
    times = sampled(20)
    points = sine(frames=len(times), joints=1, jitter=5.0)[:, 0, 0]
    found = savitzky_golay(points[:, None, None], times)[:, 0, 0]
    for frame in range(len(times)):
        middle = np.clip(times[frame], times[0] + 0.125, times[-1] - 0.125)
        near = np.abs(times - middle) < 0.125 + 1e-6
        fit = np.polynomial.Polynomial.fit(times[near], points[near], 2)
        np.testing.assert_allclose(found[frame], fit(times[frame]), atol=1e-9)


def test_nothing_is_smoothed_over_a_pause():
    points = sine(frames=40, jitter=5.0)
    pauses = np.zeros(40)
    pauses[15:], pauses[30:] = 0.1, 10
    times = even(points) + pauses
    apart = [savitzky_golay(points[a:b], times[a:b]) for a, b in ((0, 15), (15, 30), (30, 40))]
    np.testing.assert_array_equal(savitzky_golay(points, times), np.concatenate(apart))


def test_frames_too_far_apart_are_left_as_they_are():
    points = sine(frames=40, jitter=5.0)
    np.testing.assert_array_equal(savitzky_golay(points, even(points, 5)), points)
    np.testing.assert_array_equal(savitzky_golay(points[:1], np.zeros(1)), points[:1])


def test_short_runs_get_shorter_windows_or_are_left():
    points = sine(frames=30, joints=1, jitter=5.0)
    points[[3, 9]] = np.nan  # runs of 3, 5 and 20 frames; the window has 7
    found = savitzky_golay(points, even(points))
    np.testing.assert_array_equal(found[:3], points[:3])
    for run, frames in ((slice(4, 9), 5), (slice(10, None), 7)):
        expected = np.asarray(savgol_filter(points[run], frames, 2, axis=0))
        np.testing.assert_allclose(found[run], expected)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda points: one_euro(points, even(points), min_cutoff=0.0),
        lambda points: one_euro(points, even(points), beta=-1.0),
        lambda points: savitzky_golay(points, even(points), window=0.0),
        lambda points: savitzky_golay(points, even(points), order=-1),
    ],
)
def test_numbers_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="no "):
        wrong(sine())
