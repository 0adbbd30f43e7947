"""Draw what models found: `python viz.py SUBCOMMAND [options]`."""

import sys

import options
from stacked_hourglass.evaluation_options import Overlay2dOptions
from twod_threed.temporal.visualization_options import TemporalRenderOptions
from twod_threed.visualization_options import ExamplesOptions, OrthogonalOptions
from utils.command_line import run_script


def overlay_2d(chosen: Overlay2dOptions) -> int | None:
    from stacked_hourglass.visualization import overlay_2d

    return overlay_2d(chosen)


def lifting_examples(chosen: ExamplesOptions) -> int | None:
    from twod_threed.visualization import draw_2d_gt_3d_gt_3d_pred

    return draw_2d_gt_3d_gt_3d_pred(chosen)


def orthog_augmentation(chosen: OrthogonalOptions) -> int | None:
    from twod_threed.visualization import draw_orthog_augmentation

    return draw_orthog_augmentation(chosen)


def temporal_render(chosen: TemporalRenderOptions) -> int | None:
    from twod_threed.temporal.visualization import temporal_render

    return temporal_render(chosen)


FUNCTIONS = {
    "2d_overlay": overlay_2d,
    "2d_gt_3d_gt_3d_pred": lifting_examples,
    "orthog_augmentation": orthog_augmentation,
    "temporal_render": temporal_render,
}

if __name__ == "__main__":
    sys.exit(run_script("viz.py", "Draw poses.", options.VIZ, FUNCTIONS, sys.argv[1:]))
