"""The built-in mannequin as a table of people, rendered once and kept as a training pack.

Rendering is slower than training on a GPU, so it is done once for each number of pictures and seed;
the pack lies in `.cache/` and is made again when the mannequin's code changes.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from stacked_hourglass.pack import PACK_SUFFIX, encode, read_pack, write_crops
from stacked_hourglass.person_table import PersonTable, Picture, mix
from utils import dataset_statistics, mannequin
from utils.errors import UserError
from utils.processes import over_processes

VERSION = 1
QUALITY = 80
# Fewer pictures than this are rendered here: starting processes would take longer.
WORTH_PROCESSES = 100
# Far from the seeds that people choose, so that nobody trains on pictures that validate.
VALIDATION_SEED = 1_000_003


class Rendered(NamedTuple):
    """One picture with its ground truth; joints outside the picture are NaN."""

    data: bytes
    part: Picture
    keypoints: np.ndarray
    visibility: np.ndarray
    box: np.ndarray


def mannequin_people(count: int, validation_count: int, seed: int) -> PersonTable:
    """`count` people to train on, and others to validate on, each in a picture of their own.

    The same for the same numbers and seed. Raises UserError for numbers below 0, or both 0.
    """
    if min(count, validation_count) < 0 or count + validation_count == 0:
        raise UserError(f"{count} mannequins to train on and {validation_count} to validate on")
    parts = [(count, seed, "train"), (validation_count, seed + VALIDATION_SEED, "val")]
    return replace(mix([_rendered_once(*part) for part in parts if part[0]]), name="mannequin")


def _rendered_once(count: int, seed: int, split: str) -> PersonTable:
    options = {"count": count, "seed": seed, "split": split}
    names = [f"mannequin_{split}{index:06d}.png" for index in range(count)]
    return kept_once("mannequin_people", options, partial(_render_all, seed, count), split, names)


def kept_once(
    what: str,
    options: dict[str, Any],
    render: Callable[[], Iterable[Rendered]],
    split: str,
    names: list[str],
    film: np.ndarray | None = None,
) -> PersonTable:
    """The pack of what `render` gives, one picture for each of `names`; rendered if .cache/ has
    none of the same options and code."""
    code = sorted(Path(mannequin.__file__).parent.glob("*.*"))
    key = dataset_statistics.cache_key(what, code, options, VERSION)
    path = dataset_statistics.CACHE / f"{key}{PACK_SUFFIX}"
    if not path.is_file():
        if len(names) >= WORTH_PROCESSES:
            # At once, even into a file: it may take minutes, and only a terminal gets a bar.
            print(f"renders {len(names)} mannequins ({split}), once: {path} keeps them", flush=True)
        _write(path, list(render()), split, names, film)
    return read_pack(path)


def _render_all(seed: int, count: int) -> Iterator[Rendered]:
    yield from over_processes(partial(_render, seed), count, "mannequins", WORTH_PROCESSES)


def _render(seed: int, index: int) -> Rendered:
    return as_rendered(*mannequin.render_mpii(seed, index))


def as_rendered(
    image: np.ndarray, keypoints: np.ndarray, visibility: np.ndarray, box: np.ndarray
) -> Rendered:
    """A picture (H, W, 3) uint8 RGB, the joints (16, 2) px and visibility (16,) of its person, and
    the box (3,) px."""
    inside = Picture(image).contains(keypoints)
    keypoints = np.where(inside[:, None], keypoints, np.nan)
    visibility = np.where(inside, visibility, np.nan)
    part = Picture(image[:0, :0], original_size=(image.shape[1], image.shape[0]))
    return Rendered(encode(image, QUALITY), part, keypoints, visibility, box)


def _write(
    path: Path, rendered: list[Rendered], split: str, names: list[str], film: np.ndarray | None
) -> None:
    count = len(rendered)
    columns = {
        "keypoints": np.array([r.keypoints for r in rendered], np.float32),
        "visibility": np.array([r.visibility for r in rendered], np.float32),
        "box": np.array([r.box for r in rendered], np.float32),
        "head_box": np.full((count, 4), np.nan, np.float32),
        "split": np.full(count, split, "U5"),
        "annotation_id": np.arange(count),
        "film": np.full(count, -1) if film is None else film,
    }
    write_crops(path, "mannequin", columns, names, [(r.data, r.part) for r in rendered])
