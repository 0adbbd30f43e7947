"""`viz.py dancer`: a dancer's pictures at their full size, with skeletons, before anyone trains."""

from pathlib import Path

import cv2
import numpy as np

from generative_models.skeleton_to_image.dancer_data import (
    GAP,
    PARTS,
    DancerSource,
    share_out,
    square_window,
)
from generative_models.skeleton_to_image.options import DancerViewOptions
from generative_models.skeleton_to_image.skeleton_drawing import skeleton_pictures
from generative_models.skeleton_to_image.training_data import find_dancer
from utils.crops import cut_crop, image_to_crop
from utils.drawing import draw_label, draw_pose, side_by_side
from utils.images import write_image
from utils.skeletons import DANCE_13

MANNEQUIN_SIZE = 128
"""The built-in dancer is rendered at any size; this one is looked at."""


def show_dancer(options: DancerViewOptions) -> int:
    """Write <frame>.png: the picture, the joints on it, the square that a network learns and the
    skeleton that it sees; and sheet.jpg of all. -> exit code 0."""
    source = find_dancer(options.data, MANNEQUIN_SIZE)
    folder = Path(options.output_dir)
    count = min(options.count, len(source))
    rows = np.linspace(0, len(source) - 1, count).round().astype(int)
    panels = []
    for row in rows:
        panels.append(dancer_panel(source, int(row), options.network_size))
        write_image(folder / f"{int(source.frame[row]):06d}.png", panels[-1])
    labelled = [
        draw_label(panel, f"frame {source.frame[row]}", height=10)
        for panel, row in zip(panels, rows, strict=True)
    ]
    write_image(folder / "sheet.jpg", side_by_side(labelled, columns=2))
    parts = share_out(source, options.data)
    shares = ", ".join(f"{part or 'gap'} {(parts == part).sum()}" for part in (*PARTS, GAP))
    width, height = source.image_size
    print(f"{source.name}: {len(source)} frames of {width} x {height} px ({shares})")
    print(f"look at {folder / 'sheet.jpg'}")
    return 0


def dancer_panel(source: DancerSource, row: int, network_size: int) -> np.ndarray:
    """One frame: picture, joints on it, network's square, network's skeleton, side by side.

    What the network gets is enlarged to the picture's height, pixel by pixel.
    """
    picture, keypoints = source.read(row), source.keypoints[row]
    window = square_window(source.keypoints, source.image_size)
    square = cut_crop(picture, window, network_size)
    if source.read_skeleton:
        drawn = cut_crop(source.read_skeleton(row), window, network_size)
    else:
        in_square = image_to_crop(keypoints, window, network_size)
        drawn = skeleton_pictures(in_square[None], network_size)[0]
    side = (len(picture), len(picture))
    seen = [cv2.resize(one, side, interpolation=cv2.INTER_NEAREST) for one in (square, drawn)]
    return side_by_side([picture, draw_pose(picture, keypoints, None, DANCE_13), *seen])
