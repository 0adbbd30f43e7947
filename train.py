"""Train a model: `python train.py SUBCOMMAND [options]`."""

import sys

import options
from utils.command_line import Lazy, run_script
from utils.resume import recall_options

HOURGLASS = Lazy("stacked_hourglass.training:train")
LIFTER = Lazy("twod_threed.training:train")
TEMPORAL = Lazy("twod_threed.temporal.training:train")
STITCHED = Lazy("stitched.network.training:train")
POSE_GAN = Lazy("generative_models.pose_gan.training:train")
POSE_VAE = Lazy("generative_models.pose_gan.vae_training:train")
TRANSFER = Lazy("generative_models.motion_transfer.training:train")

FUNCTIONS = {
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
    "stitched_fine_tune": STITCHED,
    "stitched_h36m": STITCHED,
    "stitched_mannequin": STITCHED,
    "3d_pose_gan": POSE_GAN,
    "3d_pose_gan_mocap": POSE_GAN,
    "3d_pose_gan_mannequin": POSE_GAN,
    "3d_pose_vae_h36m": POSE_VAE,
    "3d_pose_vae_mocap": POSE_VAE,
    "3d_pose_vae_mannequin": POSE_VAE,
    "skeleton_to_image": Lazy("generative_models.skeleton_to_image.training:train"),
    "motion_transfer_mocap": TRANSFER,
    "motion_transfer_mannequin": TRANSFER,
}


def main(arguments: list[str]) -> int:
    """Run one subcommand -> exit code."""
    table, functions = options.TRAIN, FUNCTIONS
    return run_script("train.py", "Train a model.", table, functions, arguments, recall_options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
