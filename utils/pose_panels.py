"""3D skeletons as small pictures: several poses, a floor, a title; hundreds of them in a second.

A panel is a square uint8 RGB picture. Everybody in it stands upright, whatever the frame of the
poses: `up` says where up is in it. Poses are mm; the view is a mild perspective with equal axes, so
that no part of a person is drawn longer than it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np

from utils.drawing import draw_pose
from utils.skeletons import SIDE_COLOURS, Colour, Skeleton

CAMERA_UP = (0.0, -1.0, 0.0)
"""Up in the frame of a level camera, whose y points down."""
GREY: Colour = (165, 165, 170)
"""For the truth under a prediction."""
BACKGROUND: Colour = (250, 250, 251)

_FLOOR: Colour = (238, 239, 242)
_LINES: Colour = (214, 216, 222)
_SHADOW: Colour = (205, 207, 214)
_TEXT: Colour = (50, 52, 58)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
# OpenCV takes places as integers; these are their binary digits after the point.
_SHIFT = 4
# The viewer stands so many radii of what is shown away from its middle.
_DISTANCE = 5.0
# The part of the panel's half side that the shown ball fills.
_FILL = 0.92
# Bones, titles and legends as fractions of the panel's side.
_BONE, _TITLE = 0.013, 0.045
# The floor reaches so many radii to each side.
_FLOOR_REACH = 1.3


@dataclass(frozen=True)
class PanelPose:
    """A pose to draw: joints (J, 3) mm, NaN ones and their bones left out.

    Without a colour the sides have theirs. The label, if any, is shown in a legend.
    """

    joints: np.ndarray
    skeleton: Skeleton
    colour: Colour | None = None
    label: str = ""


@dataclass(frozen=True)
class PanelView:
    """Where a panel is seen from, in degrees.

    At azimuth 0 and elevation 0 one looks along the frame's z axis (as its camera does), level.
    Azimuth leads around the person, to the right first (90: from the camera's right); elevation
    leads up. `up` is the upward direction in the frame of the poses.
    """

    azimuth: float = 35.0
    elevation: float = 12.0
    up: Sequence[float] | np.ndarray = field(default=CAMERA_UP)

    @cached_property
    def ground(self) -> np.ndarray:
        """(3, 3), rows: right, up and forward of the level frame, all of length 1."""
        up = np.asarray(self.up, np.float64)
        up = up / np.linalg.norm(up)
        forward = np.array([0.0, 0.0, 1.0])
        if abs(up @ forward) > 0.999:  # a camera that looks straight up or down
            forward = np.array([0.0, 1.0, 0.0])
        forward -= (forward @ up) * up
        forward /= np.linalg.norm(forward)
        return np.stack([np.cross(forward, up), up, forward])

    @cached_property
    def axes(self) -> np.ndarray:
        """(3, 3), rows: the panel's right, down and away from the viewer, in the poses' frame."""
        right, up, forward = self.ground
        turn, rise = np.radians([self.azimuth, self.elevation])
        level = np.cos(turn) * forward - np.sin(turn) * right
        away = np.cos(rise) * level - np.sin(rise) * up
        across = np.cos(turn) * right + np.sin(turn) * forward
        return np.stack([across, np.cross(away, across), away])


@dataclass(frozen=True)
class Framing:
    """What a panel shows: a ball about `centre` (3,) of `radius` mm, and the floor.

    `floor` is a height, mm along the upward direction from the origin. Panels that are to be
    compared, and the frames of a film, get one framing.
    """

    centre: np.ndarray
    radius: float
    floor: float


def frame_poses(joints: np.ndarray, view: PanelView) -> Framing:
    """The framing that holds all joints (..., 3), whatever the azimuth; NaN ones are left out.

    The floor is under the lowest joint. Where there are none, it is that of a person of 2 m.
    """
    points = np.asarray(joints, np.float64).reshape(-1, 3)
    points = points[np.isfinite(points).all(axis=1)] @ view.ground.T
    if len(points) == 0:
        return Framing(np.zeros(3), 1000.0, -1000.0)
    low, high = points.min(axis=0), points.max(axis=0)
    middle = (low + high) / 2
    radius = np.linalg.norm(points - middle, axis=1).max()
    return Framing(middle @ view.ground, max(float(radius), 1.0), float(low[1]))


def draw_panel(
    poses: Sequence[PanelPose],
    size: int = 320,
    view: PanelView | None = None,
    framing: Framing | None = None,
    floor: bool = True,
    title: str = "",
) -> np.ndarray:
    """Draw poses of one frame into a new picture (size, size, 3).

    `framing` is that of these poses by default. Nearer bones cover farther ones. With a `floor`
    there is a grid (of 250 mm for a person) under the lowest joint, and the shadow of each pose.
    """
    view = view or PanelView()
    if framing is None:
        # The empty one keeps this working for no poses at all.
        joints = [np.zeros((0, 3)), *(pose.joints for pose in poses)]
        framing = frame_poses(np.concatenate(joints), view)
    canvas = np.full((size, size, 3), BACKGROUND, np.uint8)
    lens = _Lens(view, framing, size, _strip(title, size))
    width = max(round(_BONE * size), 1)
    if floor:
        _draw_floor(canvas, view, framing, lens)
        for pose in poses:
            _draw_shadow(canvas, pose, view, framing, lens, width)
    _draw_bones(canvas, poses, lens, width)
    _draw_legend(canvas, [pose for pose in poses if pose.label], size)
    _draw_title(canvas, title, size)
    return canvas


def draw_keypoints(
    keypoints: np.ndarray, skeleton: Skeleton, size: int = 320, title: str = ""
) -> np.ndarray:
    """Draw a 2D pose (J, 2) px into a new picture (size, size, 3), scaled to fill it.

    It is the companion of the 3D panels: same sides, same title. NaN joints are left out.
    """
    canvas = np.full((size, size, 3), BACKGROUND, np.uint8)
    strip = _strip(title, size)
    known = keypoints[np.isfinite(keypoints).all(axis=1)]
    if len(known):
        low, high = known.min(axis=0), known.max(axis=0)
        scale = 0.86 * (size - strip) / max(float((high - low).max()), 1e-6)
        place = np.array([(size - 1) / 2, (size - 1 + strip) / 2])
        fitted = (keypoints - (low + high) / 2) * scale + place
        canvas = draw_pose(canvas, fitted, None, skeleton)
    _draw_title(canvas, title, size)
    return canvas


def grid(panels: Sequence[np.ndarray], columns: int, gap: int = 2) -> np.ndarray:
    """Panels of one size in rows of `columns`, `gap` px apart; what is left over stays empty.

    Raises ValueError when there are none, or their sizes differ.
    """
    if len({panel.shape for panel in panels}) != 1:
        raise ValueError("a grid needs panels, all of one size")
    height, width = panels[0].shape[:2]
    rows = -(-len(panels) // columns)
    shape = (rows * (height + gap) - gap, columns * (width + gap) - gap, 3)
    canvas = np.full(shape, BACKGROUND, np.uint8)
    for number, panel in enumerate(panels):
        y, x = (number // columns) * (height + gap), (number % columns) * (width + gap)
        canvas[y : y + height, x : x + width] = panel
    return canvas


class _Lens:
    """From places in the frame of the poses, mm, to places in the panel, px."""

    def __init__(self, view: PanelView, framing: Framing, size: int, strip: int) -> None:
        self.axes, self.centre = view.axes, framing.centre
        self.away = _DISTANCE * framing.radius
        # So that the outline of the ball is a circle of the wanted size.
        self.focal = _FILL * (size - strip) / 2 * np.sqrt(_DISTANCE**2 - 1)
        self.middle = np.array([(size - 1) / 2, (size - 1 + strip) / 2])

    def __call__(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points (..., 3) -> px (..., 2) and distance from the viewer's plane (...), mm."""
        seen = (points - self.centre) @ self.axes.T
        depth = seen[..., 2] + self.away
        return seen[..., :2] / depth[..., None] * self.focal + self.middle, depth


def _draw_floor(canvas: np.ndarray, view: PanelView, framing: Framing, lens: _Lens) -> None:
    step = 250 * 2.0 ** round(np.log2(framing.radius / 1000))
    right, up, forward = view.ground
    count = int(np.ceil(_FLOOR_REACH * framing.radius / step))
    middle = [round(framing.centre @ axis / step) * step for axis in (right, forward)]
    marks = np.arange(-count, count + 1) * step
    ends = np.array([-count, count]) * step
    across = np.stack(np.broadcast_arrays(marks[:, None], ends[None]), axis=-1)
    lines = np.concatenate([across, across[..., ::-1]]) + middle
    places, _ = lens(lines @ np.stack([right, forward]) + framing.floor * up)
    corners = _fixed(places[[0, 0, 2 * count, 2 * count], [0, 1, 1, 0]])
    cv2.fillConvexPoly(canvas, corners, _FLOOR, cv2.LINE_AA, _SHIFT)
    cv2.polylines(canvas, list(_fixed(places)), False, _LINES, 1, cv2.LINE_AA, _SHIFT)


def _draw_shadow(
    canvas: np.ndarray, pose: PanelPose, view: PanelView, framing: Framing, lens: _Lens, width: int
) -> None:
    """The skeleton as light from straight above would lay it on the floor."""
    up = view.ground[1]
    joints = np.asarray(pose.joints, np.float64)
    flat = joints + (framing.floor - joints @ up)[:, None] * up
    places, _ = lens(flat)
    bones = [places[list(bone)] for bone in pose.skeleton.bones]
    known = [_fixed(bone) for bone in bones if np.isfinite(bone).all()]
    cv2.polylines(canvas, known, False, _SHADOW, width, cv2.LINE_AA, _SHIFT)


def _draw_bones(canvas: np.ndarray, poses: Sequence[PanelPose], lens: _Lens, width: int) -> None:
    """Bones and joints of all poses, the farthest first; a joint is a line without length."""
    marks: list[tuple[float, np.ndarray, Colour, int]] = []
    for pose in poses:
        places, depth = lens(np.asarray(pose.joints, np.float64))
        known = np.asarray(np.isfinite(places).all(axis=1))
        for (a, b), colour in zip(pose.skeleton.bones, pose.skeleton.bone_colours, strict=True):
            if known[a] and known[b]:
                middle = (depth[a] + depth[b]) / 2
                marks.append((middle, places[[a, b]], pose.colour or colour, width))
        for i in np.flatnonzero(known):
            colour = pose.colour or pose.skeleton.joint_colours[i]
            marks.append((depth[i], places[[i, i]], colour, round(1.8 * width)))
    for _, ends, colour, thick in sorted(marks, key=lambda mark: -mark[0]):
        start, end = _fixed(ends).tolist()
        rim: Colour = (colour[0] * 2 // 5, colour[1] * 2 // 5, colour[2] * 2 // 5)
        edge = 2 * max(round(0.3 * width), 1)
        cv2.line(canvas, start, end, rim, thick + edge, cv2.LINE_AA, _SHIFT)
        cv2.line(canvas, start, end, colour, thick, cv2.LINE_AA, _SHIFT)


def _strip(title: str, size: int) -> int:
    """Rows at the top that are the title's."""
    return round(2.2 * _TITLE * size) if title else 0


def _draw_title(canvas: np.ndarray, title: str, size: int) -> None:
    """The title at the top left, in smaller letters where it would be wider than the panel."""
    height, margin = _TITLE * size, 0.6 * _TITLE * size
    (width, _), _ = cv2.getTextSize(title, _FONT, _font_scale(height), 1)
    height *= min((size - 2 * margin) / max(width, 1), 1.0)
    _write(canvas, title, (margin, 1.5 * _TITLE * size), height)


def _draw_legend(canvas: np.ndarray, poses: Sequence[PanelPose], size: int) -> None:
    """A stroke in the pose's colour (both sides' where it has none) and its label, bottom left."""
    height = 0.85 * _TITLE * size
    for row, pose in enumerate(reversed(poses)):
        y = size - (1.0 + 1.7 * row) * height
        colours = [pose.colour] if pose.colour else [SIDE_COLOURS[s] for s in ("left", "right")]
        length = 2 * height / len(colours)
        for number, colour in enumerate(colours):
            start = 0.8 * height + number * length
            ends = np.array([[start, y - height / 2], [start + length, y - height / 2]])
            a, b = _fixed(ends).tolist()
            cv2.line(canvas, a, b, colour, max(round(0.4 * height), 1), cv2.LINE_8, _SHIFT)
        _write(canvas, pose.label, (3.6 * height, y), height)


def _write(canvas: np.ndarray, text: str, place: tuple[float, float], height: float) -> None:
    """Text with its baseline's start at `place`; the font has the printable ASCII characters."""
    plain = "".join(c if " " <= c <= "~" else "?" for c in text)
    x, y = round(place[0]), round(place[1])
    cv2.putText(canvas, plain, (x, y), _FONT, _font_scale(height), _TEXT, 1, cv2.LINE_AA)


def _font_scale(height: float) -> float:
    return cv2.getFontScaleFromHeight(_FONT, 100) * max(height, 4) / 100


def _fixed(places: np.ndarray) -> np.ndarray:
    """px (..., 2) as the integers that OpenCV takes."""
    return np.rint(np.clip(places, -1e6, 1e6) * 2**_SHIFT).astype(np.int32)
