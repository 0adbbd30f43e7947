"""The five functions and whole small runs, on the mannequin."""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import train as train_script
from stacked_hourglass.inference import run
from stacked_hourglass.options import (
    DataOptions,
    HeatmapOptions,
    HourglassRunOptions,
    HourglassTrainOptions,
    MaskingOptions,
    NetworkOptions,
)
from stacked_hourglass.predictor import load_model
from stacked_hourglass.training import Seen, batch_loss, check_pairs, describe, train
from stacked_hourglass.training_data import training_people
from utils.errors import UserError
from utils.options import LoopOptions, OptimizerOptions, RunOptions
from utils.pose_file import read_poses
from utils.weights import load_weights


@pytest.fixture(autouse=True)
def few_validation_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stacked_hourglass.training_data.MANNEQUIN_VALIDATION", 8)


def options(folder: Path, **changes: object) -> HourglassTrainOptions:
    """A run of four steps of four pictures."""
    made = HourglassTrainOptions(
        run=RunOptions(checkpoint_dir=str(folder / "runs"), tb_dir=str(folder / "tb")),
        loop=LoopOptions(
            epochs=1, train_batch_size=4, test_batch_size=8, workers=0, accelerator="cpu"
        ),
        optim=OptimizerOptions(optimizer="adam", lr=1e-3),
        network=NetworkOptions(stacks=2, features=16, resolution=64),
        data=DataOptions(dataset="mannequin", mannequin_count=16),
    )
    return replace(made, **changes)


def history(folder: Path) -> list[dict[str, str]]:
    with (folder / "runs" / "hourglass_mannequin_default" / "history.csv").open() as file:
        return list(csv.DictReader(file))


def test_a_run_leaves_all_its_files_and_can_be_used(tmp_path: Path) -> None:
    assert train(options(tmp_path)) == 0
    folder = tmp_path / "runs" / "hourglass_mannequin_default"
    expected = {"options.json", "last.ckpt", "best.ckpt", "best.safetensors"}
    assert {path.name for path in folder.iterdir()} == expected | {"history.csv", "predictions.npz"}
    assert json.loads((folder / "options.json").read_text())["network"]["features"] == 16
    assert 0 <= float(history(tmp_path)[0]["validation_wrong"]) <= 1
    poses = read_poses(folder / "predictions.npz")
    assert len(poses) == 8 and poses.skeleton_2d == "mpii_16"
    _, metadata = load_weights(folder / "best.safetensors")
    assert metadata["architecture"]["features"] == 16
    out = tmp_path / "out"
    chosen = HourglassRunOptions("mannequin", load=str(folder), output_dir=str(out))
    assert run(replace(chosen, mannequin_count=8)) == 0
    # Another seed's pictures, so other poses, but read by the same network without any flag.
    assert len(read_poses(out / "poses.npz")) == 8


def test_same_seed_same_weights_and_resume_is_exact(tmp_path: Path) -> None:
    loop = replace(options(tmp_path).loop, epochs=2)
    whole, halves = options(tmp_path / "a", loop=loop), options(tmp_path / "b")
    train(whole)
    train(halves)
    resumed = replace(halves, loop=loop, run=replace(halves.run, resume=True))
    train(resumed)
    name = "runs/hourglass_mannequin_default"
    one, two = (
        torch.load(tmp_path / part / name / "last.ckpt", weights_only=True)["model"]
        for part in "ab"
    )
    assert all(torch.equal(one[key], two[key]) for key in one)
    columns = [key for key in history(tmp_path / "a")[0] if key != "seconds"]
    first, second = (
        [[row[c] for c in columns] for row in history(tmp_path / part)] for part in "ab"
    )
    assert first == second


def weights_after(folder: Path, **changes: object) -> dict[str, torch.Tensor]:
    """What a short run with these options learns."""
    train(options(folder, **changes))
    run_folder = folder / "runs" / "hourglass_mannequin_default"
    return load_weights(run_folder / "best.safetensors")[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"augment_training_data": False},
        {"heatmap_loss": "mse"},
        {"remove_intermediate_supervision": True},
        {"sigma": 2.0},
        {"label_type": "Cauchy"},
        {"scale_weight_factor": 0.5},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_learning_option_changes_what_is_learnt(changes: dict, tmp_path: Path) -> None:
    plain = weights_after(tmp_path / "plain")
    changed = weights_after(tmp_path / "changed", heatmaps=HeatmapOptions(**changes))
    same = [torch.equal(plain[key], changed[key]) for key in plain if "weight" in key]
    assert not all(same)


