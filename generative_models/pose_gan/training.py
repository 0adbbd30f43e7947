"""Training of the GAN: the five functions, and `train.py 3d_pose_gan*`."""

from typing import Any

import torch
from torch import Tensor, nn

from generative_models.pose_gan.description import GAN_KIND
from generative_models.pose_gan.model import PoseGan
from generative_models.pose_gan.options import PoseGanTrainOptions
from generative_models.pose_gan.runs import distances_to_real, train_model
from utils.checkpoint import checkpoint_fn, load_fn
from utils.distributed import start_fabric
from utils.optimizers import make_optimizer
from utils.options import OptimizerOptions
from utils.training_functions import Context, TrainingFunctions

_BETAS = (0.0, 0.9)
"""Of Adam, as in Gulrajani et al. 2017, algorithm 1: what was good for the critic two steps ago
misleads it now."""

Minibatch = dict[str, Tensor]


def _optimizer(part: nn.Module, options: OptimizerOptions) -> torch.optim.Optimizer:
    if options.optimizer == "rmsprop":
        return make_optimizer(part.parameters(), options)
    return torch.optim.Adam(
        part.parameters(),
        lr=options.lr,
        betas=_BETAS,
        weight_decay=options.weight_decay,
        amsgrad=options.optimizer == "amsprop",
        fused=True,
    )


def make_optimizer_fn(model: nn.Module, options: PoseGanTrainOptions) -> dict[str, Any]:
    """One optimizer for the generator, one for the critic."""
    assert isinstance(model, PoseGan)
    return {
        "generator": _optimizer(model.generator, options.optim),
        "critic": _optimizer(model.critic, options.optim),
    }


def draw_latent(count: int, size: int, context: Context) -> Tensor:
    """Latent vectors (count, size), decided by the context's place."""
    device = context.fabric.device
    return torch.randn(count, size, generator=context.generator, device=device)


def update_critic(model: Any, optimizer: Any, real: Tensor, context: Context) -> dict[str, Tensor]:
    """One step of the critic on bones (B, 15, 3) and as many made ones; -> its losses."""
    learning = context.options.learning
    latent = draw_latent(len(real), context.options.network.latent_size, context)
    mix = None
    if learning.penalty_coeff is not None:
        device = context.fabric.device
        mix = torch.rand(len(real), 1, 1, generator=context.generator, device=device)
    losses = model(latent, real, mix, part="critic")
    total = losses["critic"]
    if mix is not None:
        total = total + learning.penalty_coeff * losses["penalty"]
    context.minimise(total, model, optimizer)
    if learning.clip_max is not None:
        clip_weights(model.critic, learning.clip_max)
    return {"loss": total, **losses}


@torch.no_grad()
def clip_weights(module: nn.Module, limit: float) -> None:
    """Hold every weight within plus and minus `limit` (Arjovsky et al. 2017, algorithm 1)."""
    for weight in module.parameters():
        weight.clamp_(-limit, limit)


def update_op(
    model: Any, optimizer: Any, minibatch: Minibatch, step: int, context: Context
) -> dict[str, Tensor]:
    """A step of the critic and, after every so many of them, one of the generator; -> losses."""
    each = context.options.learning.num_discriminator_steps_per_generator_step
    real = minibatch["bones"]
    losses = update_critic(model, optimizer["critic"], real, context)
    if (step + 1) % each == 0:
        latent = draw_latent(len(real), context.options.network.latent_size, context)
        made = model(latent, part="generator")
        context.minimise(made["generator"], model, optimizer["generator"])
        losses |= made
    return {name: value.detach() for name, value in losses.items()}


def validation_loss(
    model: Any, minibatch: Minibatch, context: Context
) -> dict[str, tuple[Any, Any]]:
    """Distances of made poses to real ones (`distances_to_real`); `distance`: the critic's own
    estimate of the one to poses that train."""
    real = minibatch["training"]
    latent = draw_latent(len(real), context.options.network.latent_size, context)
    own = model(latent, real, part="critic")["distance"]
    return {
        **distances_to_real(model(latent), minibatch),
        "distance": (own * len(real), len(real)),
    }


FUNCTIONS = TrainingFunctions(
    make_optimizer_fn=make_optimizer_fn,
    update_op=update_op,
    validation_loss=validation_loss,
    load_fn=load_fn,
    checkpoint_fn=checkpoint_fn,
)


def train(options: PoseGanTrainOptions) -> int:
    """Train a Wasserstein GAN, then sample its best weights. -> exit code. Raises UserError."""
    fabric = start_fabric(options.loop, options.run.seed, takes_turns=True)
    return train_model(PoseGan, GAN_KIND, FUNCTIONS, options, fabric)
