from copy import deepcopy
from typing import Any

import pytest
import torch

from stacked_hourglass.architecture import Architecture
from stacked_hourglass.model import (
    StackedHourglass,
    convolve_in,
    fold_batch_norm,
    norm_layer,
    scale_weights,
    statistics_of_batch,
)


def parameters(**shape: Any) -> int:
    model = StackedHourglass(Architecture(**shape))
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(("stacks", "count"), [(1, 3_586_960), (2, 6_730_912)])
def test_parameter_counts_are_the_published_ones(stacks: int, count: int) -> None:
    assert parameters(stacks=stacks, features=256) == count


def test_every_field_of_the_architecture_changes_the_network() -> None:
    base = parameters(stacks=1, features=32)
    assert parameters(stacks=2, features=32) > base
    assert parameters(stacks=1, features=64) > base
    assert parameters(stacks=1, features=32, blocks=2) > base
    # A class more is one filter of 32 weights and a bias in the only score layer.
    assert parameters(stacks=1, features=32, num_classes=17) == base + 33
    slow = StackedHourglass(Architecture(1, 32, batch_norm_momentum=0.01))
    assert slow.stem.norm.momentum == 0.01


@pytest.mark.parametrize(("height", "width"), [(64, 64), (128, 192)])
def test_scores_of_every_stack_at_a_quarter_of_the_size(height: int, width: int) -> None:
    model = StackedHourglass(Architecture(stacks=2, features=16)).eval()
    scores = model(torch.zeros(2, 3, height, width))
    assert scores.shape == (2, 2, 16, height // 4, width // 4)


def test_other_sizes_are_refused() -> None:
    model = StackedHourglass(Architecture(stacks=1, features=16))
    with pytest.raises(ValueError, match="divide by 64, not 100x64"):
        model(torch.zeros(1, 3, 64, 100))


@pytest.mark.parametrize(
    "wrong", [{"stacks": 0}, {"features": 30}, {"blocks": 0}, {"batch_norm_momentum": 0.0}]
)
def test_impossible_architectures_are_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Architecture(**wrong)


@pytest.mark.parametrize("affine", [True, False])
def test_folding_the_norms_changes_nothing_but_the_norms(affine: bool) -> None:
    torch.manual_seed(0)
    model = StackedHourglass(Architecture(stacks=2, features=32, batch_norm_affine=affine))
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)  # pyright: ignore[reportOptionalMemberAccess]
            module.running_var.uniform_(0.5, 2)  # pyright: ignore[reportOptionalMemberAccess]
            if affine:
                torch.nn.init.uniform_(module.weight, 0.5, 1.5)
                torch.nn.init.normal_(module.bias, 0, 0.1)
    model.eval()
    folded = fold_batch_norm(model)
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(folded(images), model(images), rtol=0, atol=1e-5)

    def norms(network: torch.nn.Module) -> int:
        return sum(isinstance(m, torch.nn.BatchNorm2d) for m in network.modules())

    residuals = sum(type(m).__name__ == "Residual" for m in model.modules())
    assert norms(folded) == residuals == norms(model) - 2 * residuals - 1 - 2


@pytest.mark.parametrize("shape", [(2, 8, 16, 16), (1, 8, 20, 12)])
def test_layer_norm_is_that_of_each_picture_over_channels_and_places(shape: tuple) -> None:
    norm = norm_layer(Architecture(layer_norm=True))(shape[1])
    maps = torch.randn(shape) * 3 + 5
    assert not list(norm.parameters())
    torch.testing.assert_close(norm(maps), torch.nn.functional.layer_norm(maps, shape[1:]))


def test_norms_without_parameters_have_none() -> None:
    plain = parameters(stacks=2, features=32)
    model = StackedHourglass(Architecture(stacks=2, features=32))
    norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    less = plain - 2 * sum(norm.num_features for norm in norms)
    assert parameters(stacks=2, features=32, layer_norm=True) == less
    assert parameters(stacks=2, features=32, batch_norm_affine=False) == less


def test_convolutions_in_bf16_give_what_autocast_gives() -> None:
    torch.manual_seed(0)
    architecture = Architecture(stacks=2, features=16, visibility=True, attention="window")
    model = fold_batch_norm(StackedHourglass(architecture))
    converted = deepcopy(model)
    convolve_in(converted, torch.bfloat16)
    images = torch.randn(2, 3, 64, 64)
    exact = model(images)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        assert not torch.equal(model(images), exact)
        for one, other in zip(model(images, True), converted(images, True), strict=True):
            assert torch.equal(one, other)


def test_a_network_with_layer_norm_takes_any_size_and_is_the_same_folded() -> None:
    model = StackedHourglass(Architecture(stacks=1, features=16, layer_norm=True)).eval()
    folded = fold_batch_norm(model)
    with torch.no_grad():
        for size in (64, 128):
            images = torch.randn(2, 3, size, size)
            alone = torch.cat([model(one[None]) for one in images], dim=1)
            torch.testing.assert_close(model(images), alone)
            torch.testing.assert_close(folded(images), alone)


def test_scaling_multiplies_every_parameter() -> None:
    model = StackedHourglass(Architecture(stacks=1, features=16))
    before = [p.detach().clone() for p in model.parameters()]
    scale_weights(model, 0.5)
    assert all(torch.equal(a * 0.5, b) for a, b in zip(before, model.parameters(), strict=True))
    assert (model.stem.norm.weight == 0.5).all()  # pyright: ignore[reportAttributeAccessIssue]


def test_statistics_of_the_batch_are_those_of_training_and_leave_no_trace() -> None:
    model = StackedHourglass(Architecture(stacks=1, features=16)).eval()
    images = torch.randn(4, 3, 64, 64)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.no_grad():
        running = model(images)
        with statistics_of_batch(model):
            batch = model(images)
        torch.testing.assert_close(model(images), running)
        assert all(torch.equal(before[name], now) for name, now in model.state_dict().items())
        torch.testing.assert_close(batch, model.train()(images))
    assert not torch.allclose(batch, running, atol=1e-3)
