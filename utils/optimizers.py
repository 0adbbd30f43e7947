"""Optimizers and the course of the learning rate."""

import math
from collections.abc import Iterable
from typing import Any

from torch import nn, optim

from utils.options import OptimizerOptions

# One optimizer, or several by name (a GAN has two).
Optimizers = Any


def make_optimizer(
    parameters: Iterable[nn.Parameter], options: OptimizerOptions
) -> optim.Optimizer:
    """The optimizer that the options name.

    RMSprop has PyTorch's smoothing 0.99; AMSProp is Adam with the running maximum of Reddi et al.,
    "On the Convergence of Adam and Beyond", 2018.
    """
    common: dict[str, Any] = {"lr": options.lr, "weight_decay": options.weight_decay}
    if options.optimizer == "rmsprop":
        return optim.RMSprop(parameters, momentum=options.momentum, **common)
    return optim.Adam(parameters, amsgrad=options.optimizer == "amsprop", **common)


def by_name(optimizer: Optimizers) -> dict[str, Any]:
    """Optimizers by name; a single one has the name ""."""
    return optimizer if isinstance(optimizer, dict) else {"": optimizer}


def lr_factor(
    step: int,
    options: OptimizerOptions,
    total_steps: int,
    steps_per_epoch: int,
    time_share: float = 0.0,
) -> float:
    """Factor on the learning rate at a step (from 0) of a run of `total_steps`.

    Warm-up rises linearly over the first steps and multiplies what the scheduler says; the cosine
    (Loshchilov and Hutter, "SGDR", 2017, eq. 5 without restarts) spans the steps after warm-up.
    A run that has used `time_share` of the time it has is at least that far along the cosine.
    """
    warmup = (step + 1) / options.warmup_steps if step < options.warmup_steps else 1.0
    if options.lr_scheduler == "step":
        passed = sum(step >= epoch * steps_per_epoch for epoch in options.schedule)
        return warmup * options.gamma**passed
    if options.lr_scheduler == "cosine":
        length = max(total_steps - options.warmup_steps, 1)
        done = min(max((step - options.warmup_steps) / length, time_share, 0.0), 1.0)
        return warmup * 0.5 * (1 + math.cos(math.pi * done))
    return warmup


def current_lr(optimizer: Optimizers) -> float:
    """The learning rate of the first group."""
    return next(iter(by_name(optimizer).values())).param_groups[0]["lr"]


def kept_names(optimizer: optim.Optimizer) -> set[str]:
    """What one of `make_optimizer` keeps of each weight from step to step."""
    group = optimizer.param_groups[0]
    if isinstance(optimizer, optim.RMSprop):
        return {"square_avg"} | ({"momentum_buffer"} if group["momentum"] else set())
    if isinstance(optimizer, optim.Adam):
        more = {"max_exp_avg_sq"} if group["amsgrad"] else set()
        return {"exp_avg", "exp_avg_sq"} | more
    return set()


def set_lr_factor(optimizer: Optimizers, factor: float) -> float:
    """Set the learning rate of every group to its first one times `factor`; the first group's."""
    groups = [group for one in by_name(optimizer).values() for group in one.param_groups]
    for group in groups:
        group["lr"] = group.setdefault("initial_lr", group["lr"]) * factor
    return groups[0]["lr"]
