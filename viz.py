"""Draw what models found: `python viz.py SUBCOMMAND [options]`."""

import sys

import options
from utils.command_line import Lazy, run_script

FUNCTIONS = {
    "2d_overlay": Lazy("stacked_hourglass.visualization:overlay_2d"),
    "2d_overlay_3d_pred": Lazy("stitched.visualization.pictures:draw_overlay_3d_pred"),
    "2d_overlay_3d_gt_3d_pred": Lazy("stitched.visualization.pictures:draw_overlay_3d_gt_3d_pred"),
    "2d_gt_3d_gt_3d_pred": Lazy("twod_threed.visualization:draw_2d_gt_3d_gt_3d_pred"),
    "saliency_and_prob_maps": Lazy("stacked_hourglass.saliency:draw_saliency"),
    "saliency_and_prob_maps_with_skeleton": Lazy(
        "stacked_hourglass.saliency:draw_saliency_with_skeleton"
    ),
    "orthog_augmentation": Lazy("twod_threed.visualization:draw_orthog_augmentation"),
    "temporal_render": Lazy("twod_threed.temporal.visualization:temporal_render"),
    "video": Lazy("stitched.visualization.film:draw_video"),
    "interactive": Lazy("stitched.visualization.interactive:draw_interactive"),
    "3d_pose_gan": Lazy("generative_models.pose_gan.visualization:draw"),
    "dancer": Lazy("generative_models.skeleton_to_image.dancer_view:show_dancer"),
    "skeleton_to_image": Lazy("generative_models.skeleton_to_image.visualization:draw"),
    "motion_transfer": Lazy("generative_models.motion_transfer.visualization:draw"),
}

if __name__ == "__main__":
    sys.exit(run_script("viz.py", "Draw poses.", options.VIZ, FUNCTIONS, sys.argv[1:]))