@pytest.mark.parametrize("optimizer", ["rmsprop", "adam", "amsprop"])
def test_each_optimizer_lowers_the_loss_on_the_same_few_pictures(
    optimizer: str, tmp_path: Path
) -> None:
    chosen = options(
        tmp_path,
        loop=replace(options(tmp_path).loop, epochs=12),
        optim=OptimizerOptions(optimizer=optimizer, lr=2e-3),  # pyright: ignore[reportArgumentType]
        heatmaps=HeatmapOptions(augment_training_data=False),
    )
    train(chosen)
    losses = [float(row["train_loss"]) for row in history(tmp_path)]
    assert losses[-1] < losses[0] - 0.2


def test_fourteen_joints_are_lsp(tmp_path: Path) -> None:
    network = NetworkOptions(stacks=1, features=16, num_classes=14, resolution=64)
    train(options(tmp_path, network=network))
    folder = tmp_path / "runs" / "hourglass_mannequin_default"
    model, description = load_model(str(folder))
    assert description.skeleton == "lsp_14" and model.architecture.num_classes == 14
    assert read_poses(folder / "predictions.npz").keypoints_2d.shape == (8, 14, 2)


def seen_at(points: torch.Tensor) -> Seen:
    """Joints at these places, of which it is not known if they are hidden."""
    return Seen(torch.zeros(1), points, torch.full(points.shape[:2], torch.nan))


def test_joints_outside_the_view_do_not_enter_the_loss() -> None:
    scores = torch.randn(1, 2, 16, 16, 16, requires_grad=True)
    points = torch.full((2, 16, 2), 30.0)
    points[0, 3] = torch.tensor([70.0, 30.0])
    points[1, 5] = float("nan")
    total, count = batch_loss(scores, seen_at(points), HeatmapOptions(), 0)
    total.backward()
    assert int(count) == 30 and scores.grad is not None
    assert scores.grad[0, 0, 3].abs().max() == 0 == scores.grad[0, 1, 5].abs().max()


def test_sigma_decays_after_each_epoch() -> None:
    heatmaps = HeatmapOptions(sigma=2.0, sigma_decay=0.9)
    assert [heatmaps.sigma_in(epoch) for epoch in range(3)] == pytest.approx([2.0, 1.8, 1.62])
    assert HeatmapOptions(sigma=2.0).sigma_in(7) == 2.0
    scores, points = torch.randn(1, 2, 16, 16, 16), torch.full((2, 16, 2), 30.0)
    later = batch_loss(scores, seen_at(points), heatmaps, 2)[0]
    assert later == batch_loss(scores, seen_at(points), HeatmapOptions(sigma=2.0 * 0.9**2), 0)[0]
    assert later != batch_loss(scores, seen_at(points), heatmaps, 0)[0]


def test_rounded_targets_peak_at_whole_heatmap_pixels() -> None:
    scores = torch.randn(1, 2, 16, 16, 16)
    near, exact = torch.full((2, 16, 2), 30.4), torch.full((2, 16, 2), 29.5)  # 7.225 and 7
    rounded = HeatmapOptions(round_targets=True)
    loss = batch_loss(scores, seen_at(near), rounded, 0)[0]
    assert loss == batch_loss(scores, seen_at(exact), HeatmapOptions(), 0)[0]
    assert loss != batch_loss(scores, seen_at(near), HeatmapOptions(), 0)[0]


def test_joints_are_trimmed_and_hidden_ones_weighed_in_a_run(tmp_path: Path) -> None:
    losses: dict[str, float] = {}
    choices: dict[str, dict[str, Any]] = {
        "plain": {},
        "hidden": {"hidden_joint_weight": 0.0},
        "trimmed": {"trim_share": 0.3, "trim_from_epoch": 0},
        "later": {"trim_share": 0.3, "trim_from_epoch": 1},
    }
    for name, heatmaps in choices.items():
        assert train(options(tmp_path / name, heatmaps=HeatmapOptions(**heatmaps))) == 0
        losses[name] = float(history(tmp_path / name)[0]["train_loss"])
    assert losses["trimmed"] < losses["plain"] == losses["later"]
    assert losses["hidden"] != losses["plain"]


def test_sigma_decays_in_a_run(tmp_path: Path) -> None:
    loop = replace(options(tmp_path).loop, epochs=2)
    losses = []
    for name, decay in (("still", 0.0), ("decays", 0.5)):
        heatmaps = HeatmapOptions(sigma_decay=decay, augment_training_data=False)
        train(options(tmp_path / name, loop=loop, heatmaps=heatmaps))
        losses.append([row["train_loss"] for row in history(tmp_path / name)])
    (first, second), (also_first, other) = losses
    assert first == also_first and second != other


