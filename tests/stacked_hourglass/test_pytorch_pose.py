from collections import OrderedDict
from pathlib import Path

import pytest
import torch

from stacked_hourglass.model import StackedHourglass
from stacked_hourglass.predictor import load_model
from stacked_hourglass.pytorch_pose import read_pytorch_pose
from tests.stacked_hourglass.public_hourglass import forward, random_state
from utils.errors import UserError


@pytest.mark.parametrize(("stacks", "blocks"), [(1, 1), (2, 1), (3, 2)])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_same_output_as_the_public_network(
    stacks: int, blocks: int, prefix: str, tmp_path: Path
) -> None:
    state = random_state(stacks, blocks)
    path = tmp_path / "model_best.pth.tar"
    content = {"epoch": 3, "arch": "hg", "best_acc": 0.5, "optimizer": {"state": {}}}
    content["state_dict"] = OrderedDict((prefix + name, value) for name, value in state.items())
    torch.save(content, path)
    model, description = load_model(str(path))
    images = torch.randn(2, 3, 64, 128)
    with torch.no_grad():
        ours, theirs = model.eval()(images), forward(state, images, stacks, blocks)
    assert description.architecture.stacks == stacks
    assert description.architecture.blocks == blocks
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)


def test_description_of_a_published_network() -> None:
    _, description = read_pytorch_pose(random_state(2, 1, features=64), "x")
    assert (description.resolution, description.heatmap_loss) == (256, "mse")
    assert description.std == (1, 1, 1)
    assert description.architecture.features == 64


def test_keys_that_do_not_match_are_named(tmp_path: Path) -> None:
    state = random_state(1, 1)
    state["extra.weight"] = state.pop("layer2.0.conv1.weight")
    path = tmp_path / "wrong.pth.tar"
    torch.save({"state_dict": state}, path)
    with pytest.raises(UserError, match=r"stem\.residual2\.conv1\.weight.*extra\.weight"):
        load_model(str(path))


def test_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "resnet.pth.tar"
    torch.save({"state_dict": {"layer1.0.conv1.weight": torch.zeros(1)}}, path)
    with pytest.raises(UserError, match=str(path)):
        load_model(str(path))
    with pytest.raises(UserError, match="not a hourglass"):
        read_pytorch_pose({"a": torch.zeros(1)}, "it")


def test_translated_state_fits_strictly() -> None:
    state, description = read_pytorch_pose(random_state(2, 2), "x")
    StackedHourglass(description.architecture).load_state_dict(state, strict=True)
