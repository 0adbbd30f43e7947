"""Work shared between processes, as many as there are cores for them."""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import TypeVar

from tqdm import tqdm

from utils.stopping import exit_on_sigterm

T = TypeVar("T")


def core_count() -> int:
    """Cores that this process may run on, which can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def over_processes(
    make: Callable[[int], T], count: int, what: str, worth_processes: int
) -> Iterator[T]:
    """What `make` makes of 0 to `count` - 1, in order, with a bar of `what`; by as many processes
    as there are cores, or by this one alone if they are fewer than `worth_processes`."""
    bar = partial(tqdm, desc=what, total=count, disable=None)
    if count < worth_processes:
        yield from bar(map(make, range(count)))
        return
    # Forking a process that runs threads, as torch does, may hang; a spawned one starts clean.
    context = multiprocessing.get_context("spawn")
    with exit_on_sigterm(), ProcessPoolExecutor(core_count(), mp_context=context) as pool:
        yield from bar(pool.map(make, range(count), chunksize=max(worth_processes // 5, 1)))
