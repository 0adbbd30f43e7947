"""The five functions and whole small runs, on mannequins and motion."""

import csv
import math
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch

from tests.twod_threed.fake_h36m import write_videopose
from tests.twod_threed.fake_humaneva import write_humaneva
from tests.twod_threed.temporal.small_films import films, store
from twod_threed.pairs import PosePairs, write_pairs
from twod_threed.temporal import training
from twod_threed.temporal.loading import load_networks
from twod_threed.temporal.options import (
    LearningOptions,
    ReportOptions,
    ResumeOptions,
    SemiSupervisedOptions,
    TemporalDataOptions,
    TemporalNetworkOptions,
    TemporalTrainOptions,
    WindowOptions,
)
from twod_threed.temporal.predictor import TemporalLiftingModel
from twod_threed.temporal.training import batch_norm_momentum, train, with_decay
from utils.errors import UserError
from utils.mocap.store import write_store
from utils.options import LoopOptions, OptimizerOptions, RunOptions
from utils.pose_file import read_poses
from utils.weights import load_weights

NETWORK = TemporalNetworkOptions("3,3", channels=8)
Tested = list[tuple[TemporalLiftingModel, PosePairs, dict[str, Any]]]


@pytest.fixture(autouse=True)
def tested(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Tested:
    """Few frames, and no reports, whose plots take seconds: what was to be tested instead."""
    monkeypatch.setattr("utils.dataset_statistics.CACHE", tmp_path_factory.getbasetemp() / "cache")
    monkeypatch.setattr("twod_threed.temporal.mannequin_clips.SECONDS", 1.0)
    monkeypatch.setattr("twod_threed.temporal.films.HELD_OUT_BODIES", 2)
    found: Tested = []

    def keep(model, pairs, name, folder, by_subject, flip) -> None:
        more = {"name": name, "folder": folder, "by_subject": by_subject, "flip": flip}
        found.append((model, pairs, more))

    monkeypatch.setattr(training, "score_and_report", keep)
    return found


def options(folder: Path, **changes: Any) -> TemporalTrainOptions:
    """A run of two epochs of two steps of eight windows."""
    made = TemporalTrainOptions(
        run=RunOptions(checkpoint_dir=str(folder / "runs"), tb_dir=str(folder / "tb")),
        loop=LoopOptions(
            epochs=2, train_batch_size=8, test_batch_size=64, workers=0, accelerator="cpu"
        ),
        optim=OptimizerOptions(optimizer="amsprop", lr=1e-3, no_grad_clipping=True),
        network=NETWORK,
        windows=WindowOptions(epoch_frames=16),
        data=TemporalDataOptions("mannequin", mannequin_count=3),
    )
    return replace(made, **changes)


def run_of(folder: Path, dataset: str = "mannequin") -> Path:
    return folder / "runs" / f"temporal_{dataset}_default"


def history(run: Path) -> list[dict[str, str]]:
    with (run / "history.csv").open() as file:
        return list(csv.DictReader(file))


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_weights(run / "best.safetensors")[0]


def same_runs(one: Path, other: Path) -> bool:
    states = [torch.load(run / "last.ckpt", weights_only=True) for run in (one, other)]
    first, second = (
        {**state["model"], **{str(k): v for k, v in state["optimizers"][""]["state"].items()}}
        for state in states
    )
    rows = [
        [{k: v for k, v in r.items() if k != "seconds"} for r in history(x)] for x in (one, other)
    ]
    return rows[0] == rows[1] and all(
        torch.equal(first[k], second[k])
        if isinstance(first[k], torch.Tensor)
        else all(torch.equal(first[k][name], second[k][name]) for name in first[k])
        for k in first
    )


@pytest.fixture
def motion(tmp_path: Path) -> TemporalDataOptions:
    """Motion of five subjects."""
    lengths = {"cmu/01": 60, "cmu/02": 50, "cmu/03": 50, "cmu/06": 40, "cmu/07": 30}
    write_store(tmp_path / "store/one.npz", store(lengths))
    return TemporalDataOptions("mocap", str(tmp_path / "store"))


@pytest.fixture
def pairs(tmp_path: Path) -> TemporalDataOptions:
    """Films before lenses that bend, of S1 to S4."""
    write_pairs(tmp_path / "pairs.npz", films((40, 30, 20, 10)))
    return TemporalDataOptions(
        "mocap", str(tmp_path / "pairs.npz"), subjects_validation=("S3",), subjects_test=("S4",)
    )


def test_a_run_leaves_all_its_files_and_is_tested(tmp_path: Path, tested: Tested) -> None:
    assert train(options(tmp_path)) == 0
    run = run_of(tmp_path)
    expected = {"options.json", "last.ckpt", "best.ckpt", "best.safetensors", "history.csv"}
    assert {path.name for path in run.iterdir()} == expected | {"predictions.npz"}
    poses = read_poses(run / "predictions.npz")
    assert len(poses) == 50 and poses.skeleton_3d == "h36m_17" and poses.skeleton_2d == "mpii_16"
    assert poses.keypoints_3d is not None and np.isfinite(poses.keypoints_3d).all()
    assert [row["step"] for row in history(run)] == ["2", "4"]
    assert 50 < float(history(run)[0]["validation_mpjpe"]) < 2000
    _, description = load_networks(str(run))
    assert description.architecture.widths == (3, 3) and description.frame_rate == 25
    assert description.normalisation == "view" and 2500 < description.standard_size < 4000
    assert load_weights(run / "best.safetensors")[1]["training_data"] == "mannequin"
    ((model, films_that_test, more),) = tested
    assert torch.equal(model.networks.pose.last.weight, weights(run)["pose.last.weight"])
    assert set(films_that_test.subjects) == {"mannequin/2000000", "mannequin/2000001"}
    assert more == {
        "name": run.name, "folder": run / "test", "by_subject": False, "flip": True
    }  # fmt: skip


def test_resumed_is_the_same_as_never_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, motion: TemporalDataOptions
) -> None:
    """With everything that makes it hard: noise, two networks, unlabelled batches, schedules."""
    momenta: list[float] = []
    set_momentum = training.set_batch_norm_momentum

    def note(model: torch.nn.Module, momentum: float) -> None:
        momenta.append(momentum)
        set_momentum(model, momentum)

    monkeypatch.setattr(training, "set_batch_norm_momentum", note)
    every = {
        "data": motion,
        "windows": WindowOptions(epoch_frames=16, input_noise=1.0, drop_joint_prob=0.1),
        "semi": SemiSupervisedOptions(("cmu/02",)),
    }
    whole = options(tmp_path / "a", loop=replace(options(tmp_path).loop, epochs=3), **every)
    train(whole)
    expected, momenta[:] = list(momenta), []
    halves = replace(whole, run=options(tmp_path / "b").run)
    train(replace(halves, loop=replace(whole.loop, max_steps=3)))
    train(replace(halves, run=replace(halves.run, resume=True)))
    assert momenta == expected
    assert momenta == [batch_norm_momentum(epoch, 3) for epoch in (0, 0, 1, 1, 2, 2)]
    assert same_runs(run_of(tmp_path / "a", "mocap"), run_of(tmp_path / "b", "mocap"))


