"""What a reader may do with a file that is not what it should be: read it, or say so in a line."""

import gc
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from utils.errors import LONGEST, UserError

MEMORY = 1 << 30
"""Bytes that a reader may take for a file of some kilobytes."""
SECONDS = 20
"""So long a case may take on a machine that does something else as well."""


class HangError(BaseException):
    """A case took too long; no reader may catch this one."""


@contextmanager
def limited_memory() -> Iterator[None]:
    """Whoever asks for more than `MEMORY` gets a MemoryError; Linux alone can do that.

    What earlier cases have left in circles of references is freed first. What they keep, as
    hypothesis does of each of them, is not looked through again: that would take longer each time.
    """
    gc.collect()
    gc.freeze()
    if sys.platform != "linux":
        yield
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    now = pages * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@contextmanager
def limited_time() -> Iterator[None]:
    """HangError after `SECONDS`; where there are no such signals, none."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(_: int, frame: FrameType | None) -> None:
        raise HangError(f"more than {SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def refusal(read: Callable[[Path], object], path: Path) -> str:
    """Read a file: "" if that went well, else the message. AssertionError if it is not clear."""
    try:
        with limited_memory(), limited_time():
            read(path)
    except UserError as error:
        message = str(error)
        assert message.strip() and message.isprintable(), f"not a line of text: {message!r}"
        assert len(message) <= LONGEST, f"too long: {message[:300]}... ({len(message)})"
        named = (path.name, path.parent.name)
        assert any(name in message for name in named), f"it names no file: {message}"
        return message
    return ""
