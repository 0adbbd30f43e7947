"""Jumps and frame rates."""

import numpy as np
import pytest

from utils.mocap.clips import SHORTEST, SPEED_LIMIT, changed_rate, smooth_parts


def line(count, speed, rate=100.0):
    """One joint that moves along x at a constant speed, mm/s."""
    clip = np.zeros((count, 1, 3), np.float32)
    clip[:, 0, 0] = np.arange(count) * speed / rate
    return clip


def test_a_clip_within_the_speed_limit_stays_whole():
    assert smooth_parts(line(100, SPEED_LIMIT * 0.99), 100.0) == [slice(0, 100)]
    assert smooth_parts(line(2, 0.0), 100.0) == [slice(0, 2)], "short clips are no rest of a cut"


def test_a_clip_is_cut_where_a_joint_jumps_and_short_rests_are_dropped():
    clip = line(200, 1000.0)
    clip[60:] += SPEED_LIMIT / 100 * 1.1
    assert smooth_parts(clip, 100.0) == [slice(0, 60), slice(60, 200)]
    clip[100] += 5000.0
    assert smooth_parts(clip, 100.0) == [slice(0, 60), slice(60, 100), slice(101, 200)]
    clip[70] += 5000.0
    assert 10 < SHORTEST * 100 < 29
    assert smooth_parts(clip, 100.0) == [slice(0, 60), slice(71, 100), slice(101, 200)]


def test_joints_that_are_not_known_do_not_cut():
    clip = np.concatenate([line(50, 10.0), np.full((50, 1, 3), np.nan, np.float32)], axis=1)
    assert smooth_parts(clip, 100.0) == [slice(0, 50)]


@pytest.mark.parametrize(
    ("rate", "wanted", "count"), [(120, 60, 50), (120, 40, 34), (100, 100, 100)]
)
def test_whole_ratios_keep_frames_as_they_are(rate, wanted, count):
    clip = np.random.default_rng(0).normal(size=(100, 2, 3)).astype(np.float32)
    found = changed_rate(clip, rate, wanted)
    assert len(found) == count
    np.testing.assert_array_equal(found, clip[:: rate // wanted])


@pytest.mark.parametrize("wanted", [50.0, 29.97, 240.0, 130.0])
def test_other_ratios_interpolate_in_time(wanted):
    found = changed_rate(line(121, 1000.0, 120.0), 120.0, wanted)
    # Constant speed stays constant speed; the clip lasts one second.
    assert len(found) == int(wanted) + 1
    np.testing.assert_allclose(found[:, 0, 0], np.arange(len(found)) * 1000 / wanted, rtol=1e-4)
    assert found.dtype == np.float32


def test_a_single_frame_stays():
    assert len(changed_rate(line(1, 0.0), 120.0, 50.0)) == 1
