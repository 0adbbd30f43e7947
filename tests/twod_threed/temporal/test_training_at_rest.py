"""Whole small runs on motion and mannequins that cameras at rest film."""

import csv
from pathlib import Path

import numpy as np
import pytest

from tests.twod_threed.temporal.small_films import store
from twod_threed.pairs import PosePairs
from twod_threed.temporal import training
from twod_threed.temporal.camera_rig import rig
from twod_threed.temporal.options import (
    SemiSupervisedOptions,
    TemporalDataOptions,
    TemporalNetworkOptions,
    TemporalTrainOptions,
)
from twod_threed.temporal.training import train
from utils.mocap.store import write_store
from utils.options import LoopOptions, RunOptions


@pytest.fixture(autouse=True)
def tested(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[PosePairs]:
    """Few frames, and no reports, whose plots take seconds: the films that were to be tested."""
    monkeypatch.setattr("utils.dataset_statistics.CACHE", tmp_path / "cache")
    monkeypatch.setattr("twod_threed.temporal.mannequin_clips.SECONDS", 1.0)
    monkeypatch.setattr("twod_threed.temporal.films.HELD_OUT_BODIES", 2)
    found: list[PosePairs] = []
    monkeypatch.setattr(training, "score_and_report", lambda _, films, *rest: found.append(films))
    return found


def run(folder: Path, data: TemporalDataOptions, unlabeled: tuple[str, ...] = ()) -> dict[str, str]:
    """The history of one epoch of batches of eight windows."""
    options = TemporalTrainOptions(
        run=RunOptions(checkpoint_dir=str(folder / "runs"), tb_dir=str(folder / "tb")),
        loop=LoopOptions(epochs=1, train_batch_size=8, workers=0, accelerator="cpu"),
        network=TemporalNetworkOptions("3,3", channels=8),
        semi=SemiSupervisedOptions(unlabeled, 0 if unlabeled else 1),
        data=data,
    )
    assert train(options) == 0
    with (folder / "runs" / options.run_name / "history.csv").open() as file:
        (row,) = csv.DictReader(file)
    return row


def test_labelled_and_unlabelled_motion(tmp_path: Path, tested: list[PosePairs]) -> None:
    lengths = {"cmu/01": 60, "cmu/02": 50, "cmu/03": 50, "cmu/06": 40, "cmu/07": 30}
    write_store(tmp_path / "store/one.npz", store(lengths))
    data = TemporalDataOptions(
        "mocap", str(tmp_path / "store"), subjects_train=("cmu/01",), cameras_at_rest=2
    )
    row = run(tmp_path, data, ("cmu/02", "cmu/03"))
    # Once all 60 frames of both cameras and their mirror images.
    assert int(row["step"]) == 2 * 2 * 60 // 8 and float(row["train_reprojection"]) > 0
    (films,) = tested
    assert len(films) == 2 * 30 and np.array_equal(films.position, rig(2, (40, 80)).position)


def test_mannequins(tmp_path: Path) -> None:
    row = run(tmp_path, TemporalDataOptions("mannequin", mannequin_count=2, cameras_at_rest=1))
    assert int(row["step"]) == 2 * 2 * 25 // 8
