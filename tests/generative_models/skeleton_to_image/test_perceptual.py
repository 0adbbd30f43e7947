"""VGG19's weights as torchvision keeps them; torchvision, a download, is stood in for."""

import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import nn

from generative_models.skeleton_to_image.perceptual import FILE, find_perceptual_loss
from utils.errors import UserError


class SmallVgg(nn.Module):
    """As many layers; features of one channel."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 1, 1), *(nn.ReLU() for _ in range(36)))


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the weights belong."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    models = ModuleType("torchvision.models")
    models.__dict__["vgg19"] = SmallVgg
    monkeypatch.setitem(sys.modules, "torchvision", ModuleType("torchvision"))
    monkeypatch.setitem(sys.modules, "torchvision.models", models)
    (tmp_path / "checkpoints").mkdir()
    return tmp_path / "checkpoints" / FILE


def test_without_weights_there_is_none(weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert find_perceptual_loss() is None
    assert f"VGG19's weights are not at {weights}" in capsys.readouterr().out


@pytest.mark.parametrize("new_format", [True, False])
def test_weights_are_taken(weights: Path, new_format: bool) -> None:
    network = SmallVgg()
    torch.save(network.state_dict(), weights, _use_new_zipfile_serialization=new_format)
    loss = find_perceptual_loss()
    assert loss is not None
    torch.testing.assert_close(loss.layers[0].weight, network.features[0].weight)
    assert loss(torch.ones(1, 3, 4, 4), -torch.ones(1, 3, 4, 4)) >= 0


def test_damaged_weights_are_a_user_error(weights: Path) -> None:
    torch.save(SmallVgg().state_dict(), weights)
    weights.write_bytes(weights.read_bytes()[:-200])
    with pytest.raises(UserError, match=FILE):
        find_perceptual_loss()
    torch.save({"other": torch.zeros(2)}, weights)
    with pytest.raises(UserError, match="does not fit this model"):
        find_perceptual_loss()
