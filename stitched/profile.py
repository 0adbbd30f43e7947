"""`--profile`: where the time goes."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import numpy as np

from stacked_hourglass.joints import FoundJoints
from stitched.person_finder import Predictor

T = TypeVar("T")
STAGES = ("start", "decode", "crop", "network", "lift", "draw", "encode", "film", "files")


class Clock:
    """Seconds spent in each of STAGES, on the wall, summed over threads.

    "film" is the second pass over a video, which draws it beside its 3D poses.

    Stages that run beside one another each count in full: together they may be longer than the
    whole.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._lock = threading.Lock()
        self._begin = time.perf_counter()
        self._begin_cpu = time.process_time()

    @property
    def whole(self) -> float:
        """Seconds since the clock was made."""
        return time.perf_counter() - self._begin

    def add(self, stage: str, seconds: float) -> None:
        """So much longer in a stage. Threads may call it at once."""
        with self._lock:
            self.seconds[stage] += seconds

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Count the block to a stage."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.add(stage, time.perf_counter() - begin)

    def each(self, stage: str, items: Iterable[T]) -> Iterator[T]:
        """The same items; making each of them counts to a stage."""
        source = iter(items)
        while True:
            with self(stage):
                try:
                    item = next(source)
                except StopIteration:
                    return
            yield item

    def table(self, count: int) -> str:
        """Lines for the reader; `count` pictures and frames were looked at."""
        whole = self.whole
        processor = time.process_time() - self._begin_cpu
        lines = [f"{'':10}{'seconds':>9}{'ms each':>9}{'share':>8}"]
        for stage in STAGES:
            spent = self.seconds.get(stage, 0.0)
            each = 1000 * spent / max(count, 1)
            lines.append(f"{stage:10}{spent:9.2f}{each:9.1f}{spent / whole:8.0%}")
        lines.append(f"{'whole':10}{whole:9.2f}{1000 * whole / max(count, 1):9.1f}{1:8.0%}")
        lines.append(f"of processors {processor:.2f} s; stages may run beside one another")
        return "\n".join(lines)


class TimedPredictor:
    """A predictor whose time is counted: "network" for the network itself, "crop" for the rest.

    The network is what its `model` is, a module of torch; without one everything is "network".
    """

    def __init__(self, predictor: Predictor, clock: Clock) -> None:
        self._predictor, self._clock = predictor, clock
        self._inside = 0.0
        module = getattr(predictor, "model", None)
        self._is_split = hasattr(module, "register_forward_pre_hook")
        if module is not None and self._is_split:
            module.register_forward_pre_hook(lambda *_: self._step(-1))
            module.register_forward_hook(lambda *_: self._step(1))

    def _step(self, sign: int) -> None:
        self._inside += sign * time.perf_counter()

    @property
    def skeleton(self) -> str:
        """Name of the joints."""
        return self._predictor.skeleton

    def __call__(
        self, images: list[np.ndarray], boxes: np.ndarray, flip: bool = True
    ) -> FoundJoints:
        """As the predictor itself."""
        self._inside, begin = 0.0, time.perf_counter()
        answer = self._predictor(images, boxes, flip=flip)
        whole = time.perf_counter() - begin
        inside = self._inside if self._is_split else whole
        self._clock.add("network", inside)
        self._clock.add("crop", whole - inside)
        return answer
