"""Inputs shared out over processes and machines, and one result made of what each found."""

import os
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import numpy as np

from stitched.options import MachineOptions
from utils.pose_file import Poses, read_poses, write_poses

T = TypeVar("T")
# Whoever is done first waits for the others: for somebody with a long film, for days.
_PATIENCE = timedelta(days=30)


class Processes:
    """The processes that work on one command: this one, its `rank`, and how many there are.

    With more than one device or machine, or under torchrun, making it starts the others or joins
    them (Lightning Fabric). Raises UserError where the machine lacks the devices.
    """

    def __init__(self, options: MachineOptions) -> None:
        self.rank, self.count, self._fabric = 0, 1, None
        alone = options.devices == options.num_nodes == 1
        if alone and "TORCHELASTIC_RUN_ID" not in os.environ:
            return
        # Here, because a single process need not wait for what they load.
        import torch

        from utils.distributed import start_fabric
        from utils.options import LoopOptions

        loop = LoopOptions(
            accelerator=options.accelerator,
            devices=options.devices,
            num_nodes=options.num_nodes,
            precision=options.precision,
        )
        self._fabric = start_fabric(loop, seed=0)
        self.rank, self.count = self._fabric.global_rank, self._fabric.world_size
        if self.count > 1:
            self._group = torch.distributed.new_group(backend="gloo", timeout=_PATIENCE)

    @property
    def is_first(self) -> bool:
        """Is this the process that writes the result?"""
        return self.rank == 0

    def share(self, items: Sequence[T]) -> list[T]:
        """The items that are this process's."""
        return list(items[self.rank :: self.count])

    def one_report(self) -> AbstractContextManager[None]:
        """A block in which every process meets the same errors, of which the first tells."""
        if self._fabric is None:
            return nullcontext()
        from utils.distributed import first_reports

        return first_reports(self._fabric)

    def add_up(self, number: int) -> int:
        """The sum of every process's number. All must call it."""
        if self.count == 1:
            return number
        return sum(int(part[0]) for part in self._everybodys(np.array([number])))

    def gather(self, poses: Poses | None) -> list[Poses]:
        """The rows of every process that has some, in order of rank; all must call it."""
        if self.count == 1:
            return [] if poses is None else [poses]
        content = b"" if poses is None else _packed(poses)
        sizes = [int(part[0]) for part in self._everybodys(np.array([len(content)]))]
        padded = content + bytes(max(*sizes, 1) - len(content))
        parts = self._everybodys(np.frombuffer(padded, np.uint8))
        chunks = [part[:size].tobytes() for part, size in zip(parts, sizes, strict=True)]
        return [_unpacked(chunk) for chunk in chunks if chunk]

    def _everybodys(self, numbers: np.ndarray) -> list[np.ndarray]:
        """The numbers (N,) of each process, of one type."""
        import torch

        mine = torch.tensor(numbers)
        parts = [torch.empty_like(mine) for _ in range(self.count)]
        torch.distributed.all_gather(parts, mine, group=self._group)
        return [part.numpy() for part in parts]


def _packed(poses: Poses) -> bytes:
    """A pose file as bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "poses.npz"
        write_poses(path, poses)
        return path.read_bytes()


def _unpacked(content: bytes) -> Poses:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "poses.npz"
        path.write_bytes(content)
        return read_poses(path)
