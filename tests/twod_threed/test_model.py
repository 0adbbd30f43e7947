import math

import pytest
import torch
from torch import nn

from twod_threed.model import (
    Dropout,
    FoldedLifter,
    Lifter,
    LifterArchitecture,
    constrain_weights,
    linear_layers,
)
from utils.errors import UserError


def parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def test_sizes_are_the_published_ones() -> None:
    assert parameters(Lifter(LifterArchitecture())) == 4_294_707
    assert parameters(Lifter(LifterArchitecture(15, 16))) == 4_289_584
    assert parameters(Lifter(LifterArchitecture(16, 16))) == 4_291_632


@pytest.mark.parametrize(("size", "stages"), [(64, 0), (64, 1), (32, 3)])
def test_size_and_number_of_stages(size: int, stages: int) -> None:
    model = Lifter(LifterArchitecture(linear_size=size, num_stage=stages))
    assert len(linear_layers(model)) == 2 + 2 * stages
    wanted = 32 * size + 51 * size + 51 + 3 * size + 2 * stages * (size * size + 3 * size)
    assert parameters(model) == wanted
    assert model(torch.randn(5, 16, 2)).shape == (5, 17, 3)


def test_weights_start_as_he_et_al() -> None:
    torch.manual_seed(0)
    model = Lifter(LifterArchitecture(max_norm=False))
    for layer in linear_layers(model):
        wanted = math.sqrt(2 / layer.in_features)
        assert float(layer.weight.detach().std()) == pytest.approx(wanted, rel=0.02)


def test_matrices_longer_than_the_norm_are_cut_to_it_and_others_left() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1), nn.Linear(2, 1))
    matrices = [[[3.0, 0.0], [0.0, 4.0]], [[0.3, 0.4]], [[0.0, 0.0]]]
    for layer, matrix in zip(linear_layers(model), matrices, strict=True):
        with torch.no_grad():
            layer.weight.copy_(torch.tensor(matrix))
    biases = [layer.bias.detach().clone() for layer in linear_layers(model)]
    constrain_weights(model)
    wanted = [[[0.6, 0.0], [0.0, 0.8]], *matrices[1:]]
    for layer, matrix, bias in zip(linear_layers(model), wanted, biases, strict=True):
        assert torch.allclose(layer.weight, torch.tensor(matrix)) and torch.equal(layer.bias, bias)
        assert layer.weight.requires_grad and layer.weight.is_leaf and layer.weight.grad is None


def test_max_norm_holds_from_the_start_or_not_at_all() -> None:
    def longest(max_norm: bool) -> float:
        model = Lifter(LifterArchitecture(linear_size=64, max_norm=max_norm))
        return max(float(layer.weight.detach().norm()) for layer in linear_layers(model))

    assert longest(True) <= 1 + 1e-6 < 5 < longest(False)


@pytest.mark.parametrize("p", [0.0, 0.25, 0.5, 0.9])
def test_dropout_switches_off_its_share_and_keeps_the_mean(p: float) -> None:
    torch.manual_seed(1)
    x = torch.ones(400, 501, requires_grad=True)
    y = Dropout(p)(x)
    off = float((y == 0).float().mean())
    assert off == pytest.approx(p, abs=0.005)
    assert torch.allclose(y[y != 0], torch.tensor(1 / (1 - p)))
    y.sum().backward()
    assert x.grad is not None and torch.equal(x.grad, y.detach())


def test_dropout_repeats_with_the_seed_and_rests_in_evaluation() -> None:
    x = torch.ones(30, 7)
    torch.manual_seed(2)
    first = Dropout(0.5)(x)
    second = Dropout(0.5)(x)
    torch.manual_seed(2)
    assert torch.equal(first, Dropout(0.5)(x)) and not torch.equal(first, second)
    assert Dropout(0.5).eval()(x) is x


def trained(stages: int) -> Lifter:
    """A lifter whose norms have statistics of their own."""
    torch.manual_seed(3)
    model = Lifter(LifterArchitecture(linear_size=48, num_stage=stages))
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            assert module.running_mean is not None and module.running_var is not None
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
            module.running_mean.uniform_(-0.3, 0.3)
            module.running_var.uniform_(0.2, 2)
    return model.eval()


@pytest.mark.parametrize("count", [1, 6])
@pytest.mark.parametrize("stages", [0, 2])
def test_folded_network_gives_the_same(count: int, stages: int) -> None:
    model = trained(stages)
    points = torch.randn(count, 16, 2)
    assert torch.allclose(FoldedLifter(model)(points), model(points), atol=1e-5)


def test_impossible_sizes_are_refused() -> None:
    wrongs: list[dict] = [{"linear_size": 0}, {"num_stage": -1}, {"dropout": 1.0}, {"joints_in": 0}]
    for wrong in wrongs:
        with pytest.raises(UserError, match=next(iter(wrong))):
            LifterArchitecture(**wrong)
