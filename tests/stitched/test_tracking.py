"""Who is who along a video, by boxes alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stitched.tracking import MAX_GAP, Tracker, overlap
from utils.mannequin import MannequinOptions, render_clip

BOX = st.tuples(st.floats(-50, 50), st.floats(-50, 50), st.floats(1, 60)).map(np.array)


def follow(frames, fps=10.0):
    """Numbers that a tracker gives to the boxes of each frame."""
    tracker = Tracker()
    return [tracker(np.array(boxes, float).reshape(-1, 3), i / fps) for i, boxes in frames]


def test_overlap_of_known_boxes():
    one = np.array([10.0, 10, 10])
    others = np.array([[10, 10, 10], [15, 10, 10], [20, 10, 10], [10, 10, 5], [90, 90, 10]])
    np.testing.assert_allclose(overlap(one, others), [1, 50 / 150, 0, 25 / 100, 0])


@given(BOX, BOX)
def test_overlap_is_symmetric_and_that_of_counted_area(one, other):
    def area(a, b):
        low = np.maximum(a[:2] - a[2] / 2, b[:2] - b[2] / 2)
        high = np.minimum(a[:2] + a[2] / 2, b[:2] + b[2] / 2)
        return np.clip(high - low, 0, None).prod()

    shared = area(one, other)
    expected = shared / (one[2] ** 2 + other[2] ** 2 - shared)
    assert overlap(one, other) == pytest.approx(expected, abs=1e-9)
    assert overlap(other, one) == pytest.approx(expected, abs=1e-9)


def test_two_who_cross_keep_their_numbers_whatever_the_order_of_boxes():
    rng, tracker = np.random.default_rng(0), Tracker()
    for i in range(60):
        people = np.array([[10 + 5 * i, 50, 40], [305 - 5 * i, 55, 40]], float)
        order = rng.permutation(2) if i else np.arange(2)
        np.testing.assert_array_equal(tracker(people[order], i / 25), order)


def test_somebody_is_remembered_for_a_while_and_then_new():
    here = [[50, 50, 40]]
    short = round(MAX_GAP * 10) - 1
    assert follow([(0, here), *((i, []) for i in range(1, short)), (short, here)])[-1] == [0]
    late = short + 2
    assert follow([(0, here), *((i, []) for i in range(1, late)), (late, here)])[-1] == [1]


def test_one_who_walks_on_while_unseen_is_met_where_they_should_be():
    frames = [(i, [[20 + 20 * i, 50, 40]]) for i in range(8)]
    # 5 frames later and 100 px farther: no overlap with the last box.
    after = [(13, [[20 + 20 * 13, 50, 40]])]
    assert [numbers.tolist() for numbers in follow(frames + after)] == [[0]] * 9


def test_who_is_new_gets_a_number_of_their_own():
    numbers = follow([(0, [[50, 50, 40]]), (1, [[200, 50, 40], [51, 50, 40]]), (2, [])])
    assert [one.tolist() for one in numbers] == [[0], [1, 0], []]


@pytest.mark.parametrize("seed", range(4))
def test_mannequins_who_cross_keep_their_numbers(seed):
    look = MannequinOptions(64, 64, people=2, occluders=False, degradation=False, cropped=False)
    rng, tracker, seen = np.random.default_rng(seed), Tracker(), set()
    for sample in render_clip(seed, 30, 10.0, look):
        boxes = np.stack([person.box for person in sample.people])
        order = rng.permutation(2)
        numbers = tracker(boxes[order], sample.time)
        seen |= set(zip(order.tolist(), numbers.tolist(), strict=True))
    # Each mannequin has had one number, and they differ.
    assert len(seen) == 2 and len({number for _, number in seen}) == 2
