"""Weights that are named to be tested: public ones without a further word, and none that differ."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.twod_threed.fake_h36m import write_videopose
from tests.twod_threed.scored_pairs import make_pairs
from tests.twod_threed.temporal import public_videopose
from tests.twod_threed.temporal.known_networks import describe, identity_model, write_networks
from twod_threed.pairs import PosePairs
from twod_threed.temporal import evaluation, training
from twod_threed.temporal.evaluation_options import TemporalEvalOptions
from twod_threed.temporal.inference import run
from twod_threed.temporal.inference_options import TemporalRunOptions, WeightsOptions
from twod_threed.temporal.options import (
    ReportOptions,
    TemporalDataOptions,
    TemporalNetworkOptions,
    TemporalTrainOptions,
)
from twod_threed.temporal.predictor import TemporalLiftingModel
from twod_threed.temporal.training import train
from utils.errors import UserError
from utils.options import LoopOptions, RunOptions
from utils.pose_file import read_poses


@pytest.fixture
def data(tmp_path: Path) -> TemporalDataOptions:
    """Films of Human3.6M, and beside them pub.bin and own.safetensors, of 9 frames."""
    folder = write_videopose(tmp_path / "h36m", ("S1", "S9"), ("Walking",))
    torch.save({"model_pos": public_videopose.random_state(widths=(3, 3))}, tmp_path / "pub.bin")
    described = describe("h36m_17", frame_rate=50)
    write_networks(tmp_path / "own.safetensors", described)
    return TemporalDataOptions(
        "h36m",
        str(folder),
        keypoints="gt",
        subjects_train=("S1",),
        subjects_test=("S9",),
        actions=("Walking",),
    )


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> list[tuple[TemporalLiftingModel, PosePairs]]:
    """What was to be reported on, instead of reports, whose plots take seconds."""
    found: list[tuple[TemporalLiftingModel, PosePairs]] = []

    def keep(model: TemporalLiftingModel, pairs: PosePairs, *_: Any, **__: Any) -> None:
        found.append((model, pairs))

    monkeypatch.setattr(evaluation, "score_and_report", keep)
    monkeypatch.setattr(training, "score_and_report", keep)
    return found


def asked(folder: Path, data: TemporalDataOptions, file: str, **network: Any):
    return TemporalTrainOptions(
        run=RunOptions(checkpoint_dir=str(folder), tb_dir=str(folder / "tb")),
        loop=LoopOptions(accelerator="cpu"),
        network=TemporalNetworkOptions(**network),
        report=ReportOptions(evaluate=file),
        data=data,
    )


def test_public_weights_take_the_films_joints(tmp_path, data, scored):
    weights = WeightsOptions(load="pub.bin", checkpoint_dir=str(tmp_path), accelerator="cpu")
    assert evaluation.evaluate(TemporalEvalOptions(data, weights)) == 0
    assert train(asked(tmp_path, data, "pub.bin")) == 0
    assert [one.description.skeleton_2d for one, _ in scored] == ["h36m_17", "h36m_17"]
    assert run(TemporalRunOptions(data, weights, output_dir=str(tmp_path / "out"))) == 0
    poses = read_poses(tmp_path / "out/poses.npz").keypoints_3d
    assert poses is not None and np.isfinite(poses).all()


def test_scores_of_other_weights_do_not_replace_the_runs_own(tmp_path, data, monkeypatch):
    told: list[tuple[str, Path]] = []
    monkeypatch.setattr(
        training, "score_and_report", lambda _, __, name, folder, *___: told.append((name, folder))
    )
    own = asked(tmp_path, data, "best.safetensors")
    run_folder = tmp_path / own.run_name
    run_folder.mkdir()
    shutil.copy(tmp_path / "own.safetensors", run_folder / "best.safetensors")
    assert train(own) == 0 and train(asked(tmp_path, data, "pub.bin")) == 0
    assert told == [(own.run_name, run_folder / "test"), ("pub", run_folder / "test_pub")]


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ({"architecture": "3,3,3,3"}, "has filter widths 3,3, not 3,3,3,3"),
        ({"channels": 77}, "has 12 channels, not 77"),
        ({"causal": True}, "is not causal"),
        ({"dense": True}, "is not dense"),
    ],
)
def test_weights_of_another_network_are_refused(tmp_path, data, scored, network, message):
    assert train(asked(tmp_path, data, "own.safetensors")) == 0 and len(scored) == 1
    with pytest.raises(UserError, match=message):
        train(asked(tmp_path, data, "own.safetensors", **network))
    weights = WeightsOptions(load=str(tmp_path / "own.safetensors"), accelerator="cpu", **network)
    with pytest.raises(UserError, match=message):
        evaluation.evaluate(TemporalEvalOptions(data, weights))


def test_smoothing_reaches_what_is_scored():
    pairs = make_pairs([("S9", "Walking", "h36m", 40)])
    shaken = pairs.poses_2d + np.random.default_rng(0).normal(0, 5, pairs.poses_2d.shape)
    pairs, model = replace(pairs, poses_2d=shaken), identity_model(frame_rate=50)
    rough = evaluation.lift_pairs(model, pairs)
    for way in ("one_euro", "savitzky_golay"):
        assert np.abs(evaluation.lift_pairs(model, pairs, smooth=way) - rough).max() > 1


def test_who_validates_must_be_named(tmp_path, data):
    weights = WeightsOptions(load=str(tmp_path / "own.safetensors"), accelerator="cpu")
    with pytest.raises(UserError, match="nobody validates"):
        evaluation.evaluate(TemporalEvalOptions(data, weights, split="validation"))


@pytest.mark.parametrize(
    "changes", [{"downsample": 2}, {"actions": ("Walking",)}, {"input_joints": "mpii_16"}]
)
def test_what_a_rendered_film_does_not_depend_on_is_refused(changes):
    data = TemporalDataOptions("h36m", **changes)
    options = TemporalEvalOptions(data, WeightsOptions(), render=True)
    with pytest.raises(UserError, match=f"--{next(iter(changes))} changes nothing"):
        evaluation.evaluate(options)
    with pytest.raises(UserError, match="--split does nothing with --render"):
        evaluation.evaluate(replace(options, split="validation"))


def test_a_rendered_film_is_not_seen_by_cameras_at_rest():
    data = TemporalDataOptions("mocap", cameras_at_rest=4)
    with pytest.raises(UserError, match="--cameras_at_rest changes nothing"):
        evaluation.evaluate(TemporalEvalOptions(data, WeightsOptions(), render=True))
