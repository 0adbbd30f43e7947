"""What each option of the hourglass's training is worth: on and off, for the same number of steps.

    python -m benchmarks.hourglass_options [--steps 3000] [--only none trim_share]
    python -m benchmarks.hourglass_options --speed

Every option trains a network of its own from the same seed, on LSP and its extension (LSP 901-1000
validate) and on mannequins, two at a time, each on half of the cores. The score is that of the best
weights on the validation people, PCK@0.2 of the torso, all joints; and once more with a bar of
`--add_random_masking` over every picture. Runs stay in --output_dir, and what is there is not
trained again. --speed takes the time of training steps, with the option and without it in turn.
"""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.timing import machine, paired_rates, print_rows
from benchmarks.two_at_once import train_missing
from stacked_hourglass.masking import mask_images, random_bars
from stacked_hourglass.options import HourglassTrainOptions, MaskingOptions, train_defaults
from stacked_hourglass.predictor import load_model
from stacked_hourglass.training import (
    describe,
    make_batches,
    make_model,
    make_optimizer_fn,
    update_op,
    validation_loss,
)
from stacked_hourglass.training_data import training_people
from utils.batches import LoadedBatches
from utils.command_line import Options, parse_options
from utils.distributed import start_fabric
from utils.training_functions import seeded_context

OPTIONS: dict[str, tuple[str, ...]] = {
    "none": (),
    "none_again": ("--seed", "1"),
    "use_layer_norm": ("--use_layer_norm",),
    "no_batch_norm_affine": ("--no_batch_norm_affine",),
    "scale_weight_factor": ("--scale_weight_factor", "0.8"),
    "sigma_decay": ("--sigma", "2", "--sigma_decay", "0.9"),
    "sigma_2": ("--sigma", "2"),
    "use_train_mode_to_eval": ("--use_train_mode_to_eval",),
    "predict_joint_visibility": ("--predict_joint_visibility",),
    "add_random_masking": ("--add_random_masking",),
    "hidden_joint_weight": ("--hidden_joint_weight", "0.5"),
    "round_targets": ("--round_targets",),
    "trim_share": ("--trim_share", "0.05"),
}
"""Rows of the table; the second one says how much chance does."""
STEPS_TIMED = 4


def command(chosen: argparse.Namespace, dataset: str, name: str) -> list[str]:
    """What trains one of them."""
    folder = str(chosen.output_dir)
    words = ["--stacks", "1", "--features", "64", "--resolution", str(chosen.resolution)]
    words += ["--optimizer", "adam", "--lr", "2e-3", "--lr_scheduler", "cosine"]
    words += ["--warmup_steps", "50", "--train_batch_size", "16", "--test_batch_size", "20"]
    words += ["--max_steps", str(chosen.steps), "--epochs", "10000", "--ema_decay", "0.998"]
    words += ["--checkpoint_dir", folder, "--tb_dir", folder, "--exp", name]
    place = ["--mannequin_count", str(chosen.pictures)]
    if dataset == "people":
        place = ["--sources", f"lsp={chosen.lsp}", f"lspet={chosen.lspet}"]
        place += ["--source_weights", "3", "6"]
    return [f"hourglass_{dataset}", *words, *place, *OPTIONS[name]]


def options_of(chosen: argparse.Namespace, dataset: str, name: str) -> HourglassTrainOptions:
    """The same as an object."""
    own = Options("", HourglassTrainOptions, train_defaults(dataset))  # pyright: ignore
    return parse_options(own, command(chosen, dataset, name)[1:], "benchmark")


def train(chosen: argparse.Namespace, dataset: str) -> None:
    """Train what is not there yet, two at a time."""
    runs = {name: chosen.output_dir / f"hourglass_{dataset}_{name}" for name in chosen.only}
    start = [sys.executable, "train.py"]
    train_missing(
        {
            run: [*start, *command(chosen, dataset, name), "--overwrite"]
            for name, run in runs.items()
        }
    )


