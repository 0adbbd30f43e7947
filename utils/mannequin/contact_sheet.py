"""Draw the contact sheet of the documentation: `python -m utils.mannequin.contact_sheet`."""

from pathlib import Path

import numpy as np
from PIL import Image

from utils.atomic import atomic_path
from utils.drawing import contact_sheet, draw_pose
from utils.mannequin.samples import render_sample
from utils.mannequin.scene import MannequinOptions
from utils.skeletons import MPII_16

SHEET_PATH = Path("docs/mannequin_contact_sheet.png")
_COLUMNS, _ROWS, _TILE = 6, 4, 192
_SEED = 3


def draw_contact_sheet(seed: int, columns: int, rows: int, tile: int) -> np.ndarray:
    """First pictures of a data set in a grid, uint8 RGB; every second one with its joints."""
    tiles = []
    for index in range(columns * rows):
        sample = render_sample(seed, index, MannequinOptions(tile, tile))
        image = sample.image
        if index % 2:
            person = sample.people[0]
            image = draw_pose(image, person.keypoints_2d_mpii, None, MPII_16)
        tiles.append(image)
    return contact_sheet(tiles, columns=columns, size=tile)


def write_contact_sheet(path: Path) -> None:
    """Write the sheet as a PNG of 32 levels a channel, which keeps it small. Raises UserError."""
    sheet = draw_contact_sheet(_SEED, _COLUMNS, _ROWS, _TILE) // 8 * 8 + 4
    with atomic_path(path) as temporary:
        Image.fromarray(sheet).save(temporary, optimize=True)


if __name__ == "__main__":
    write_contact_sheet(SHEET_PATH)
