"""The five functions and whole small runs, on the mannequin."""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from stacked_hourglass.data import collate
from stacked_hourglass.predictor import load_model
from stitched.network.data import PicturedDataset
from stitched.network.loading import load_stitched
from stitched.network.losses import lifted_loss, maps_loss, place_errors
from stitched.network.mannequin_pictures import mannequin_pictures
from stitched.network.options import (
    DataOptions,
    JoinOptions,
    LearningOptions,
    StitchedTrainOptions,
)
from stitched.network.training import network_input, train
from tests.stitched.network.small_networks import RESOLUTION, small_description, small_network
from twod_threed.model import linear_layers
from twod_threed.predictor import load_lifter
from utils.errors import UserError
from utils.options import LoopOptions, OptimizerOptions, RunOptions
from utils.pose_file import read_poses
from utils.weights import load_weights, save_weights

RUN = "stitched_mannequin_default"


def options(folder: Path, halves: JoinOptions, **changes: object) -> StitchedTrainOptions:
    """A run of two steps of four pictures."""
    made = StitchedTrainOptions(
        run=RunOptions(checkpoint_dir=str(folder / "runs"), tb_dir=str(folder / "tb")),
        loop=LoopOptions(
            epochs=1, train_batch_size=4, test_batch_size=4, workers=0, accelerator="cpu"
        ),
        optim=OptimizerOptions(optimizer="adam", lr=1e-3),
        join=halves,
        data=DataOptions(dataset="mannequin", mannequin_count=8, held_out_count=4),
    )
    return replace(made, **changes)


def trained(folder: Path, halves: JoinOptions, **changes: object) -> dict[str, torch.Tensor]:
    """What a short run with these options learns."""
    assert train(options(folder, halves, **changes)) == 0
    return load_weights(folder / "runs" / RUN / "best.safetensors")[0]


def history(folder: Path) -> list[dict[str, str]]:
    with (folder / "runs" / RUN / "history.csv").open() as file:
        return list(csv.DictReader(file))


def batch(count: int = 4) -> dict[str, torch.Tensor]:
    people = PicturedDataset(mannequin_pictures("train", 8, 234), RESOLUTION)
    return collate([people[row] for row in range(count)])


def test_a_run_leaves_all_its_files_and_can_be_used(tmp_path: Path, halves: JoinOptions):
    assert train(options(tmp_path, halves)) == 0
    folder = tmp_path / "runs" / RUN
    expected = {"options.json", "last.ckpt", "best.ckpt", "best.safetensors"}
    assert {path.name for path in folder.iterdir()} == expected | {"history.csv", "predictions.npz"}
    poses = read_poses(folder / "predictions.npz")
    assert len(poses) == 4 and poses.skeleton_3d == "h36m_17" and poses.skeleton_2d == "mpii_16"
    assert poses.source.tolist()[0] == "mannequin/val0/0"
    network = load_stitched(str(folder))
    assert network.description.hourglass == load_model(halves.load_hourglass)[1]
    assert load_weights(folder / "best.safetensors")[1]["training_data"] == "mannequin"
    row = history(tmp_path)[0]
    assert 50 < float(row["validation_mpjpe"]) < 2000 and float(row["validation_places"]) > 0
    total = float(row["train_pose"]) + 0.1 * float(row["train_heatmap"])
    assert float(row["train_loss"]) == pytest.approx(total, rel=1e-3)
    with pytest.raises(UserError, match="already holds a run"):
        train(options(tmp_path, halves))


def test_a_resumed_run_ends_where_a_whole_one_does(tmp_path: Path, halves: JoinOptions):
    loop = replace(options(tmp_path, halves).loop, epochs=2)
    join = replace(halves, temperature=0.5)
    learning = LearningOptions(learn_temperature=True)
    common = {"join": join, "learning": learning}
    train(options(tmp_path / "a", halves, loop=loop, **common))
    train(options(tmp_path / "b", halves, **common))
    half = options(tmp_path / "b", halves, loop=loop, **common)
    train(replace(half, run=replace(half.run, resume=True)))
    one, two = (
        torch.load(tmp_path / part / "runs" / RUN / "last.ckpt", weights_only=True)["model"]
        for part in "ab"
    )
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert float(one["soft_argmax.log_temperature"].exp()) != pytest.approx(0.5, abs=1e-6)


def test_load_starts_from_a_whole_network_whatever_the_halves(tmp_path: Path, halves: JoinOptions):
    first = trained(tmp_path / "a", halves)
    path = tmp_path / "a" / "runs" / RUN / "best.safetensors"
    absent = replace(halves, load_hourglass="nowhere", load_2d3d="nowhere")
    run = replace(options(tmp_path / "b", halves).run, load=str(path))
    slow = OptimizerOptions(optimizer="adam", lr=1e-12)
    second = trained(tmp_path / "b", halves, run=run, optim=slow, join=absent)
    weights = [key for key in first if key.startswith("lifter.last")]
    assert weights and all(torch.allclose(first[key], second[key]) for key in weights)
    with pytest.raises(UserError, match="no weights at nowhere"):
        train(options(tmp_path / "c", absent))


