"""Confidence that can be trusted, and what a network was not trained to find."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from stacked_hourglass.calibration import fit_calibration
from stacked_hourglass.decoding import calibrated
from stacked_hourglass.inference import run
from stacked_hourglass.options import (
    DataOptions,
    HourglassRunOptions,
    HourglassTrainOptions,
    NetworkOptions,
)
from stacked_hourglass.predictor import load_model
from stacked_hourglass.training import train
from tests.stacked_hourglass.fake_data import coco_annotation, write_coco
from utils.options import LoopOptions, OptimizerOptions, RunOptions
from utils.pose_file import read_poses


def test_calibration_recovers_the_chance_that_a_joint_is_right() -> None:
    torch.manual_seed(0)
    probability = torch.rand(20_000)
    right = torch.rand(20_000) < torch.sigmoid(0.5 * torch.logit(probability, eps=1e-4) - 1)
    slope, offset = fit_calibration(probability, right)
    assert (slope, offset) == (pytest.approx(0.5, abs=0.05), pytest.approx(-1, abs=0.05))
    says = calibrated(probability, (slope, offset))
    for low in (0.1, 0.3, 0.5):
        chosen = (says >= low) & (says < low + 0.1)
        assert float(right[chosen].float().mean()) == pytest.approx(low + 0.05, abs=0.03)


def test_calibration_stays_finite_where_everything_is_right() -> None:
    slope, offset = fit_calibration(torch.full((50,), 0.9), torch.ones(50, dtype=torch.bool))
    assert math.isfinite(slope) and math.isfinite(offset)
    assert float(calibrated(torch.tensor([0.9]), (slope, offset))) > 0.9


@pytest.mark.parametrize("spread", [0.2, 0.5, 0.7])
@pytest.mark.parametrize("middle", [-1.5, -2.0, -3.0])
def test_calibration_holds_where_wide_maps_make_every_probability_small(
    middle: float, spread: float
) -> None:
    """Right joints whose peaks hold little of the map: far from the line that the fit starts at."""
    generator = torch.Generator().manual_seed(0)
    x = middle + spread * torch.randn(1400, generator=generator)
    chance = torch.sigmoid(x - middle + 2)
    right = torch.rand(1400, generator=generator) < chance
    probability = torch.sigmoid(x)
    says = calibrated(probability, fit_calibration(probability, right))
    assert float(says.mean()) == pytest.approx(float(right.float().mean()), abs=0.02)
    assert float((says - chance).abs().mean()) < 0.05


def test_joints_that_the_training_data_lack_are_not_found(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    for split in ("train", "val"):
        write_coco(tmp_path / "coco", split, [coco_annotation(n, 1) for n in range(4)])
    data = str(tmp_path / "coco")
    runs = RunOptions(checkpoint_dir=str(tmp_path / "runs"), tb_dir=str(tmp_path / "tb"))
    loop = LoopOptions(
        epochs=1, train_batch_size=4, test_batch_size=4, workers=0, accelerator="cpu"
    )
    options = HourglassTrainOptions(
        run=runs,
        loop=loop,
        optim=OptimizerOptions(optimizer="adam", lr=1e-3),
        network=NetworkOptions(stacks=1, features=16, resolution=64, num_classes=14),
        data=DataOptions("coco", data_dir=data),
    )
    assert train(options) == 0
    assert "nobody who trains has upper_neck, head_top" in capsys.readouterr().out
    weights = tmp_path / "runs/hourglass_coco_default"
    assert load_model(str(weights))[1].untrained == ("upper_neck", "head_top")
    found = HourglassRunOptions("coco", str(weights), data, str(tmp_path / "out"))
    assert run(replace(found, flip=False)) == 0
    for path in (weights / "predictions.npz", tmp_path / "out/poses.npz"):
        poses = read_poses(path)
        lacking = np.isin(poses.joint_names_2d, ("upper_neck", "head_top"))
        assert len(poses) == 4 and lacking.sum() == 2
        assert np.isnan(poses.keypoints_2d[:, lacking]).all()
        assert np.isfinite(poses.keypoints_2d[:, ~lacking]).all()
        assert (poses.confidence[:, lacking] == 0).all()
