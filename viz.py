"""Draw what models found: `python viz.py SUBCOMMAND [options]`."""

import sys

import options
from stacked_hourglass.evaluation_options import Overlay2dOptions
from utils.command_line import run_script


def overlay_2d(chosen: Overlay2dOptions) -> int | None:
    from stacked_hourglass.visualization import overlay_2d

    return overlay_2d(chosen)


FUNCTIONS = {
    "2d_overlay": overlay_2d,
}

if __name__ == "__main__":
    sys.exit(run_script("viz.py", "Draw poses.", options.VIZ, FUNCTIONS, sys.argv[1:]))
