"""How the threads of one process share the machine."""

import os


def limit_spinning() -> None:
    """OpenMP threads that wait for one another spin for some microseconds, then sleep.

    Threads that go on spinning make a network many times slower as soon as anything else runs on
    the machine, threads that sleep at once make it nearly twice as slow when nothing does. Call it
    before torch is imported, which reads it once; what the user has set stays.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
