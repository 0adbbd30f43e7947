"""Boxes and the square crops they cut: where a pixel of the picture lands, and back.

A box is (centre x, centre y, side) in picture pixels. The centre of the top-left pixel is (0, 0),
so pixel i covers [i - 0.5, i + 0.5]; a crop of `size` pixels covers its box edge to edge.
"""

import cv2
import numpy as np


def whole_image_box(width: int, height: int) -> np.ndarray:
    """Box (3,) around a whole picture: its centre, and the longer edge as side."""
    return np.array([(width - 1) / 2, (height - 1) / 2, max(width, height)], np.float32)


def box_around(points: np.ndarray, margin: float) -> np.ndarray:
    """Box (3,) around points (J, 2) in px, NaN ignored; side = longer extent times `margin`.

    NaN (3,) if fewer than two points are there.
    """
    seen = points[~np.isnan(points).any(axis=-1)]
    if len(seen) < 2:
        return np.full(3, np.nan, np.float32)
    low, high = seen.min(axis=0), seen.max(axis=0)
    centre = (low + high) / 2
    return np.array([*centre, max(float((high - low).max()), 1.0) * margin], np.float32)


def image_to_crop(points: np.ndarray, box: np.ndarray, size: int) -> np.ndarray:
    """Picture px (..., 2) -> crop px, for boxes (..., 3) with or without the axis of joints."""
    corner, scale = _corner_and_scale(points, box, size)
    return (points - corner) * scale - 0.5


def crop_to_image(points: np.ndarray, box: np.ndarray, size: int) -> np.ndarray:
    """Inverse of `image_to_crop`."""
    corner, scale = _corner_and_scale(points, box, size)
    return (points + 0.5) / scale + corner


def _corner_and_scale(
    points: np.ndarray, box: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray]:
    box = np.asarray(box)
    if box.ndim == np.ndim(points) - 1:
        box = box[..., None, :]
    side = box[..., 2:]
    return box[..., :2] - side / 2, size / side


def cut_crop(image: np.ndarray, box: np.ndarray, size: int) -> np.ndarray:
    """Cut box (3,) out of a uint8 picture (H, W, 3) as (size, size, 3); black outside the picture.

    A box larger than the crop is averaged down first (area filter), so that nothing aliases.
    """
    cx, cy, side = (float(v) for v in box)
    left, top = cx - side / 2, cy - side / 2
    x0, y0 = max(int(np.floor(left)), 0), max(int(np.floor(top)), 0)
    x1 = min(int(np.ceil(left + side)) + 1, image.shape[1])
    y1 = min(int(np.ceil(top + side)) + 1, image.shape[0])
    if x1 <= x0 or y1 <= y0:
        return np.zeros((size, size, 3), np.uint8)
    part = image[y0:y1, x0:x1]
    shrink_x = shrink_y = 1.0
    if side > size:
        width = max(round(part.shape[1] * size / side), 1)
        height = max(round(part.shape[0] * size / side), 1)
        shrink_x, shrink_y = width / part.shape[1], height / part.shape[0]
        part = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)
    scale = size / side
    # Part pixel p sits at picture pixel (p + 0.5) / shrink - 0.5 + x0, which maps to the crop.
    scale_x, scale_y = scale / shrink_x, scale / shrink_y
    shift_x = (0.5 / shrink_x - 0.5 + x0 - left) * scale - 0.5
    shift_y = (0.5 / shrink_y - 0.5 + y0 - top) * scale - 0.5
    matrix = np.array([[scale_x, 0, shift_x], [0, scale_y, shift_y]])
    return cv2.warpAffine(part, matrix, (size, size), flags=cv2.INTER_LINEAR)
