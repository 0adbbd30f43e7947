"""The GAN that ships: small, and making up poses of people."""

import numpy as np
import torch

from generative_models.pose_gan import anatomy
from generative_models.pose_gan.predictor import load_sampler
from generative_models.pose_gan.representation import STANDARD_SIZE, body_size
from utils.skeletons import H36M_17
from utils.weights import resolve

MOST_BYTES = 1_000_000


def test_it_ships_and_is_small() -> None:
    assert resolve("pose_gan").stat().st_size <= MOST_BYTES


def test_it_makes_up_upright_people_of_one_size_and_many_poses() -> None:
    poses = load_sampler(accelerator="cpu").sample(500, seed=3)
    np.testing.assert_allclose(body_size(torch.from_numpy(poses)), STANDARD_SIZE, rtol=1e-3)
    head, ankle = (poses[:, H36M_17.index(name), 1] for name in ("head", "left_ankle"))
    assert (head < 0).mean() > 0.9 and (ankle > 0).mean() > 0.8  # y is down
    assert (anatomy.asymmetry(poses) < 10).mean() > 0.9
    wrists = poses[:, H36M_17.indices("left_wrist", "right_wrist")]
    assert (wrists.std(axis=0) > 100).all()
