"""The five functions and whole small runs."""

import csv
import signal
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from generative_models.motion_transfer import training
from generative_models.motion_transfer.description import load_network
from generative_models.motion_transfer.losses import Inputs, TransferTraining
from generative_models.motion_transfer.model import Architecture
from generative_models.motion_transfer.normalisation import Normaliser, local_rows
from generative_models.motion_transfer.options import LossOptions
from generative_models.motion_transfer.training import (
    inputs_of,
    random_factors,
    train,
    update_op,
    weights_of,
)
from tests.generative_models.motion_transfer.moving import swinging, train_options
from tests.nests import same
from utils.errors import UserError
from utils.weights import load_weights, save_weights

RUN = "motion_transfer_mannequin_default"


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp() / "motion_transfer_cache"
    monkeypatch.setattr("utils.dataset_statistics.CACHE", folder)
    monkeypatch.setattr("generative_models.motion_transfer.motion.MANNEQUIN_SECONDS", 1.0)
    monkeypatch.setattr("generative_models.motion_transfer.motion.HELD_OUT_MANNEQUINS", 2)
    monkeypatch.setattr(training, "VALIDATION_WINDOWS", 8)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def prepared(options: LossOptions, hidden: float = 0.0) -> tuple[Inputs, Normaliser]:
    clips = torch.stack([swinging(16, seed=n) for n in range(4)]) / 1000
    clips[0, :, 0] = torch.nan
    batch = {"clips": clips, "others": clips.flip(1)}
    normaliser = Normaliser.measured(local_rows(clips[1:, ..., :2]))
    return inputs_of(batch, options, normaliser, generator(), hidden), normaliser


def test_factors_are_one_for_all_times_one_for_each():
    factors = random_factors(4000, (0.5, 2.0), generator())
    assert factors.min() > 0.25 and factors.max() < 4
    # Products of independent uniform factors: mean 1.25^2, and correlated over the limbs.
    torch.testing.assert_close(factors.mean(), torch.tensor(1.25**2), atol=0.05, rtol=0)
    assert torch.corrcoef(factors.T[:2])[0, 1] > 0.2


def test_inputs_lack_what_the_data_lack_and_hide_more_if_asked():
    given, _ = prepared(LossOptions(window=16))
    assert (given.known[0] == 0).sum() == 2 and (given.known[1:] == 1).all()
    assert torch.equal(given.fed, given.known)
    hidden, _ = prepared(LossOptions(window=16), hidden=0.5)
    assert (hidden.fed[:, -2:] == 1).all()
    share = hidden.fed[1:, :-2].mean()
    assert 0.2 < share < 0.8 and torch.equal(hidden.fed[:, 0::2], hidden.fed[:, 1::2])


def test_without_scaling_both_motions_are_the_same():
    given, _ = prepared(LossOptions(window=16, limb_scale=(1.0, 1.0)))
    torch.testing.assert_close(given.clips, given.scaled, atol=1e-3, rtol=1e-3)


def test_every_loss_has_its_weight():
    given, normaliser = prepared(LossOptions(window=16))
    model = TransferTraining(Architecture.of_width(0.1), normaliser)
    terms = model(*given)
    options = LossOptions(
        reconstruction_weight=1, cross_weight=2, transfer_weight=3, limbs_weight=4, turns_weight=5,
        triplet_weight=6, adversarial_weight=7,
    )  # fmt: skip
    weights = weights_of(options)
    assert set(weights) == set(terms) - {"made"}
    assert sorted(weights.values()) == [1, 2, 3, 4, 4, 5, 5, 6, 6, 7]


