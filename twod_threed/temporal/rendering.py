"""Films of lifted poses: the 2D input, the reconstruction, and the truth if there is one.

Everything is drawn frame by frame and written at once, so that memory does not grow with the
length. The 3D viewports look at the person from the camera's side, 35 degrees round to the right,
and follow them over a floor that stays where it is; everybody stands upright, and all axes have one
scale.

A reconstruction is drawn where the truth stands, so that the two differ by the pose alone; where
there is no truth, where it was found to stand. The floor is under the lowest joint, in the frames
in which that is down (`standing_height`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from twod_threed.temporal.global_motion import camera_joints, estimate_up, standing_height
from twod_threed.temporal.rendered_films import Film
from utils.drawing import draw_pose
from utils.errors import UserError
from utils.pose_file import Poses
from utils.pose_panels import Framing, PanelPose, PanelView, draw_panel, grid
from utils.skeleton_conversion import convert
from utils.skeletons import H36M_17, Skeleton, skeleton_named
from utils.video import VideoReader
from utils.video_writer import VideoWriter

_STRIP = 0.1  # of a viewport's side, at its top, is for its title
_MARGIN = 1.2  # of the part of a black background that is shown
_MOST = 99.0  # per cent of the frames fit into the viewport
_ANOTHER_SHAPE = 0.02  # share by which a video may be wider than the joints' picture, or less


@dataclass(frozen=True)
class Viewport:
    """3D poses to draw: `joints` (T, J, 3) mm, camera frame, NaN ones left out."""

    title: str
    joints: np.ndarray
    skeleton: Skeleton


@dataclass(frozen=True)
class Scene:
    """T frames: 2D `poses`, what the 3D viewports show, from where, and around which places.

    `centres` (T, 3) mm, camera frame: what the viewports look at; `radius` mm about it is shown;
    `floor` mm along the upward direction from the camera.
    """

    title: str
    poses: Poses
    viewports: tuple[Viewport, ...]
    view: PanelView
    centres: np.ndarray
    radius: float
    floor: float


def make_scene(film: Film, lifted: Poses, with_truth: bool = True) -> Scene:
    """What to draw of a film and its poses in 3D, T rows of both. Raises UserError if none of the
    frames has a 3D pose."""
    assert lifted.keypoints_3d is not None and lifted.root_camera is not None
    skeleton = skeleton_named(lifted.skeleton_3d or H36M_17.name)
    poses = lifted.keypoints_3d
    if not np.isfinite(poses).any():
        raise UserError(f"{film.title}: none of its frames has enough joints to be lifted")
    root = lifted.root_camera
    if film.truth is not None:
        root = film.truth[:, film.truth_skeleton.root]
    place = filled(root)
    joints = camera_joints(poses, place)
    shown = [Viewport("Reconstruction", joints, skeleton)]
    if film.truth is not None and with_truth:
        shown.append(Viewport("Ground truth", film.truth, film.truth_skeleton))
    up = film.up
    if up is None:
        up = estimate_up(convert(joints, skeleton, H36M_17).poses)
    view = PanelView(up=up)
    centres, radius, floor = _framing([viewport.joints for viewport in shown], place, view)
    return Scene(film.title, lifted, tuple(shown), view, centres, radius, floor)


def filled(places: np.ndarray) -> np.ndarray:
    """Places (T, 3) with those that are NaN between or beside the others; (0, 0, 0) if all are."""
    rows = np.arange(len(places))
    known = np.flatnonzero(np.isfinite(places).all(axis=1))
    if not len(known):
        return np.zeros(places.shape)
    return np.stack([np.interp(rows, known, axis[known]) for axis in places.T], axis=1)


def _framing(
    shown: Sequence[np.ndarray], place: np.ndarray, view: PanelView
) -> tuple[np.ndarray, float, float]:
    """Centres (T, 3), radius and floor, mm, that hold poses (T, J, 3) about places (T, 3).

    The last of the poses, the truth if there is one, says where the floor is. The centre is at half
    the height of the person and keeps it; radius and height are those of nearly all frames.
    """
    up = view.ground[1]
    floor = standing_height(shown[-1] @ up)
    heights = np.concatenate([joints @ up for joints in shown], axis=1)
    known = np.isfinite(heights).any(axis=1)
    middle = (floor + float(np.percentile(np.nanmax(heights[known], axis=1), _MOST))) / 2
    centres = place + (middle - place @ up)[:, None] * up
    away = np.linalg.norm(np.concatenate(shown, axis=1) - centres[:, None], axis=-1)
    return centres, float(np.percentile(np.nanmax(away[known], axis=1), _MOST)), floor


def draw_input(
    image: np.ndarray | None, poses: Poses, row: int, window: np.ndarray, size: int, title: str
) -> np.ndarray:
    """One row's 2D pose on its picture, or on black, as a viewport (size, size, 3).

    window (4,): left, top, right and bottom edge of the part of the picture that is shown, px.
    """
    strip = round(_STRIP * size)
    corner, extent = window[:2], window[2:] - window[:2]
    scale = min(size / extent[0], (size - strip) / extent[1])
    width, height = np.maximum(np.round(extent * scale), 1).astype(int).tolist()
    small = np.zeros((height, width, 3), np.uint8)
    if image is not None:
        method = cv2.INTER_AREA if width < image.shape[1] else cv2.INTER_LINEAR
        small = np.asarray(cv2.resize(image, (width, height), interpolation=method))
    points = (poses.keypoints_2d[row] - corner) * (np.array([width, height]) / extent) - 0.5
    small = draw_pose(small, points, poses.confidence[row], skeleton_named(poses.skeleton_2d))
    panel = draw_panel([], size, floor=False, title=title)
    x, y = (size - width) // 2, strip + (size - strip - height) // 2
    panel[y : y + height, x : x + width] = small
    return panel


def shown_part(poses: Poses, whole: bool) -> np.ndarray:
    """Left, top, right and bottom edge, px, of the part of the picture that is shown of these rows:
    the whole, or a part of the same shape that holds all joints with a margin."""
    size = poses.image_size[0].astype(np.float64)
    edges = np.concatenate([[-0.5, -0.5], size - 0.5])
    points = poses.keypoints_2d[np.isfinite(poses.keypoints_2d).all(axis=-1)]
    if whole or not len(points):
        return edges
    low, high = points.min(axis=0), points.max(axis=0)
    half = _MARGIN * max((high - low) / size) * size / 2
    middle = (low + high) / 2
    return np.concatenate([middle - half, middle + half]) if half[0] > 0 else edges


def draw_frame(
    scene: Scene, row: int, image: np.ndarray | None, window: np.ndarray, size: int
) -> np.ndarray:
    """All viewports of a frame beside each other, each with sides of `size` px; `window` as in
    `draw_input`."""
    framing = Framing(scene.centres[row], scene.radius, scene.floor)
    panels = [draw_input(image, scene.poses, row, window, size, f"Input: {scene.title}")]
    for one in scene.viewports:
        pose = PanelPose(one.joints[row], one.skeleton)
        panels.append(draw_panel([pose], size, scene.view, framing, title=one.title))
    return grid(panels, len(panels))


def backgrounds(path: Path | None, numbers: Sequence[int]) -> Iterator[np.ndarray | None]:
    """The frames of a video that have these numbers, rising, as far as it goes; None for each
    number without a video."""
    if path is None:
        yield from [None] * len(numbers)
        return
    wanted = iter(numbers)
    number = next(wanted, None)
    with VideoReader(path) as video:
        for frame in video:
            if number is None:
                return
            if frame.index == number:
                yield frame.image
                number = next(wanted, None)


def render(
    scene: Scene,
    rows: Sequence[int],
    path: Path,
    frame_rate: float,
    size: int,
    bitrate: int,
    video: Path | None = None,
    skip: int = 0,
) -> int:
    """Write a film of some rows of a scene, in order. -> how many there are: as far as the video
    goes.

    frame_rate: of the frames' numbers, per second; size: px of a viewport's sides; bitrate: kbit/s
    of an .mp4; skip: frames of the video before that of number 0. Raises UserError for a video that
    cannot be read, or is of another shape than the 2D joints' picture, and for a place that cannot
    be written.
    """
    numbers = scene.poses.frame[list(rows)]
    window = shown_part(scene.poses.select(list(rows)), whole=video is not None)
    images = backgrounds(video, (numbers + skip).tolist())
    step = int(np.diff(numbers).min()) if len(rows) > 1 else 1
    panels = 1 + len(scene.viewports)
    shape = grid([np.zeros((size, size, 3), np.uint8)] * panels, panels).shape
    count = 0
    with VideoWriter(path, shape[1], shape[0], frame_rate / step, bitrate) as writer:
        for row, number, image in zip(rows, numbers, images, strict=False):
            if image is not None and video is not None:
                _check_shape(image, scene.poses.image_size[row], video)
            time = float(number - numbers[0]) / frame_rate
            writer.write(draw_frame(scene, row, image, window, size), time)
            count += 1
        if not count:
            raise UserError(f"{video} ends before frame {numbers[0] + skip}, the first to be drawn")
    return count


def _check_shape(image: np.ndarray, image_size: np.ndarray, video: Path) -> None:
    """Raises UserError if 2D joints of a picture of image_size (2,) cannot lie on this one."""
    height, width = image.shape[:2]
    if abs(width * image_size[1] / (height * image_size[0]) - 1) > _ANOTHER_SHAPE:
        raise UserError(
            f"{video} is {width} x {height}, but the 2D joints are of a picture of "
            f"{image_size[0]} x {image_size[1]}: it is not their video"
        )
