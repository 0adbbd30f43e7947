"""The five functions of the GAN, and whole small runs."""

import csv
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from generative_models.pose_gan import training
from generative_models.pose_gan.model import PoseArchitecture, PoseGan
from generative_models.pose_gan.options import (
    GanLearningOptions,
    PoseGanTrainOptions,
    PoseNetworkOptions,
)
from generative_models.pose_gan.predictor import GanModel, load_pose_model
from generative_models.pose_gan.training import (
    FUNCTIONS,
    clip_weights,
    make_optimizer_fn,
    train,
    update_op,
)
from tests.generative_models.pose_gan.small_poses import gan_options, write_small_store
from tests.nests import same
from utils.distributed import start_fabric
from utils.errors import UserError
from utils.options import OptimizerOptions
from utils.pose_file import read_poses
from utils.training_functions import seeded_context
from utils.weights import load_weights, save_weights

RUN = "3d_pose_gan_mocap_default"
CLIPPING = GanLearningOptions(clip_max=0.01, num_discriminator_steps_per_generator_step=2)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_store(tmp_path_factory.mktemp("store"))


def history(folder: Path) -> list[dict[str, str]]:
    with (folder / "runs" / RUN / "history.csv").open() as file:
        return list(csv.DictReader(file))


def best(folder: Path) -> dict[str, torch.Tensor]:
    return load_weights(folder / "runs" / RUN / "best.safetensors")[0]


def last(folder: Path) -> dict[str, Any]:
    return torch.load(folder / "runs" / RUN / "last.ckpt", weights_only=True)


def test_a_run_leaves_all_its_files(tmp_path: Path, store: Path) -> None:
    assert train(gan_options(tmp_path, store)) == 0
    folder = tmp_path / "runs" / RUN
    expected = {"options.json", "last.ckpt", "best.ckpt", "best.safetensors"}
    assert {path.name for path in folder.iterdir()} == expected | {"history.csv", "predictions.npz"}
    poses = read_poses(folder / "predictions.npz")
    assert len(poses) == 20 and poses.skeleton_3d == "h36m_17"
    assert poses.keypoints_3d is not None and np.isfinite(poses.keypoints_3d).all()
    rows = history(tmp_path)
    assert {"train_distance", "train_penalty", "train_generator"} <= set(rows[0])
    assert list(rows[0])[-4:-1] == [
        "validation_energy_distance",
        "validation_held_out_distance",
        "validation_distance",
    ]
    model = load_pose_model(str(folder), "cpu")
    assert isinstance(model, GanModel) and model.network.architecture.linear_size == 8
    metadata = load_weights(folder / "best.safetensors")[1]
    assert metadata["training_data"] == "cmu, hdm05" and metadata["kind"] == "pose_gan"


def test_who_trained_the_weights_that_a_run_starts_from_is_kept(
    tmp_path: Path, store: Path
) -> None:
    options = gan_options(tmp_path / "a", store)
    assert train(options) == 0
    path = tmp_path / "a/runs" / RUN / "best.safetensors"
    weights, metadata = load_weights(path)
    save_weights(path, weights, metadata | {"people": ["somebody/1"]})
    later = gan_options(tmp_path / "b", store)
    later.run.load = str(path)
    assert train(later) == 0
    people = load_weights(tmp_path / "b/runs" / RUN / "best.safetensors")[1]["people"]
    assert people == sorted({*metadata["people"], "somebody/1"})


def killed_at_step_4(*arguments: Any) -> dict[str, torch.Tensor]:
    """The update, with a signal that arrives while the fifth one is under way."""
    if arguments[3] == 4:
        signal.raise_signal(signal.SIGTERM)
    return update_op(*arguments)


@pytest.mark.parametrize("learning", [None, CLIPPING], ids=["penalty", "clipping"])
def test_killed_and_resumed_is_the_same_as_never_interrupted(
    learning: GanLearningOptions | None, tmp_path: Path, store: Path
) -> None:
    """Stopped after step 5 of 8: within an epoch, and between two steps of the generator."""

    def options(part: str) -> PoseGanTrainOptions:
        made = gan_options(tmp_path / part, store)
        return replace(made, learning=learning) if learning else made

    train(options("whole"))
    halves = options("halves")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "FUNCTIONS", replace(FUNCTIONS, update_op=killed_at_step_4))
        assert train(halves) == 130
    assert last(tmp_path / "halves")["state"]["step"] == 5
    train(replace(halves, run=replace(halves.run, resume=True)))
    one, two = last(tmp_path / "whole"), last(tmp_path / "halves")
    assert set(one["optimizers"]) == {"generator", "critic"}
    assert same(one["model"], two["model"]) and same(one["optimizers"], two["optimizers"])
    assert same(one["state"]["extra"]["moving_average"], two["state"]["extra"]["moving_average"])
    columns = [key for key in history(tmp_path / "whole")[0] if key != "seconds"]
    first, second = (
        [[row[c] for c in columns] for row in history(tmp_path / part)]
        for part in ("whole", "halves")
    )
    assert first == second


def test_same_seed_same_weights_other_seed_others(tmp_path: Path, store: Path) -> None:
    for part, seed in (("a", 1), ("b", 1), ("c", 2)):
        made = gan_options(tmp_path / part, store)
        train(replace(made, run=replace(made.run, seed=seed)))
    assert same(best(tmp_path / "a"), best(tmp_path / "b"))
    assert not same(best(tmp_path / "a"), best(tmp_path / "c"))


