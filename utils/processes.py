"""Work shared between processes, as many as there are cores for them."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import TypeVar

from tqdm import tqdm

from utils.errors import UserError
from utils.stopping import exit_on_sigterm

T = TypeVar("T")


def core_count() -> int:
    """Cores that this process may run on, which can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def process_pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """So many processes to share work with, which are gone when this one ends, however it does.

    Ctrl-C and SIGTERM, which terminals and batch systems send to all processes of a command, are
    left to this one. Raises UserError if one of them is killed.
    """
    # Forking a process that runs threads, as torch does, may hang; a spawned one starts clean.
    context = multiprocessing.get_context("spawn")
    with (
        exit_on_sigterm(),
        ProcessPoolExecutor(workers, context, initializer=_leave_signals_to_parent) as pool,
    ):
        try:
            yield pool
        except BrokenProcessPool as error:
            raise UserError(
                "a process of this command was killed, perhaps because the memory was full"
            ) from error
        finally:  # what nobody waits for any more is not begun
            pool.shutdown(cancel_futures=True)


def _leave_signals_to_parent() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _exit_if_alone)


def _exit_if_alone(number: int, _frame: FrameType | None) -> None:
    parent = multiprocessing.parent_process()
    if parent is None or not parent.is_alive():
        os._exit(128 + number)


def over_processes(
    make: Callable[[int], T], count: int, what: str, worth_processes: int
) -> Iterator[T]:
    """What `make` makes of 0 to `count` - 1, in order, with a bar of `what`; by as many processes
    as there are cores, or by this one alone if they are fewer than `worth_processes`."""
    bar = partial(tqdm, desc=what, total=count, disable=None)
    if count < worth_processes:
        yield from bar(map(make, range(count)))
        return
    with process_pool(core_count()) as pool:
        yield from bar(pool.map(make, range(count), chunksize=max(worth_processes // 5, 1)))
