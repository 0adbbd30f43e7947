"""What a dancer's reference poses are to those who retarget."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from generative_models.motion_transfer.model import TransferNetwork
from generative_models.motion_transfer.predictor import LearnedRetargeter
from stitched.retargeting import reference_film
from tests.generative_models.motion_transfer.moving import description
from tests.generative_models.skeleton_to_image.small_dancer import standing


def test_reference_poses_from_all_over_a_film_are_the_frames_of_none():
    """A network sees each of them once, and nothing made up between them."""
    poses = torch.from_numpy(standing(20)).float()
    told = SimpleNamespace(references=poses, dancer="anna", fps=10.0)
    dancer: Any = SimpleNamespace(description=told, image_size=18)
    film = reference_film(dancer)
    assert np.isnan(film.time).all()
    one = description()
    network = LearnedRetargeter(TransferNetwork(one.architecture), one, "cpu")
    assert network.channels(network.film(film, "the target")).shape[-1] == 20
