from pathlib import Path

import pytest
import torch

from stacked_hourglass.architecture import Architecture
from stacked_hourglass.description import Description
from stacked_hourglass.model import StackedHourglass
from stacked_hourglass.options import DataOptions, HourglassTrainOptions, NetworkOptions
from stacked_hourglass.starting import load_start
from stacked_hourglass.widening import widen
from utils.errors import UserError
from utils.options import LoopOptions, RunOptions
from utils.weights import save_weights

NARROW = Architecture(stacks=2, features=8, visibility=True)


def networks(features: int) -> tuple[StackedHourglass, StackedHourglass]:
    """A narrow one whose norms have seen something, and a wide one."""
    torch.manual_seed(0)
    narrow = StackedHourglass(NARROW)
    narrow(torch.randn(4, 3, 64, 64))
    wide = StackedHourglass(Architecture(stacks=2, features=features, visibility=True))
    return narrow, wide


@pytest.mark.parametrize("features", [16, 24])
@pytest.mark.parametrize("training", [False, True])
def test_the_wide_network_finds_the_same(features: int, training: bool) -> None:
    narrow, wide = networks(features)
    wide.load_state_dict(widen(narrow.state_dict(), wide.state_dict(), seed=0))
    images = torch.randn(2, 3, 64, 128)
    ours, theirs = (model.train(training)(images, True) for model in (wide, narrow))
    assert ours[1] is not None and theirs[1] is not None
    torch.testing.assert_close(ours[0], theirs[0], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(ours[1], theirs[1], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("attention", ["window", "causal"])
def test_attention_over_frames_finds_the_same(attention: str) -> None:
    torch.manual_seed(0)
    shapes = (Architecture(stacks=1, features=n, attention=attention) for n in (8, 24))
    narrow, wide = (StackedHourglass(shape).eval() for shape in shapes)
    for name, weight in narrow.named_parameters():
        if "attention" in name:  # what it adds begins at 0
            torch.nn.init.normal_(weight)
    wide.load_state_dict(widen(narrow.state_dict(), wide.state_dict(), seed=0))
    images = torch.randn(8, 3, 64, 64)
    ours, theirs = (model(images, frames=4) for model in (wide, narrow))
    assert (theirs - narrow(images)).abs().max() > 0.01  # other frames matter
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def test_copies_of_a_feature_learn_different_things() -> None:
    narrow, wide = networks(16)
    wide.load_state_dict(widen(narrow.state_dict(), wide.state_dict(), seed=0))
    wide(torch.randn(2, 3, 64, 64)).square().mean().backward()
    for name, weight in wide.named_parameters():
        if name.endswith("conv2.weight"):
            assert weight.grad is not None
            half = len(weight) // 2
            step = (weight.grad[:half] - weight.grad[half:]).norm()
            assert step > 0.01 * weight.grad.norm(), name


def asked(load: Path, features: int) -> HourglassTrainOptions:
    return HourglassTrainOptions(
        run=RunOptions(load=str(load)),
        network=NetworkOptions(stacks=2, features=features, predict_joint_visibility=True),
        data=DataOptions(dataset="mannequin"),
        loop=LoopOptions(),
    )


def description_of(model: StackedHourglass) -> Description:
    grey = (0.5, 0.5, 0.5)
    return Description(model.architecture, 64, "mse", "dark", grey, grey)


def test_training_starts_from_narrower_weights(tmp_path: Path) -> None:
    narrow, wide = networks(16)
    weights = tmp_path / "narrow.safetensors"
    save_weights(weights, narrow.state_dict(), description_of(narrow).as_metadata())
    assert load_start(wide, description_of(wide), asked(weights, 16)).load == ""
    images = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(wide.eval()(images), narrow.eval()(images), atol=1e-4, rtol=1e-4)


def test_widths_that_are_no_multiple_are_refused(tmp_path: Path) -> None:
    narrow, wide = networks(12)
    weights = tmp_path / "narrow.safetensors"
    save_weights(weights, narrow.state_dict(), description_of(narrow).as_metadata())
    with pytest.raises(UserError, match="does not fit this model; other shapes"):
        load_start(wide, description_of(wide), asked(weights, 12))
