"""What a run leaves behind as it goes: checkpoints to return to, and curves of its errors."""

import math
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from torch import nn

from twod_threed.temporal.options import ReportOptions
from utils import checkpoint
from utils.atomic import atomic_path
from utils.checkpoint import TrainingState
from utils.optimizers import Optimizers
from utils.plots import save_curves

CURVES = {
    "mpjpe": ("Poses", "train_pose", "validation_mpjpe"),
    # In training each error counts for as much less as the person is further away.
    "trajectory": ("Trajectory", "", "validation_trajectory"),
}
"""File -> title and columns of the history, in the network's unit, if it has one, and in mm."""


@dataclass(frozen=True)
class Record:
    """How a run is recorded."""

    report: ReportOptions
    chooses: bool
    """does validation choose the best weights? Otherwise the newest count as such"""
    millimetres: float
    """the network's unit"""

    def checkpoint_fn(
        self,
        model: nn.Module,
        optimizer: Optimizers,
        state: TrainingState,
        run_dir: Path,
        is_best: bool,
    ) -> None:
        """Write last.ckpt, the best weights, every so many epochs epoch_<N>.ckpt, and curves."""
        if not self.chooses:
            newest = state.history[-1] if state.history else {}
            state = replace(state, best_value=newest.get("validation_mpjpe", math.inf))
            is_best = bool(newest)
        checkpoint.checkpoint_fn(model, optimizer, state, run_dir, is_best)
        if state.step_in_epoch or not state.epoch:
            return
        if state.epoch % self.report.checkpoint_frequency == 0:
            with atomic_path(run_dir / f"epoch_{state.epoch}.ckpt") as temporary:
                shutil.copyfile(run_dir / "last.ckpt", temporary)
        if self.report.export_training_curves:
            draw_curves(state.history, run_dir, self.millimetres)


def draw_curves(history: list[dict[str, float]], folder: Path, millimetres: float) -> None:
    """Errors over epochs, mm, as training_curves_<what>.png. millimetres: the network's unit."""
    for name, (title, train, validation) in CURVES.items():
        if validation not in history[-1]:
            continue
        # Epochs with --no_eval have no validation error.
        curves = {"validation": np.array([row.get(validation, np.nan) for row in history])}
        if train:
            curves = {"training": millimetres * np.array([row[train] for row in history])} | curves
        # The first epochs, far off, would press everything else together.
        seen = np.concatenate([curve[min(3, len(curve) - 1) :] for curve in curves.values()])
        epochs = np.array([row["epoch"] + 1 for row in history])
        save_curves(
            folder / f"training_curves_{name}.png",
            epochs if len(epochs) > 1 else np.array([0.5, 1.5]),
            curves if len(epochs) > 1 else {k: np.repeat(v, 2) for k, v in curves.items()},
            title=title,
            x_label="epoch",
            y_label="mean error (mm)",
            y_limits=(0.0, 1.1 * float(np.nanmax(seen))),
        )
