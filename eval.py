"""Score what models found: `python eval.py SUBCOMMAND [options]`."""

import sys

import options
from utils.command_line import Lazy, run_script

TEMPORAL = Lazy("twod_threed.temporal.evaluation:evaluate")
STITCHED = Lazy("stitched.network.evaluation:evaluate")
TRANSFER = Lazy("stitched.motion_transfer:evaluate")

FUNCTIONS = {
    "mpii_PCKh": Lazy("stacked_hourglass.evaluation:evaluate_mpii_pckh"),
    "lsp_PCK": Lazy("stacked_hourglass.evaluation:evaluate_lsp_pck"),
    "eva_PCK": Lazy("stacked_hourglass.evaluation:evaluate_eva_pck"),
    "custom_PCK": Lazy("stacked_hourglass.evaluation:evaluate_custom_pck"),
    "h36m_mpjpe": Lazy("twod_threed.evaluation:evaluate_h36m_mpjpe"),
    "mocap_mpjpe": Lazy("twod_threed.evaluation:evaluate_mocap_mpjpe"),
    "temporal_h36m": TEMPORAL,
    "temporal_humaneva": TEMPORAL,
    "temporal_mocap": TEMPORAL,
    "temporal_mannequin": TEMPORAL,
    "stitched_h36m": STITCHED,
    "stitched_mannequin": STITCHED,
    "3d_pose_gan": Lazy("generative_models.pose_gan.evaluation:run"),
    "skeleton_to_image": Lazy("stitched.dancer_evaluation:evaluate"),
    "motion_transfer_mocap": TRANSFER,
    "motion_transfer_mannequin": TRANSFER,
}

if __name__ == "__main__":
    sys.exit(run_script("eval.py", "Score poses.", options.EVAL, FUNCTIONS, sys.argv[1:]))