def test_a_run_goes_on_from_a_checkpoint_it_kept(tmp_path: Path) -> None:
    whole = options(tmp_path / "a", report=ReportOptions(checkpoint_frequency=1))
    train(whole)
    run = run_of(tmp_path / "a")
    assert (run / "epoch_1.ckpt").is_file() and (run / "epoch_2.ckpt").is_file()
    before = torch.load(run / "last.ckpt", weights_only=True)["model"]
    (run / "last.ckpt").unlink()
    again = replace(whole.run, resume=True)
    train(replace(whole, run=again, start=ResumeOptions("epoch_1.ckpt")))
    after = torch.load(run / "last.ckpt", weights_only=True)["model"]
    assert all(torch.equal(before[name], after[name]) for name in before)
    # Another run of the same name leaves nothing of this one.
    once = replace(whole.loop, epochs=1)
    report = ReportOptions(checkpoint_frequency=5)
    train(replace(whole, run=replace(whole.run, overwrite=True), loop=once, report=report))
    assert not [*run.glob("epoch_*.ckpt")]


def test_momentum_and_learning_rate_fall_as_published(tmp_path: Path) -> None:
    assert batch_norm_momentum(0, 60) == pytest.approx(0.1)
    assert batch_norm_momentum(30, 60) == pytest.approx(0.01)
    assert batch_norm_momentum(60, 60) == pytest.approx(0.001)
    ratio = [batch_norm_momentum(e + 1, 60) / batch_norm_momentum(e, 60) for e in range(60)]
    assert ratio == pytest.approx([math.exp(-math.log(100) / 60)] * 60)
    one = options(tmp_path, learning=LearningOptions(lr_decay=0.5))
    train(replace(one, loop=replace(one.loop, epochs=3)))
    rates = [float(row["lr"]) for row in history(run_of(tmp_path))]
    assert rates == pytest.approx([1e-3, 5e-4, 2.5e-4])