def test_validation_with_the_statistics_of_the_batch(tmp_path: Path) -> None:
    """The same training, another validation."""
    rows = []
    for name, own in (("running", False), ("batch", True)):
        heatmaps = HeatmapOptions(use_train_mode_to_eval=own)
        train(options(tmp_path / name, heatmaps=heatmaps))
        rows += history(tmp_path / name)
    assert rows[0]["train_loss"] == rows[1]["train_loss"]
    assert rows[0]["validation_loss"] != rows[1]["validation_loss"]


def test_no_batch_norm_is_left_with_a_picture_alone(tmp_path: Path) -> None:
    def few(count: int, resolution: int = 64, **changes: object) -> HourglassTrainOptions:
        network = NetworkOptions(stacks=1, features=16, resolution=resolution)
        data = DataOptions(mannequin_count=count)
        folder = tmp_path / f"{count}_{resolution}"
        return options(folder, network=network, data=data, **changes)

    with pytest.raises(UserError, match="too few people train, 1: at --resolution 64"):
        train(few(1))
    assert train(few(1, 128)) == 0
    assert train(few(2)) == 0
    people = training_people(few(3).data, seed=0)
    check_pairs(people, few(3), world_size=1)
    with pytest.raises(UserError, match="too few people train, 3"):
        check_pairs(people, few(3), world_size=2)
    own = HeatmapOptions(use_train_mode_to_eval=True)
    seven = replace(few(4).loop, test_batch_size=7)
    train(few(4, loop=seven))
    with pytest.raises(UserError, match="7 leaves one of 8 validation people alone"):
        train(few(5, loop=seven, heatmaps=own))


def test_hidden_joints_are_weighed_only_where_the_data_tell_them(tmp_path: Path) -> None:
    weighed = options(tmp_path, heatmaps=HeatmapOptions(hidden_joint_weight=0.5))
    covered = replace(weighed, masking=MaskingOptions(add_random_masking=True))
    told = training_people(weighed.data, seed=0)
    describe(weighed, told)
    seen = np.where(np.isnan(told.train.visibility), np.nan, 1).astype(np.float32)
    for visibility, refused in (
        (np.full_like(seen, np.nan), (weighed, covered)),
        (seen, (weighed,)),
    ):
        people = replace(told, train=replace(told.train, visibility=visibility))
        for chosen in refused:
            with pytest.raises(UserError, match="--hidden_joint_weight needs data that tell"):
                describe(chosen, people)
    describe(covered, people)


def test_masks_are_for_training_alone(tmp_path: Path) -> None:
    """With weights that stay and no running statistics, validation must stay as well."""
    chosen = {
        "heatmaps": HeatmapOptions(augment_training_data=False),
        "optim": OptimizerOptions(optimizer="adam", lr=1e-12),
        "network": NetworkOptions(stacks=1, features=16, resolution=64, use_layer_norm=True),
    }
    rows = []
    for name, add in (("plain", False), ("masked", True)):
        masking = MaskingOptions(add_random_masking=add)
        train(options(tmp_path / name, masking=masking, **chosen))
        rows += [{key: float(value) for key, value in history(tmp_path / name)[0].items()}]
    plain, masked = rows
    assert masked["validation_loss"] == pytest.approx(plain["validation_loss"], rel=1e-5)
    assert masked["train_loss"] != pytest.approx(plain["train_loss"], rel=1e-5)


@pytest.mark.parametrize(
    "network",
    [{"use_layer_norm": True}, {"no_batch_norm_affine": True}],
    ids=lambda n: next(iter(n)),
)
def test_networks_with_other_norms_train_and_load(network: dict, tmp_path: Path) -> None:
    shape = NetworkOptions(stacks=1, features=16, resolution=64, **network)
    train(options(tmp_path, network=shape))
    model, description = load_model(str(tmp_path / "runs" / "hourglass_mannequin_default"))
    assert description.architecture == shape.architecture() == model.architecture
    assert description.architecture != NetworkOptions(1, 16, resolution=64).architecture()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: HeatmapOptions(sigma_decay=1.5), "--sigma_decay must be from 0 to 1"),
        (lambda: HeatmapOptions(scale_weight_factor=0), "--scale_weight_factor must be above 0"),
        (lambda: MaskingOptions(mask_prob=1.1), "--mask_prob must be from 0 to 1"),
        (lambda: MaskingOptions(noise_std=-1), "--noise_std must not be negative"),
        (
            lambda: NetworkOptions(use_layer_norm=True, no_batch_norm_affine=True),
            "--use_layer_norm",
        ),
        (
            lambda: HourglassTrainOptions(
                run=RunOptions(load="lightweight"), heatmaps=HeatmapOptions(scale_weight_factor=2)
            ),
            "--scale_weight_factor is for weights drawn at random",
        ),
        (
            lambda: HourglassTrainOptions(masking=MaskingOptions(mask_prob=0.3)),
            "--mask_prob needs --add_random_masking",
        ),
    ],
)
def test_options_that_cannot_be_are_refused(make: Callable, message: str) -> None:
    with pytest.raises(UserError, match=message):
        make()


