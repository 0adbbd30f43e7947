"""Frame rates: polynomials, ways there and back, gaps, times that are not even."""

import numpy as np
import pytest

from twod_threed.temporal.resampling import MAX_GAP, even_times, resample


def motion(times: np.ndarray) -> np.ndarray:
    """(T, 4, 3), smooth: 300 mm to and fro at 0.4, 0.9, 1.6 and 2.5 Hz."""
    rates = np.array([0.4, 0.9, 1.6, 2.5])[:, None]
    return 300 * np.sin(2 * np.pi * rates * times[:, None, None] + np.arange(3))


@pytest.mark.parametrize(
    ("there", "back", "most"),
    [(60, 25, 2.0), (50, 25, 2.0), (120, 30, 1.0), (24, 60, 0.05), (25, 50, 0.01), (30, 29.97, 8)],
)
def test_there_and_back_is_the_same_motion(there, back, most):
    times = np.arange(3 * there) / there
    between = even_times(times, back)
    points = motion(times)
    found = resample(resample(points, times, between), between, times)
    assert np.isfinite(found).all()
    assert np.abs(found - points).max() < most
    # Away from the ends, where a spline has points on one side alone, it is much nearer.
    middle = slice(len(times) // 5, -(len(times) // 5))
    assert np.abs(found - points)[middle].max() < most / 2 or most < 0.1


def test_a_variable_rate_is_brought_to_an_even_one_and_back():
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.01, 0.05, 120))
    between = even_times(times, 50)
    np.testing.assert_allclose(resample(motion(times), times, between), motion(between), atol=4)
    back = resample(resample(motion(times), times, between), between, times)
    np.testing.assert_allclose(back, motion(times), atol=4)


@pytest.mark.parametrize(("interpolation", "degree"), [("cubic", 3), ("linear", 1)])
def test_polynomials_are_met_exactly(interpolation, degree):
    times = np.sort(np.random.default_rng(1).uniform(0, 1, 20))
    wanted = np.linspace(times[0], times[-1], 33)

    def polynomial(t: np.ndarray) -> np.ndarray:
        result = np.zeros((len(t), 1, 2))
        for power in range(degree + 1):
            result += (power + 1) * t[:, None, None] ** power * [1.0, -2.0]
        return result

    found = resample(polynomial(times), times, wanted, interpolation, max_gap=1.0)
    np.testing.assert_allclose(found, polynomial(wanted), atol=1e-9)


@pytest.mark.parametrize("interpolation", ["cubic", "linear"])
def test_known_times_give_their_points(interpolation):
    times = np.arange(30) / 25
    points = motion(times).astype(np.float32)
    found = resample(points, times, times[::3], interpolation)
    np.testing.assert_allclose(found, points[::3], atol=1e-3)
    assert found.dtype == np.float32


def test_linear_never_leaves_the_range_of_its_points():
    times, steps = np.arange(10) / 10, np.zeros((10, 1, 2))
    steps[5:] = 1
    wanted = np.linspace(0, 0.9, 73)
    linear, cubic = (resample(steps, times, wanted, how) for how in ("linear", "cubic"))
    assert linear.min() == 0 and linear.max() == 1
    assert cubic.min() < 0 and cubic.max() > 1


def test_even_times_meet_both_ends_at_nearly_the_rate():
    times = np.arange(61) / 60
    found = even_times(times, 25)
    assert (found[0], found[-1], len(found)) == (0, 1, 26)
    found = even_times(times[:50] + 3, 25)
    np.testing.assert_allclose(found[[0, -1]], [3, 3 + 49 / 60])
    np.testing.assert_allclose(np.diff(found), 1 / 25, rtol=0.05)
    np.testing.assert_array_equal(even_times(np.array([2.5]), 25), [2.5])
    assert len(even_times(np.array([0, 0.001]), 25)) == 2


def test_a_gap_stays_a_gap_and_other_joints_do_not_mind():
    times = np.arange(120) / 60
    wanted = even_times(times, 25)
    points = motion(times)
    points[50:70, 1] = np.nan
    found = resample(points, times, wanted)
    absent = np.asarray(np.isnan(found).any(axis=-1))
    assert not absent[:, [0, 2, 3]].any()
    np.testing.assert_array_equal(absent[:, 1], (wanted > times[49]) & (wanted < times[70]))
    np.testing.assert_array_equal(found[:, 2], resample(motion(times), times, wanted)[:, 2])
    back = np.isnan(resample(found, wanted, times)[:, 1, 0])
    assert back[50:70].all()
    assert not back[: 50 - 3].any() and not back[70 + 3 :].any()


def test_nothing_is_made_up_before_the_first_and_after_the_last_sight():
    times = np.arange(20) / 10
    points = motion(times)
    points[:5, 0] = points[15:, 0] = np.nan
    wanted = np.linspace(-0.3, 2.5, 57)
    found = np.asarray(np.isfinite(resample(points, times, wanted)).all(axis=-1))
    np.testing.assert_array_equal(found[:, 0], (wanted >= times[5]) & (wanted <= times[14]))
    np.testing.assert_array_equal(found[:, 1], (wanted >= 0) & (wanted <= times[-1]))


def test_frames_that_are_far_apart_have_nothing_between_them():
    times = np.concatenate([np.arange(10), 10 + 2 * MAX_GAP * 25 + np.arange(10)]) / 25
    wanted = np.linspace(times[0], times[-1], 101)
    found = resample(motion(times), times, wanted)
    between = (wanted > times[9]) & (wanted < times[10])
    assert between.any()
    np.testing.assert_array_equal(np.isnan(found).any(axis=(1, 2)), between)
    assert np.isfinite(resample(motion(times), times, wanted, max_gap=1.0)).all()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_points_make_a_line(count):
    times = np.arange(6) / 25
    points = np.full((6, 1, 2), np.nan)
    points[2 : 2 + count, 0] = np.arange(count)[:, None]
    wanted = np.linspace(times[2], times[1 + count], 2 * count - 1)
    found = resample(points, times, wanted)
    expected = np.arange(2 * count - 1)[:, None] / 2
    np.testing.assert_allclose(found[:, 0], np.repeat(expected, 2, axis=1), atol=1e-12)


@pytest.mark.parametrize(
    ("points", "times"),
    [
        (np.zeros((3, 1, 2)), np.array([0.0, 0.2, 0.1])),
        (np.zeros((3, 1, 2)), np.array([0.0, 0.1, 0.1])),
        (np.zeros((3, 1, 2)), np.array([0.0, 0.1, np.nan])),
        (np.zeros((4, 1, 2)), np.array([0.0, 0.1, 0.2])),
        (np.zeros((3, 2)), np.array([0.0, 0.1, 0.2])),
    ],
)
def test_times_that_do_not_rise_or_fit_are_refused(points, times):
    with pytest.raises(ValueError, match=r"rise|shape"):
        resample(points, times, np.array([0.05]))


def test_a_rate_must_be_positive():
    with pytest.raises(ValueError, match="frames per second"):
        even_times(np.arange(3) / 25, 0)
