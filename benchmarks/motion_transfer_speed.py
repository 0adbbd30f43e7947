"""Frames a second of motion transfer, in training and in use, beside the matrix-multiply rate.

    python -m benchmarks.motion_transfer_speed [--width 0.75]

A training step is a whole one of `train.py motion_transfer_mannequin`: windows drawn, seen by views
of their own, limbs scaled, network and discriminator updated.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace

import torch

from benchmarks.timing import machine, multiply_rate, print_rows, rate
from generative_models.motion_transfer import training
from generative_models.motion_transfer.losses import TransferTraining
from generative_models.motion_transfer.normalisation import ROWS
from generative_models.motion_transfer.options import MotionDataOptions, TransferTrainOptions
from generative_models.motion_transfer.predictor import LearnedRetargeter
from utils.distributed import start_fabric
from utils.training_functions import seeded_context

STEPS, BODIES = 4, 4
CLIP = 1000


def train_steps(options: TransferTrainOptions) -> tuple[Callable[[], None], LearnedRetargeter]:
    """STEPS training steps, and the network that they train, in use."""
    fabric = start_fabric(options.loop, 0)
    batches, _ = training.transfer_batches(options, fabric)
    description = training.describe(options, batches.windows)
    normaliser = description.normaliser.to(fabric.device)
    module = TransferTraining(description.architecture, normaliser)
    optimizers = training.make_optimizer_fn(module, options)
    model, *wrapped = fabric.setup(module, *optimizers.values())
    named = dict(zip(optimizers, wrapped, strict=True))

    def steps() -> None:
        model.train()
        for step, batch in enumerate(batches.epoch(0)):
            context = seeded_context(fabric, options, options.optim, "training", (0, 0, step, 0))
            training.update_op(model, named, batch, step, context, normaliser)

    return steps, LearnedRetargeter(module.network, description)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=float, default=1.0, help="of the network")
    chosen = parser.parse_args()
    options = TransferTrainOptions(data=MotionDataOptions(mannequin_count=BODIES))
    options.network.width = chosen.width
    batch = options.loop.train_batch_size
    options.losses = replace(options.losses, epoch_windows=STEPS * batch)
    steps, retargeter = train_steps(options)
    learned = rate(steps, STEPS * batch * options.losses.window, 3)
    retargeter.network.eval()
    clip = torch.randn(1, 2 * ROWS, CLIP)
    used = rate(lambda: retargeter.transfer(clip, clip), CLIP, 3)
    print(f"{machine()}; {multiply_rate() / 1e9:.0f} GFLOP/s")
    rows = [
        ("motion transfer", "frames/s"),
        (f"training step, batch {batch}", str(learned)),
        (f"a clip of {CLIP} frames", str(used)),
    ]
    print_rows(f"Motion transfer, width {chosen.width:g}", rows)


if __name__ == "__main__":
    main()