def test_absent_data_is_one_error_with_a_way_out(tmp_path: Path) -> None:
    for dataset in ("mpii", "lsp", "lspet", "coco"):
        data = DataOptions(dataset=dataset, data_dir=str(tmp_path / "nowhere"))  # pyright: ignore[reportArgumentType]
        with pytest.raises(UserError, match=r"get it from .*prepare\.py.*hourglass_mannequin"):
            train(options(tmp_path, data=data))
    with pytest.raises(UserError, match=r"get it from .*prepare\.py.*hourglass_mannequin"):
        sources = (f"lsp={tmp_path / 'nowhere'}",)
        train(options(tmp_path, data=DataOptions(dataset="people", sources=sources)))
    with pytest.raises(UserError, match="needs --sources"):
        train(options(tmp_path, data=DataOptions(dataset="people")))
    with pytest.raises(UserError, match="2 numbers"):
        sources = ("mannequin=4", "mannequin=5")
        train(options(tmp_path, data=DataOptions("people", sources=sources, source_weights=(1,))))


def test_absent_data_to_run_on_advises_no_training(tmp_path: Path) -> None:
    chosen = HourglassRunOptions("lsp", load="lightweight", data_dir=str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match=r"there is no such folder.*prepare\.py lsp") as caught:
        run(chosen)
    assert "train" not in str(caught.value)
    with pytest.raises(UserError, match="no weights at nothere"):
        run(replace(chosen, load="nothere"))


def test_resuming_needs_no_options_but_the_name(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    folder = tmp_path / "runs" / "hourglass_mannequin_small"
    words = f"hourglass_mannequin --exp small --checkpoint_dir {tmp_path}/runs --tb_dir {tmp_path}"
    first = """ --stacks 2 --features 16 --resolution 64 --mannequin_count 16 --sigma 2 --lr 1e-3
        --lr_scheduler step --schedule 1 3 --train_batch_size 4 --test_batch_size 8 --workers 0
        --optimizer adam --accelerator cpu --epochs 2 --max_steps 5"""
    assert train_script.main([*words.split(), *first.split()]) == 0
    began = json.loads((folder / "options.json").read_text())
    capsys.readouterr()
    assert train_script.main([*words.split(), "--resume", "--max_steps", "7"]) == 0
    printed = capsys.readouterr().out
    assert "epoch 1, step 5" in printed and "training ended (steps) after step 7" in printed
    ended = json.loads((folder / "options.json").read_text())
    began["run"]["resume"], began["loop"]["max_steps"] = True, 7
    assert ended == began
    model, description = load_model(str(folder))
    assert (model.architecture.stacks, model.architecture.features) == (2, 16)
    assert description.resolution == 64


def test_people_mixes_sources_by_weight(tmp_path: Path) -> None:
    data = DataOptions("people", sources=("mannequin=12", "mannequin=16"), source_weights=(1, 3))
    assert train(options(tmp_path, data=data)) == 0
    steps = (tmp_path / "runs" / "hourglass_people_default" / "history.csv").read_text()
    assert steps.splitlines()[1].split(",")[1] == str(28 // 4)


def test_plain_folder_names_what_cannot_be_read_and_does_the_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    from utils.images import write_image

    train(options(tmp_path))
    pictures = tmp_path / "pictures"
    for name, size in (("a.png", (80, 120)), ("b.jpg", (64, 64))):
        write_image(pictures / name, np.full((*size, 3), 128, np.uint8))
    (pictures / "broken.jpg").write_bytes(b"no picture")
    folder = tmp_path / "runs" / "hourglass_mannequin_default"
    out = tmp_path / "out"
    chosen = HourglassRunOptions("mpii", str(folder), str(pictures), str(out))
    assert run(chosen) == 1
    assert "broken.jpg" in capsys.readouterr().err
    poses = read_poses(out / "poses.npz")
    assert poses.source.tolist() == ["a.png", "b.jpg"]
    assert poses.image_size.tolist() == [[120, 80], [64, 64]]
    assert (out / "preds.mat").is_file()