def test_other_schedules_stand_in_for_the_decay(tmp_path: Path) -> None:
    optim = OptimizerOptions(optimizer="adam", lr_scheduler="cosine")
    assert with_decay(options(tmp_path, optim=optim)) is optim
    single = options(tmp_path, loop=LoopOptions(epochs=1))
    assert with_decay(single) is single.optim


LEARNING = {
    "architecture": {"network": replace(NETWORK, architecture="3,5")},
    "dropout": {"network": replace(NETWORK, dropout=0.0)},
    "causal": {"network": replace(NETWORK, causal=True)},
    "dense": {"network": replace(NETWORK, dense=True)},
    "stride": {"windows": WindowOptions(stride=2, epoch_frames=16)},
    "other form": {"windows": WindowOptions(epoch_frames=16, disable_optimizations=True)},
    "no mirror": {"windows": WindowOptions(epoch_frames=16, no_data_augmentation=True)},
    "subset": {"windows": WindowOptions(epoch_frames=16, subset=0.3)},
    "epoch": {"windows": WindowOptions(epoch_frames=24)},
    "noise": {"windows": WindowOptions(epoch_frames=16, input_noise=1.0)},
    "lost joints": {"windows": WindowOptions(epoch_frames=16, drop_joint_prob=0.3)},
    "normalisation": {"learning": LearningOptions(normalisation="screen")},
    "decay": {"learning": LearningOptions(lr_decay=0.5)},
    "optimizer": {"optim": OptimizerOptions(optimizer="adam", lr=2e-3, no_grad_clipping=True)},
    "frame rate": {"data": TemporalDataOptions("mannequin", mannequin_count=3, frame_rate=50.0)},
    "downsample": {"data": TemporalDataOptions("mannequin", mannequin_count=3, downsample=2)},
    "bodies": {"data": TemporalDataOptions("mannequin", mannequin_count=2)},
    "lens": {
        "data": TemporalDataOptions("mannequin", mannequin_count=3, field_of_view=(90.0, 90.0))
    },
}


def test_every_learning_option_changes_what_is_learnt(tmp_path: Path) -> None:
    train(options(tmp_path / "plain"))
    train(options(tmp_path / "again"))
    plain = weights(run_of(tmp_path / "plain"))["pose.last.weight"]
    assert torch.equal(plain, weights(run_of(tmp_path / "again"))["pose.last.weight"])
    for name, changes in LEARNING.items():
        train(options(tmp_path / name, **changes))
        changed = weights(run_of(tmp_path / name))["pose.last.weight"]
        assert not torch.equal(plain, changed), name


def test_terms_without_labels_come_after_the_warm_up(
    tmp_path: Path, pairs: TemporalDataOptions
) -> None:
    semi = SemiSupervisedOptions(("S2",), warmup=1)
    train(options(tmp_path, data=pairs, semi=semi))
    first, second = history(run_of(tmp_path, "mocap"))
    assert first["train_reprojection"] == first["train_bones"] == ""
    assert float(second["train_reprojection"]) > 0 and float(second["train_bones"]) > 0
    terms = ("pose", "trajectory", "reprojection", "bones")
    total = sum(float(second[f"train_{term}"]) for term in terms)
    assert float(second["train_loss"]) == pytest.approx(total, rel=1e-4)
    assert float(second["validation_trajectory"]) > 0
    networks, description = load_networks(str(run_of(tmp_path, "mocap")))
    assert description.trajectory and description.normalisation == "screen"
    assert networks.trajectory is not None and networks.trajectory.architecture.joints_out == 1


