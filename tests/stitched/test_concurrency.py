"""Work beside other work: the same as one after another, but for the threads."""

import threading
import time

import pytest

from stitched.concurrency import Behind, ahead


def test_items_come_in_order_and_no_more_than_so_many_ahead():
    made = []

    def make():
        for i in range(20):
            made.append(i)
            yield i

    came = []
    for item in ahead(make(), 3):
        time.sleep(0.002)
        assert len(made) <= len(came) + 1 + 3
        came.append(item)
    assert came == list(range(20))


def test_nothing_and_less_than_is_wanted_ahead():
    assert list(ahead([])) == []
    assert list(ahead([1], 5)) == [1]


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
def test_what_goes_wrong_is_raised_in_its_place(kind):
    def make():
        yield 1
        yield 2
        raise kind("stop")

    came = []
    with pytest.raises(kind):
        for item in ahead(make(), 4):
            came.append(item)
    assert came == [1, 2]


def test_closed_early_it_leaves_no_thread_that_reads():
    made = []

    def make():
        for i in range(1000):
            made.append(i)
            yield i

    before = threading.active_count()
    items = ahead(make())
    assert next(items) == 0
    items.close()
    count = len(made)
    assert threading.active_count() == before
    assert count < 10 and len(made) == count


def test_calls_run_in_order_in_one_other_thread_and_are_done_at_the_end():
    done = []
    with Behind(2) as behind:
        for i in range(10):
            behind(lambda i=i: done.append((i, threading.get_ident())))
    assert [i for i, _ in done] == list(range(10))
    assert len({thread for _, thread in done}) == 1
    assert done[0][1] != threading.get_ident()


def test_caller_waits_when_too_much_is_left():
    gate = threading.Event()
    given = []

    def give():
        with Behind(2) as behind:
            for i in range(5):
                behind(gate.wait)
                given.append(i)

    caller = threading.Thread(target=give)
    caller.start()
    time.sleep(0.05)
    assert len(given) == 2
    gate.set()
    caller.join()
    assert len(given) == 5


def test_what_a_call_raises_reaches_the_caller():
    def fail():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"), Behind(1) as behind:
        behind(fail)
        behind(lambda: None)
        raise AssertionError("the second call must not be taken")
    with pytest.raises(ValueError, match="no"), Behind(5) as behind:
        behind(fail)


def test_an_error_of_the_caller_is_the_one_that_is_told():
    def fail():
        raise ValueError("no")

    with pytest.raises(KeyError), Behind() as behind:
        behind(fail)
        raise KeyError
