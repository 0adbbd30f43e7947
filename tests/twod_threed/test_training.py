"""The five functions and whole small runs, on the mannequin."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.twod_threed.fake_h36m import write_tree
from tests.twod_threed.small_poses import minibatch
from twod_threed.detector_noise import read_table
from twod_threed.h36m import NOT_OF_14
from twod_threed.losses import joint_errors
from twod_threed.model import Lifter, LifterArchitecture, constrain_weights, linear_layers
from twod_threed.normalisation import Normaliser
from twod_threed.options import (
    AugmentationOptions,
    CycleGanOptions,
    DataOptions,
    DrawingOptions,
    LifterNetworkOptions,
    LifterTrainOptions,
    NormalisationOptions,
)
from twod_threed.predictor import load_lifter
from twod_threed.training import Lifting, decay_lr, normalise, train, training_statistics
from twod_threed.training_data import lifter_data
from utils.errors import UserError
from utils.options import LoopOptions, OptimizerOptions, RunOptions
from utils.pose_file import read_poses
from utils.skeletons import H36M_17, MPII_16
from utils.weights import load_weights

RUN = "2d3d_mannequin_default"


@pytest.fixture(autouse=True)
def few_poses(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setattr("utils.dataset_statistics.CACHE", tmp_path_factory.getbasetemp() / "cache")
    monkeypatch.setattr("utils.mannequin.motion_store.STILL_POSES", 3)
    monkeypatch.setattr("utils.mannequin.motion_store.MOVING_POSES", 4)
    monkeypatch.setattr("twod_threed.training_data.HELD_OUT_BODIES", 2)


def options(folder: Path, **changes: object) -> LifterTrainOptions:
    """A run of two steps of eight poses."""
    made = LifterTrainOptions(
        run=RunOptions(checkpoint_dir=str(folder / "runs"), tb_dir=str(folder / "tb")),
        loop=LoopOptions(
            epochs=1, train_batch_size=8, test_batch_size=8, workers=0, accelerator="cpu"
        ),
        optim=OptimizerOptions(optimizer="adam", lr=1e-3),
        network=LifterNetworkOptions(linear_size=16, num_stage=1),
        data=DataOptions(dataset="mannequin", mannequin_count=3),
        drawing=DrawingOptions(epoch_poses=16),
    )
    return replace(made, **changes)


def history(folder: Path) -> list[dict[str, str]]:
    with (folder / "runs" / RUN / "history.csv").open() as file:
        return list(csv.DictReader(file))


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_weights(folder / "runs" / RUN / "best.safetensors")[0]


def test_a_run_leaves_all_its_files(tmp_path: Path) -> None:
    assert train(options(tmp_path)) == 0
    folder = tmp_path / "runs" / RUN
    expected = {"options.json", "last.ckpt", "best.ckpt", "best.safetensors"}
    assert {path.name for path in folder.iterdir()} == expected | {"history.csv", "predictions.npz"}
    poses = read_poses(folder / "predictions.npz")
    assert len(poses) == 14 and poses.skeleton_3d == "h36m_17" and poses.skeleton_2d == "mpii_16"
    assert poses.root_camera is not None and np.isfinite(poses.root_camera).all()
    assert 50 < float(history(tmp_path)[0]["validation_mpjpe"]) < 2000
    lifter, description = load_lifter(str(folder))
    assert lifter.architecture.linear_size == 16 and 2500 < description.standard_size < 4000
    assert load_weights(folder / "best.safetensors")[1]["training_data"] == "mannequin"


def test_who_trained_earlier_is_not_forgotten_and_another_normalisation_is_refused(
    tmp_path: Path,
) -> None:
    assert train(options(tmp_path)) == 0
    own = f"{tmp_path}/runs/{RUN}"

    def more(load: str, **changes: object) -> LifterTrainOptions:
        run = RunOptions("more", f"{tmp_path}/runs", f"{tmp_path}/tb", load=load, overwrite=True)
        return replace(options(tmp_path), run=run, **changes)

    fewer = DataOptions(dataset="mannequin", mannequin_count=1)
    for load in (own, f"{own}/best.safetensors"):
        loop = replace(options(tmp_path).loop, epochs=2)
        assert train(more(load, data=fewer, loop=loop)) == 0
        people = load_weights(tmp_path / "runs/2d3d_mannequin_more/best.safetensors")[1]["people"]
        assert people == ["mannequin/0", "mannequin/1", "mannequin/2"]
        with pytest.raises(UserError, match=r"was trained without --dataset_normalization"):
            train(more(load, learning=NormalisationOptions(dataset_normalization=True)))


def test_resumed_is_the_same_as_never_interrupted(tmp_path: Path) -> None:
    every = {
        "augmentation": AugmentationOptions(
            orthogonal_data_augmentation=True, flip_prob=0.5, drop_joint_prob=0.1, input_noise=1.0
        )
    }
    loop = replace(options(tmp_path).loop, epochs=2)
    train(options(tmp_path / "a", loop=loop, **every))
    halves = options(tmp_path / "b", **every)
    train(halves)
    train(replace(halves, loop=loop, run=replace(halves.run, resume=True)))
    one, two = (
        torch.load(tmp_path / part / "runs" / RUN / "last.ckpt", weights_only=True)["model"]
        for part in "ab"
    )
    assert all(torch.equal(one[key], two[key]) for key in one)
    columns = [key for key in history(tmp_path / "a")[0] if key != "seconds"]
    first, second = (
        [[row[c] for c in columns] for row in history(tmp_path / part)] for part in "ab"
    )
    assert first == second


LEARNING = {
    "dropout": {"network": LifterNetworkOptions(linear_size=16, num_stage=1, dropout=0.0)},
    "max_norm": {"network": LifterNetworkOptions(linear_size=16, num_stage=1, max_norm=False)},
    "dataset_normalization": {"learning": NormalisationOptions(dataset_normalization=True)},
    "target_size": {"learning": NormalisationOptions(target_size="standard")},
    "pose_loss": {"learning": NormalisationOptions(pose_loss="mpjpe")},
    "lr_decay": {"learning": NormalisationOptions(lr_decay=0.1, lr_decay_steps=1)},
    "turns": {"augmentation": AugmentationOptions(orthogonal_data_augmentation=True)},
    "optimizer": {"optim": OptimizerOptions(optimizer="amsprop", lr=1e-3, weight_decay=0.1)},
    "cycle_gan": {"gan": CycleGanOptions(cycle_gan=True)},
}


def test_every_learning_option_changes_what_is_learnt(tmp_path: Path) -> None:
    train(options(tmp_path / "plain"))
    plain = weights(tmp_path / "plain")["last.weight"]
    for name, changes in LEARNING.items():
        train(options(tmp_path / name, **changes))
        found = weights(tmp_path / name)
        changed = found.get("lifter.last.weight", found.get("last.weight"))
        assert changed is not None and not torch.equal(plain, changed), name
        assert load_lifter(str(tmp_path / name / "runs" / RUN))[1].joints_3d == H36M_17.joints


def lifting() -> Lifting:
    one = Normaliser("mpii_16", MPII_16.joints, H36M_17.joints, 3300.0, None)
    return Lifting(one, read_table(), own_size=True)


@pytest.mark.parametrize("max_norm", [True, False])
def test_32_poses_are_learnt_to_under_5_mm(max_norm: bool) -> None:
    torch.manual_seed(0)
    model = Lifter(LifterArchitecture(linear_size=128, dropout=0.0, max_norm=max_norm))
    optimizer = torch.optim.Adam(model.parameters(), 2e-3, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 300)
    batch = minibatch(32)
    one = normalise(batch, lifting())
    for _ in range(300):
        optimizer.zero_grad()
        (model(one.points) - one.targets).square().mean().backward()
        optimizer.step()
        schedule.step()
        if max_norm:
            constrain_weights(model)
    normaliser = lifting().normaliser
    with torch.no_grad():
        poses = normaliser.poses(model(one.points), one.view, batch["size"])
    truth = batch["poses_3d"] - batch["poses_3d"][:, :1]
    total, count = joint_errors(poses, truth, batch["valid"])
    assert float(total / count) < 5.0
    longest = max(float(layer.weight.detach().norm()) for layer in linear_layers(model))
    assert not max_norm or longest <= 1 + 1e-5


def test_what_cannot_be_known_does_not_enter_the_loss() -> None:
    batch = minibatch(3)
    wrist = H36M_17.index("left_wrist")
    batch["poses_3d"][0, wrist] = float("nan")
    batch["valid"][0, wrist] = False
    batch["valid"][1, H36M_17.index("head")] = False
    batch["poses_2d"][2, 2:] = float("nan")
    one = normalise(batch, lifting())
    assert one.points.isfinite().all()
    assert one.valid.sum(1).tolist() == [16, 16, 0]
    assert one.targets[one.valid].isfinite().all()


def test_fourteen_joints_are_learnt_relative_to_a_hip_that_is_learnt(tmp_path: Path) -> None:
    folder = write_tree(tmp_path, ("S1", "S8"), ("Sitting", "Sitting 1"))
    found = []
    for joints in (14, 17):
        wanted = DataOptions(
            "h36m",
            data_dir=str(folder),
            train_subjects=("S1",),
            action=("Sitting",),
            joints=joints,
        )
        made = options(tmp_path, data=wanted, drawing=DrawingOptions())
        found.append(lifter_data(made, 0, 1, "cpu"))
    few, all_of_them = map(training_statistics, found)
    scored = [H36M_17.index(name) for name in H36M_17.joints if name not in NOT_OF_14]
    for name in ("mean_3d", "std_3d"):
        one, other = (np.array(getattr(each, name)) for each in (few, all_of_them))
        np.testing.assert_allclose(one[scored], other[scored], atol=1e-3)
    batch = next(iter(found[0].train.epoch(0)))
    one = normalise(batch, lifting())
    learnt = {H36M_17.joints[n] for n in one.valid.all(0).nonzero()[:, 0]}
    assert learnt == {*H36M_17.joints} - {"spine", "neck_nose"}
    assert not batch["valid"][:, H36M_17.root].any(), "it does not count in the validation"


def test_weights_keep_the_norm_through_training(tmp_path: Path) -> None:
    for max_norm in (True, False):
        network = LifterNetworkOptions(linear_size=16, num_stage=1, max_norm=max_norm)
        train(options(tmp_path / str(max_norm), network=network))
        lifter, _ = load_lifter(str(tmp_path / str(max_norm) / "runs" / RUN))
        norms = [float(layer.weight.detach().norm()) for layer in linear_layers(lifter)]
        assert (max(norms) <= 1 + 1e-5) == max_norm


def test_learning_rate_falls_as_published() -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    decay_lr(optimizer, 250_000, NormalisationOptions())
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.96**2.5)
    decay_lr(optimizer, 5, NormalisationOptions(lr_decay=1.0))
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.96**2.5)


def test_absent_data_is_one_error_with_a_way_out(tmp_path: Path) -> None:
    for dataset in ("h36m", "mocap"):
        data = DataOptions(dataset, data_dir=str(tmp_path / "nowhere"))
        with pytest.raises(UserError, match=r"prepare\.py.*2d3d_mannequin"):
            train(options(tmp_path, data=data, drawing=DrawingOptions()))
