"""A generator against a critic that sees the skeleton beside the picture.

Wasserstein distance with gradient penalty (Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville,
"Improved training of Wasserstein GANs", 2017, eq. 3) or, by option, cross-entropy (Goodfellow et
al. 2014, with real ones towards 0.9, Salimans et al. 2016), plus the mean absolute difference from
the real frame (Isola et al. 2017, eq. 4). The critic has no norm between its pictures: the penalty
is on the gradient at each one. It judges patches: the Wasserstein distance is of their mean score,
cross-entropy of each one's (Isola et al. 2017, section 3.2.2).
"""

import itertools
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from generative_models.skeleton_to_image.losses import l1_loss
from utils.training_functions import Context

REAL_LABEL = 0.9


class Critic(nn.Module):
    """Inputs (B, C, S, S) and pictures (B, 3, S, S) -> how real each patch is."""

    def __init__(self, channels: int, features: int, layers: int = 4) -> None:
        super().__init__()
        widths = [channels + 3, *(features * min(2**i, 8) for i in range(layers))]
        stages: list[nn.Module] = []
        for a, b in itertools.pairwise(widths):
            stages += [nn.Conv2d(a, b, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        self.stages = nn.Sequential(*stages, nn.Conv2d(widths[-1], 1, 3, padding=1))

    def forward(self, inputs: Tensor, pictures: Tensor) -> Tensor:
        """(B, C, S, S), (B, 3, S, S) of at least 16 px -> scores of patches (B, S/16, S/16)."""
        return self.stages(torch.cat([inputs, pictures], dim=1)).squeeze(1)


def gradient_penalty(critic: nn.Module, inputs: Tensor, real: Tensor, made: Tensor) -> Tensor:
    """Mean of (|gradient| - 1)^2 at random points between real and made pictures (B, 3, S, S)."""
    part = torch.rand(len(real), 1, 1, 1, device=real.device, dtype=real.dtype)
    between = (real + part * (made - real)).detach().requires_grad_()
    with torch.enable_grad():
        score = critic(inputs, between).mean(dim=(1, 2)).sum()
        (gradient,) = torch.autograd.grad(score, between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


class Gan(nn.Module):
    """Generator and critic. All losses come out of `forward`, as several processes need."""

    def __init__(self, generator: nn.Module, critic: Critic, loss: str) -> None:
        super().__init__()
        self.generator, self.critic, self.loss = generator, critic, loss

    def forward(self, inputs: Tensor, real: Tensor | None = None, part: str = "draw") -> Any:
        """draw: inputs (B, C, S, S) -> pictures (B, 3, S, S).

        critic, generator: the losses of that part by name, given real pictures (B, 3, S, S). Only
        that part's weights get gradients.
        """
        if part == "draw":
            return self.generator(inputs)
        assert real is not None
        return self._critic(inputs, real) if part == "critic" else self._generator(inputs, real)

    def _critic(self, inputs: Tensor, real: Tensor) -> dict[str, Tensor]:
        with torch.no_grad():
            made = self.generator(inputs)
        # One pass: two small batches would not fill the cores.
        scores = self.critic(torch.cat([inputs, inputs]), torch.cat([real, made]))
        of_real, of_made = scores.chunk(2)
        if self.loss == "bce":
            return {"critic": _cross_entropy(of_real, REAL_LABEL) + _cross_entropy(of_made, 0.0)}
        penalty = gradient_penalty(self.critic, inputs, real, made)
        return {"critic": of_made.mean() - of_real.mean(), "penalty": penalty}

    def _generator(self, inputs: Tensor, real: Tensor) -> dict[str, Tensor]:
        made = self.generator(inputs)
        # The gradient goes through the critic, and not into its weights.
        weights = {name: one.detach() for name, one in self.critic.named_parameters()}
        scores = torch.func.functional_call(self.critic, weights, (inputs, made))
        gan = _cross_entropy(scores, 1.0) if self.loss == "bce" else -scores.mean()
        return {"l1": l1_loss(made, real), "gan": gan}


def _cross_entropy(scores: Tensor, label: float) -> Tensor:
    return functional.binary_cross_entropy_with_logits(scores, torch.full_like(scores, label))


def update_gan(
    model: Any,
    optimizers: dict[str, Any],
    inputs: Tensor,
    real: Tensor,
    step: int,
    context: Context,
) -> dict[str, Tensor]:
    """One step of the critic and, every --critic_steps steps, one of the generator; -> losses."""
    weights = context.options.gan
    losses = model(inputs, real, part="critic")
    penalty = losses.get("penalty", 0.0)
    total = losses["critic"] + weights.gradient_penalty_coeff * penalty
    context.minimise(total, model, optimizers["critic"])
    if step % weights.critic_steps == 0:
        ways = model(inputs, real, part="generator")
        total = weights.l1_coeff * ways["l1"] + weights.gan_coeff * ways["gan"]
        context.minimise(total, model, optimizers["generator"])
        losses |= ways | {"loss": total}
    return {name: value.detach() for name, value in losses.items()}
