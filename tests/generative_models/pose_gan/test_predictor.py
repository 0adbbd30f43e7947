"""Samplers and priors: seeds, units, and what they think of a pose."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from generative_models.pose_gan.data import pool_poses
from generative_models.pose_gan.description import (
    GAN_KIND,
    VAE_KIND,
    PoseModelDescription,
    description_from_metadata,
)
from generative_models.pose_gan.gaussian import GaussianModel
from generative_models.pose_gan.model import PoseArchitecture, PoseGan, PoseVae
from generative_models.pose_gan.predictor import (
    GanModel,
    VaeModel,
    load_prior,
    load_sampler,
    load_vae,
)
from generative_models.pose_gan.representation import (
    STANDARD_SIZE,
    body_size,
    to_bones,
    to_canonical,
)
from tests.generative_models.pose_gan.small_poses import still_poses, store_of
from utils.errors import UserError
from utils.skeletons import H36M_17
from utils.weights import save_weights

SMALL = PoseArchitecture(latent_size=6, linear_size=32, num_stage=1)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def bones() -> torch.Tensor:
    return pool_poses(store_of([still_poses(100, seed) for seed in range(4)])).bones


@pytest.fixture(scope="module")
def poses() -> np.ndarray:
    """(30, 17, 3) mm, y down, somewhere, facing anywhere."""
    rng = np.random.default_rng(0)
    angles = rng.uniform(0, 2 * np.pi, 30)
    c, s, zero, one = np.cos(angles), np.sin(angles), np.zeros(30), np.ones(30)
    turns = np.stack([c, zero, -s, zero, one, zero, s, zero, c], -1).reshape(-1, 3, 3)
    world = still_poses(30, 9) * np.array([1, -1, -1]) @ turns
    return world + rng.normal(0, 1000, (30, 1, 3))


@pytest.fixture
def folder(tmp_path: Path, bones: torch.Tensor) -> Path:
    """Untrained weights of each kind."""
    torch.manual_seed(0)
    for name, kind, make in (("gan", GAN_KIND, PoseGan), ("vae", VAE_KIND, PoseVae)):
        model = make(SMALL)
        model.scale.measure(bones)
        metadata = PoseModelDescription(kind, SMALL).as_metadata()
        save_weights(tmp_path / f"{name}.safetensors", model.state_dict(), metadata, bits=16)
    GaussianModel.fit(still_poses(200) * [1, -1, -1]).save(
        tmp_path / "gaussian.safetensors", "made up"
    )
    return tmp_path


@pytest.mark.parametrize("name", ["gan", "vae", "gaussian"])
def test_samples_are_decided_by_the_seed(name: str, folder: Path) -> None:
    sampler = load_sampler(str(folder / f"{name}.safetensors"), "cpu")
    made = sampler.sample(40, seed=3)
    assert made.shape == (40, 17, 3) and made.dtype == np.float32
    assert np.array_equal(made, sampler.sample(40, 3))
    assert not np.allclose(made, sampler.sample(40, 4))
    assert len(np.unique(made.reshape(40, -1).round(2), axis=0)) == 40
    if name != "gaussian":
        sizes = body_size(torch.from_numpy(made))
        assert torch.allclose(sizes, torch.tensor(STANDARD_SIZE), rtol=1e-4)
    left, right = H36M_17.indices("left_hip", "right_hip")
    assert np.abs(made[:, left] + made[:, right]).max() < 0.01
    assert np.abs(made[:, left, 2]).max() < 0.01


@pytest.mark.parametrize("name", ["gan", "vae", "gaussian"])
def test_scores_are_of_the_pose_and_not_of_where_it_stands(
    name: str, folder: Path, poses: np.ndarray
) -> None:
    prior = load_prior(str(folder / f"{name}.safetensors"), "cpu")
    scores = prior.score(poses)
    turn = np.array([[0.6, 0, 0.8], [0, 1, 0], [-0.8, 0, 0.6]])
    assert scores.shape == (30,) and np.isfinite(scores).all()
    assert np.allclose(prior.score(poses @ turn * 1.1 + 50), scores, rtol=1e-2, atol=1e-2)
    gone = poses.copy()
    gone[4, H36M_17.index("left_wrist")] = np.nan
    found = prior.score(gone)
    assert np.isnan(found[4]) and np.isfinite(np.delete(found, 4)).all()


def test_a_gaussian_has_the_moments_of_its_poses() -> None:
    real = still_poses(500) * np.array([1, -1, -1], np.float32)
    model = GaussianModel.fit(real)
    canonical, _ = to_canonical(torch.from_numpy(real).double())
    made = torch.from_numpy(model.sample(40_000, 0)).double() / STANDARD_SIZE
    truth, found = (to_bones(poses).flatten(1) for poses in (canonical, made))
    spread = truth.var(0).max()
    assert (truth.mean(0) - found.mean(0)).abs().max() < 0.02 * spread.sqrt()
    assert (torch.cov(truth.T) - torch.cov(found.T)).abs().max() < 0.03 * spread


def test_a_gaussian_scores_by_its_density() -> None:
    """Against SciPy's density on the axes that vary."""
    real = still_poses(500) * np.array([1, -1, -1], np.float32)
    model = GaussianModel.fit(real)
    canonical, _ = to_canonical(torch.from_numpy(real[:20]).double())
    values = to_bones(canonical).flatten(1).numpy()
    covariance = (model.factor @ model.factor.T).numpy()
    density = multivariate_normal(model.mean.numpy(), covariance, allow_singular=True)  # pyright: ignore[reportArgumentType]
    theirs = density.logpdf(values)
    ours = model.score(real[:20])
    assert np.allclose(ours - ours[0], theirs - theirs[0], rtol=0.02, atol=0.5)


