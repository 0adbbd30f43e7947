"""A small training that has everything that makes resuming hard; used by several tests.

Run as a script with a JSON of keyword arguments for `train`, so that it can be killed.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from utils.batches import LoadedBatches, MemoryBatches, Order, Plan
from utils.checkpoint import TrainingState, read_checkpoint
from utils.distributed import start_fabric
from utils.optimizers import make_optimizer
from utils.options import LoopOptions, OptimizerOptions, RunOptions
from utils.training_loop import Context, TrainingFunctions, train_loop

SAMPLES = 40
STEPS = SAMPLES // 6


class Points:
    """Points with noise from NumPy's global generator, as an augmentation in a worker would be."""

    def __len__(self) -> int:
        return SAMPLES

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        x = torch.from_numpy(np.random.default_rng(index).normal(size=4)).float()
        noise = torch.from_numpy(np.random.normal(size=4)).float()
        return {"x": x + 0.1 * noise, "y": x[:2] ** 2}


def make_model(width: int = 16) -> nn.Module:
    return nn.Sequential(
        nn.Linear(4, width),
        nn.BatchNorm1d(width),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(width, 2),
    )


def update_op(model, optimizer, batch, step: int, context: Context) -> dict[str, Tensor]:
    noise = torch.randn(batch["y"].shape, generator=context.generator)
    loss = (model(batch["x"]) - batch["y"] - 0.1 * noise).square().mean()
    context.minimise(loss, model, optimizer)
    return {"loss": loss}


def validation_loss(model, batch, context: Context) -> dict[str, tuple[Tensor, int]]:
    error = (model(batch["x"]) - batch["y"]).square()
    return {"mse": (error.sum(), error.numel()), "worst": (error.max(), 1)}


def at_step(wanted: int, act, op=update_op):
    """`op`, doing `act()` before step `wanted`."""

    def op_that_acts(model, optimizer, batch, step, context):
        if step == wanted:
            act()
        return op(model, optimizer, batch, step, context)

    return op_that_acts


def make_options(folder: Path | str, run=None, loop=None, optim=None):
    """The three groups, with everything on that makes resuming hard."""
    return (
        RunOptions(checkpoint_dir=f"{folder}/runs", tb_dir=f"{folder}/logs", **(run or {})),
        LoopOptions(**({"epochs": 4, "ema_decay": 0.9, "precision": "32-true"} | (loop or {}))),
        OptimizerOptions(
            **(
                {"optimizer": "adam", "lr": 1e-2, "lr_scheduler": "cosine", "warmup_steps": 3}
                | (optim or {})
            )
        ),
    )


def train(
    folder: Path | str,
    run: dict | None = None,
    loop: dict | None = None,
    optim: dict | None = None,
    update=update_op,
    validation=validation_loss,
    workers: int = 0,
    width: int = 16,
    batch_size: int = 6,
    make_optimizer_fn=lambda model, options: make_optimizer(model.parameters(), options.optim),
) -> TrainingState:
    """Train the toy in folder/runs/toy_default."""
    options = make_options(folder, run, loop, optim)
    fabric = start_fabric(options[1], options[0].seed)
    model = make_model(width)
    seed = options[0].seed
    train_plan = Plan(Order([SAMPLES], seed, shuffle=True), batch_size, drop_last=True)
    fixed = torch.utils.data.default_collate([Points()[i] for i in range(SAMPLES)])
    fixed["x"] = fixed["y"].repeat(1, 2)
    return train_loop(
        model,
        LoadedBatches(Points(), train_plan, workers),
        MemoryBatches(fixed, Plan(Order([SAMPLES], seed, shuffle=False), 7, drop_last=False)),
        TrainingFunctions(make_optimizer_fn, update, validation),
        *options,
        run_name=f"toy_{options[0].exp}",
        fabric=fabric,
        metadata={"kind": "toy", "architecture": {"width": width}},
    )


def history(folder: Path | str, name: str = "toy_default") -> list[list[str]]:
    """Rows of history.csv without the time, the last column."""
    text = (Path(folder) / "runs" / name / "history.csv").read_text()
    return [line.split(",")[:-1] for line in text.splitlines()]


def tensors_of(content, name: str = "") -> dict[str, Tensor]:
    """Every tensor in nested dicts and lists, by its place."""
    if isinstance(content, Tensor):
        return {name: content}
    items = content.items() if isinstance(content, dict) else enumerate(content)
    found = {}
    for key, value in items:
        if isinstance(value, dict | list | tuple | Tensor):
            found |= tensors_of(value, f"{name}/{key}")
    return found


def same_runs(folder: Path | str, other: Path | str) -> bool:
    """Whether two runs left the same tensors (weights, moments, averages) and history."""
    for file in ("last.ckpt", "best.ckpt"):
        contents = [
            read_checkpoint(Path(one) / "runs" / "toy_default" / file) for one in (folder, other)
        ]
        for content in contents:
            content["state"].pop("random")
        first, second = map(tensors_of, contents)
        if first.keys() != second.keys() or not all(first[k].equal(second[k]) for k in first):
            return False
    return history(folder) == history(other)


def kill_group(number: int) -> None:
    """Signal this process and those that load data, from outside, as Ctrl-C and `timeout` do."""
    subprocess.Popen(["kill", "-s", str(number), "--", f"-{os.getpgrp()}"]).wait()
    time.sleep(0.2)  # so that a loading process that dies of it is noticed


if __name__ == "__main__":
    arguments = json.loads(sys.argv[1])
    kill_at, number = arguments.pop("kill_at"), arguments.pop("signal")
    print(train(**arguments, update=at_step(kill_at, lambda: kill_group(number))).stop_reason)
