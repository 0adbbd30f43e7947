"""The prior as a lifter is handed it."""

import numpy as np
import pytest
import torch

from generative_models.pose_gan.data import pool_poses
from generative_models.pose_gan.model import PoseArchitecture, PoseVae
from generative_models.pose_gan.predictor import VaeModel
from generative_models.pose_gan.prior import PosePrior
from tests.generative_models.pose_gan.small_poses import still_poses, store_of
from utils.errors import UserError


@pytest.fixture(scope="module")
def vae() -> VaeModel:
    torch.manual_seed(0)
    model = PoseVae(PoseArchitecture(latent_size=4, linear_size=16, num_stage=1))
    clips = [still_poses(60, seed) for seed in range(4)]
    model.scale.measure(pool_poses(store_of(clips)).bones)
    return VaeModel(model, torch.device("cpu"))


def test_poses_go_a_part_of_the_way(vae: VaeModel) -> None:
    poses = still_poses(20) * np.array([1, -1, -1])
    likely = vae.project(poses)
    assert np.array_equal(PosePrior(vae, 0)(poses), poses)
    assert np.allclose(PosePrior(vae, 1)(poses), likely)
    assert np.allclose(PosePrior(vae, 0.25)(poses), 0.75 * poses + 0.25 * likely)
    assert np.linalg.norm(likely - poses, axis=-1).mean() > 10


def test_poses_that_are_not_whole_stay(vae: VaeModel) -> None:
    poses = still_poses(3) * np.array([1, -1, -1])
    poses[1, 5] = np.nan
    found = PosePrior(vae, 1)(poses)
    assert np.array_equal(found[1], poses[1], equal_nan=True)
    assert np.isfinite(found[[0, 2]]).all() and not np.allclose(found[0], poses[0])


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_strength_is_a_share(vae: VaeModel, strength: float) -> None:
    with pytest.raises(UserError, match="between 0 and 1"):
        PosePrior(vae, strength)
