"""Drawing on pictures: poses, boxes, labels, and pictures side by side.

Pictures are uint8 RGB (H, W, 3); the input is never changed. Places are in px, the centre of the
top-left pixel is (0, 0), which is also OpenCV's convention.
"""

from collections.abc import Sequence
from math import ceil, floor

import cv2
import numpy as np

from utils.skeletons import Colour, Skeleton

_OUTLINE: Colour = (20, 20, 20)
_WHITE: Colour = (255, 255, 255)
# OpenCV takes places as integers; these are their binary digits after the point.
_SHIFT = 4
# Farther away than this, px, a place is brought nearer: arithmetic would overflow.
_FAR = 1e9
# Bones are this fraction of the person's size thick, within these limits in px.
_THICKNESS, _THINNEST, _THICKEST = 0.014, 1, 24
# A confidence from which a bone is opaque, and the opacity that is left at confidence 0.
_SURE, _FAINTEST = 0.6, 0.25
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw_pose(
    image: np.ndarray,
    keypoints: np.ndarray,
    confidence: np.ndarray | None,
    skeleton: Skeleton,
    min_confidence: float = 0.0,
) -> np.ndarray:
    """Draw one person: bones in the colours of their sides, joints as discs, dark outlines.

    `keypoints` (J, 2) px; joints that are NaN or below `min_confidence` are left out. With
    `confidence` (J,) in [0, 1], a bone is drawn the fainter the less sure its worse end is. Lines
    grow with the person. Raises ValueError if the arrays do not fit the skeleton.
    """
    points, sure = _checked(keypoints, confidence, skeleton)
    shown = np.isfinite(points).all(axis=1) & (sure >= min_confidence)
    points = np.clip(points, -_FAR, _FAR)
    canvas = image.copy()
    width = _line_width(points[shown], image.shape)
    opacity = np.clip(sure / _SURE, _FAINTEST, 1)
    bones = [
        (a, b, colour)
        for (a, b), colour in zip(skeleton.bones, skeleton.bone_colours, strict=True)
        if shown[a] and shown[b]
    ]
    # All outlines first, so that none covers a neighbouring bone.
    for a, b, _ in bones:
        thick = width + 2 * _outline(width)
        _line(canvas, points[a], points[b], _OUTLINE, thick, min(opacity[a], opacity[b]))
    for a, b, colour in bones:
        _line(canvas, points[a], points[b], colour, width, min(opacity[a], opacity[b]))
    for i in np.flatnonzero(shown):
        _joint(canvas, points[i], skeleton.joint_colours[i], width, opacity[i])
    return canvas


