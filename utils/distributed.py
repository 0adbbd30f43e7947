"""Several processes and machines, through Lightning Fabric."""

import atexit
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

import torch
from lightning_fabric import Fabric
from lightning_fabric.utilities.exceptions import MisconfigurationException
from lightning_fabric.wrappers import _FabricModule
from torch import Tensor, distributed, nn

from utils.devices import device_kind, pick_precision
from utils.errors import UserError, need
from utils.options import LoopOptions
from utils.seeds import seed_all

T = TypeVar("T")


def _process_counts(loop: LoopOptions) -> tuple[int, int]:
    """Processes a machine and machines: those that torchrun started, or those asked for."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return loop.devices, loop.num_nodes
    local = int(os.environ["LOCAL_WORLD_SIZE"])
    nodes = int(os.environ["WORLD_SIZE"]) // local
    if loop.devices not in (1, local) or loop.num_nodes not in (1, nodes):
        raise UserError(
            f"torchrun started {local} processes on each of {nodes} machines, but the options ask "
            f"for --devices {loop.devices} --num_nodes {loop.num_nodes}; leave these options out"
        )
    return local, nodes


def start_fabric(loop: LoopOptions, seed: int, takes_turns: bool = False) -> Fabric:
    """Start the processes of a run, and seed them. takes_turns: a step may leave out a part of the
    network, as those of a GAN do, which several processes need to know.

    With more than one device this runs the script again, once for each further process, up to
    this call: call it before anything slow or anything that writes. Build the model after it, so
    that the seed decides its first weights. Raises UserError where the machine lacks the device.
    """
    devices, nodes = _process_counts(loop)
    strategy = loop.strategy
    if takes_turns and devices * nodes > 1:
        strategy = "ddp_find_unused_parameters_true"
        need(loop.strategy in ("auto", strategy), f"several processes need --strategy {strategy}")
    kind = device_kind(loop.accelerator)
    precision = pick_precision(loop.precision, kind)
    if precision == "16-mixed" and kind == "cpu":
        raise UserError("--precision 16-mixed needs a GPU; a CPU takes bf16-mixed or 32-true")
    # Its banner says nothing that a user needs.
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    try:
        fabric = Fabric(
            accelerator=loop.accelerator,
            strategy=strategy,
            devices=devices,
            num_nodes=nodes,
            precision=precision,  # pyright: ignore[reportArgumentType]
        )
    except (MisconfigurationException, ValueError, RuntimeError) as error:
        raise UserError(f"cannot use these devices: {str(error).splitlines()[0]}") from error
    fabric.launch()
    atexit.register(_leave_group)
    seed_all(seed)
    return fabric


def _leave_group() -> None:
    """End the threads through which processes speak while Python can still free what they hold: a
    process that leaves it to its own end is aborted there now and then, its work all done."""
    if distributed.is_initialized():
        distributed.destroy_process_group()


def fail_together(fabric: Fabric, message: str) -> NoReturn:
    """End all processes, which all call this: the first with a UserError, the rest silently."""
    raise UserError(message) if fabric.is_global_zero else SystemExit(2)


@contextmanager
def first_reports(fabric: Fabric) -> Iterator[None]:
    """Where every process meets the same UserError, only the first one reports it."""
    try:
        yield
    except UserError as error:
        fail_together(fabric, str(error))


def first_on_rank_zero(fabric: Fabric, work: Callable[[], T]) -> T:
    """Do `work` in every process, in the first one before the others, who find what it stores.

    A UserError in the first one ends all processes; only that one reports it.
    """
    done: list[T] = []
    on_rank_zero(fabric, lambda: done.append(work()))
    return done[0] if done else work()


def on_rank_zero(fabric: Fabric, work: Callable[[], T]) -> T:
    """Do `work` in the first process only; every process gets its result.

    A UserError in it ends all processes; only the first one reports it.
    """
    result: Any = None
    problem = ""
    if fabric.is_global_zero:
        try:
            result = work()
        except UserError as error:
            problem = str(error)
    if fabric.world_size > 1:
        result, problem = fabric.broadcast((result, problem))
    if problem:
        fail_together(fabric, problem)
    return result


def sum_over_processes(values: list[float], fabric: Fabric) -> list[float]:
    """Each of `values` added over all processes."""
    if fabric.world_size == 1:
        return values
    total = fabric.all_reduce(
        torch.tensor(values, dtype=torch.float64, device=fabric.device), reduce_op="sum"
    )
    assert isinstance(total, Tensor)
    return total.tolist()


def global_count(count: Tensor, fabric: Fabric) -> Tensor:
    """`count` (any shape, such as labelled joints in this process' batch) added over processes."""
    count = count.detach().clone()
    if fabric.world_size == 1:
        return count
    total = fabric.all_reduce(count, reduce_op="sum")
    assert isinstance(total, Tensor)
    return total


def global_mean(total: Tensor, count: Tensor, fabric: Fabric) -> Tensor:
    """Loss of this process whose gradient, averaged over processes, is that of the joined batch.

    With local sums S_r and counts n_r of W processes, the loss of the joined batch is
    sum(S_r) / sum(n_r). Data-parallel training averages gradients, so each process must take
    S_r * W / sum(n_r); the mean of these over processes is the joined loss too. Zero counts
    everywhere give zero.

    total: scalar, sum of the loss over this process' batch; count: scalar, its number of terms.
    """
    everywhere = global_count(count, fabric)
    divisor = torch.where(everywhere > 0, everywhere, torch.ones_like(everywhere))
    return total * fabric.world_size / divisor


def local_module(module: nn.Module, fabric: Fabric) -> nn.Module:
    """`module` in the run's precision, without what joins processes.

    For validation: processes may then see different numbers of batches. Fabric's public
    `setup_module` would add the data-parallel wrapper, which waits for the others in `forward`.
    """
    return _FabricModule(module, fabric.strategy, original_module=module)
