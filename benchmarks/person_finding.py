"""How well `run.py pose` finds a person who fills less of the picture.

    python -m benchmarks.person_finding --data_dir data/lsp [--load NAME] [--wider 1 1.6 2.5]

LSP's validation pictures, which a person fills, as they are and somewhere in rendered backgrounds
whose sides are so many times as long. PCK at 0.2 of the torso, all joints, without mirroring;
beside it what the same network finds if it is told where the small picture is.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from benchmarks.timing import print_rows
from stacked_hourglass.pck import joint_mean, normalised_distances, pck, torso_lengths
from stacked_hourglass.person_table import PersonTable
from stacked_hourglass.predictor import Predictor
from stacked_hourglass.readers import read_lsp
from stitched.person_finder import find_people, look
from utils.mannequin import MannequinOptions, sample_scene
from utils.skeletons import MPII_16

SEED = 3
SCENE = MannequinOptions(320, 320, degradation=False)


def pictures(people: PersonTable, wider: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pictures uint8 (S, S, 3), and where in them (2,) px the person's own picture begins."""
    generator = np.random.default_rng(SEED)
    for row in range(len(people)):
        small = people.read_picture(row).image
        if wider <= 1:
            yield small, np.zeros(2)
            continue
        height, width = small.shape[:2]
        side = int(wider * max(height, width))
        backdrop = np.clip(sample_scene(SEED, row, SCENE).backdrop.image, 0, 255)
        image = cv2.resize(backdrop.astype(np.uint8), (side, side))
        x, y = generator.integers(0, side - np.array([width, height]) + 1)
        image[y : y + height, x : x + width] = small
        yield image, np.array([x, y])


def score(found: list[np.ndarray], people: PersonTable) -> str:
    """PCK at 0.2 of the torso, per cent, of joints (16, 2) px of each person's own picture."""
    lengths = torso_lengths(people.keypoints, MPII_16)
    distances = normalised_distances(np.stack(found), people.keypoints, lengths)
    return f"{joint_mean(pck(distances, np.array([0.2])))[0]:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data_dir", type=Path, default=Path("data/lsp"))
    parser.add_argument("--load", default="lightweight")
    parser.add_argument("--wider", type=float, nargs="+", default=[1, 1.6, 2.5])
    chosen = parser.parse_args()
    people = read_lsp(chosen.data_dir).of_split("val")
    predictor = Predictor.load(chosen.load)
    rows = [("sides of the picture", "found", "told where")]
    for wider in chosen.wider:
        found, told = [], []
        items = pictures(people, wider)
        for row, (image, corner) in enumerate(tqdm(items, total=len(people), disable=None)):
            box = people.box[row] + [*corner, 0]
            found.append(find_people(predictor, [image], flip=False)[0].keypoints - corner)
            told.append(look(predictor, [image], box[None], False)[0].keypoints - corner)
        rows.append((f"x {wider:g}", score(found, people), score(told, people)))
    print_rows(f"{len(people)} people, {chosen.load}", rows)


if __name__ == "__main__":
    main()
