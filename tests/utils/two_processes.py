"""Training in two processes; started by a launcher from test_distributed.py.

Arguments: folder, and how many devices to ask for. Each process writes <folder>/rank<n>.json.
"""

import json
import os
import signal
import sys
from pathlib import Path

import torch
from torch import nn

from utils.batches import MemoryBatches, Order, Plan
from utils.distributed import start_fabric
from utils.errors import UserError
from utils.options import LoopOptions, OptimizerOptions, RunOptions
from utils.training_loop import TrainingFunctions, train_loop

BATCH = 8
SAMPLES = 24
HELD_OUT = 9


def make_data(samples: int, seed: int) -> dict[str, torch.Tensor]:
    """Images, targets of 3 joints, and which joints are labelled: very unevenly."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(samples, 2, 5, 5, generator=generator)
    targets = torch.randn(samples, 3, generator=generator)
    labelled = torch.rand(samples, 3, generator=generator) < torch.rand(
        samples, 1, generator=generator
    )
    return {"images": images, "targets": targets, "labelled": labelled.float()}


def make_model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(36, 3)
    )


def squared_error(model, batch):
    return ((model(batch["images"]) - batch["targets"]).square() * batch["labelled"]).sum()


def update_op(model, optimizer, batch, step, context):
    model.eval()  # norm layers must not see only a part of the batch
    loss = context.mean(squared_error(model, batch), batch["labelled"].sum())
    context.minimise(loss, model, optimizer)
    return {"loss": loss}


def validation_loss(model, batch, context):
    return {"error": (squared_error(model, batch), batch["labelled"].sum())}


def train(folder: Path, devices: int, exp: str = "default", update=update_op, **loop):
    run = RunOptions(exp=exp, tb_log_freq=2)
    loop = LoopOptions(
        **{"epochs": 2, "devices": devices, "accelerator": "cpu", "precision": "32-true"} | loop
    )
    fabric = start_fabric(loop, run.seed)
    # A place of its own for each process shows which ones write.
    run.checkpoint_dir = f"{folder}/rank{fabric.global_rank}/runs"
    run.tb_dir = f"{folder}/rank{fabric.global_rank}/logs"
    place = (fabric.global_rank, fabric.world_size)
    size = BATCH // fabric.world_size
    train_order, held_order = Order([SAMPLES], 0, True), Order([HELD_OUT], 0, False)
    functions = TrainingFunctions(
        # Plain SGD: an update proportional to the gradient, so that its scale shows.
        lambda model, options: torch.optim.SGD(model.parameters(), lr=0.1),
        update,
        validation_loss,
    )
    optim = OptimizerOptions(no_grad_clipping=True)
    return fabric, train_loop(
        make_model(),
        MemoryBatches(make_data(SAMPLES, 1), Plan(train_order, size, True, *place)),
        MemoryBatches(make_data(HELD_OUT, 2), Plan(held_order, size, False, *place)),
        functions,
        run,
        loop,
        optim,
        f"toy_{exp}",
        fabric=fabric,
    )


def second_is_told_to_stop(model, optimizer, batch, step, context):
    if step == 3 and context.fabric.global_rank == 1:
        os.kill(os.getpid(), signal.SIGTERM)
    return update_op(model, optimizer, batch, step, context)


def second_fails(model, optimizer, batch, step, context):
    losses = update_op(model, optimizer, batch, step, context)
    if step == 3 and context.fabric.global_rank == 1:
        return {"loss": torch.tensor(torch.nan)}
    return losses


def ending(folder: Path, devices: int, **arguments) -> list:
    try:
        state = train(folder, devices, **arguments)[1]
    except (UserError, SystemExit) as error:
        return [type(error).__name__, str(error)]
    return [state.stop_reason, state.step]


if __name__ == "__main__":
    folder, devices = Path(sys.argv[1]), int(sys.argv[2])
    fabric, state = train(folder, devices)
    report = {
        "world_size": fabric.world_size,
        "losses": [row["train_loss"] for row in state.history],
        "validation": [row["validation_error"] for row in state.history],
        "again": ending(folder, devices),
        "stopped": ending(folder, devices, exp="b", update=second_is_told_to_stop, epochs=9),
        "failed": ending(folder, devices, exp="c", update=second_fails, epochs=9),
    }
    (folder / f"rank{fabric.global_rank}.json").write_text(json.dumps(report))
