"""Which samples come in which step, the same after an interruption, on one process or many."""

import math
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, default_collate

from utils.errors import UserError
from utils.processes import core_count
from utils.seeds import derive_seed, seed_all


class Batches(Protocol):
    """What the training loop takes batches from."""

    def __len__(self) -> int:
        """Steps in an epoch for this process."""
        ...

    def epoch(self, epoch: int, start: int = 0) -> Iterator[dict[str, Any]]:
        """Batches of an epoch from step `start` on, decided by (seed, epoch, step, sample)."""
        ...


def shuffled(count: int, *seeds: int) -> np.ndarray:
    """A permutation of range(count), (count,) int64, decided by the seeds."""
    return np.random.default_rng(derive_seed("order", *seeds)).permutation(count)


def _mixed(sizes: Sequence[int], takes: Sequence[int], seed: int, epoch: int) -> np.ndarray:
    """`takes[d]` samples of each data set, going on in epoch e + 1 where epoch e stopped.

    Each data set is an endless chain of permutations, so that every sample of it is seen equally
    often, however small or large its part of an epoch.
    """
    chosen = []
    first = 0
    for number, (size, take) in enumerate(zip(sizes, takes, strict=True)):
        places = np.arange(epoch * take, (epoch + 1) * take)
        for one_round in range(epoch * take // size, math.ceil((epoch + 1) * take / size)):
            inside = places[places // size == one_round] % size
            chosen.append(first + shuffled(size, seed, number, one_round)[inside])
        first += size
    together = np.concatenate(chosen)
    return together[shuffled(len(together), seed, epoch)]


class Order:
    """Order of the samples of one or several data sets laid end to end.

    sizes: samples in each data set. shuffle: a new order each epoch, else always 0, 1, 2, ...
    weights: share of each data set in an epoch (they need not add to 1); without, every sample
    comes once an epoch. length: samples in an epoch with weights; by default as many as there are.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        seed: int,
        shuffle: bool,
        weights: Sequence[float] | None = None,
        length: int | None = None,
    ) -> None:
        if not sizes or min(sizes) < 1:
            raise UserError(f"a data set has no samples (sizes: {list(sizes)})")
        self.sizes, self.seed, self.shuffle = list(sizes), seed, shuffle
        self.takes = None
        if weights is not None:
            if len(weights) != len(sizes) or min(weights) < 0 or sum(weights) <= 0:
                raise UserError(f"need a weight for each of {len(sizes)} data sets, not {weights}")
            parts = np.asarray(weights, float) / sum(weights) * (length or sum(sizes))
            # Rounding the running sum keeps the epoch at its exact length.
            self.takes = np.diff(np.rint(np.cumsum(parts)), prepend=0).astype(int).tolist()

    def __len__(self) -> int:
        return sum(self.sizes if self.takes is None else self.takes)

    def epoch(self, epoch: int) -> np.ndarray:
        """Indices of the samples of an epoch, (samples,) int64."""
        if self.takes is not None:
            return _mixed(self.sizes, self.takes, self.seed, epoch)
        return shuffled(len(self), self.seed, epoch) if self.shuffle else np.arange(len(self))


class Plan:
    """Steps of one process: global batches of `batch_size` samples for each of `world_size`.

    With `drop_last`, samples that do not fill a global batch are left out of the epoch (unless
    there is no full one); without, they are split over the processes, some of which may get none.
    """

    def __init__(
        self, order: Order, batch_size: int, drop_last: bool, rank: int = 0, world_size: int = 1
    ) -> None:
        self.order, self.batch_size, self.rank, self.world_size = (
            order,
            batch_size,
            rank,
            world_size,
        )
        full, rest = divmod(len(order), batch_size * world_size)
        self.full = full
        self.keep_rest = rest > 0 and (not drop_last or full == 0)
        if drop_last and full == 0 and rest < world_size:
            raise UserError(f"{rest} training samples are too few for {world_size} processes")
        self.rest_here = len(np.array_split(np.arange(rest), world_size)[rank])

    def __len__(self) -> int:
        return self.full + (self.keep_rest and self.rest_here > 0)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[int, np.ndarray]]:
        """(step, sample indices of this process) from step `start` on."""
        indices = self.order.epoch(epoch)
        whole = indices[: self.full * self.batch_size * self.world_size]
        steps = whole.reshape(self.full, self.world_size, self.batch_size)[:, self.rank]
        for step in range(start, len(self)):
            if step < self.full:
                yield step, steps[step]
            else:
                yield step, np.array_split(indices[len(whole) :], self.world_size)[self.rank]


class MemoryBatches:
    """Batches of tensors that live in memory, each (samples, ...), on any device."""

    def __init__(self, tensors: dict[str, Tensor], plan: Plan) -> None:
        lengths = {name: len(tensor) for name, tensor in tensors.items()}
        if set(lengths.values()) != {sum(plan.order.sizes)}:
            raise ValueError(f"need {sum(plan.order.sizes)} samples in each tensor, not {lengths}")
        self.tensors, self.plan = tensors, plan

    def __len__(self) -> int:
        return len(self.plan)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[dict[str, Tensor]]:
        for _, indices in self.plan.epoch(epoch, start):
            index = torch.from_numpy(indices)
            yield {name: tensor[index.to(tensor.device)] for name, tensor in self.tensors.items()}


class _SeededSamples(Dataset):
    """Seeds the global generators for each sample: the number of workers does not matter."""

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset

    def __getitem__(self, key: tuple[int, int]) -> Any:
        index, seed = key
        seed_all(seed)
        try:
            return self.dataset[index]
        except UserError as error:
            return error  # raised in the main process: torch would turn it into a page of text


class _Collate:
    def __init__(self, collate: Any) -> None:
        self.collate = collate

    def __call__(self, samples: list[Any]) -> Any:
        errors = [sample for sample in samples if isinstance(sample, UserError)]
        return errors[0] if errors else self.collate(samples)


class _Keys:
    """(index, seed) keys of each batch; epoch and start are set before each pass."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.at, self.start = plan, 0, 0

    def __len__(self) -> int:
        return max(len(self.plan) - self.start, 0)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        seed = self.plan.order.seed
        for step, indices in self.plan.epoch(self.at, self.start):
            yield [(int(i), derive_seed("sample", seed, self.at, step, int(i))) for i in indices]


def _stand_apart(_: int) -> None:
    """Ctrl-C and `timeout` signal a group of processes; the main one decides what it means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if os.name == "posix":
        os.setpgrp()


WORKER_KILLED = (
    "a process that loads data was killed, perhaps because memory was full: fewer --workers need "
    "less, and --resume goes on from the last checkpoint"
)


@contextmanager
def workers_must_live() -> Iterator[None]:
    """Raises UserError if a process that loads data is killed meanwhile, as by a system that has no
    memory left. torch raises RuntimeError then, wherever the main process happens to be."""
    try:
        yield
    except RuntimeError as error:
        if not str(error).startswith("DataLoader worker"):
            raise
        raise UserError(WORKER_KILLED) from error


class LoadedBatches:
    """Batches that worker processes load from a map-style data set (`dataset[index]`, `len`).

    Random numbers that the data set draws from the global generators of torch, NumPy or Python
    depend on (seed, epoch, step, sample) alone. A UserError raised by the data set arrives as such.
    workers: at most as many as the machine has cores are started; 0 loads in this process.
    collate: joins a list of samples; torch's default stacks tensors and arrays.
    pin_memory: for faster copies to a GPU.
    """

    def __init__(
        self,
        dataset: Any,
        plan: Plan,
        workers: int,
        collate: Any = default_collate,
        pin_memory: bool = False,
    ) -> None:
        if len(dataset) != sum(plan.order.sizes):
            raise ValueError(f"{len(dataset)} samples, but the order has {sum(plan.order.sizes)}")
        self.plan, self.keys = plan, _Keys(plan)
        workers = min(workers, core_count())
        self.loader = DataLoader(
            _SeededSamples(dataset),
            batch_sampler=self.keys,
            num_workers=workers,
            collate_fn=_Collate(collate),
            pin_memory=pin_memory,
            persistent_workers=workers > 0,
            worker_init_fn=_stand_apart,
        )

    def __len__(self) -> int:
        return len(self.plan)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[dict[str, Any]]:
        self.keys.at, self.keys.start = epoch, start
        try:
            for batch in self.loader:
                if isinstance(batch, UserError):
                    raise batch
                yield batch
        except (ConnectionError, EOFError) as error:  # a batch that nobody is left to hand over
            raise UserError(WORKER_KILLED) from error