@pytest.mark.parametrize("frozen", ["hourglass", "lifter"])
def test_a_frozen_part_ends_as_it_began(frozen: str, tmp_path: Path, halves: JoinOptions):
    learning = LearningOptions(freeze=frozen, fixed_statistics=False)  # pyright: ignore
    after = trained(tmp_path, halves, learning=learning)
    parts = {
        "hourglass": load_model(halves.load_hourglass)[0],
        "lifter": load_lifter(halves.load_2d3d)[0],
    }
    for name, part in parts.items():
        same = [torch.equal(after[f"{name}.{k}"], v) for k, v in part.state_dict().items()]
        assert all(same) == (name == frozen)
    assert ("train_heatmap" in history(tmp_path)[0]) == (frozen == "lifter")


@pytest.mark.parametrize(
    "changes",
    [
        {"heatmap_loss_coeff": 0.0},
        {"heatmap_loss_coeff": 5.0},
        {"sigma": 3.0},
        {"pose_loss": "mse"},
        {"fixed_statistics": False},
        {"augment_training_data": False},
    ],
    ids=str,
)
def test_every_learning_option_changes_what_is_learnt(
    changes: dict, tmp_path: Path, halves: JoinOptions, plain: dict[str, torch.Tensor]
):
    changed = trained(tmp_path, halves, learning=LearningOptions(**changes))
    name = "hourglass.stem.conv.weight"
    assert not torch.equal(plain[name], changed[name])


@pytest.fixture(scope="session")
def plain(tmp_path_factory, halves: JoinOptions) -> dict[str, torch.Tensor]:
    """What a short run learns with the options as they are."""
    return trained(tmp_path_factory.mktemp("plain"), halves)


def test_weights_of_the_lifter_keep_their_norm(tmp_path: Path, halves: JoinOptions):
    trained(tmp_path, halves, optim=OptimizerOptions(optimizer="adam", lr=0.3))
    lifter = load_stitched(str(tmp_path / "runs" / RUN)).lifter
    assert all(layer.weight.norm() <= 1 + 1e-5 for layer in linear_layers(lifter))


def test_the_loss_falls_on_the_same_few_pictures():
    network = small_network()
    network.freeze(False, False, statistics=True)
    normaliser = network.description.lifter.normaliser()
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-3)
    images, points, same = network_input(batch(), None, network.description)
    losses = []
    for _ in range(12):
        scores, lift = network(images, same["box"], same["intrinsics"])
        total, count = lifted_loss(lift, same, normaliser, "mpjpe")
        maps, joints = maps_loss(scores, points, 1.0, "cross_entropy")
        loss = total / count + 0.1 * maps / joints
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.9 * losses[0]


def test_exact_joints_and_the_right_answer_cost_nothing():
    network = small_network()
    _, points, same = network_input(batch(), 7, network.description)
    lift = network.lift_keypoints(same["keypoints_image"], same["intrinsics"])
    normaliser = network.description.lifter.normaliser()
    targets = normaliser.targets(same["poses_3d"], lift.view, same["size"])
    right = lift._replace(outputs=targets)
    for kind in ("mse", "mpjpe"):
        total, count = lifted_loss(right, same, normaliser, kind)
        assert float(total) == 0 and int(count) == 4 * 17
    off = lift._replace(outputs=targets + torch.tensor([0.3, 0.0, 0.4]))
    total, count = lifted_loss(off, same, normaliser, "mpjpe")
    assert float(total / count) == pytest.approx(0.5, rel=1e-4)
    moved = same["keypoints_image"] + same["box"][:, None, 2:] * torch.tensor([0.03, 0.04])
    total, count = place_errors(moved, same["keypoints_image"], same["box"])
    assert float(total / count) == pytest.approx(5, rel=1e-3)
    assert points.shape == (4, 16, 2)


def test_hourglasses_whose_joints_the_pictures_lack_are_refused(
    tmp_path: Path, halves: JoinOptions
):
    network = small_network(small_description("coco_17"))
    path, metadata = tmp_path / "coco.safetensors", network.description.hourglass.as_metadata()
    save_weights(path, network.hourglass.state_dict(), metadata)
    with pytest.raises(UserError, match="finds coco_17, but the pictures have no nose"):
        train(options(tmp_path, replace(halves, load_hourglass=str(path))))


def test_options_that_make_no_sense():
    wrongs: tuple[dict[str, Any], ...] = ({"heatmap_loss_coeff": -1.0}, {"sigma": 0.0})
    for wrong in wrongs:
        with pytest.raises(UserError, match=f"--{next(iter(wrong))}"):
            LearningOptions(**wrong)
    with pytest.raises(UserError, match="--temperature"):
        JoinOptions(temperature=0.0)
    with pytest.raises(UserError, match="--mannequin_count"):
        DataOptions(mannequin_count=0)
