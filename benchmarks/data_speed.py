"""Images a second of what feeds the network: mannequins, crops, views and targets.

python -m benchmarks.data_speed
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch

from benchmarks.timing import machine, print_rows, rate
from stacked_hourglass.augmentation import random_views, view_images, view_keypoints
from stacked_hourglass.data import PeopleDataset, collate
from stacked_hourglass.person_table import PictureFiles, make_table
from stacked_hourglass.targets import make_heatmaps, to_heatmap
from utils.batches import LoadedBatches, Order, Plan
from utils.crops import whole_image_box
from utils.images import write_image
from utils.mannequin import render_mpii
from utils.skeletons import MPII_16

BATCH, COUNT = 32, 128


def mannequins(count: int, seed: int) -> list[np.ndarray]:
    """Pictures of 256 px."""
    return [render_mpii(seed, index)[0] for index in range(count)]


def batches_from_files(folder: Path, workers: int) -> LoadedBatches:
    """The pipeline of `train.py` over pictures on disk: decode, crop, collate."""
    for number, image in enumerate(mannequins(COUNT, 0)):
        write_image(folder / f"{number:03d}.jpg", image)
    names = np.array([f"{number:03d}.jpg" for number in range(COUNT)])
    keypoints = np.full((COUNT, 16, 2), 100.0)
    boxes = np.tile(whole_image_box(256, 256), (COUNT, 1))
    table = make_table(
        "mannequin",
        PictureFiles(folder, names),
        keypoints,
        np.ones((COUNT, 16)),
        boxes,
        np.full(COUNT, "train"),
    )
    order = Order([COUNT], 0, shuffle=True)
    return LoadedBatches(PeopleDataset(table, 256), Plan(order, BATCH, True), workers, collate)


def views_and_targets(batch: dict[str, torch.Tensor]) -> None:
    """What happens to a batch on the device before the network sees it."""
    views = random_views(len(batch["image"]), torch.Generator().manual_seed(0))
    view_images(batch["image"], views, 256)
    size = batch["image"].shape[-1]
    joints = view_keypoints(batch["keypoints"], views, size, 256, MPII_16.flip_order)
    make_heatmaps(to_heatmap(joints), 64, 64, 1.0)


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    rows = [("what", "images/s")]
    rows.append(("mannequin, 256 px, one core", str(rate(lambda: mannequins(25, 1), 25))))
    with tempfile.TemporaryDirectory() as folder:
        for workers in (0, 2):
            batches = batches_from_files(Path(folder), workers)
            rows.append(
                (
                    f"decode and crop for 256 px, {workers} workers",
                    str(rate(lambda: list(batches.epoch(0)), COUNT)),  # noqa: B023
                )
            )
        batch = next(iter(batches_from_files(Path(folder), 0).epoch(0)))
        rows.append(
            ("views and targets, 256 px", str(rate(lambda: views_and_targets(batch), BATCH)))
        )
    print(machine())
    print_rows("Data", rows)


if __name__ == "__main__":
    main()
