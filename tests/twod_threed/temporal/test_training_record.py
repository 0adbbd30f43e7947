"""Checkpoints that are kept, which weights count as the best, and curves."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from twod_threed.temporal.options import ReportOptions
from twod_threed.temporal.training_record import Record, draw_curves
from utils.checkpoint import TrainingState
from utils.weights import load_weights


def row(epoch: int, error: float) -> dict[str, float]:
    return {"epoch": epoch, "train_pose": error / 1000, "validation_mpjpe": error}


def save(record: Record, folder: Path, epochs: int, is_best: bool = False, steps: int = 0) -> None:
    """The checkpoint after so many epochs, and steps of the next one."""
    model = nn.Linear(1, 1)
    nn.init.constant_(model.weight, epochs)
    state = TrainingState(epoch=epochs, step_in_epoch=steps, best_value=5.0)
    state.history = [row(epoch, 40.0 + epoch) for epoch in range(epochs)]
    record.checkpoint_fn(model, torch.optim.SGD(model.parameters()), state, folder, is_best)


def test_every_so_many_epochs_are_kept_beside_the_last(tmp_path: Path) -> None:
    record = Record(ReportOptions(checkpoint_frequency=2), chooses=True, millimetres=1000)
    for epoch in range(1, 6):
        save(record, tmp_path, epoch)
        save(record, tmp_path, epoch, steps=3)
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {"last.ckpt", "epoch_2.ckpt", "epoch_4.ckpt"}
    content = torch.load(tmp_path / "epoch_4.ckpt", weights_only=True)
    assert float(content["model"]["weight"]) == content["state"]["epoch"] == 4


def test_validation_chooses_the_best_weights_if_it_may(tmp_path: Path) -> None:
    record = Record(ReportOptions(), chooses=True, millimetres=1000)
    save(record, tmp_path, 1, is_best=True)
    save(record, tmp_path, 2)
    weights, metadata = load_weights(tmp_path / "best.safetensors")
    assert float(weights["weight"]) == 1 and metadata["score"] == 5.0


def test_otherwise_the_newest_weights_count_as_the_best(tmp_path: Path) -> None:
    record = Record(ReportOptions(), chooses=False, millimetres=1000)
    save(record, tmp_path, 0, steps=2)
    assert {path.name for path in tmp_path.iterdir()} == {"last.ckpt"}
    save(record, tmp_path, 1, is_best=True)
    save(record, tmp_path, 2)
    weights, metadata = load_weights(tmp_path / "best.safetensors")
    assert float(weights["weight"]) == 2 and metadata["score"] == 41.0


@pytest.mark.parametrize("epochs", [1, 2, 6])
def test_curves_are_drawn_of_what_was_measured(tmp_path: Path, epochs: int) -> None:
    record = Record(ReportOptions(export_training_curves=True), chooses=True, millimetres=1000)
    save(record, tmp_path, epochs, steps=1)
    assert not [*tmp_path.glob("*.png")]
    save(record, tmp_path, epochs)
    assert [path.name for path in tmp_path.glob("*.png")] == ["training_curves_mpjpe.png"]
    picture = cv2.imread(str(tmp_path / "training_curves_mpjpe.png"))
    assert picture is not None and picture.std() > 1
    history = [row(0, 40.0) | {"train_trajectory": 0.1, "validation_trajectory": 90.0}]
    draw_curves(history, tmp_path, 1000)
    assert (tmp_path / "training_curves_trajectory.png").is_file()


def test_curves_go_on_after_epochs_without_validation(tmp_path: Path, monkeypatch) -> None:
    drawn = {}
    monkeypatch.setattr(
        "twod_threed.temporal.training_record.save_curves",
        lambda path, x, curves, **_: drawn.update({path.stem: curves}),
    )
    blind = {key: value for key, value in row(0, 0).items() if "validation" not in key}
    whole = row(1, 40.0) | {"train_trajectory": 0.1, "validation_trajectory": 90.0}
    draw_curves([blind, whole], tmp_path, 1000)
    np.testing.assert_array_equal(
        drawn["training_curves_mpjpe"]["validation"], [np.nan, whole["validation_mpjpe"]]
    )
    # Weighted by distance, the training's is no error in mm.
    assert list(drawn["training_curves_trajectory"]) == ["validation"]
