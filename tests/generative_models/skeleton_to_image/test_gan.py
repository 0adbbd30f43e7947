"""Critic, penalty, and that neither side's update touches the other."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from generative_models.skeleton_to_image.gan import Critic, Gan, gradient_penalty, update_gan
from generative_models.skeleton_to_image.model import UNetArchitecture, UNetGenerator
from generative_models.skeleton_to_image.options import GanOptions, SkeletonToImageTrainOptions
from generative_models.skeleton_to_image.training import make_optimizer_fn
from utils.distributed import start_fabric
from utils.options import OptimizerOptions
from utils.training_functions import seeded_context


def small_gan(loss: Any) -> tuple[Gan, SkeletonToImageTrainOptions]:
    torch.manual_seed(0)
    model = Gan(UNetGenerator(UNetArchitecture(3, 16, 4)), Critic(3, 4), loss)
    options = SkeletonToImageTrainOptions(
        model="gan",
        gan=GanOptions(gan_loss=loss, critic_steps=2),
        optim=OptimizerOptions("adam"),
    )
    options.loop.accelerator = "cpu"
    return model, options


class Linear(nn.Module):
    """A critic whose gradient is the same everywhere."""

    def forward(self, _: Tensor, pictures: Tensor) -> Tensor:
        return 2 * pictures.sum(dim=(1, 2, 3)).reshape(-1, 1, 1)


def test_the_penalty_of_a_linear_critic() -> None:
    pictures = torch.rand(3, 3, 4, 4)
    length = 2 * 48**0.5
    penalty = gradient_penalty(Linear(), pictures, pictures, -pictures)
    assert penalty.item() == pytest.approx((length - 1) ** 2, rel=1e-5)


@pytest.mark.parametrize("loss", ["wgan", "bce"])
def test_losses_give_gradients_to_their_own_side_alone(loss: str) -> None:
    model, _ = small_gan(loss)
    inputs, real = torch.rand(2, 3, 16, 16), torch.rand(2, 3, 16, 16)
    for part, own, other in (
        ("critic", model.critic, model.generator),
        ("generator", model.generator, model.critic),
    ):
        model.zero_grad(set_to_none=True)
        torch.stack(list(model(inputs, real, part=part).values())).sum().backward()
        assert all(weight.grad is None for weight in other.parameters())
        assert any(weight.grad is not None and weight.grad.any() for weight in own.parameters())


@pytest.mark.parametrize("loss", ["wgan", "bce"])
def test_the_generator_steps_at_every_second_step_and_the_critic_at_each(loss: str) -> None:
    model, options = small_gan(loss)
    optimizer = make_optimizer_fn(model, options)
    fabric = start_fabric(options.loop, 0)
    inputs, real = torch.rand(2, 3, 16, 16), torch.rand(2, 3, 16, 16)
    moved = []
    for step in range(4):
        before = {name: weight.clone() for name, weight in model.named_parameters()}
        context = seeded_context(fabric, options, options.optim, "training", (0, 0, step, 0))
        losses = update_gan(model, optimizer, inputs, real, step, context)
        moved.append(
            {n.split(".")[0] for n, w in model.named_parameters() if not w.equal(before[n])}
        )
        assert ("l1" in losses) == (step % 2 == 0)
        assert ("penalty" in losses) == (loss == "wgan")
    assert moved == [{"critic", "generator"}, {"critic"}] * 2


def test_adam_begins_with_the_decay_that_was_asked_for() -> None:
    model, options = small_gan("wgan")
    options.gan.beta1 = 0.25
    made = make_optimizer_fn(model, options)
    assert [one.param_groups[0]["betas"] for one in made.values()] == [(0.25, 0.999)] * 2


def test_the_critic_sees_the_skeleton() -> None:
    critic, pictures = Critic(3, 4), torch.rand(2, 3, 16, 16)
    one, two = critic(torch.zeros(2, 3, 16, 16), pictures), critic(pictures, pictures)
    assert one.shape == (2, 1, 1) and not torch.allclose(one, two)


class Halves(nn.Module):
    """A critic sure of the left half of a picture, and as sure against the right one."""

    def forward(self, _: Tensor, pictures: Tensor) -> Tensor:
        return torch.tensor([5.0, -5.0]).expand(len(pictures), 1, 2)


def test_cross_entropy_is_that_of_each_patch() -> None:
    model = small_gan("bce")[0]
    model.critic = Halves()  # type: ignore[assignment]
    pictures = torch.rand(2, 3, 16, 16)
    loss = model(pictures, pictures, part="generator")["gan"].item()
    assert loss == pytest.approx((math.log1p(math.exp(-5)) + math.log1p(math.exp(5))) / 2)
