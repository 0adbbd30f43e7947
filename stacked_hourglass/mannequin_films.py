"""Films of the built-in mannequin as a table of people, rendered once and kept as a pack."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from stacked_hourglass.mannequin_people import (
    VALIDATION_SEED,
    Rendered,
    as_rendered,
    kept_once,
)
from stacked_hourglass.person_table import PersonTable, mix
from utils.mannequin import MannequinOptions, render_clip
from utils.processes import over_processes
from utils.seeds import derive_seed

FPS = 10.0
SIZE = 192
# Fewer films than this are rendered here: starting processes would take longer.
WORTH_PROCESSES = 12


def mannequin_films(count: int, validation_count: int, frames: int, seed: int) -> PersonTable:
    """`count` films to train on, and others to validate on, of one person each before a background
    and behind things at rest and passing by, `frames` long at FPS frames a second.

    The same for the same numbers and seed.
    """
    parts = [(count, seed, "train"), (validation_count, seed + VALIDATION_SEED, "val")]
    tables = [_rendered_once(*part, frames) for part in parts if part[0]]
    return replace(mix(tables), name="mannequin_video")


def _rendered_once(count: int, seed: int, split: str, frames: int) -> PersonTable:
    options = {"count": count, "seed": seed, "split": split, "frames": frames, "passing": True}
    film = np.repeat(np.arange(count), frames)
    names = [f"film{row // frames:05d}/{row % frames:04d}.png" for row in range(count * frames)]
    render = partial(_render_all, seed, count, frames)
    return kept_once("mannequin_films", options, render, split, names, film)


def _render_all(seed: int, count: int, frames: int) -> Iterator[Rendered]:
    render = partial(_render, seed, frames)
    for film in over_processes(render, count, "films of mannequins", WORTH_PROCESSES):
        yield from film


def _render(seed: int, frames: int, index: int) -> list[Rendered]:
    options = MannequinOptions(SIZE, SIZE, passing=True)
    clip = render_clip(derive_seed("mannequin film", seed, index), frames, FPS, options)
    people = ((sample.image, sample.people[0]) for sample in clip)
    return [
        as_rendered(image, one.keypoints_2d_mpii, one.visibility_mpii, one.box)
        for image, one in people
    ]
