"""Poses a second of the GAN and the VAE in training, beside this machine's matrix-multiply rate.

    python -m benchmarks.pose_gan_speed

A step is a whole step of `train.py 3d_pose_*`: poses drawn, latent vectors drawn, updated. For the
GAN these are steps of the critic, of which every fifth is followed by one of the generator.
"""

import argparse
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from benchmarks.timing import machine, multiply_rate, print_rows, rate
from generative_models.pose_gan import training, vae_training
from generative_models.pose_gan.data import PoolBatches, pool_poses
from generative_models.pose_gan.model import PoseGan, PoseVae
from generative_models.pose_gan.options import (
    GanLearningOptions,
    PoseGanTrainOptions,
    PoseVaeTrainOptions,
)
from generative_models.pose_gan.predictor import decode
from generative_models.pose_gan.runs import architecture_of
from utils.distributed import start_fabric
from utils.mannequin.motion_store import mannequin_store
from utils.optimizers import by_name
from utils.training_functions import TrainingFunctions, seeded_context

STEPS = 20
BODIES = 4
SAMPLES = 4096


def operations(module: nn.Module) -> int:
    """Floating-point operations of the linear layers for one pose, forward."""
    layers = (one for one in module.modules() if isinstance(one, nn.Linear))
    return sum(2 * layer.weight.numel() for layer in layers)


def gan_operations(gan: PoseGan, learning: GanLearningOptions) -> float:
    """Of a step of the critic for each pose.

    A pass forwards counts one, backwards two: to the weights and to what came in. The critic sees
    a real and a made pose, both ways (6). The penalty takes four: forwards, back to the pose, and
    the second of these backwards; the first has no gradient, being linear in pieces. The generator
    makes a pose (1), and every so many steps is updated (3) through the critic (2).
    """
    critic, generator = operations(gan.critic), operations(gan.generator)
    penalty = 4 if learning.penalty_coeff is not None else 0
    share = 1 / learning.num_discriminator_steps_per_generator_step
    return (6 + penalty) * critic + generator + share * (3 * generator + 2 * critic)


def steps_of(
    model: PoseGan | PoseVae, functions: TrainingFunctions, options: Any
) -> Callable[[], None]:
    """STEPS steps of training, with everything that the command does in them."""
    fabric = start_fabric(options.loop, 0)
    pool = pool_poses(mannequin_store(0, 0, BODIES), fabric.device)
    model.scale.measure(pool.bones)
    batches = PoolBatches(pool, options.loop.train_batch_size, STEPS, 0)
    optimizer = functions.make_optimizer_fn(model, options)
    wrapped, *parts = fabric.setup(model, *by_name(optimizer).values())
    many = isinstance(optimizer, dict)
    optimizer = dict(zip(optimizer, parts, strict=True)) if many else parts[0]

    def steps() -> None:
        for step, batch in enumerate(batches.epoch(0)):
            place = (0, 0, step, 0)
            context = seeded_context(fabric, options, options.optim, "training", place)
            functions.update_op(wrapped, optimizer, batch, step, context)

    return steps


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    limit = multiply_rate()
    gan_options, vae_options = PoseGanTrainOptions(), PoseVaeTrainOptions()
    clipping = PoseGanTrainOptions(learning=GanLearningOptions(clip_max=0.01))
    gan = PoseGan(architecture_of(gan_options))
    vae = PoseVae(gan.architecture)
    penalised, clipped = (gan_operations(gan, one.learning) for one in (gan_options, clipping))
    encoded = 3 * (operations(vae.encoder) + operations(vae.generator))
    kinds = (
        ("WGAN-GP", gan, training.FUNCTIONS, gan_options, penalised),
        ("WGAN, clipping", PoseGan(gan.architecture), training.FUNCTIONS, clipping, clipped),
        ("VAE", vae, vae_training.FUNCTIONS, vae_options, encoded),
    )
    rows: list[tuple[str, ...]] = [("training step", "poses/s", "share of the limit")]
    for name, model, functions, options, each in kinds:
        batch = options.loop.train_batch_size
        found = rate(steps_of(model, functions, options), STEPS * batch)
        share = f"{found.median * each / limit:.0%}"
        rows.append((f"{name}, batch {batch}", str(found), share))
    latents = torch.randn(SAMPLES, gan.architecture.latent_size)
    made = rate(lambda: decode(gan.generator, latents), SAMPLES)
    share = f"{made.median * operations(gan.generator) / limit:.0%}"
    print(machine())
    print(f"limit: {limit / 1e9:.0f} GFLOP/s, (4096, 1024) x (1024, 1024) matrices")
    print_rows("Models of poses", [*rows, (f"samples, batch {SAMPLES}", str(made), share)])


if __name__ == "__main__":
    main()
