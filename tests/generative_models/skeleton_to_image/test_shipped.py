"""The dancer that ships: small, and where the joints are."""

import numpy as np
import pytest
from safetensors import safe_open

from generative_models.skeleton_to_image.inference import SHIPPED, Dancer
from utils.weights import resolve

MOST_BYTES = 2_000_000


@pytest.fixture(scope="module")
def dancer() -> Dancer:
    return Dancer.load(accelerator="cpu")


def test_it_is_small_and_says_what_it_is(dancer: Dancer) -> None:
    path = resolve(SHIPPED)
    assert path.stat().st_size <= MOST_BYTES
    with safe_open(path, "pt") as file:
        assert {"licence", "score", "training_data"} <= file.metadata().keys()
    assert dancer.description.model == "vanilla_image" and dancer.image_size == 128


def test_somebody_is_drawn_where_the_joints_are(dancer: Dancer) -> None:
    """What differs from the same place with nobody in it lies about the joints."""
    keypoints = dancer.description.references.numpy()[::20]
    side = dancer.image_size
    place = dancer(np.full((1, 13, 2), np.nan, np.float32))[0].astype(int)
    rows, columns = np.mgrid[:side, :side]
    for joints, drawn in zip(keypoints, dancer(keypoints), strict=True):
        weight = np.abs(drawn - place).sum(axis=-1) > 60
        centre = np.array([columns[weight].mean(), rows[weight].mean()])
        assert np.linalg.norm(centre - joints.mean(axis=0)) < side / 8
