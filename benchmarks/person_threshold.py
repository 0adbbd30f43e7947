"""Where nobody is: what `run.py pose --min_confidence` lets through, and whom it misses.

    python -m benchmarks.person_threshold [--count 100] [--load NAME] [--people data/lsp/images]

The backgrounds of mannequins, rendered without them, tell how often somebody is seen where nobody
is; the same scenes with them, or the last pictures of a folder, how often somebody is missed.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

from benchmarks.timing import print_rows
from stacked_hourglass.predictor import Predictor
from stitched.inputs import natural_order
from stitched.options import PeopleOptions
from stitched.person_finder import find_people
from utils.images import IMAGE_SUFFIXES, read_image
from utils.mannequin import MannequinOptions, render_scene, sample_scene

SEED = 7
SIZE = 320
THRESHOLDS = (0.1, 0.2, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65)


def scenes(count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pictures (SIZE, SIZE, 3) of backgrounds alone, and with a mannequin in front."""
    options = MannequinOptions(SIZE, SIZE, degradation=False)
    for index in range(count):
        scene = sample_scene(SEED, index, options)
        background = np.clip(scene.backdrop.image, 0, 255).astype(np.uint8)
        yield background, render_scene(scene).image


def sureness(predictor: Predictor, images: list[np.ndarray]) -> np.ndarray:
    """Mean confidence of who is found in each picture, without mirroring."""
    found = [find_people(predictor, [image], flip=False)[0] for image in tqdm(images, disable=None)]
    return np.array([one.mean_confidence for one in found])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--load", default="lightweight")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--people", type=Path, help="folder of pictures of people")
    chosen = parser.parse_args()
    empty, peopled = map(list, zip(*scenes(chosen.count), strict=True))
    if chosen.people:
        paths = [path for path in chosen.people.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES]
        peopled = [read_image(path) for path in natural_order(paths)[-chosen.count :]]
    predictor = Predictor.load(chosen.load)
    nobody, somebody = sureness(predictor, empty), sureness(predictor, peopled)
    rows = [("--min_confidence", "seen where nobody is", "missed")]
    rows += [
        (f"{limit:.2f}", f"{(nobody >= limit).mean():.1%}", f"{(somebody < limit).mean():.1%}")
        for limit in THRESHOLDS
    ]
    default = PeopleOptions().min_confidence
    print_rows(f"{len(nobody)} pictures of each kind; the default is {default:g}", rows)


if __name__ == "__main__":
    main()
