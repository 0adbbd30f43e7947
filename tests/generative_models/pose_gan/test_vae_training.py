"""The five functions of the VAE, and whole small runs."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from generative_models.pose_gan.options import VaeLearningOptions
from generative_models.pose_gan.predictor import VaeModel, load_pose_model
from generative_models.pose_gan.representation import STANDARD_SIZE
from generative_models.pose_gan.vae_training import train, vae_losses
from tests.generative_models.pose_gan.small_poses import vae_options, write_small_store
from utils.weights import load_weights

RUN = "3d_pose_vae_mocap_default"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_store(tmp_path_factory.mktemp("store"))


def checkpoint(folder: Path) -> dict[str, Any]:
    return torch.load(folder / "runs" / RUN / "last.ckpt", weights_only=True)


def test_the_loss_is_the_bound_on_the_likelihood() -> None:
    """With z = the mean it is -log N(x; decoded, noise) - const + KL."""
    torch.manual_seed(0)
    off = torch.randn(4, 51).double() * 0.01
    kl = torch.rand(4).double()
    noise = 20.0
    found = {"squares": off.square().sum(1), "kl": kl}
    losses = vae_losses(found, VaeLearningOptions(kl_coeff=0.5, decoder_noise=noise))
    density = torch.distributions.Normal(0.0, torch.tensor(noise / STANDARD_SIZE).double())
    constant = density.log_prob(torch.tensor(0.0)) * 51
    expected = -(density.log_prob(off).sum(1) - constant)
    assert torch.allclose(losses["reconstruction"], expected)
    assert torch.allclose(losses["loss"], expected + 0.5 * kl)


def test_a_run_leaves_its_files_and_learns(tmp_path: Path, store: Path) -> None:
    options = vae_options(tmp_path, store)
    options.loop.epochs, options.data.epoch_poses, options.optim.lr = 3, 800, 1e-2
    assert train(options) == 0
    folder = tmp_path / "runs" / RUN
    rows = (folder / "history.csv").read_text().splitlines()
    names = rows[0].split(",")
    for name in ("train_kl", "train_reconstruction", "validation_loss", "validation_kl"):
        assert name in names
    first, last = (float(row.split(",")[names.index("train_loss")]) for row in (rows[1], rows[-1]))
    assert last < 0.8 * first
    assert isinstance(load_pose_model(str(folder), "cpu"), VaeModel)
    assert load_weights(folder / "best.safetensors")[1]["kind"] == "pose_vae"
    assert (folder / "predictions.npz").is_file()


def test_resumed_is_the_same_as_never_interrupted(tmp_path: Path, store: Path) -> None:
    one, two = vae_options(tmp_path / "a", store), vae_options(tmp_path / "b", store)
    one.optim.lr_scheduler = two.optim.lr_scheduler = "none"
    train(one)
    train(replace(two, loop=replace(two.loop, epochs=1)))
    train(replace(two, run=replace(two.run, resume=True)))
    first, second = (checkpoint(tmp_path / part)["model"] for part in "ab")
    assert all(torch.equal(first[key], second[key]) for key in first)


LEARNING = {
    "kl_coeff": VaeLearningOptions(kl_coeff=5.0),
    "decoder_noise": VaeLearningOptions(decoder_noise=50.0),
}


def test_every_learning_option_changes_what_is_learnt(tmp_path: Path, store: Path) -> None:
    name = "generator.network.last.weight"
    train(vae_options(tmp_path / "plain", store))
    plain = checkpoint(tmp_path / "plain")["model"][name]
    for part, learning in LEARNING.items():
        train(replace(vae_options(tmp_path / part, store), learning=learning))
        assert not torch.equal(plain, checkpoint(tmp_path / part)["model"][name]), part
