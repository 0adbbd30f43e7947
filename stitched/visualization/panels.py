"""A picture with its 2D poses, and panels of the same people in 3D beside it."""

from collections.abc import Sequence

import cv2
import numpy as np

from stitched.visualization.stage import make_stage
from utils.drawing import draw_pose
from utils.errors import UserError
from utils.pose_file import Poses
from utils.pose_panels import BACKGROUND
from utils.skeletons import skeleton_named

DRAWN_CONFIDENCE = 0.15
"""Joints less sure than this, of [0, 1], are not drawn on pictures: most of them are wrong."""

GAP = 2
"""px between a picture and the panels beside it."""

_LOWEST, _HIGHEST = 320, 720  # px, of a picture with panels beside it
_WIDEST = 8192  # px, of a very flat one


def overlay_with_panel(image: np.ndarray, poses: Poses) -> np.ndarray:
    """The picture (H, W, 3) uint8 RGB with the 2D poses of its rows, and their 3D poses beside it.

    All of `poses` are rows of this picture or frame. The result is at most 720 px high, and at
    least 320. Raises UserError if the poses were found in a picture of another size.
    """
    stage = make_stage(poses)
    height = panel_height(image)
    overlay = draw_people(image, poses, height)
    # Rows of a picture all have frame 0, those of a video's frame its number.
    panels = [stage.panel(int(frame), height) for frame in stage.frames]
    return beside(overlay, panels)


def panel_height(image: np.ndarray) -> int:
    """Height, px, at which a picture (H, W, 3) is shown with panels beside it."""
    return min(max(image.shape[0], _LOWEST), _HIGHEST)


def draw_people(
    image: np.ndarray, poses: Poses, height: int, min_confidence: float = DRAWN_CONFIDENCE
) -> np.ndarray:
    """A copy of a picture (H, W, 3), `height` px high, with the 2D poses of its rows on it.

    Raises UserError if the poses were found in a picture of another size.
    """
    check_size(image, poses)
    canvas, scale = resized(image, height)
    skeleton = skeleton_named(poses.skeleton_2d)
    for points, sure in zip(poses.keypoints_2d, poses.confidence, strict=True):
        canvas = draw_pose(canvas, (points + 0.5) * scale - 0.5, sure, skeleton, min_confidence)
    return canvas


def check_size(image: np.ndarray, poses: Poses) -> None:
    """Raises UserError unless the poses were found in a picture of this size (H, W, 3)."""
    height, width = image.shape[:2]
    for expected in np.unique(poses.image_size, axis=0).tolist():
        if [width, height] != expected:
            raise UserError(
                f"the picture is {width} x {height} px, the poses are of {poses.source[0]}, which "
                f"has {expected[0]} x {expected[1]}"
            )


def resized(image: np.ndarray, height: int) -> tuple[np.ndarray, np.ndarray]:
    """A copy (height, width, 3) of a picture, and its scale (2,), x and y, to the original.

    A very flat one is made no wider than 8192 px and has background below it.
    """
    old_height, old_width = image.shape[:2]
    width = min(max(round(old_width * height / old_height), 1), _WIDEST)
    filled = min(height, max(round(old_height * _WIDEST / old_width), 1))
    # Above half the size two neighbours in each direction are enough, and four times as quick.
    method = cv2.INTER_AREA if 2 * filled < old_height else cv2.INTER_LINEAR
    canvas = np.full((height, width, 3), BACKGROUND, np.uint8)
    canvas[:filled] = cv2.resize(image, (width, filled), interpolation=method)
    return canvas, np.array([width / old_width, filled / old_height])


def beside(picture: np.ndarray, panels: Sequence[np.ndarray]) -> np.ndarray:
    """A picture (H, W, 3) and panels of the same height in one row."""
    gap = np.full((picture.shape[0], GAP, 3), BACKGROUND, np.uint8)
    parts = [part for panel in panels for part in (gap, panel)]
    return np.concatenate([picture, *parts], axis=1)
