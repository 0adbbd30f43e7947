"""Cycle and adversarial training of the lifter (`--cycle_gan`).

Two ways, lifter G: 2D -> 3D and a weak-perspective camera F: 3D -> 2D, and a critic at the end of
each. The critics learn least squares (Mao et al. 2017): real poses towards 1, made ones towards 0,
with a penalty on gradients away from length 1 between the two (Gulrajani et al. 2017, eq. 3). G and
F learn to be taken for real, to come back to where they started (Zhu et al. 2017, eq. 2: mean
absolute difference), and the plain loss. Critics have no batch norm: the penalty is on the gradient
at each pose, which must not depend on the others of the batch (Gulrajani et al., section 4).
"""

from typing import Any

import torch
from torch import Tensor, nn

from twod_threed.losses import pose_loss
from twod_threed.model import Lifter, LifterArchitecture, constrain_weights
from twod_threed.options import CycleGanOptions, LifterTrainOptions
from twod_threed.weak_perspective import PoseProjector
from utils.optimizers import make_optimizer
from utils.skeletons import Skeleton
from utils.training_functions import Context

CRITIC_SIZE = 1024


class Critic(nn.Module):
    """Poses (B, J, D) -> how real each is, (B,): linear layers with one residual block."""

    def __init__(self, values: int) -> None:
        super().__init__()
        self.first = nn.Linear(values, CRITIC_SIZE)
        self.inner = nn.Linear(CRITIC_SIZE, CRITIC_SIZE)
        self.outer = nn.Linear(CRITIC_SIZE, CRITIC_SIZE)
        self.last = nn.Linear(CRITIC_SIZE, 1)

    def forward(self, poses: Tensor) -> Tensor:
        """(B, J, D) -> (B,)."""
        x = torch.relu(self.first(poses.flatten(1)))
        x = x + torch.relu(self.outer(torch.relu(self.inner(x))))
        return self.last(x)[:, 0]


def gradient_penalty(critic: nn.Module, real: Tensor, made: Tensor) -> Tensor:
    """Mean of (|gradient| - 1)^2 at random points between real and made poses (B, J, D)."""
    part = torch.rand(len(real), 1, 1, device=real.device, dtype=real.dtype)
    between = (real + part * (made - real)).detach().requires_grad_()
    with torch.enable_grad():
        score = critic(between).sum()
        (gradient,) = torch.autograd.grad(score, between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


class CycleGan(nn.Module):
    """Lifter, camera and critics. All losses come out of `forward`, as several processes need."""

    def __init__(self, architecture: LifterArchitecture, skeleton_2d: Skeleton) -> None:
        super().__init__()
        self.lifter = Lifter(architecture)
        self.projector = PoseProjector(skeleton_2d)
        self.critic_2d = Critic(2 * architecture.joints_in)
        self.critic_3d = Critic(3 * architecture.joints_out)

    def forward(
        self,
        points: Tensor,
        targets: Tensor | None = None,
        valid: Tensor | None = None,
        part: str = "lift",
        kind: str = "mse",
    ) -> Any:
        """lift: points (B, J, 2) -> poses (B, J', 3), normalised.

        generators, critics: the losses of that part by name, given targets (B, J', 3) and valid
        (B, J') bool.
        """
        if part == "lift":
            return self.lifter(points)
        assert targets is not None and valid is not None
        poses = torch.where(valid[..., None], targets, 0)
        if part == "generators":
            return self._generators(points, poses, valid, kind)
        return self._critics(points, poses, valid[..., None])

    def _generators(
        self, points: Tensor, poses: Tensor, valid: Tensor, kind: str
    ) -> dict[str, Tensor]:
        made_3d, made_2d = self.lifter(points), self.projector(poses)
        back_2d, back_3d = self.projector(made_3d), self.lifter(made_2d)
        seen = (points != 0).any(-1, keepdim=True)
        known = valid[..., None]
        total, count = pose_loss(made_3d, poses, valid, kind)
        return {
            "regression": total / count.clamp(min=1),
            "cycle": _mean_difference(back_2d, points, seen)
            + _mean_difference(back_3d, poses, known),
            # Real poses are 0 where a joint is not known: so are these, or the critic saw by that.
            "gan": (self.critic_3d(torch.where(known, made_3d, 0)) - 1).square().mean()
            + (self.critic_2d(made_2d) - 1).square().mean(),
        }

    def _critics(self, points: Tensor, poses: Tensor, known: Tensor) -> dict[str, Tensor]:
        with torch.no_grad():
            made_3d, made_2d = torch.where(known, self.lifter(points), 0), self.projector(poses)
        pairs = ((self.critic_2d, points, made_2d), (self.critic_3d, poses, made_3d))
        zero = points.new_zeros(())
        critic, penalty = zero, zero
        for one, real, made in pairs:
            critic = critic + (one(real) - 1).square().mean() + one(made).square().mean()
            penalty = penalty + gradient_penalty(one, real, made)
        return {"critic": critic, "penalty": penalty}


def _mean_difference(first: Tensor, second: Tensor, counted: Tensor) -> Tensor:
    """Mean absolute difference of (B, J, D) where (B, J, 1) is true."""
    weight = counted.expand_as(first)
    return torch.where(weight, (first - second).abs(), 0).sum() / weight.sum().clamp(min=1)


def make_gan_optimizers(model: CycleGan, options: LifterTrainOptions) -> dict[str, Any]:
    """One optimizer for the two ways, one for the two critics."""
    generators = [*model.lifter.parameters(), *model.projector.parameters()]
    critics = [*model.critic_2d.parameters(), *model.critic_3d.parameters()]
    return {
        "generators": make_optimizer(generators, options.optim),
        "critics": make_optimizer(critics, options.optim),
    }


def update_gan(
    model: Any,
    optimizers: dict[str, Any],
    points: Tensor,
    targets: Tensor,
    valid: Tensor,
    context: Context,
) -> dict[str, Tensor]:
    """One step of the critics, then one of lifter and camera; -> all losses, each unweighted."""
    options: LifterTrainOptions = context.options
    weights: CycleGanOptions = options.gan
    kind = options.learning.pose_loss
    critics = model(points, targets, valid, part="critics")
    total = critics["critic"] + weights.gradient_penalty_coeff * critics["penalty"]
    context.minimise(total, model, optimizers["critics"])
    ways = model(points, targets, valid, part="generators", kind=kind)
    total = (
        weights.gan_coeff * ways["gan"]
        + weights.cycle_coeff * ways["cycle"]
        + weights.regression_coeff * ways["regression"]
    )
    context.minimise(total, model, optimizers["generators"])
    if options.network.max_norm:
        constrain_weights(model.lifter)
    losses = {"loss": total, **ways, **critics}
    return {name: value.detach() for name, value in losses.items()}