class _Context(SimpleNamespace):
    """Just enough of the loop's context; remembers what was minimised."""

    def minimise(self, loss: torch.Tensor, model: Any, optimizer: Any) -> None:
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def test_a_step_moves_network_and_discriminator_once_each(tmp_path: Path):
    options = train_options(tmp_path)
    clips = torch.stack([swinging(16, seed=n) for n in range(4)]) / 1000
    normaliser = Normaliser.measured(local_rows(clips[..., :2]))
    model = TransferTraining(Architecture.of_width(0.1), normaliser)
    optimizers = training.make_optimizer_fn(model, options)
    before = {name: one.clone() for name, one in model.state_dict().items()}
    context: Any = _Context(options=options, generator=generator())
    batch = {"clips": clips, "others": clips}
    losses = training.update_op(model, optimizers, batch, 0, context, normaliser)
    moved = {n for n, one in model.state_dict().items() if not torch.equal(one, before[n])}
    assert moved == set(before)
    steps = {n: {int(s["step"]) for s in o.state.values()} for n, o in optimizers.items()}
    assert steps == {"network": {1}, "discriminator": {1}}
    assert all(not one.requires_grad and one.isfinite() for one in losses.values())
    assert "discriminator" in losses and "made" not in losses


def test_a_run_leaves_weights_that_describe_themselves(tmp_path: Path):
    assert train(train_options(tmp_path)) == 0
    folder = tmp_path / "runs" / RUN
    weights, metadata = load_weights(folder / "best.safetensors")
    assert metadata["kind"] == "motion_transfer" and metadata["training_data"] == "mannequin"
    network, description = load_network(str(folder))
    assert description.architecture == Architecture.of_width(0.1)
    key = "decoder.layers.0.convolution.weight"
    torch.testing.assert_close(network.state_dict()[key], weights[f"network.{key}"])
    with np.load(folder / "predictions.npz", allow_pickle=False) as arrays:
        assert arrays["predictions"].shape == arrays["truth"].shape == (8, 16, 14, 2)
    rows = history(tmp_path)
    assert len(rows) == 2 and float(rows[1]["validation_transfer_mae"]) > 0


def last(folder: Path) -> dict[str, Any]:
    return torch.load(folder / "runs" / RUN / "last.ckpt", weights_only=True)


def history(folder: Path) -> list[dict[str, str]]:
    with (folder / "runs" / RUN / "history.csv").open() as file:
        return [
            {key: value for key, value in row.items() if key != "seconds"}
            for row in csv.DictReader(file)
        ]


def killed_in_the_third_step(*arguments: Any, **named: Any) -> dict[str, torch.Tensor]:
    if arguments[3] == 2:
        signal.raise_signal(signal.SIGTERM)
    return update_op(*arguments, **named)


def test_killed_within_an_epoch_and_resumed_is_as_never_interrupted(tmp_path: Path):
    assert train(train_options(tmp_path / "whole")) == 0
    parts = train_options(tmp_path / "parts")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "update_op", killed_in_the_third_step)
        assert train(parts) == 130
    assert last(tmp_path / "parts")["state"]["step"] == 3
    assert train(replace(parts, run=replace(parts.run, resume=True))) == 0
    one, two = last(tmp_path / "whole"), last(tmp_path / "parts")
    assert set(one["optimizers"]) == {"network", "discriminator"}
    assert same(one["model"], two["model"]) and same(one["optimizers"], two["optimizers"])
    assert history(tmp_path / "whole") == history(tmp_path / "parts")


def test_training_starts_from_weights_without_a_discriminator(tmp_path: Path):
    train(train_options(tmp_path))
    folder = tmp_path / "runs" / RUN
    weights, metadata = load_weights(folder / "best.safetensors")
    network = {name: one for name, one in weights.items() if name.startswith("network.")}
    save_weights(tmp_path / "shipped.safetensors", network, metadata, bits=16)
    again = train_options(tmp_path)
    again.run = replace(again.run, exp="more", load=str(tmp_path / "shipped.safetensors"))
    again.optim = replace(again.optim, lr=1e-12)
    assert train(again) == 0
    found, _ = load_weights(folder.parent / "motion_transfer_mannequin_more" / "best.safetensors")
    for name, one in network.items():
        torch.testing.assert_close(found[name], one, atol=1e-3, rtol=1e-3)
    again.run = replace(again.run, exp="wide")
    again.network = replace(again.network, width=0.2)
    with pytest.raises(UserError, match="another width"):
        train(again)
