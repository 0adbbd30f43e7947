"""Work that runs beside other work: decoding ahead of the network, drawing behind it.

OpenCV, FFmpeg and PyTorch let other threads run while they compute, so that threads are enough.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self, TypeVar

T = TypeVar("T")
_END = object()


def ahead(items: Iterable[T], count: int = 2) -> Generator[T]:
    """The same items in the same order, of which the next `count` are made in another thread.

    What making one raises is raised where it would have come. When this is closed, the thread has
    ended.
    """
    source = iter(items)
    with ThreadPoolExecutor(1) as pool:
        pending = deque(pool.submit(next, source, _END) for _ in range(count))
        while (item := pending.popleft().result()) is not _END:
            pending.append(pool.submit(next, source, _END))
            yield item  # pyright: ignore[reportReturnType]


class Behind:
    """Runs calls in another thread, in their order, at most `count` of them behind the caller.

    As a context manager it ends when all are done. What a call raises is raised by a later one, or
    at the end; no further call runs then.
    """

    def __init__(self, count: int = 2) -> None:
        self._count = count
        self._pool = ThreadPoolExecutor(1)
        self._pending: deque[Future] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            while self._pending and kind is None:
                self._pending.popleft().result()
        finally:
            self._pool.shutdown(cancel_futures=kind is not None)

    def __call__(self, work: Callable[[], object]) -> None:
        """Run `work` as soon as what was given before is done."""
        while len(self._pending) >= self._count:
            self._pending.popleft().result()
        self._pending.append(self._pool.submit(work))
