"""Train a model: `python train.py SUBCOMMAND [options]`."""

import sys

import options
from stacked_hourglass.options import HourglassTrainOptions
from twod_threed.options import LifterTrainOptions
from utils.command_line import run_script


def hourglass(chosen: HourglassTrainOptions) -> int | None:
    from stacked_hourglass.training import train

    return train(chosen)


def lifter(chosen: LifterTrainOptions) -> int | None:
    from twod_threed.training import train

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
}

if __name__ == "__main__":
    sys.exit(run_script("train.py", "Train a model.", options.TRAIN, FUNCTIONS, sys.argv[1:]))
