"""Training of the VAE: the five functions, and `train.py 3d_pose_vae*`."""

from typing import Any

from torch import Tensor, nn

from generative_models.pose_gan.description import VAE_KIND
from generative_models.pose_gan.model import PoseVae
from generative_models.pose_gan.options import PoseVaeTrainOptions, VaeLearningOptions
from generative_models.pose_gan.representation import STANDARD_SIZE
from generative_models.pose_gan.runs import distances_to_real, train_model
from generative_models.pose_gan.training import Minibatch, draw_latent
from utils.checkpoint import checkpoint_fn, load_fn
from utils.distributed import start_fabric
from utils.optimizers import Optimizers, make_optimizer
from utils.training_functions import Context, TrainingFunctions


def make_optimizer_fn(model: nn.Module, options: PoseVaeTrainOptions) -> Optimizers:
    """The optimizer that the options name."""
    return make_optimizer(model.parameters(), options.optim)


def vae_losses(found: dict[str, Tensor], learning: VaeLearningOptions) -> dict[str, Tensor]:
    """Losses (B,) of each pose, in nats: `reconstruction`, minus the logarithm of the normal
    density of its joints about the decoded ones but for its constant; `kl`; and `loss`, with
    --kl_coeff 1 minus the evidence lower bound (Kingma and Welling 2014, eq. 10)."""
    noise = learning.decoder_noise / STANDARD_SIZE
    reconstruction = found["squares"] / (2 * noise**2)
    loss = reconstruction + learning.kl_coeff * found["kl"]
    return {"loss": loss, "reconstruction": reconstruction, "kl": found["kl"]}


def update_op(
    model: Any, optimizer: Optimizers, minibatch: Minibatch, step: int, context: Context
) -> dict[str, Tensor]:
    """One step on a minibatch; -> mean losses of a pose."""
    bones = minibatch["bones"]
    noise = draw_latent(len(bones), context.options.network.latent_size, context)
    losses = vae_losses(model(bones, noise), context.options.learning)
    means = {name: value.mean() for name, value in losses.items()}
    context.minimise(means["loss"], model, optimizer)
    return {name: value.detach() for name, value in means.items()}


def validation_loss(
    model: Any, minibatch: Minibatch, context: Context
) -> dict[str, tuple[Any, Any]]:
    """`loss`, `reconstruction` and `kl` of people who were kept out, as in training; distances of
    made poses to real ones (`distances_to_real`)."""
    bones = minibatch["bones"]
    size = context.options.network.latent_size
    losses = vae_losses(
        model(bones, draw_latent(len(bones), size, context)), context.options.learning
    )
    made = model.generator(draw_latent(len(bones), size, context))
    sums: dict[str, tuple[Any, Any]] = {
        name: (value.sum(), len(bones)) for name, value in losses.items()
    }
    return sums | distances_to_real(made, minibatch)


FUNCTIONS = TrainingFunctions(
    make_optimizer_fn=make_optimizer_fn,
    update_op=update_op,
    validation_loss=validation_loss,
    load_fn=load_fn,
    checkpoint_fn=checkpoint_fn,
)


def train(options: PoseVaeTrainOptions) -> int:
    """Train a VAE, then sample its best weights. -> exit code. Raises UserError."""
    fabric = start_fabric(options.loop, options.run.seed)
    return train_model(PoseVae, VAE_KIND, FUNCTIONS, options, fabric)