def _checked(
    keypoints: np.ndarray, confidence: np.ndarray | None, skeleton: Skeleton
) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints (J, 2) and confidence (J,) as float64; full confidence where none is given."""
    points = np.asarray(keypoints, np.float64)
    if points.shape != (len(skeleton), 2):
        raise ValueError(f"{skeleton.name} keypoints are ({len(skeleton)}, 2), not {points.shape}")
    sure = np.ones(len(points)) if confidence is None else np.asarray(confidence, np.float64)
    if sure.shape != (len(points),):
        raise ValueError(f"{skeleton.name} confidence is ({len(points)},), not {sure.shape}")
    return points, sure


def draw_box(
    image: np.ndarray, box: np.ndarray, colour: Colour = _WHITE, thickness: int = 2
) -> np.ndarray:
    """Draw a box (cx, cy, side), px, as a square; nothing if it is not finite."""
    canvas = image.copy()
    if not np.isfinite(box).all():
        return canvas
    cx, cy, side = np.clip(box, -_FAR, _FAR).astype(np.float64)
    half = side / 2
    corners = [(-half, -half), (half, -half), (half, half), (-half, half)]
    places = [np.array([cx + dx, cy + dy]) for dx, dy in corners]
    for grow, paint in ((2, _OUTLINE), (0, colour)):
        for start, end in zip(places, places[1:] + places[:1], strict=True):
            _line(canvas, start, end, paint, thickness + grow, 1.0)
    return canvas


def draw_label(
    image: np.ndarray, text: str, place: tuple[float, float] = (6, 6), height: int = 14
) -> np.ndarray:
    """Write `text` with its top-left corner at `place`, px; capitals are `height` px tall.

    White on a dark plate. The font has the printable ASCII characters; others become "?". Nothing
    is written if the place is NaN or infinite.
    """
    canvas = image.copy()
    if not np.isfinite(place).all():
        return canvas
    plain = "".join(c if " " <= c <= "~" else "?" for c in text)
    scale = cv2.getFontScaleFromHeight(_FONT, height)
    thickness = max(round(height / 10), 1)
    (width, tall), below = cv2.getTextSize(plain, _FONT, scale, thickness)
    pad = max(height // 4, 2)
    x, y = (round(min(max(value, -1e6), 1e6)) for value in place)
    bottom, right = max(y + tall + below + 2 * pad, 0), max(x + width + 2 * pad, 0)
    area = canvas[max(y, 0) : bottom, max(x, 0) : right]
    area[:] = area // 3
    start = (x + pad, y + pad + tall)
    cv2.putText(canvas, plain, start, _FONT, scale, _WHITE, thickness, cv2.LINE_AA)
    return canvas


def side_by_side(images: Sequence[np.ndarray], columns: int | None = None) -> np.ndarray:
    """Pictures in a grid, row by row, each at the top left of its cell; the rest is black.

    `columns` defaults to all in one row. A row is as tall and a column as wide as its largest
    picture. Raises ValueError when there are none.
    """
    if not images:
        raise ValueError("there are no pictures to put side by side")
    columns = len(images) if columns is None else columns
    rows = [images[i : i + columns] for i in range(0, len(images), columns)]
    heights = [max(image.shape[0] for image in row) for row in rows]
    widths = [max(image.shape[1] for image in images[c::columns]) for c in range(len(rows[0]))]
    canvas = np.zeros((sum(heights), sum(widths), 3), np.uint8)
    for r, row in enumerate(rows):
        for c, image in enumerate(row):
            y, x = sum(heights[:r]), sum(widths[:c])
            canvas[y : y + image.shape[0], x : x + image.shape[1]] = image
    return canvas


def contact_sheet(
    images: Sequence[np.ndarray], labels: Sequence[str] = (), columns: int = 5, size: int = 240
) -> np.ndarray:
    """Pictures scaled into equal cells of `size` px, centred on black, with a label if given."""
    if labels and len(labels) != len(images):
        raise ValueError(f"{len(labels)} labels for {len(images)} pictures")
    cells = [_fit(image, size) for image in images]
    if labels:
        cells = [draw_label(c, text, height=10) for c, text in zip(cells, labels, strict=True)]
    return side_by_side(cells, columns)


def _fit(image: np.ndarray, size: int) -> np.ndarray:
    scale = size / max(image.shape[:2])
    width, height = (max(round(n * scale), 1) for n in (image.shape[1], image.shape[0]))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    cell = np.zeros((size, size, 3), np.uint8)
    x, y = (size - width) // 2, (size - height) // 2
    cell[y : y + height, x : x + width] = cv2.resize(image, (width, height), interpolation=method)
    return cell


def _line_width(points: np.ndarray, shape: tuple[int, ...]) -> int:
    """Thickness of bones, px, from the extent of the person (no more than the picture's)."""
    extent = float(np.ptp(points, axis=0).max()) if len(points) else 0.0
    return round(np.clip(_THICKNESS * min(extent, max(shape[:2])), _THINNEST, _THICKEST))


def _outline(width: int) -> int:
    return max(round(0.3 * width), 1)


def _joint(
    canvas: np.ndarray, place: np.ndarray, colour: Colour, width: int, opacity: float
) -> None:
    """A disc of the side's colour with a dark rim: a line without length has round ends."""
    _line(canvas, place, place, _OUTLINE, 2 * width + 1 + 2 * _outline(width), opacity)
    _line(canvas, place, place, colour, 2 * width + 1, opacity)


def _line(
    canvas: np.ndarray,
    start: np.ndarray,
    end: np.ndarray,
    colour: Colour,
    width: int,
    opacity: float,
) -> None:
    """Draw an anti-aliased line into the canvas, mixed with what is there by `opacity`.

    Only the part in or near the picture is drawn, however far away the ends are.
    """
    reach = width / 2 + 2
    height, length = canvas.shape[:2]
    low, high = (-reach, -reach), (length - 1 + reach, height - 1 + reach)
    ends = _clip(start.tolist(), end.tolist(), low, high)
    if ends is None:
        return
    if opacity == 1:
        a, b = map(_fixed, ends)
        cv2.line(canvas, a, b, colour, width, cv2.LINE_AA, _SHIFT)
        return
    (x0, x1), (y0, y1) = zip(*ends, strict=True)
    left, top = max(floor(min(x0, x1) - reach), 0), max(floor(min(y0, y1) - reach), 0)
    right, bottom = ceil(max(x0, x1) + reach) + 1, ceil(max(y0, y1) + reach) + 1
    area = canvas[top:bottom, left:right]
    if not area.size:
        return
    a, b = (_fixed((x - left, y - top)) for x, y in ends)
    before = area.copy()
    painted = cv2.line(before.copy(), a, b, colour, width, cv2.LINE_AA, _SHIFT)
    area[:] = cv2.addWeighted(painted, opacity, before, 1 - opacity, 0)


def _fixed(place: tuple[float, float]) -> tuple[int, int]:
    """A place, px, as OpenCV takes it."""
    return round(place[0] * 2**_SHIFT), round(place[1] * 2**_SHIFT)


def _clip(
    start: Sequence[float], end: Sequence[float], low: Sequence[float], high: Sequence[float]
) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Part of a segment within a rectangle; None if it misses it (Liang and Barsky 1984)."""
    step = [b - a for a, b in zip(start, end, strict=True)]
    first, last = 0.0, 1.0
    for axis in range(2):
        if abs(step[axis]) < 1e-6:  # parallel to the rectangle's edge
            if not low[axis] <= start[axis] <= high[axis]:
                return None
            continue
        times = ((edge[axis] - start[axis]) / step[axis] for edge in (low, high))
        enters, leaves = sorted(times)
        first, last = max(first, enters), min(last, leaves)
    if first > last:
        return None
    x, y = start
    return (x + first * step[0], y + first * step[1]), (x + last * step[0], y + last * step[1])
