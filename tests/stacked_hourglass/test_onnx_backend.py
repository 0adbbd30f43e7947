"""The hourglass in onnxruntime: what torch finds, from the same pictures and boxes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from stacked_hourglass import onnx_backend
from stacked_hourglass.description import Description
from stacked_hourglass.model import StackedHourglass
from stacked_hourglass.onnx_backend import OnnxPredictor, load_onnx_predictor
from stacked_hourglass.predictor import Predictor
from tests.stacked_hourglass.test_predictor import SMALL
from utils import onnx_files
from utils.errors import UserError
from utils.weights import save_weights

Pair = tuple[OnnxPredictor, Predictor]


def weights(folder: Path, description: Description = SMALL) -> str:
    """A file of weights whose batch norms do something."""
    torch.manual_seed(0)
    network = StackedHourglass(description.architecture)
    for name, values in network.named_buffers():
        if name.endswith(("running_mean", "running_var")):
            values.uniform_(0.5, 1.5)
    path = folder / f"{description.heatmap_loss}.safetensors"
    save_weights(path, network.state_dict(), description.as_metadata())
    return str(path)


TELLING = replace(SMALL, architecture=replace(SMALL.architecture, visibility=True))


@pytest.fixture(
    scope="module",
    params=[SMALL, replace(SMALL, heatmap_loss="mse"), TELLING],
    ids=["cross_entropy", "mse", "visibility"],
)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Both loaded from the same weights, which the first exports, as they are not in its cache."""
    folder = tmp_path_factory.mktemp("hourglass")
    name = weights(folder, request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnx_files, "CACHE", folder / "cache")
        onnx = load_onnx_predictor(name)
        (kept,) = (folder / "cache").iterdir()
        patch.setattr(onnx_backend, "export_hourglass", None)
        assert load_onnx_predictor(name).description == onnx.description
    assert load_onnx_predictor(str(kept)).description == onnx.description
    return onnx, Predictor.load(name, "cpu", "32-true")


def pictures(count: int) -> tuple[list[np.ndarray], np.ndarray]:
    rng = np.random.default_rng(count)
    images = [rng.integers(0, 256, (90, 120, 3), dtype=np.uint8) for _ in range(count)]
    return images, rng.uniform((30, 30, 40), (90, 60, 120), (count, 3))


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("count", [1, 3])
def test_maps_and_joints_are_those_of_torch(both: Pair, count: int, flip: bool):
    onnx, ours = both
    crops = torch.randint(0, 256, (count, 3, 64, 64), dtype=torch.uint8)
    expected = ours.maps_and_visibility(crops, flip)
    found = onnx.maps_and_visibility(crops, flip)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-3)
    images, boxes = pictures(count)
    found, expected = onnx(images, boxes, flip), ours(images, boxes, flip)
    # Of maps of untrained networks: where they are all but flat, the last digits place the peak.
    np.testing.assert_allclose(found.keypoints, expected.keypoints, atol=0.1)
    np.testing.assert_allclose(found.confidence, expected.confidence, atol=1e-4)
    assert (found.visibility is None) == (not ours.description.architecture.visibility)
    if expected.visibility is not None and found.visibility is not None:
        np.testing.assert_allclose(found.visibility, expected.visibility, atol=1e-4)
    for one, other in zip(found, expected, strict=True):
        assert one is other is None or np.asarray(one).dtype == np.asarray(other).dtype


def test_it_says_of_itself_what_the_predictor_says(both: Pair):
    onnx, ours = both
    assert onnx.description == ours.description
    assert (onnx.skeleton, onnx.resolution) == (ours.skeleton, ours.resolution)
    nobody = onnx([], np.zeros((0, 3))), ours([], np.zeros((0, 3)))
    for found, expected in zip(*(one[:2] for one in nobody), strict=True):
        assert found.shape == expected.shape and found.dtype == expected.dtype


def test_weights_of_another_kind_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(onnx_files, "CACHE", tmp_path / "cache")
    save_weights(tmp_path / "w.safetensors", {"w": torch.zeros(2)}, {"kind": "lifter"})
    with pytest.raises(UserError, match="holds a lifter"):
        load_onnx_predictor(str(tmp_path / "w.safetensors"))
    assert not (tmp_path / "cache").exists()