def masked(minibatch: dict[str, Tensor], mean: tuple[float, float, float]) -> dict[str, Tensor]:
    """The minibatch with a bar over every picture."""
    crops = minibatch["image"]
    generator, bars = torch.Generator().manual_seed(0), MaskingOptions(True, mask_prob=1.0)
    covered = random_bars(minibatch["keypoints"], crops.shape[-1], bars, generator)
    images = mask_images(crops / 255, covered, mean, bars, generator, generator)
    return minibatch | {"image": (images.clamp(0, 1) * 255).round().byte()}


@torch.inference_mode()
def found(chosen: argparse.Namespace, dataset: str, name: str) -> tuple[float, float]:
    """Joints found of the validation people, and with bars over them, %."""
    options = options_of(chosen, dataset, name)
    fabric = start_fabric(options.loop, options.run.seed)
    people = training_people(options.data, options.run.seed)
    model, description = load_model(str(chosen.output_dir / f"hourglass_{dataset}_{name}"))
    network = fabric.setup_module(model.eval())
    wrong, counted = torch.zeros(2), torch.zeros(2)
    batches: LoadedBatches = make_batches(people, options, 0, 1)[1]
    for number, batch in enumerate(batches.epoch(0)):
        context = seeded_context(fabric, options, options.optim, "validation", (0, 0, number, 0))
        for column, one in enumerate((batch, masked(batch, description.mean))):
            missed, joints = validation_loss(network, one, context, description)["wrong"]
            wrong[column] += missed
            counted[column] += joints
    plain, barred = (100 * (1 - wrong / counted)).tolist()
    return plain, barred


def training_steps(chosen: argparse.Namespace, name: str) -> Callable[[], None]:
    """STEPS_TIMED training steps with an option, on batches that are in memory."""
    options = options_of(chosen, "people", name)
    # The last epoch: what begins later counts.
    options.heatmaps.trim_from_epoch = 0
    fabric = start_fabric(options.loop, options.run.seed)
    people = training_people(options.data, options.run.seed)
    description = describe(options, people)
    module = make_model(options, description)
    model, optimizer = fabric.setup(module, make_optimizer_fn(module, options))
    batches = make_batches(people, options, 0, 1)[0].epoch(0)
    kept = [batch for _, batch in zip(range(STEPS_TIMED), batches, strict=False)]

    def steps() -> None:
        for step, batch in enumerate(kept):
            context = seeded_context(fabric, options, options.optim, "training", (0, 0, step, 0))
            update_op(model, optimizer, batch, step, context, description)

    return steps


def speed_row(chosen: argparse.Namespace, plain: Callable[[], None], name: str) -> tuple[str, ...]:
    """Pictures a second with and without an option, and their ratio."""
    with_it, without, ratio = paired_rates(
        training_steps(chosen, name), plain, STEPS_TIMED * 16, runs=chosen.runs
    )
    return name, str(with_it), str(without), f"{ratio.median:.2f}x"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lsp", type=Path, default=Path("data/lsp"), help="folder of LSP")
    parser.add_argument("--lspet", type=Path, default=Path("data/lspet"), help="LSP extended")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--resolution", type=int, default=128)
    parser.add_argument("--pictures", type=int, default=2000, help="mannequins")
    parser.add_argument("--only", nargs="+", choices=OPTIONS, default=list(OPTIONS))
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--runs", type=int, default=5, help="of each timing")
    parser.add_argument("--output_dir", type=Path, default=Path("visualizations/hourglass_options"))
    chosen = parser.parse_args()
    print(machine())
    if chosen.speed:
        row = partial(speed_row, chosen, training_steps(chosen, "none"))
        head = ("option", "pictures/s", "without it", "ratio")
        print_rows("training steps", [head, *(row(name) for name in chosen.only)])
        return
    chosen.output_dir.mkdir(parents=True, exist_ok=True)
    for dataset in ("people", "mannequin"):
        train(chosen, dataset)
        rows = [
            (name, *(f"{one:.1f}" for one in found(chosen, dataset, name))) for name in chosen.only
        ]
        print_rows(f"{dataset}, {chosen.steps} steps", [("option", "found, %", "masked, %"), *rows])


if __name__ == "__main__":
    main()
