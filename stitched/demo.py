"""`run.py demo`: render a clip, find its poses, and compare them with what was rendered."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from tqdm import tqdm

from stacked_hourglass.pck import normalised_distances, pck
from stitched.demo_options import DemoOptions
from stitched.options import PoseOptions
from stitched.person_finder import Predictor
from stitched.pose import load_predictor
from stitched.pose import run as find_poses
from utils.mannequin import MannequinOptions, render_clip
from utils.pose_file import read_poses
from utils.skeletons import MPII_16
from utils.video import VideoWriter

FPS = 25
CLIP, DRAWN = "mannequin.mp4", "mannequin_pose.mp4"


def run(options: DemoOptions, load: Callable[[PoseOptions], Predictor] = load_predictor) -> int:
    """Write clip, overlay video, poses.npz and poses.json; print the error. Returns the exit code.

    Raises UserError if the folder cannot be written or there are no weights.
    """
    folder = Path(options.output_dir)
    print(f"rendering {options.frames} frames of a moving mannequin")
    truth = _render(folder / CLIP, options)
    print("looking for its pose, frame by frame")
    asked = PoseOptions((str(folder / CLIP),), output_dir=str(folder), load=options.load)
    code = find_poses(asked, load)
    poses = read_poses(folder / "poses.npz")
    print(error_report(poses.keypoints_2d, truth[poses.frame]))
    print(f"watch {folder / DRAWN}, made from {folder / CLIP}")
    return code


def _render(path: Path, options: DemoOptions) -> np.ndarray:
    """Write the clip; return the joints that were drawn, (frames, 16, 2) px of the frame."""
    look = MannequinOptions(
        options.size, options.size, occluders=False, degradation=False, cropped=False
    )
    joints = []
    with VideoWriter(path, options.size, options.size, FPS) as video:
        samples = render_clip(options.seed, options.frames, FPS, look)
        for sample in tqdm(samples, total=options.frames, unit="frame", disable=None, leave=False):
            video.write(sample.image)
            joints.append(sample.people[0].keypoints_2d_mpii)
    return np.stack(joints)


def error_report(keypoints: np.ndarray, truth: np.ndarray) -> str:
    """One line on how far keypoints (N, 16, 2) are from the truth (N, 16, 2), both in px.

    A joint that was not found counts as wrong in the share and does not enter the mean. The length
    of the head, from neck to top, is the median over the frames: it looks short from above.
    """
    top, neck = (truth[:, MPII_16.index(name)] for name in ("head_top", "upper_neck"))
    head = float(np.median(np.linalg.norm(top - neck, axis=-1)))
    distances = normalised_distances(keypoints, truth, np.full(len(truth), head))
    right = pck(distances, np.array([0.5])).mean()
    pixels = head * distances[np.isfinite(distances)]
    mean = f"{pixels.mean():.1f} px" if len(pixels) else "none found"
    return (
        f"{right:.1f} % of all joints are within half a head's length of the truth "
        f"({head / 2:.0f} px); mean distance {mean}"
    )
