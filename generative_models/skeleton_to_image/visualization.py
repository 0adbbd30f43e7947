"""`viz.py skeleton_to_image`: what trained dancers make, beside skeletons and real frames."""

import cv2
import numpy as np

from generative_models.skeleton_to_image.dancer_data import DancerFrames
from generative_models.skeleton_to_image.evaluation_options import (
    SkeletonToImageVizOptions,
)
from generative_models.skeleton_to_image.inference import Dancer, draw_frames
from generative_models.skeleton_to_image.skeleton_drawing import skeleton_pictures
from generative_models.skeleton_to_image.training_data import read_frames
from utils.drawing import draw_label, side_by_side
from utils.images import write_image
from utils.option_checks import named_models
from utils.video import VideoWriter


def draw(options: SkeletonToImageVizOptions) -> int:
    """Write sheet.png, a row for each of some frames, and side_by_side.mp4. -> exit code 0."""
    films: dict[str, np.ndarray] = {}
    frames = None
    for name, source in named_models(options.models).items():
        dancer = Dancer.load(source, options.accelerator)
        if frames is None or frames.size != dancer.image_size:
            frames = read_frames(options.data, dancer.image_size).of_part(options.part)
        films[name] = draw_frames(dancer, frames, options.batch_size)
    # The real frames are those of the last model's size.
    assert frames is not None
    films = {"skeleton": skeletons(frames), "real": frames.images} | films
    rows = np.linspace(0, len(frames) - 1, min(options.count, len(frames))).round().astype(int)
    lines = [film_row(films, int(row), options.size, labels=row == rows[0]) for row in rows]
    write_image(options.output_dir / "sheet.png", side_by_side(lines, columns=1))
    write_video(options, films, frames.fps)
    print(f"look at {options.output_dir / 'sheet.png'} and side_by_side.mp4")
    return 0


def skeletons(frames: DancerFrames) -> np.ndarray:
    """What the models see, as pictures (N, S, S, 3) uint8."""
    if frames.skeletons is not None:
        return frames.skeletons
    return skeleton_pictures(frames.keypoints, frames.size)


def film_row(films: dict[str, np.ndarray], row: int, size: int, labels: bool) -> np.ndarray:
    """One frame of every film side by side, each `size` px, with their names if asked."""
    cells = [resized(film[row], size) for film in films.values()]
    if labels:
        cells = [draw_label(cell, name, height=9) for cell, name in zip(cells, films, strict=True)]
    return side_by_side(cells)


def resized(image: np.ndarray, size: int) -> np.ndarray:
    """A square picture at another size."""
    method = cv2.INTER_AREA if size < len(image) else cv2.INTER_LINEAR
    return cv2.resize(image, (size, size), interpolation=method)


def write_video(
    options: SkeletonToImageVizOptions, films: dict[str, np.ndarray], fps: float
) -> None:
    """side_by_side.mp4 of all films."""
    length = len(films["real"])
    width = options.size * len(films)
    with VideoWriter(options.output_dir / "side_by_side.mp4", width, options.size, fps) as video:
        for row in range(length):
            video.write(film_row(films, row, options.size, labels=True))
