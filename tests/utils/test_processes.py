import os
import signal
from collections.abc import Iterator

import pytest

from utils import processes
from utils.errors import UserError
from utils.processes import core_count, over_processes


@pytest.fixture
def one_core() -> Iterator[None]:
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("this system has no affinity")
    usual = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(usual)})
    yield
    os.sched_setaffinity(0, usual)


@pytest.mark.usefixtures("one_core")
def test_only_cores_that_this_process_may_use_count() -> None:
    assert core_count() == 1


def process_of(number: int) -> tuple[int, int]:
    return number, os.getpid()


def test_results_come_in_order_from_as_many_processes_as_cores(monkeypatch) -> None:
    monkeypatch.setattr(processes, "core_count", lambda: 2)
    shared = list(over_processes(process_of, 20, "numbers", worth_processes=5))
    assert [number for number, _ in shared] == list(range(20))
    workers = {process for _, process in shared}
    assert os.getpid() not in workers and len(workers) <= 2


def killed(number: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is a matter of POSIX")
def test_a_process_that_is_killed_is_told(monkeypatch) -> None:
    monkeypatch.setattr(processes, "core_count", lambda: 1)
    with pytest.raises(UserError, match="was killed, perhaps because the memory was full"):
        list(over_processes(killed, 2, "numbers", worth_processes=1))


def test_a_few_are_made_here() -> None:
    alone = list(over_processes(process_of, 4, "numbers", worth_processes=5))
    assert alone == [(number, os.getpid()) for number in range(4)]
