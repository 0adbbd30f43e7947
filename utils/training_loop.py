"""The one training loop. It knows nothing about poses.

A subpackage hands it a model, batches and five functions (`TrainingFunctions`). The loop owns the
rest: devices, precision and processes, seeding, epochs, logs, validation, checkpoints, the learning
rate, the moving average of the weights, and stopping.

Randomness comes from (seed, epoch, step, process) and schedules from the step, so that a run that
was killed and resumed gives what one never interrupted gives.
"""

import math
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn
from torch.nn.utils import get_total_norm
from tqdm import tqdm

from utils.batches import Batches, workers_must_live
from utils.checkpoint import (
    TrainingState,
    random_states,
    read_checkpoint,
    read_weights,
    set_random_states,
)
from utils.devices import need_compiler
from utils.distributed import (
    fail_together,
    first_reports,
    local_module,
    on_rank_zero,
    start_fabric,
    sum_over_processes,
)
from utils.meters import LossMeans, Magnitudes
from utils.moving_average import MovingAverage
from utils.optimizers import by_name, current_lr, lr_factor, set_lr_factor
from utils.options import LoopOptions, OptimizerOptions, RunOptions, TrainingOptions
from utils.run_folder import alone_in, find_start, open_folder, write_history
from utils.stopping import StopSignals, share_of_minutes
from utils.tensorboard_log import TensorBoardLog
from utils.training_functions import Context, TrainingFunctions, seeded_context
from utils.validation import validation_sums, validation_values
from utils.weights import load_into


def train_loop(
    model: nn.Module,
    train_batches: Batches,
    validation_batches: Batches,
    functions: TrainingFunctions,
    run: RunOptions,
    loop: LoopOptions,
    optim: OptimizerOptions,
    run_name: str,
    fabric: Fabric | None = None,
    options: Any = None,
    metadata: dict[str, Any] | None = None,
) -> TrainingState:
    """Train `model`, leaving last and best checkpoints and history.csv in the run folder.

    run_name: <subcommand>_<exp>. fabric: from `start_fabric`, for code that shards its data over
    processes. options: the subpackage's whole options, given to its functions and written to
    options.json (default: the three groups). metadata: what goes with the weights, of values that
    JSON can hold. Raises UserError for what the user can mend, such as a run folder in use or a
    loss that is not finite. Ctrl-C or SIGTERM leaves a checkpoint: stop_reason "interrupted".
    """
    fabric = fabric or start_fabric(loop, run.seed)
    options = options or TrainingOptions(run, loop, optim)
    start = on_rank_zero(fabric, lambda: find_start(run, run_name))
    both = (train_batches, validation_batches)
    training = _Training(functions, *both, fabric, run, loop, optim, options, start.folder)
    training.set_up(model, metadata or {})
    with first_reports(fabric):
        if start.checkpoint:
            training.resume(start.checkpoint)
        elif start.weights:
            load_into(training.module, read_weights(start.weights)[0], start.weights)
    training.start_average()
    log_folder = Path(run.tb_dir) / run_name
    with ExitStack() as stack:
        on_rank_zero(fabric, lambda: stack.enter_context(alone_in(start.folder)))
        on_rank_zero(fabric, lambda: open_folder(start, log_folder, options))
        with StopSignals() as training.signals, training.logs(log_folder), workers_must_live():
            training.train()
    return training.state


