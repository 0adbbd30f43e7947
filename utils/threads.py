"""How the threads of one process share the machine."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


def limit_spinning() -> None:
    """OpenMP threads that wait for one another spin for some microseconds, then sleep.

    Threads that go on spinning make a network many times slower as soon as anything else runs on
    the machine, threads that sleep at once make it nearly twice as slow when nothing does. Call it
    before torch is imported, which reads it once; what the user has set stays.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")


@contextmanager
def one_core_left() -> Iterator[None]:
    """Networks on the CPU leave a core to other threads of the process, such as those that decode
    and draw: on two cores a small network is quicker on one of them than on both beside that."""
    # Not at the top: `limit_spinning` comes before torch is imported.
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(max(threads - 1, 1))
    try:
        yield
    finally:
        torch.set_num_threads(threads)
