import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from twod_threed.cycle_gan import CycleGan, gradient_penalty, make_gan_optimizers, update_gan
from twod_threed.model import LifterArchitecture
from twod_threed.options import (
    CycleGanOptions,
    LifterNetworkOptions,
    LifterTrainOptions,
    NormalisationOptions,
)
from utils.options import OptimizerOptions
from utils.skeletons import MPII_16
from utils.training_functions import Context


@pytest.fixture(autouse=True)
def small_critics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twod_threed.cycle_gan.CRITIC_SIZE", 32)


Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def made(**gan: float) -> tuple[CycleGan, LifterTrainOptions, dict, Context]:
    torch.manual_seed(0)
    options = LifterTrainOptions(
        optim=OptimizerOptions(optimizer="adam", lr=1e-3),
        network=LifterNetworkOptions(linear_size=16, num_stage=1),
        learning=NormalisationOptions(),
        gan=CycleGanOptions(cycle_gan=True, **gan),
    )
    model = CycleGan(LifterArchitecture(linear_size=16, num_stage=1), MPII_16)
    optimizers = make_gan_optimizers(model, options)
    context = Context(Fabric(accelerator="cpu"), options, 0, 0, torch.Generator(), options.optim)
    return model, options, optimizers, context


def batch() -> Batch:
    generator = torch.Generator().manual_seed(1)
    points = torch.randn(6, 16, 2, generator=generator)
    points[0, 3] = 0
    targets = torch.randn(6, 17, 3, generator=generator) * 0.2
    valid = torch.ones(6, 17, dtype=torch.bool)
    valid[1, 5], targets[1, 5] = False, float("nan")
    return points, targets, valid


def values(*modules: nn.Module) -> list[torch.Tensor]:
    return [p.detach().clone() for module in modules for p in module.parameters()]


def same(one: list[torch.Tensor], two: list[torch.Tensor]) -> list[bool]:
    return [torch.equal(a, b) for a, b in zip(one, two, strict=True)]


def test_a_step_of_one_side_does_not_move_the_other() -> None:
    model, _, optimizers, context = made()
    ways, critics = (model.lifter, model.projector), (model.critic_2d, model.critic_3d)
    before = values(*ways), values(*critics)
    losses = model(*batch(), part="critics")
    context.minimise(losses["critic"] + losses["penalty"], model, optimizers["critics"])
    assert all(same(before[0], values(*ways))) and not any(same(before[1], values(*critics)))
    before = values(*ways), values(*critics)
    losses = model(*batch(), part="generators")
    context.minimise(losses["gan"] + losses["cycle"], model, optimizers["generators"])
    assert all(same(before[1], values(*critics)))
    assert not all(same(values(model.lifter), before[0][: len(values(model.lifter))]))
    assert not all(same(values(model.projector), before[0][-len(values(model.projector)) :]))


def test_optimizers_have_every_weight_once() -> None:
    model, _, optimizers, _ = made()
    held = [id(p) for one in optimizers.values() for g in one.param_groups for p in g["params"]]
    assert sorted(held) == sorted(id(p) for p in model.parameters())


def test_penalty_in_closed_form() -> None:
    class Slope(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return 3 * x[:, 0, 0] + 4 * x[:, 1, 1]

    real, fake = torch.randn(5, 2, 2), torch.randn(5, 2, 2)
    assert float(gradient_penalty(Slope(), real, fake)) == pytest.approx(16.0)


def test_critics_learn_to_tell_real_from_made() -> None:
    model, _, optimizers, context = made()
    points, targets, valid = batch()
    first = model(points, targets, valid, part="critics")["critic"]
    for _ in range(15):
        losses = model(points, targets, valid, part="critics")
        context.minimise(losses["critic"], model, optimizers["critics"])
    with torch.no_grad():
        real = model.critic_3d(torch.where(valid[..., None], targets, 0)).mean()
        fake = model.critic_3d(model.lifter(points)).mean()
    assert float(losses["critic"].detach()) < float(first.detach())
    assert float(real) > float(fake)


def test_a_joint_that_nobody_knows_is_not_judged() -> None:
    """Real poses are 0 there; a critic that saw what is made would tell them apart by it."""
    model, *_ = made()
    points, targets, valid = batch()
    valid[:, 7] = False
    for part, name in (("generators", "gan"), ("critics", "critic")):
        torch.manual_seed(2)
        one = model(points, targets, valid, part=part)[name]
        with torch.no_grad():
            model.lifter.last.bias[3 * 7 : 3 * 7 + 3] += 5
        torch.manual_seed(2)
        other = model(points, targets, valid, part=part)[name]
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize(
    "name", ["gan_coeff", "cycle_coeff", "regression_coeff", "gradient_penalty_coeff"]
)
def test_every_coefficient_changes_the_update(name: str) -> None:
    def after(**gan: float) -> list[torch.Tensor]:
        model, _, optimizers, context = made(**gan)
        torch.manual_seed(5)
        losses = update_gan(model, optimizers, *batch(), context)
        assert all(value.isfinite() for value in losses.values())
        return values(model)

    assert not all(same(after(), after(**{name: 0.0})))
