"""What passes between the training loop and a subpackage: five functions and a context."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from utils import checkpoint
from utils.checkpoint import TrainingState
from utils.distributed import global_mean
from utils.optimizers import Optimizers
from utils.options import OptimizerOptions
from utils.seeds import derive_seed, seed_all


@dataclass(frozen=True)
class Context:
    """What a step knows beside the model and the batch, and help with the update."""

    fabric: Fabric
    options: Any
    epoch: int
    step: int
    """Steps done since the start of the run; in validation, the number of the batch."""
    generator: torch.Generator
    """On the run's device, seeded by (seed, epoch, step, process)."""
    optim: OptimizerOptions

    def mean(self, total: Tensor, count: Tensor) -> Tensor:
        """Mean loss over the batches of all processes (utils.distributed.global_mean)."""
        return global_mean(total, count, self.fabric)

    def backward(self, loss: Tensor) -> None:
        """Gradients of `loss`, scaled where the precision needs it."""
        self.fabric.backward(loss)

    def clip(self, model: nn.Module, optimizer: Any) -> None:
        """Scale the gradients of `optimizer`'s weights down to --grad_clip, unless it is None."""
        if self.optim.grad_clip is not None:
            self.fabric.clip_gradients(
                model,  # pyright: ignore[reportArgumentType]
                optimizer,
                max_norm=self.optim.grad_clip,
                error_if_nonfinite=False,  # the loop reports losses that are not finite
            )

    def minimise(self, loss: Tensor, model: nn.Module, optimizer: Any) -> None:
        """One whole update: gradients from zero, backward, clip, step."""
        optimizer.zero_grad(set_to_none=True)
        self.backward(loss)
        self.clip(model, optimizer)
        optimizer.step()


@dataclass(frozen=True)
class TrainingFunctions:
    """The five functions that a subpackage hands to the loop.

    make_optimizer_fn(model, options) -> optimizer, or dict of them.
    update_op(model, optimizer, minibatch, step, context) does one update; -> dict of scalar losses.
    validation_loss(model, minibatch, context) -> {name: (sum, count)}; the first decides "best",
        smaller is better. Without gradients; `model` is in evaluation mode.
    load_fn(model, optimizer, path) -> TrainingState; restores a run.
    checkpoint_fn(model, optimizer, state, run_dir, is_best) writes `last` and, if best, `best`.
    """

    make_optimizer_fn: Callable[[nn.Module, Any], Optimizers]
    update_op: Callable[[nn.Module, Optimizers, Any, int, Context], dict[str, Any]]
    validation_loss: Callable[[nn.Module, Any, Context], dict[str, tuple[Any, Any]]]
    load_fn: Callable[[nn.Module, Optimizers, Path], TrainingState] = checkpoint.load_fn
    checkpoint_fn: Callable[[nn.Module, Optimizers, TrainingState, Path, bool], None] = (
        checkpoint.checkpoint_fn
    )


def seeded_context(
    fabric: Fabric, options: Any, optim: OptimizerOptions, purpose: str, place: tuple[int, ...]
) -> Context:
    """Context at `place`, (seed, epoch, step, process), for "training" or "validation".

    Seeds its generator from the place, and, otherwise, the global ones (dropout draws from them).
    """
    seed_all(derive_seed(f"{purpose}, global", *place))
    generator = torch.Generator(fabric.device).manual_seed(derive_seed(purpose, *place))
    return Context(fabric, options, place[1], place[2], generator, optim)