def test_a_gaussian_needs_poses(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="at least two whole poses, not 1"):
        GaussianModel.fit(still_poses(1))
    path = tmp_path / "odd.safetensors"
    metadata = PoseModelDescription("pose_gaussian").as_metadata()
    save_weights(path, {"mean": torch.zeros(3)}, metadata)
    with pytest.raises(UserError, match="no Gaussian of poses"):
        load_sampler(str(path))


def trained_vae(bones: torch.Tensor) -> PoseVae:
    torch.manual_seed(0)
    model = PoseVae(PoseArchitecture(latent_size=8, linear_size=64, num_stage=1))
    model.scale.measure(bones)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(400):
        found = model(bones, torch.randn(len(bones), 8))
        optimizer.zero_grad()
        (found["squares"] / (2 * 0.005**2) + found["kl"]).mean().backward()
        optimizer.step()
    return model


def test_projection_mends_poses_and_leaves_them_where_they_are(
    bones: torch.Tensor, poses: np.ndarray
) -> None:
    """The mean body's pose is hardly changed; with an arm of three times its length it is brought
    back towards what it was."""
    model = VaeModel(trained_vae(bones), CPU)
    real = still_poses(40, 0) * np.array([1, -1, -1]) + np.array([2000.0, 100.0, 5000.0])
    back = model.project(real)
    assert np.linalg.norm(back - real, axis=-1).mean() < 100
    broken = real.copy()
    elbow, wrist = H36M_17.indices("left_elbow", "left_wrist")
    broken[:, wrist] = real[:, elbow] + 3 * (real[:, wrist] - real[:, elbow])
    mended = model.project(broken)

    def forearm(p: np.ndarray) -> float:
        return float(np.linalg.norm(p[:, wrist] - p[:, elbow], axis=-1).mean())

    assert forearm(mended) < 0.6 * forearm(broken)
    assert (model.score(real) > model.score(broken)).mean() > 0.9
    assert np.allclose(mended[:, 0], broken[:, 0], atol=0.01)
    assert np.allclose(body_size(torch.from_numpy(mended)), body_size(torch.from_numpy(broken)))


def test_only_a_vae_projects(folder: Path) -> None:
    assert isinstance(load_vae(str(folder / "vae.safetensors"), "cpu"), VaeModel)
    with pytest.raises(UserError, match="no VAE"):
        load_vae(str(folder / "gan.safetensors"), "cpu")


def test_half_precision_hardly_changes_samples(bones: torch.Tensor, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = PoseGan(SMALL)
    model.scale.measure(bones)
    path = tmp_path / "half.safetensors"
    metadata = PoseModelDescription(GAN_KIND, SMALL).as_metadata()
    save_weights(path, model.state_dict(), metadata, bits=16)
    one, two = GanModel(model, CPU), load_sampler(str(path), "cpu")
    assert np.abs(one.sample(20, 0) - two.sample(20, 0)).max() < 3


def test_other_models_are_refused() -> None:
    with pytest.raises(UserError, match="a lifter, not a pose_gan"):
        description_from_metadata({"kind": "lifter"}, "x")
    with pytest.raises(UserError, match="its description is damaged"):
        description_from_metadata({"kind": GAN_KIND, "skeleton": "h36m_17"}, "x")
    with pytest.raises(UserError, match="joints of mpii_16"):
        description_from_metadata({"kind": GAN_KIND, "skeleton": "mpii_16"}, "x")
