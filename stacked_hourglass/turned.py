"""Annotations of a picture's pixels as stored, where a viewer shows the picture turned."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image

from stacked_hourglass.coco import CocoPeople
from utils.errors import UserError
from utils.images import read_image_size

# EXIF orientations that turn by a quarter: does the shown picture, after the exchange of x and y,
# run against the stored one in x, and in y?
_QUARTER_TURNS = {5: (False, False), 6: (True, False), 7: (True, True), 8: (False, True)}


def as_shown(people: CocoPeople, folder: Path) -> CocoPeople:
    """The people with joints and boxes in px of their pictures as shown.

    Where a file gives the size that a picture has as stored and not as shown, its annotations are
    taken to be of the stored one, too; where both sizes are the same, of the shown one.
    """
    keypoints, box = people.keypoints.copy(), people.box.copy()
    names, first, picture = np.unique(people.picture, return_index=True, return_inverse=True)
    for number, (name, row) in enumerate(zip(names.tolist(), first.tolist(), strict=True)):
        width, height = people.picture_size[row].tolist()
        orientation = _orientation(folder / name, width, height)
        if orientation in _QUARTER_TURNS:
            rows = picture == number
            keypoints[rows] = turned(keypoints[rows], width, height, orientation)
            box[rows, :2] = turned(box[rows, :2], width, height, orientation)
    return replace(people, keypoints=keypoints, box=box)


def _orientation(path: Path, width: float, height: float) -> int:
    """EXIF orientation of a picture of which the sides are exchanged as shown, else 1."""
    # Cameras, which turn pictures, write no PNG, and of these the size takes long to read.
    if width == height or np.isnan(width + height) or path.suffix.lower() == ".png":
        return 1
    try:
        if read_image_size(path) != (height, width):
            return 1
    except UserError:
        return 1  # whoever reads the picture names it
    with Image.open(path) as picture:
        return picture.getexif().get(ExifTags.Base.Orientation, 1)


def turned(points: np.ndarray, width: float, height: float, orientation: int) -> np.ndarray:
    """Points (..., 2) px of a stored picture of this size -> of the shown one, turned by a quarter:
    EXIF orientation 5 to 8."""
    against_x, against_y = _QUARTER_TURNS[orientation]
    x, y = points[..., 1], points[..., 0]
    return np.stack(
        [height - 1 - x if against_x else x, width - 1 - y if against_y else y], axis=-1
    )
