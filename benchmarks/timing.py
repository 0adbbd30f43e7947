"""Timing that can be trusted on a noisy machine: warm-up, several runs, medians, pairs."""

import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

RUNS = 5


@dataclass(frozen=True)
class Spread:
    """Median and range of a figure over the runs."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{readable(self.median)} ({readable(self.low)} to {readable(self.high)})"


def readable(value: float) -> str:
    """Three digits."""
    return f"{float(f'{value:.3g}'):,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def spread(values: list[float]) -> Spread:
    """Median, smallest and largest."""
    return Spread(statistics.median(values), min(values), max(values))


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock time of one call."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def rate(work: Callable[[], object], count: int, runs: int = RUNS) -> Spread:
    """Things a second of `work`, which makes `count` of them, after one call to warm up."""
    work()
    return spread([count / seconds(work) for _ in range(runs)])


def paired_rates(
    ours: Callable[[], object],
    theirs: Callable[[], object],
    count: int,
    their_count: int | None = None,
    runs: int = RUNS,
) -> tuple[Spread, Spread, Spread]:
    """(ours, theirs, ratio ours / theirs) in things a second, run in turn, so that a machine
    whose speed drifts slows both. They make `count` and `their_count` (by default as many)."""
    ours()
    theirs()
    other_count = their_count or count
    pairs = [(count / seconds(ours), other_count / seconds(theirs)) for _ in range(runs)]
    mine, other = [a for a, _ in pairs], [b for _, b in pairs]
    return spread(mine), spread(other), spread([a / b for a, b in pairs])


def multiply_rate(dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu") -> float:
    """Floating-point operations a second of (4096, 1024) x (1024, 1024) matrices."""
    left, right = (torch.randn(rows, 1024, device=device).to(dtype) for rows in (4096, 1024))
    out = torch.empty(4096, 1024, device=device, dtype=dtype)

    def multiply() -> None:
        torch.mm(left, right, out=out)
        float(out[0, 0])  # waits for a GPU

    runs = spread([seconds(multiply) for _ in range(12)][2:])
    return 2 * 4096 * 1024 * 1024 / runs.median


def operations_of(work: Callable[[], object]) -> int:
    """Floating-point operations of the matrix products and convolutions in one call, forwards and
    backwards, as torch counts them."""
    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


def machine() -> str:
    """One line: processor, cores, versions."""
    cores = torch.get_num_threads()
    name = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            models = [line.split(":", 1)[1].strip() for line in file if "model name" in line]
        name = models[0] if models else name
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return (
        f"{name}, {cores} threads{gpu}; Python {platform.python_version()}, "
        f"torch {torch.__version__}, NumPy {np.__version__}, OpenCV {cv2.__version__}"
    )


def print_rows(title: str, rows: list[tuple[str, ...]]) -> None:
    """A Markdown table, its first row the head."""
    print(f"\n### {title}\n")
    for number, row in enumerate(rows):
        print("| " + " | ".join(row) + " |")
        if number == 0:
            print("|" + "---|" * len(row))
