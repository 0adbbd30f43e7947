"""Validation values: sums and counts over batches and processes, divided once."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn

from utils.distributed import on_rank_zero, sum_over_processes
from utils.training_functions import Context

Sums = dict[str, tuple[float, float]]


@torch.no_grad()
def validation_sums(
    model: nn.Module,
    batches: Iterable[Any],
    validation_loss: Callable[[nn.Module, Any, Context], dict[str, tuple[Any, Any]]],
    context: Callable[[int], Context],
    stop: Callable[[], bool],
) -> Sums:
    """(sum, count) by name over this process' batches, with `model` in evaluation mode.

    context: of the batch with a number. stop: asked after each batch; true gives up the rest.
    """
    model.eval()
    sums: Sums = {}
    for number, batch in enumerate(batches):
        for name, (total, count) in validation_loss(model, batch, context(number)).items():
            before = sums.get(name, (0.0, 0.0))
            sums[name] = (before[0] + float(total), before[1] + float(count))
        if stop():
            break
    return sums


def validation_values(sums: Sums, fabric: Fabric) -> dict[str, float]:
    """Mean by name over all processes; names that nothing was counted for are left out."""
    # A process without batches does not know the names; the first process has some if any has.
    names = on_rank_zero(fabric, lambda: list(sums))
    flat = [value for name in names for value in sums.get(name, (0.0, 0.0))]
    flat = sum_over_processes(flat, fabric)
    pairs = zip(names, flat[::2], flat[1::2], strict=True)
    return {name: total / count for name, total, count in pairs if count}
