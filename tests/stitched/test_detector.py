"""Boxes of a general detector: what is done with its answers, and errors where it is not there."""

import sys
import types
import urllib.error

import numpy as np
import pytest

from stitched import detector
from stitched.detector import MARGIN, TorchvisionDetector, person_boxes
from utils.errors import UserError


def test_people_alone_count_the_surest_first():
    edges = np.array([[10, 20, 31, 61], [0, 0, 9, 9], [50, 50, 80, 60], [1, 1, 2, 2]], np.float32)
    boxes = person_boxes(edges, np.array([1, 3, 1, 1]), np.array([0.6, 0.9, 0.8, 0.4]))
    # Rectangles from edge to edge; the centre of the first pixel is 0.
    wanted = [[64.5, 54.5, 30 * MARGIN], [20, 40, 41 * MARGIN]]
    np.testing.assert_allclose(boxes, wanted, rtol=1e-6)
    assert boxes.dtype == np.float32


def test_nobody():
    boxes = person_boxes(np.zeros((0, 4)), np.zeros(0), np.zeros(0))
    assert boxes.shape == (0, 3)


def test_without_torchvision_one_line_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    monkeypatch.setitem(sys.modules, "torchvision.models", None)
    with pytest.raises(UserError, match=r"needs torchvision.*--boxes") as raised:
        TorchvisionDetector("cpu")
    assert "\n" not in str(raised.value)


class FakeDetection(types.ModuleType):
    """What of torchvision is used."""

    class FasterRCNN_MobileNet_V3_Large_FPN_Weights:
        DEFAULT = types.SimpleNamespace(url="https://example.org/weights.pth")

    def __init__(self, make):
        super().__init__("torchvision.models.detection")
        self.fasterrcnn_mobilenet_v3_large_fpn = make


def plug_in(monkeypatch, make):
    models = types.ModuleType("torchvision.models")
    models.detection = FakeDetection(make)  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setitem(sys.modules, "torchvision", types.ModuleType("torchvision"))
    monkeypatch.setitem(sys.modules, "torchvision.models", models)


def test_offline_one_line_says_what_to_do(monkeypatch):
    def make(weights):
        raise urllib.error.URLError("no route to host")

    plug_in(monkeypatch, make)
    with pytest.raises(UserError, match=r"example.org.*no route to host.*--boxes") as raised:
        TorchvisionDetector("cpu")
    assert "\n" not in str(raised.value)


def test_picture_goes_in_as_the_detector_wants_it(monkeypatch):
    import torch

    class Network(torch.nn.Module):
        def forward(self, images):
            (image,) = images
            assert image.shape == (3, 4, 6) and image.dtype == torch.float32
            assert not self.training and not image.requires_grad
            assert image[:, 1, 2].tolist() == pytest.approx([1.0, 51 / 255, 0.0])
            edges = torch.tensor([[1.0, 1.0, 5.0, 3.0]])
            return [{"boxes": edges, "labels": torch.tensor([1]), "scores": torch.tensor([0.9])}]

    plug_in(monkeypatch, lambda weights: Network())
    image = np.zeros((4, 6, 3), np.uint8)
    image[1, 2] = (255, 51, 0)
    boxes = detector.TorchvisionDetector("cpu")(image)
    np.testing.assert_allclose(boxes.places, [[2.5, 1.5, 4 * MARGIN]])
    assert boxes.people is None