def small_gan(learning: GanLearningOptions) -> tuple[PoseGan, dict[str, Any], Any]:
    torch.manual_seed(0)
    model = PoseGan(PoseArchitecture(4, 8, 1))
    options = PoseGanTrainOptions(
        learning=learning, network=PoseNetworkOptions(4, 8, 1), optim=OptimizerOptions("adam")
    )
    options.loop.accelerator = "cpu"
    return model, make_optimizer_fn(model, options), options


def changes(learning: GanLearningOptions, steps: int) -> list[tuple[bool, bool, set[str]]]:
    """For each step: did the generator change, did the critic, and what losses are told."""
    model, optimizer, options = small_gan(learning)
    fabric = start_fabric(options.loop, 0)
    found = []
    for step in range(steps):
        before = {name: weight.clone() for name, weight in model.named_parameters()}
        context = seeded_context(fabric, options, options.optim, "training", (0, 0, step, 0))
        bones = torch.randn(6, 15, 3, generator=context.generator) / 10
        losses = update_op(model, optimizer, {"bones": bones}, step, context)
        moved = {n.split(".")[0] for n, w in model.named_parameters() if not w.equal(before[n])}
        found.append(("generator" in moved, "critic" in moved, set(losses)))
    return found


@pytest.mark.parametrize("each", [1, 3, 5])
def test_the_generator_steps_once_after_so_many_steps_of_the_critic(each: int) -> None:
    found = changes(GanLearningOptions(num_discriminator_steps_per_generator_step=each), 2 * each)
    assert [generator for generator, _, _ in found] == ([False] * (each - 1) + [True]) * 2
    assert all(critic for _, critic, _ in found)
    for generator, _, losses in found:
        told = {"loss", "critic", "distance", "penalty"}
        assert losses == (told | {"generator"} if generator else told)


def test_clipping_needs_no_penalty_and_holds_the_critic_alone() -> None:
    assert all("penalty" not in losses for _, _, losses in changes(CLIPPING, 2))
    model, optimizer, options = small_gan(CLIPPING)
    context = seeded_context(
        start_fabric(options.loop, 0), options, options.optim, "training", (0, 0, 0, 0)
    )
    bones = torch.randn(6, 15, 3, generator=context.generator) / 10
    update_op(model, optimizer, {"bones": bones}, 0, context)
    assert max(float(w.detach().abs().max()) for w in model.critic.parameters()) <= 0.01
    assert max(float(w.detach().abs().max()) for w in model.generator.parameters()) > 0.1


def test_a_limit_on_gradients_changes_what_is_learnt(tmp_path: Path, store: Path) -> None:
    for part, limit in (("none", None), ("far", 1e9), ("near", 1e-6)):
        made = gan_options(tmp_path / part, store)
        made.optim = replace(made.optim, optimizer="rmsprop", grad_clip=limit)
        train(made)
    assert same(best(tmp_path / "none"), best(tmp_path / "far"))
    assert not same(best(tmp_path / "none"), best(tmp_path / "near"))


@pytest.mark.parametrize("size", [2, 19])
def test_the_energy_distance_chooses_whatever_the_batch(
    size: int, tmp_path: Path, store: Path
) -> None:
    """19 of 20 poses: the one that is left over has no distance, and spoils nothing."""
    made = gan_options(tmp_path, store)
    made.loop.test_batch_size = size
    train(made)
    chosen = last(tmp_path)["state"]["best_value"]
    distances = [float(row["validation_energy_distance"]) for row in history(tmp_path)]
    assert chosen == pytest.approx(min(distances), rel=1e-5)


def test_clip_weights() -> None:
    layer = torch.nn.Linear(3, 3)
    with torch.no_grad():
        layer.weight[0] = torch.tensor([-5.0, 0.02, 7.0])
    clip_weights(layer, 0.5)
    assert torch.allclose(layer.weight[0], torch.tensor([-0.5, 0.02, 0.5]))


def test_the_critic_sees_the_penalty_by_its_coefficient() -> None:
    weights = []
    for coefficient in (1e-3, 10.0):
        model, optimizer, options = small_gan(GanLearningOptions(coefficient))
        options.optim.optimizer = "rmsprop"
        optimizer = make_optimizer_fn(model, options)
        fabric = start_fabric(options.loop, 0)
        context = seeded_context(fabric, options, options.optim, "training", (0, 0, 0, 0))
        bones = torch.randn(6, 15, 3, generator=context.generator) / 10
        losses = update_op(model, optimizer, {"bones": bones}, 0, context)
        expected = losses["critic"] + coefficient * losses["penalty"]
        assert losses["loss"].item() == pytest.approx(expected.item(), rel=1e-5)
        weights.append(model.critic.network.first.weight.detach().clone())
    assert not torch.equal(*weights)


@pytest.mark.parametrize("name", ["adam", "amsprop", "rmsprop"])
def test_optimizers_are_those_asked_for(name: Any) -> None:
    model, _, options = small_gan(GanLearningOptions())
    options.optim = OptimizerOptions(name, lr=0.5)
    made = make_optimizer_fn(model, options)
    assert list(made) == ["generator", "critic"]
    for part, one in made.items():
        group = one.param_groups[0]
        assert group["lr"] == 0.5
        assert len(group["params"]) == len(list(getattr(model, part).parameters()))
        if name != "rmsprop":
            assert group["betas"] == (0.0, 0.9) and group["amsgrad"] == (name == "amsprop")


def test_a_name_in_use_is_told_before_data_are_read(tmp_path: Path, store: Path) -> None:
    train(gan_options(tmp_path, store))
    again = gan_options(tmp_path, tmp_path / "nowhere.npz")
    with pytest.raises(UserError, match="--overwrite"):
        train(again)
