"""Run a trained model: `python run.py SUBCOMMAND [options]`."""

import sys

import options
from utils.command_line import Lazy, run_script

HOURGLASS = Lazy("stacked_hourglass.inference:run")
LIFTER = Lazy("twod_threed.inference:run")
TEMPORAL = Lazy("twod_threed.temporal.inference:run")
STITCHED = Lazy("stitched.network.inference:run")

FUNCTIONS = {
    "pose": Lazy("stitched.pose:run"),
    "demo": Lazy("stitched.demo:run"),
    "hourglass_mpii": HOURGLASS,
    "hourglass_lsp": HOURGLASS,
    "hourglass_lspet": HOURGLASS,
    "hourglass_coco": HOURGLASS,
    "hourglass_eva": HOURGLASS,
    "hourglass_mannequin": HOURGLASS,
    "hourglass_mannequin_video": HOURGLASS,
    "hourglass_people": HOURGLASS,
    "hourglass_custom": HOURGLASS,
    "2d3d_h36m": LIFTER,
    "2d3d_mocap": LIFTER,
    "2d3d_mannequin": LIFTER,
    "temporal_h36m": TEMPORAL,
    "temporal_humaneva": TEMPORAL,
    "temporal_mocap": TEMPORAL,
    "temporal_mannequin": TEMPORAL,
    "stitched_mpii": STITCHED,
    "stitched_h36m": STITCHED,
    "stitched_mannequin": STITCHED,
    "3d_pose_gan": Lazy("generative_models.pose_gan.inference:run"),
    "export_onnx": Lazy("stitched.onnx_export:run"),
    "skeleton_to_image": Lazy("generative_models.skeleton_to_image.running:run"),
    "dance": Lazy("stitched.dance:dance"),
    "motion_transfer": Lazy("generative_models.motion_transfer.inference:run"),
}

if __name__ == "__main__":
    sys.exit(run_script("run.py", "Run a trained model.", options.RUN, FUNCTIONS, sys.argv[1:]))