def test_options_of_the_terms_without_labels(tmp_path: Path, pairs: TemporalDataOptions) -> None:
    plain = SemiSupervisedOptions(("S2",), warmup=0)
    found = {}
    for name in ("", "no_bone_length", "no_proj", "linear_projection"):
        folder = tmp_path / (name or "plain")
        train(options(folder, data=pairs, semi=replace(plain, **{name: True} if name else {})))
        found[name] = history(run_of(folder, "mocap"))[-1]
    assert {"train_reprojection", "train_bones"} <= found[""].keys()
    assert "train_bones" not in found["no_bone_length"]
    assert "train_reprojection" in found["no_bone_length"]
    assert "train_reprojection" not in found["no_proj"] and "train_bones" in found["no_proj"]
    bent, straight = (float(found[n]["train_reprojection"]) for n in ("", "linear_projection"))
    assert bent != pytest.approx(straight, rel=1e-4)


def test_without_validation_the_newest_weights_are_tested(tmp_path: Path, tested: Tested) -> None:
    report = ReportOptions(no_eval=True, no_test_time_augmentation=True, by_subject=True)
    train(options(tmp_path, report=report))
    run = run_of(tmp_path)
    last = torch.load(run / "last.ckpt", weights_only=True)["model"]
    found = weights(run)
    assert all(torch.equal(last[name], found[name]) for name in found)
    assert all("validation_mpjpe" not in row for row in history(run))
    ((_, _, more),) = tested
    assert more["by_subject"] and not more["flip"]


def test_curves_are_drawn_after_every_epoch(tmp_path: Path) -> None:
    train(options(tmp_path, report=ReportOptions(export_training_curves=True)))
    assert (run_of(tmp_path) / "training_curves_mpjpe.png").is_file()


def test_weights_are_tested_without_training(tmp_path: Path, tested: Tested) -> None:
    train(options(tmp_path))
    before = (run_of(tmp_path) / "last.ckpt").stat().st_mtime_ns
    for place in ("best.safetensors", str(run_of(tmp_path) / "last.ckpt")):
        assert train(options(tmp_path, report=ReportOptions(evaluate=place))) == 0
    assert len(tested) == 3 and (run_of(tmp_path) / "last.ckpt").stat().st_mtime_ns == before
    first, second = (one.networks.pose.last.weight for one, _, _ in tested[:2])
    assert torch.equal(first, second)
    with pytest.raises(UserError, match=r"nothing\.bin"):
        train(options(tmp_path, report=ReportOptions(evaluate="nothing.bin")))


def test_training_starts_from_the_weights_that_load_names(
    tmp_path: Path, motion: TemporalDataOptions
) -> None:
    train(options(tmp_path / "a", learning=LearningOptions(normalisation="screen")))
    start, place = weights(run_of(tmp_path / "a")), run_of(tmp_path / "a") / "best.safetensors"
    still = OptimizerOptions(optimizer="amsprop", lr=1e-12, no_grad_clipping=True)
    run = replace(options(tmp_path / "b").run, load=str(place))
    # Those of the pose network serve where there is a trajectory network besides, and more frames.
    semi, network = SemiSupervisedOptions(("cmu/02",)), TemporalNetworkOptions("3,3,3", channels=8)
    train(options(tmp_path / "b", run=run, optim=still, data=motion, semi=semi, network=network))
    found = weights(run_of(tmp_path / "b", "mocap"))
    assert torch.allclose(found["pose.last.weight"], start["pose.last.weight"], atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": replace(NETWORK, architecture="5,3")}, r"has widths \(3, 3\), but .*\(5, 3\)"),
        ({"network": replace(NETWORK, channels=16)}, "has channels 8, but .* ask for 16"),
        ({"learning": LearningOptions(normalisation="screen")}, "has normalisation view, but"),
    ],
)
def test_weights_that_mean_something_else_are_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    train(options(tmp_path / "a"))
    for file in ("best.safetensors", "last.ckpt"):
        run = replace(options(tmp_path / "b").run, load=str(run_of(tmp_path / "a") / file))
        with pytest.raises(UserError, match=message):
            train(options(tmp_path / "b", run=run, **changes))


