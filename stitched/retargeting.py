"""`run.py dance --retarget`: somebody's motion on the body, and in the place, of a dancer."""

from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter1d, grey_closing, median_filter

from generative_models.motion_transfer.predictor import LearnedRetargeter
from generative_models.motion_transfer.retarget import retarget_bones, retarget_scale
from generative_models.skeleton_to_image.inference import Dancer, fit_poses
from stitched.dance_options import DanceOptions
from twod_threed.video import fill_gaps
from utils.pose_file import Poses
from utils.skeleton_conversion import convert
from utils.skeletons import DANCE_13, skeleton_named

SURE = 0.15
"""Confidence below which a joint of the source is taken for missing."""
MAX_GAP = 10
"""Frames in a row without a joint that are filled."""
ALOFT = 1.5
"""s; who has not come down for longer has climbed, or gone away from the camera."""
GLITCH = 5
"""Frames; a joint found too low for fewer than half as many is no ground."""


def retargeted(poses: Poses, dancer: Dancer, options: DanceOptions) -> np.ndarray:
    """Rows of one person, in the order of time, as the dancer has them.

    -> joints (N, 13, 2), dance_13, px of the dancer's own pictures, NaN missing.

    Raises UserError if the hips of either are never seen, or for weights that are not there.
    """
    poses = sure_joints(poses)
    if options.retarget == "none":
        return fit_poses(poses, dancer.image_size)
    poses, target = on_level_ground(poses), reference_film(dancer)
    if options.retarget == "learned":
        network = LearnedRetargeter.load(options.load_retarget, options.accelerator)
        moved = network(poses, target)
    else:
        way = retarget_bones if options.retarget == "bones" else retarget_scale
        moved = way(poses, target)
    return convert(moved.keypoints_2d, skeleton_named(moved.skeleton_2d), DANCE_13).poses


def sure_joints(poses: Poses) -> Poses:
    """The rows without joints that are hardly seen. Their short gaps are filled; a frame in which
    nobody was found stays empty."""
    is_sure = (poses.confidence >= SURE)[..., None]
    points = np.where(is_sure, poses.keypoints_2d, np.nan).astype(np.float32)
    filled = fill_gaps(points, poses.frame, MAX_GAP)
    points = np.where(poses.found[:, None, None], filled, np.nan)
    sure = np.where(np.isnan(points[..., 0]), 0, poses.confidence)
    return replace(poses, keypoints_2d=points, confidence=sure)


def on_level_ground(poses: Poses) -> Poses:
    """The rows of one person, in the order of time, moved up and down so that the ground under them
    stays at its median height.

    Who walks away from a camera goes up in its picture; a dancer, whose camera looks another way,
    would rise into the air. The ground of a frame is the lowest joint's height, but for what is
    aloft for less than `ALOFT`, as in a jump.
    """
    heights = poses.keypoints_2d[..., 1]
    there = np.isfinite(heights).any(axis=1)
    if there.sum() < 2:
        return poses
    lowest = np.where(np.isfinite(heights), heights, -np.inf).max(axis=1)[there]
    step = float(np.median(np.diff(poses.time[there])))
    width = 1 + 2 * round(ALOFT / max(step, 1e-3) / 2)
    # As if who is coming or going at an end of the film went on so.
    longer = np.pad(median_filter(lowest, GLITCH), width, mode="reflect", reflect_type="odd")
    ground = gaussian_filter1d(grey_closing(longer, width), width / 4)[width:-width]
    points = poses.keypoints_2d.copy()
    points[there, :, 1] += (np.median(ground) - ground)[:, None]
    return replace(poses, keypoints_2d=points)


def held(keypoints: np.ndarray) -> np.ndarray:
    """Frames (N, J, 2), one at least with a joint: each without any as the last one before it that
    has some, those at the beginning as the first that has."""
    there = np.isfinite(keypoints).any(axis=(1, 2))
    last = np.maximum.accumulate(np.where(there, np.arange(len(keypoints)), np.argmax(there)))
    return keypoints[last]


def reference_film(dancer: Dancer) -> Poses:
    """Poses of the dancer, of all over the film that the model learned from, as rows of a file.

    They have no times: how far apart in the film they are is not known.
    """
    keypoints = dancer.description.references.numpy()
    count = len(keypoints)
    return Poses(
        source=np.full(count, dancer.description.dancer),
        frame=np.arange(count),
        time=np.full(count, np.nan),
        person=np.zeros(count, np.int64),
        box=np.full((count, 3), np.nan, np.float32),
        image_size=np.full((count, 2), dancer.image_size),
        keypoints_2d=keypoints,
        confidence=np.asarray(np.isfinite(keypoints).all(axis=-1), np.float32),
        skeleton_2d=DANCE_13.name,
    )
