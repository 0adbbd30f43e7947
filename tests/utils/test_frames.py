"""Frame rates and times of films."""

import numpy as np
import pytest

from utils.frames import film_times, frame_rate


@pytest.mark.parametrize("rate", [23.976, 24, 29.97, 30, 60])
def test_times_in_whole_milliseconds_give_the_rate(rate: float) -> None:
    times = np.round(np.arange(300) / rate, 3)
    assert frame_rate(times, 25) == pytest.approx(rate, rel=1e-3)


def test_gaps_do_not_slow_a_film_and_unknown_times_tell_nothing() -> None:
    times = np.concatenate([np.arange(10), np.arange(100, 110)]) / 20
    assert frame_rate(times, 25) == pytest.approx(20)
    for times in (np.full(3, np.nan), np.zeros(3), np.zeros(1), np.zeros(0)):
        assert frame_rate(times, 25) == 25


def test_only_times_that_rise_are_those_of_a_film() -> None:
    rising = np.array([2.0, 2.1, 7.0])
    assert (film_times(rising, 25) == rising).all()
    for times in (np.full(3, np.nan), np.zeros(3), np.array([0.0, np.nan, 1.0])):
        assert film_times(times, 25).tolist() == [0, 0.04, 0.08]