def test_a_wrong_number_of_joints_is_named(tmp_path: Path) -> None:
    own = films((30, 20, 10))
    write_pairs(tmp_path / "own.npz", own)
    points = np.concatenate([own.poses_2d, own.poses_2d[:, :1]], 1)
    write_pairs(tmp_path / "other.npz", replace(own, poses_2d=points, skeleton_2d="coco_17"))
    held: dict[str, Any] = {"subjects_validation": ("S2",), "subjects_test": ("S3",)}
    train(options(tmp_path / "a", data=TemporalDataOptions("mocap", f"{tmp_path}/own.npz", **held)))
    other = TemporalDataOptions("mocap", f"{tmp_path}/other.npz", **held)
    for file in ("best.safetensors", "last.ckpt"):
        place = str(run_of(tmp_path / "a", "mocap") / file)
        run = replace(options(tmp_path / "b").run, load=place)
        with pytest.raises(
            UserError, match="has joints_in 16, but the options and data ask for 17"
        ):
            train(options(tmp_path / "b", data=other, run=run))
    noisy = WindowOptions(input_noise=1.0)
    with pytest.raises(UserError, match=r"--input_noise is for mpii_16 .* coco_17"):
        train(options(tmp_path / "c", data=other, windows=noisy))


def test_human36m_trains_on_its_own_joints_and_keeps_the_newest_weights(
    tmp_path: Path, tested: Tested
) -> None:
    folder = write_videopose(tmp_path / "h36m", ("S1", "S9"), ("Walking", "Sitting"))
    data = TemporalDataOptions(
        "h36m",
        str(folder),
        keypoints="gt",
        subjects_train=("S1",),
        subjects_test=("S9",),
        actions=("Walking",),
    )
    train(options(tmp_path, data=data, windows=WindowOptions()))
    run = run_of(tmp_path, "h36m")
    _, description = load_networks(str(run))
    assert description.normalisation == "screen" and description.frame_rate == 50
    assert description.skeleton_2d == description.skeleton_3d == "h36m_17"
    last = torch.load(run / "last.ckpt", weights_only=True)["model"]
    assert torch.equal(last["pose.last.weight"], weights(run)["pose.last.weight"])
    ((_, pairs_that_test, _),) = tested
    assert set(pairs_that_test.subjects) == {"S9"} and set(pairs_that_test.actions) == {"Walking"}


@pytest.mark.parametrize("joints", [15, 20])
def test_humaneva_gives_its_own_joints(tmp_path: Path, joints: Literal[15, 20]) -> None:
    data = TemporalDataOptions(
        "humaneva",
        str(write_humaneva(tmp_path, joints)),
        keypoints="detectron_pt_coco",
        humaneva_joints=joints,
        subjects_train=("Train/S1",),
        subjects_test=("Validate/S2",),
    )
    train(options(tmp_path, data=data, windows=WindowOptions()))
    _, description = load_networks(str(run_of(tmp_path, "humaneva")))
    assert description.skeleton_2d == "coco_17" and description.frame_rate == 60
    assert description.skeleton_3d == f"humaneva_{joints}" and len(description.joints_3d) == joints
    poses = read_poses(run_of(tmp_path, "humaneva") / "predictions.npz")
    assert poses.keypoints_3d is not None and poses.keypoints_3d.shape[1:] == (joints, 3)


def test_absent_data_is_one_error_with_a_way_out(tmp_path: Path) -> None:
    for dataset in ("h36m", "humaneva", "mocap"):
        data = TemporalDataOptions(dataset, str(tmp_path / "nowhere"))
        with pytest.raises(UserError, match=r"mannequin"):
            train(options(tmp_path, data=data, windows=WindowOptions()))
