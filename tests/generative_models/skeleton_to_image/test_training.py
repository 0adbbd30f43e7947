"""Whole small runs: files, interruption, other people's weights."""

import json
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from generative_models.skeleton_to_image import pose2vid_training, training
from generative_models.skeleton_to_image.dancer_data import DancerFrames
from generative_models.skeleton_to_image.inference import Dancer
from generative_models.skeleton_to_image.options import MODELS, ModelOrNumber
from generative_models.skeleton_to_image.training import train
from generative_models.skeleton_to_image.training_data import read_frames
from tests.generative_models.skeleton_to_image.small_dancer import (
    SIZE,
    train_options,
    write_small_dancer,
)
from tests.nests import same
from utils.errors import UserError
from utils.images import write_image
from utils.weights import load_weights

RUN = "skeleton_to_image_default"


@pytest.fixture(scope="module")
def dancer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_dancer(tmp_path_factory.mktemp("dancer") / "anna")


def frames_of(dancer: Path) -> DancerFrames:
    return read_frames(train_options(dancer, dancer, "nearest").data, SIZE)


def last(folder: Path) -> dict[str, Any]:
    return torch.load(folder / "runs" / RUN / "last.ckpt", weights_only=True)


@pytest.mark.parametrize("model", ["vanilla_vector", "3", "gan", "pose2vid"])
def test_a_run_leaves_its_files_and_a_dancer(
    model: ModelOrNumber, tmp_path: Path, dancer: Path
) -> None:
    assert train(train_options(tmp_path, dancer, model)) == 0
    folder = tmp_path / "runs" / RUN
    expected = {"options.json", "last.ckpt", "best.ckpt", "best.safetensors"}
    assert {path.name for path in folder.iterdir()} == expected | {"history.csv", "predictions.npz"}
    frames = frames_of(dancer).of_part("val")
    with np.load(folder / "predictions.npz", allow_pickle=False) as made:
        images, l1 = made["images"], made["l1"]
        assert (made["frame"] == frames.frame).all()
    difference = np.abs(images.astype(float) - frames.images).mean(axis=(1, 2, 3)) / 127.5
    assert images.shape == frames.images.shape and np.allclose(l1, difference)
    loaded = Dancer.load(str(folder), "cpu")
    assert loaded.description.dancer == "anna" and loaded.image_size == SIZE
    assert (loaded(frames.keypoints) == images).all()


def test_nearest_keeps_the_training_frames(tmp_path: Path, dancer: Path) -> None:
    assert train(train_options(tmp_path, dancer, "1")) == 0
    frames = frames_of(dancer).of_part("train")
    loaded = Dancer.load(str(tmp_path / "runs" / RUN), "cpu")
    assert (loaded(frames.keypoints) == frames.images).all()
    options = train_options(tmp_path / "again", dancer, "1")
    options.run.load = str(tmp_path / "runs" / RUN / "best.safetensors")
    with pytest.raises(UserError, match="learns nothing"):
        train(options)


def killed_at_step_2(update_op: Any) -> Any:
    def update(*arguments: Any, **more: Any) -> dict[str, torch.Tensor]:
        if arguments[3] == 2:
            signal.raise_signal(signal.SIGTERM)
        return update_op(*arguments, **more)

    return update


