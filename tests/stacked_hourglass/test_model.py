import pytest
import torch

from stacked_hourglass.architecture import Architecture
from stacked_hourglass.model import StackedHourglass, fold_batch_norm


def parameters(**shape: int) -> int:
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


def test_folding_the_norms_changes_nothing_but_the_norms() -> None:
    torch.manual_seed(0)
    model = StackedHourglass(Architecture(stacks=2, features=32))
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)  # pyright: ignore[reportOptionalMemberAccess]
            module.running_var.uniform_(0.5, 2)  # pyright: ignore[reportOptionalMemberAccess]
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
