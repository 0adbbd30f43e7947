"""`viz.py motion_transfer`: what lies between two clips, and a transfer beside its two sources."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from generative_models.motion_transfer.films import Film
from generative_models.motion_transfer.limbs import SKELETON
from generative_models.motion_transfer.normalisation import from_local_rows
from generative_models.motion_transfer.options import TransferVizOptions
from generative_models.motion_transfer.predictor import LearnedRetargeter
from utils.drawing import draw_label, draw_pose, side_by_side
from utils.images import write_image
from utils.pose_file import Poses
from utils.pose_json import read_pose_file
from utils.skeletons import skeleton_named
from utils.video_writer import VideoWriter

USUAL_RATE = 25.0
"""Frames per second of films without times."""
_BACKGROUND = (32, 34, 38)
_MARGIN = 0.1  # of a cell
_STILLS = 3  # frames of the grid in grid.png
_GAP = 4  # px, between them
_HEIGHT = 480  # px, of the films side by side


def grid_points(model: LearnedRetargeter, one: Film, other: Film, steps: int) -> Tensor:
    """Between two films, cut to the shorter: (steps, steps, T, 15, 2), bodies of size about 1, at
    the network's frame rate.

    Rows: motion from the first's to the other's; columns: body and view.
    """
    first, last = model.channels(one), model.channels(other)
    frames = min(first.shape[-1], last.shape[-1])
    rows = model.grid(first[..., :frames], last[..., :frames], steps).cpu()
    # Standing still in the cell: the velocity is left out.
    rows = torch.cat([rows[..., :-1, :], torch.zeros_like(rows[..., -1:, :])], dim=-2)
    return from_local_rows(rows)


def in_cells(points: Tensor, size: int) -> np.ndarray:
    """Points (..., 15, 2) -> px in square cells of `size`, all to one scale, (..., 15, 2)."""
    flat = points.flatten(0, -2)
    low, high = flat.amin(0), flat.amax(0)
    scale = size * (1 - 2 * _MARGIN) / (high - low).max().clamp(min=1e-6)
    return ((points - (low + high) / 2) * scale + (size - 1) / 2).numpy()


def draw_grid(cells: np.ndarray, size: int) -> np.ndarray:
    """One frame of a grid: cells (R, C, 15, 2) px -> uint8 RGB (R size, C size, 3)."""
    pictures = [
        draw_pose(np.full((size, size, 3), _BACKGROUND, np.uint8), points, None, SKELETON)
        for row in cells
        for points in row
    ]
    labelled = draw_label(pictures[0], "down: motion, right: body, view", height=max(7, size // 24))
    return side_by_side([labelled, *pictures[1:]], columns=cells.shape[1])


def write_grid(points: Tensor, options: TransferVizOptions, rate: float) -> None:
    """grid.mp4, and grid.png with some of its frames."""
    cells = in_cells(points, options.size)
    count = cells.shape[2]
    side = options.size * options.steps
    with VideoWriter(options.output_dir / "grid.mp4", side, side, rate) as video:
        for frame in range(count):
            video.write(draw_grid(cells[:, :, frame], options.size))
    stills = np.linspace(0, count - 1, _STILLS + 2).round().astype(int)[1:-1]
    between = ((0, 0), (0, _GAP), (0, 0))
    pictures = [
        np.pad(draw_grid(cells[:, :, frame], options.size), between, constant_values=255)
        for frame in stills
    ]
    write_image(options.output_dir / "grid.png", side_by_side(pictures)[:, :-_GAP])


def _pane(poses: Poses, row: int, title: str) -> np.ndarray:
    """A row of a pose file on an empty picture, `_HEIGHT` px high."""
    width, height = poses.image_size[row]
    scale = _HEIGHT / height
    canvas = np.full((_HEIGHT, max(2, round(width * scale)), 3), _BACKGROUND, np.uint8)
    points = (poses.keypoints_2d[row] + 0.5) * scale - 0.5
    drawn = draw_pose(canvas, points, poses.confidence[row], skeleton_named(poses.skeleton_2d))
    return draw_label(drawn, title)


def panes(source: Poses, target: Poses, result: Poses) -> Iterator[np.ndarray]:
    """Frames of source, target (again and again) and result side by side."""
    for row in range(len(result)):
        films = ((source, row), (target, row % len(target)), (result, row))
        titles = ("source: motion", "target: body", "result")
        yield side_by_side(
            [_pane(film, at, title) for (film, at), title in zip(films, titles, strict=True)]
        )


def rate_of(poses: Poses) -> float:
    """Frames per second of the rows of a film, `USUAL_RATE` if they have no times."""
    times = poses.time[np.isfinite(poses.time)]
    if len(times) < 2 or not times[-1] > times[0]:
        return USUAL_RATE
    return float((len(times) - 1) / (times[-1] - times[0]))


def draw(options: TransferVizOptions) -> int:
    """Draw the grid between two pose files, and the transfer side by side. -> exit code 0.

    Raises UserError for poses or weights that are absent or do not do.
    """
    weights = options.weights
    model = LearnedRetargeter.load(weights.load, weights.accelerator)
    files = (read_pose_file(options.source), read_pose_file(options.target))
    one, other = model.film(files[0], "--source"), model.film(files[1], "--target")
    source, target = one.poses, other.poses
    write_grid(grid_points(model, one, other, options.steps), options, model.frame_rate)
    frames = panes(source, target, model(source, target))
    first = next(frames)
    place = options.output_dir / "side_by_side.mp4"
    with VideoWriter(place, first.shape[1], first.shape[0], rate_of(source)) as video:
        video.write(first)
        for frame in frames:
            video.write(frame)
    print(f"wrote grid.png, grid.mp4 and side_by_side.mp4 to {options.output_dir}")
    return 0
