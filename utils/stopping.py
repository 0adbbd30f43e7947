"""When to stop: time that is used up; Ctrl-C and SIGTERM as a wish to, after the step under way."""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn


def share_of_minutes(since: float, minutes: float | None) -> float:
    """Share of so many minutes that has passed since a time of `time.monotonic`; 0 of None."""
    return (time.monotonic() - since) / (60 * minutes) if minutes else 0.0


@contextmanager
def exit_on_sigterm() -> Iterator[None]:
    """Context in which SIGTERM raises SystemExit with code 143 (128 + its number).

    For work that processes share: they are closed on the way out, and would outlive this one
    otherwise. Does nothing outside the main thread, where Python can't handle signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    usual = signal.signal(signal.SIGTERM, _exit)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, usual)


def _exit(number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)


class StopSignals:
    """Context in which the first Ctrl-C or SIGTERM only sets `requested`; a second acts as usual.

    Does nothing outside the main thread, where Python can't handle signals.
    """

    def __init__(self) -> None:
        self.requested = False
        self.usual = {}

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self.usual[number] = signal.signal(number, self._request)
        return self

    def _request(self, _number: int, _frame: FrameType | None) -> None:
        self.requested = True
        self._restore()

    def _restore(self) -> None:
        for number, handler in self.usual.items():
            signal.signal(number, handler)

    def __exit__(self, *_: object) -> None:
        self._restore()