@pytest.mark.parametrize("model", ["vanilla_image", "gan", "pose2vid"])
def test_killed_and_resumed_is_the_same_as_never_interrupted(
    model: ModelOrNumber, tmp_path: Path, dancer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(train_options(tmp_path / "whole", dancer, model))
    halves = train_options(tmp_path / "halves", dancer, model)
    place = pose2vid_training if model == "pose2vid" else training
    with monkeypatch.context() as patch:
        patch.setattr(place, "update_op", killed_at_step_2(place.update_op))
        assert train(halves) == 130
    assert last(tmp_path / "halves")["state"]["step"] == 3
    assert train(replace(halves, run=replace(halves.run, resume=True))) == 0
    one, two = last(tmp_path / "whole"), last(tmp_path / "halves")
    assert same(one["model"], two["model"]) and same(one["optimizers"], two["optimizers"])
    histories = [
        [{k: v for k, v in row.items() if k != "seconds"} for row in run["state"]["history"]]
        for run in (one, two)
    ]
    assert histories[0] == histories[1] and len(histories[0]) == 2


def test_weights_of_another_person_go_on_with_the_new_ones_background(
    tmp_path: Path, dancer: Path
) -> None:
    train(train_options(tmp_path, dancer, "vanilla_image"))
    weights = tmp_path / "runs" / RUN / "best.safetensors"
    other = write_small_dancer(tmp_path / "berta", colour=20)
    begun: list[Any] = []
    options = train_options(tmp_path / "other", other, "gan")
    options.run.load = str(weights)
    with pytest.MonkeyPatch.context() as patch:
        loop = training.train_loop
        patch.setattr(
            training,
            "train_loop",
            lambda model, *rest, **more: (
                begun.append({k: v.clone() for k, v in model.state_dict().items()}),
                loop(model, *rest, **more),
            )[1],
        )
        assert train(options) == 0
    written = json.loads((tmp_path / "other" / "runs" / RUN / "options.json").read_text())
    assert written["run"]["load"] == str(weights)  # without it, --resume could not tell
    old, new = load_weights(weights)[0], begun[0]
    assert torch.equal(new["generator.first.weight"], old["generator.first.weight"])
    assert not torch.equal(new["generator.background"], old["generator.background"])
    assert load_weights(tmp_path / "other" / "runs" / RUN / "best.safetensors")[1]["dancer"] == (
        "berta"
    )


def test_weights_of_another_kind_or_size_are_refused(tmp_path: Path, dancer: Path) -> None:
    train(train_options(tmp_path, dancer, "vanilla_image"))
    weights = str(tmp_path / "runs" / RUN / "best.safetensors")
    vector = train_options(tmp_path / "a", dancer, "vanilla_vector")
    larger = train_options(tmp_path / "b", dancer, "vanilla_image")
    larger.network.features = 8
    for options, problem in ((vector, "not a vanilla_vector"), (larger, "give the same")):
        options.run.load = weights
        with pytest.raises(UserError, match=problem):
            train(options)


def test_a_folder_of_drawn_skeletons_trains_a_network(tmp_path: Path) -> None:
    for phase, numbers in (("train", range(30)), ("test", range(8))):
        for number in numbers:
            for side, level in (("A", 5), ("B", 6)):
                image = np.full((SIZE, SIZE, 3), level * number, np.uint8)
                write_image(tmp_path / "pairs" / f"{phase}_{side}" / f"{number:03d}.png", image)
    options = train_options(tmp_path, tmp_path / "pairs", "vanilla_image")
    assert train(options) == 0
    dancer = Dancer.load(str(tmp_path / "runs" / RUN), "cpu")
    drawings = np.zeros((2, SIZE, SIZE, 3), np.uint8)
    assert len(list(dancer.frames_of_skeletons(drawings))) == 2
    with pytest.raises(UserError, match="--skeletons"):
        dancer(np.zeros((1, 13, 2)))
    with pytest.raises(UserError, match="needs joints"):
        train(train_options(tmp_path / "v", tmp_path / "pairs", "vanilla_vector"))


def test_a_name_in_use_is_told_before_frames_are_read(tmp_path: Path, dancer: Path) -> None:
    train(train_options(tmp_path, dancer, "nearest"))
    with pytest.raises(UserError, match="--overwrite"):
        train(train_options(tmp_path, tmp_path / "nowhere", "vanilla_image"))


def test_models_have_numbers() -> None:
    assert MODELS == ("nearest", "vanilla_vector", "vanilla_image", "gan", "pose2vid")