@dataclass
class _Training:
    """A run under way: what the steps of the loop share."""

    functions: TrainingFunctions
    train_batches: Batches
    validation_batches: Batches
    fabric: Fabric
    run: RunOptions
    loop: LoopOptions
    optim: OptimizerOptions
    options: Any
    folder: Path
    signals: StopSignals = field(default_factory=StopSignals)
    tensorboard: TensorBoardLog | None = None
    """in the first process"""

    def set_up(self, model: nn.Module, metadata: dict[str, Any]) -> None:
        """Put model and optimizers on the device, ready for several processes."""
        self.started = self.saved = time.monotonic()
        self.time_before = self.time_share = 0.0
        self.module = model
        optimizer = self.functions.make_optimizer_fn(model, self.options)
        if self.loop.compile:
            on_rank_zero(self.fabric, lambda: need_compiler(self.fabric.device.type))
            model = torch.compile(model)  # pyright: ignore[reportAssignmentType]
        wrapped = self.fabric.setup(model, *by_name(optimizer).values())
        self.model, *optimizers = wrapped
        named = dict(zip(by_name(optimizer), optimizers, strict=True))
        self.optimizer = named if isinstance(optimizer, dict) else optimizers[0]
        self.average: MovingAverage | None = None
        self.state = TrainingState(metadata=metadata)
        # More than one process, or a GPU, should not wait for Python after each step.
        many = self.fabric.world_size > 1 or self.fabric.device.type != "cpu"
        self.flush_steps = 10 if many else 1

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint, with the hyperparameters (learning rate, ...) of the options."""
        groups = [g for one in by_name(self.optimizer).values() for g in one.param_groups]
        wanted = [{k: v for k, v in group.items() if k != "params"} for group in groups]
        metadata = self.state.metadata
        self.state = self.functions.load_fn(self.model, self.optimizer, path)
        groups = [g for one in by_name(self.optimizer).values() for g in one.param_groups]
        for group, values in zip(groups, wanted, strict=True):
            group.pop("initial_lr", None)
            group.update(values)
        self.state.metadata, self.state.stop_reason = metadata, ""
        self.fabric.strategy.precision.load_state_dict(self.state.extra.get("precision", {}))
        if not self.knows_best(path):
            self.state.best_value = math.inf
        self.state.history = [r for r in self.state.history if r["epoch"] < self.state.epoch]
        share = self.state.extra.get("time_share", 0.0)
        # Of a run whose time was over, the learning rate is 0: it begins a new course.
        if self.loop.max_minutes and share < 1:
            self.time_before = self.time_share = share
        set_random_states(self.state.random)
        self.fabric.print(f"goes on from {path}: epoch {self.state.epoch}, step {self.state.step}")
        now, before = len(self.train_batches), self.state.extra.get("epoch_steps")
        if before not in (None, now):
            self.fabric.print(
                f"note: an epoch has {now} steps, and had {before} when this run was written: the "
                "data or --train_batch_size are others, so it ends as no other run does"
            )

    def knows_best(self, path: Path) -> bool:
        """Whether the best weights beside a checkpoint are those of its run so far, and not of
        steps that a run which goes on from an earlier one does anew."""
        best = path.parent / "best.ckpt"
        if path.name == "last.ckpt" or not best.is_file():
            return best.is_file()
        return read_checkpoint(best)["state"]["step"] <= self.state.step

    def start_average(self) -> None:
        """Begin the moving average of the weights, or go on with the checkpoint's."""
        if not self.loop.ema_decay:
            self.state.extra.pop("moving_average", None)
            return
        self.average = MovingAverage(self.module, self.loop.ema_decay)
        saved = self.state.extra.get("moving_average")
        if saved is not None:
            load_into(self.average.module, saved, "the checkpoint's moving average")
        self.state.extra["moving_average"] = self.average.module.state_dict()

    @contextmanager
    def logs(self, folder: Path) -> Iterator[None]:
        """TensorBoard in the first process, going on at the step of the state."""
        if self.fabric.is_global_zero:
            self.tensorboard = TensorBoardLog(folder, self.state.step)
        try:
            yield
        finally:
            if self.tensorboard:
                self.tensorboard.close()

    def log(self, values: dict[str, float], prefix: str) -> None:
        """Write scalars to TensorBoard at the step of the state."""
        if self.tensorboard:
            self.tensorboard.write(values, prefix, self.state.step)

    def train(self) -> None:
        """Epochs until something ends the run."""
        state = self.state
        while not (reason := self.stop_at_epoch()):
            reason = self.train_epoch()
            values = None if reason == "interrupted" else self.validate()
            if values is None:
                self.save(is_best=False)
                reason = "interrupted"
                break
            self.finish_epoch(values, complete=state.step_in_epoch >= len(self.train_batches))
            if reason:
                break
        if reason != "interrupted":
            on_rank_zero(self.fabric, self.have_best)
        state.stop_reason = reason
        self.fabric.print(f"training ended ({reason}) after step {state.step}: {self.folder}")

    def stop_at_epoch(self) -> str:
        """Why no further epoch should begin, or ""."""
        patience = self.loop.early_stop_patience
        if self.state.epoch >= self.loop.epochs:
            return "epochs"
        if self.loop.max_steps and self.state.step >= self.loop.max_steps:
            return "steps"
        if patience and self.state.epochs_without_improvement >= patience:
            return "patience"
        return ""

    def train_epoch(self) -> str:
        """Steps of the epoch that are not done yet; why they stopped early, or ""."""
        state = self.state
        self.losses = LossMeans(self.fabric, state.loss_sums)
        self.epoch_started = time.monotonic() - state.seconds
        self.model.train()
        planned = self.set_lr(max(state.step - 1, 0))
        self.lr = state.extra.get("lr", planned)
        with tqdm(
            self.train_batches.epoch(state.epoch, state.step_in_epoch),
            desc=f"epoch {state.epoch}",
            initial=state.step_in_epoch,
            total=len(self.train_batches),
            leave=False,
            disable=not (self.fabric.is_global_zero and sys.stderr.isatty()),
        ) as progress:
            for batch in progress:
                self.train_step(self.fabric.to_device(batch))
                progress.set_postfix(self.losses.latest, refresh=False)
                if reason := self.stop_at_step():
                    return reason
        self.losses.flush()
        return ""

    def train_step(self, batch: Any) -> None:
        """One update, its losses, the moving average, and every now and then a record of it."""
        state = self.state
        self.set_lr(state.step)
        record = state.step % self.run.tb_log_freq == 0
        magnitudes = Magnitudes(self.module) if record and self.tensorboard else None
        context = self.context(state.epoch, state.step, "training")
        losses = self.functions.update_op(self.model, self.optimizer, batch, state.step, context)
        self.lr = current_lr(self.optimizer)  # which update_op may have lowered further
        self.losses.add(state.step, losses)
        if record or (state.step + 1) % self.flush_steps == 0:
            self.losses.flush()
        if self.average:
            self.average.update(self.module, state.step)
        if magnitudes:
            self.log(self.losses.latest, "data/iter")
            self.log({"lr": self.lr}, "optimizer")
            self.log(magnitudes.after_step(), "model")
        state.step += 1
        state.step_in_epoch += 1

    def set_lr(self, step: int) -> float:
        """Set the learning rate of a step (from 0) in every group; the first group's."""
        each = len(self.train_batches)
        total = min(self.loop.epochs * each, self.loop.max_steps or sys.maxsize)
        factor = lr_factor(step, self.optim, total, each, self.time_share)
        return set_lr_factor(self.optimizer, factor)

    def context(self, epoch: int, step: int, purpose: str) -> Context:
        """Context of a step or a validation batch."""
        place = (self.run.seed, epoch, step, self.fabric.global_rank)
        return seeded_context(self.fabric, self.options, self.optim, purpose, place)

    def stop_at_step(self) -> str:
        """Why to stop after this step, or ""; saves where --checkpoint_minutes says so."""
        if self.loop.max_steps and self.state.step >= self.loop.max_steps:
            self.losses.flush()
            return "steps"
        if self.state.step % self.flush_steps:
            return ""
        interrupted, share, since_save = self.agree(
            float(self.signals.requested),
            share_of_minutes(self.started, self.loop.max_minutes),
            share_of_minutes(self.saved, self.loop.checkpoint_minutes),
        )
        self.time_share = self.time_before + (1 - self.time_before) * share
        if interrupted or share > 1:
            self.losses.flush()
            return "interrupted" if interrupted else "time"
        if since_save > 1:
            self.save(is_best=False)
        return ""

    def agree(self, *values: float) -> list[float]:
        """The mean of each value over the processes, which must all do the same at a step."""
        totals = sum_over_processes(list(values), self.fabric)
        return [total / self.fabric.world_size for total in totals]

    def validate(self) -> dict[str, float] | None:
        """Validation values (of the moving average, if on), or None if asked to stop meanwhile."""
        module = self.average.module if self.average else self.module
        sums = validation_sums(
            local_module(module, self.fabric),
            (self.fabric.to_device(batch) for batch in self.validation_batches.epoch(0)),
            self.functions.validation_loss,
            lambda number: self.context(0, number, "validation"),
            lambda: self.signals.requested,
        )
        if any(self.agree(float(self.signals.requested))):
            return None
        values = validation_values(sums, self.fabric)
        if not math.isfinite(next(iter(values.values()), math.nan)):
            where = f"validation after step {self.state.step}"
            problem = f"{where} gives no finite value ({values}); the last checkpoint is kept"
            fail_together(self.fabric, problem)
        return values

    def finish_epoch(self, values: dict[str, float], complete: bool) -> None:
        """Record losses and validation values, and write checkpoints.

        An epoch cut short by --max_steps or --max_minutes is recorded too; a run that goes on from
        it replaces its row.
        """
        state = self.state
        means = self.losses.means()
        value = next(iter(values.values()))
        is_best = value < state.best_value
        state.best_value = min(value, state.best_value)
        state.seconds = time.monotonic() - self.epoch_started
        state.history.append(
            {"epoch": state.epoch, "step": state.step, "lr": self.lr}
            | {f"train_{name}": mean for name, mean in means.items()}
            | {f"validation_{name}": value for name, value in values.items()}
            | {"seconds": round(state.seconds, 2)}
        )
        self.log(means, "data/epoch/train")
        self.log(values, "data/epoch/validation")
        parts = [f"{name} {number:.6g}" for name, number in state.history[-1].items()]
        self.fabric.print(", ".join(parts) + (" (best)" if is_best else ""))
        if complete:
            waited = state.epochs_without_improvement + 1
            state.epochs_without_improvement = 0 if is_best else waited
            state.epoch += 1
            state.step_in_epoch, state.seconds = 0, 0.0
            self.losses = LossMeans(self.fabric, {})
        self.save(is_best)

    def save(self, is_best: bool) -> None:
        """Write history and checkpoints from the first process, unless weights are not finite."""
        state = self.state
        self.losses.flush()
        state.loss_sums, state.random = self.losses.sums, random_states()
        # The loss scale of float16.
        state.extra["precision"] = self.fabric.strategy.precision.state_dict()
        state.extra["epoch_steps"] = len(self.train_batches)
        state.extra["time_share"] = self.time_share
        state.extra["lr"] = self.lr
        if state.step_in_epoch:
            state.seconds = time.monotonic() - self.epoch_started
        if not get_total_norm(self.module.parameters()).isfinite():
            fail_together(
                self.fabric,
                f"weights are not finite after step {state.step}; the last checkpoint is kept",
            )
        on_rank_zero(self.fabric, lambda: self.write(is_best))
        self.saved = time.monotonic()

    def write(self, is_best: bool) -> None:
        """Write history and checkpoints, as they are."""
        # Killed between the two, the run goes on from the older checkpoint and writes both.
        write_history(self.folder, self.state.history)
        self.functions.checkpoint_fn(self.model, self.optimizer, self.state, self.folder, is_best)

    def have_best(self) -> None:
        """Of a finished run of which only the last checkpoint was there, that is the best."""
        if not (self.folder / "best.safetensors").is_file():
            self.write(is_best=True)
