"""Train a model: `python train.py SUBCOMMAND [options]`."""

import sys

import options
from stacked_hourglass.options import HourglassTrainOptions
from twod_threed.options import LifterTrainOptions
from twod_threed.temporal.options import TemporalTrainOptions
from utils.command_line import run_script
from utils.resume import recall_options


def hourglass(chosen: HourglassTrainOptions) -> int | None:
    from stacked_hourglass.training import train

    return train(chosen)


def lifter(chosen: LifterTrainOptions) -> int | None:
    from twod_threed.training import train

    return train(chosen)


def temporal(chosen: TemporalTrainOptions) -> int | None:
    from twod_threed.temporal.training import train

    return train(chosen)


FUNCTIONS = {
    "hourglass_mpii": hourglass,
    "hourglass_lsp": hourglass,
    "hourglass_lspet": hourglass,
    "hourglass_coco": hourglass,
    "hourglass_mannequin": hourglass,
    "hourglass_people": hourglass,
    "2d3d_h36m": lifter,
    "2d3d_mocap": lifter,
    "2d3d_mannequin": lifter,
    "temporal_h36m": temporal,
    "temporal_humaneva": temporal,
    "temporal_mocap": temporal,
    "temporal_mannequin": temporal,
}


def main(arguments: list[str]) -> int:
    """Run one subcommand -> exit code."""
    table, functions = options.TRAIN, FUNCTIONS
    return run_script("train.py", "Train a model.", table, functions, arguments, recall_options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
