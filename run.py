"""Run a trained model: `python run.py SUBCOMMAND [options]`."""

import sys

import options
from stacked_hourglass.options import HourglassRunOptions
from stitched.demo_options import DemoOptions
from stitched.options import PoseOptions
from twod_threed.options import LifterRunOptions
from twod_threed.temporal.inference_options import TemporalRunOptions
from utils.command_line import run_script


def pose(chosen: PoseOptions) -> int | None:
    from stitched.pose import run

    return run(chosen)


def demo(chosen: DemoOptions) -> int | None:
    from stitched.demo import run

    return run(chosen)


def hourglass(chosen: HourglassRunOptions) -> int | None:
    from stacked_hourglass.inference import run

    return run(chosen)


def lifter(chosen: LifterRunOptions) -> int | None:
    from twod_threed.inference import run

    return run(chosen)


def temporal(chosen: TemporalRunOptions) -> int | None:
    from twod_threed.temporal.inference import run

    return run(chosen)


FUNCTIONS = {
    "pose": pose,
    "demo": demo,
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

if __name__ == "__main__":
    sys.exit(run_script("run.py", "Run a trained model.", options.RUN, FUNCTIONS, sys.argv[1:]))
