"""The contact sheet of `--add_random_masking`: `python -m benchmarks.masking_pictures`.

Mannequins as a step of training sees them, each with a bar, and their joints.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from stacked_hourglass.augmentation import random_views, view_images, view_keypoints
from stacked_hourglass.data import PeopleDataset, collate
from stacked_hourglass.mannequin_people import mannequin_people
from stacked_hourglass.masking import mask_images, random_bars
from stacked_hourglass.options import MaskingOptions
from utils.drawing import contact_sheet, draw_pose
from utils.images import write_image
from utils.skeletons import MPII_16

PATH = Path("docs/masking.jpg")
COLUMNS, ROWS, RESOLUTION, SEED = 6, 3, 192, 3
MEAN = (0.45, 0.44, 0.43)
"""About the mean colour of mannequins."""


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    count = COLUMNS * ROWS
    people = PeopleDataset(mannequin_people(count, 1, SEED), RESOLUTION)
    batch = collate([people[row] for row in range(count)])
    draws = torch.Generator().manual_seed(SEED)
    views, options = random_views(count, draws), MaskingOptions(True, mask_prob=1.0)
    images = view_images(batch["image"], views, RESOLUTION)
    size, order = batch["image"].shape[-1], MPII_16.flip_order
    points = view_keypoints(batch["keypoints"], views, size, RESOLUTION, order)
    covered = random_bars(points, RESOLUTION, options, draws)
    seen = mask_images(images, covered, MEAN, options, draws, draws).clamp(0, 1)
    pictures = (255 * seen).byte().permute(0, 2, 3, 1).numpy()
    tiles = [
        draw_pose(np.ascontiguousarray(image), joints, None, MPII_16)
        for image, joints in zip(pictures, points.numpy(), strict=True)
    ]
    write_image(PATH, contact_sheet(tiles, columns=COLUMNS, size=RESOLUTION))
    print(f"wrote {PATH}")


if __name__ == "__main__":
    main()
