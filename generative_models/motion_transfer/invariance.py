"""How much codes change with what they should not depend on, measured on motion of known truth."""

import csv
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from generative_models.motion_transfer.data import Windows
from generative_models.motion_transfer.limbs import scale_limbs
from generative_models.motion_transfer.motion import Motion
from generative_models.motion_transfer.normalisation import local_rows
from generative_models.motion_transfer.predictor import LearnedRetargeter
from generative_models.motion_transfer.training import random_factors
from generative_models.motion_transfer.views import random_views, seen, turns
from utils.atomic import atomic_path

FRAMES, COUNT = 64, 256
"""Windows that are looked at: how long, how many."""


def relative_change(codes: Tensor, changed: Tensor) -> float:
    """Mean distance of codes (B, C, T) from those after a change, by the mean distance from those
    of other samples after it. 0: invariant; 1: what stayed cannot be told from the codes."""
    codes, changed = codes.flatten(1), changed.flatten(1)
    same = (codes - changed).norm(dim=1).mean()
    return float(same / (codes - changed.roll(1, 0)).norm(dim=1).mean())


@torch.inference_mode()
def invariances(
    model: LearnedRetargeter, motion: Motion, limb_scale: tuple[float, float], seed: int
) -> dict[str, float]:
    """`relative_change` of each code with each thing that it should not tell.

    Every sample has limbs and a view of its own. Changed are the limbs (factors in `limb_scale`),
    the side from which it is seen, the motion (another clip of the same person).
    Raises UserError if no clip is long enough.
    """
    generator, vertical = torch.Generator().manual_seed(seed), torch.tensor([0.0, 1.0, 0.0])
    clips, others = Windows(motion, FRAMES).draw(np.random.default_rng(seed), COUNT)
    limbs, other_limbs = (random_factors(COUNT, limb_scale, generator) for _ in range(2))
    view = random_views(COUNT, generator, torch.device("cpu"))
    angles = 2 * math.pi * torch.rand(COUNT, generator=generator)
    other_view = view @ turns(vertical.expand(COUNT, 3), angles)
    first, on_other_limbs, turned, moving_otherwise = (
        model.codes(local_rows(seen(scale_limbs(points, factors), side)))
        for points, factors, side in (
            (clips, limbs, view),
            (clips, other_limbs, view),
            (clips, limbs, other_view),
            (others, limbs, view),
        )
    )
    return {
        "motion, on other limbs": relative_change(first.motion, on_other_limbs.motion),
        "motion, from another side": relative_change(first.motion, turned.motion),
        "body, moving otherwise": relative_change(first.body, moving_otherwise.body),
        "body, from another side": relative_change(first.body, turned.body),
        "view, on other limbs": relative_change(first.view, on_other_limbs.view),
    }


def invariance_table(changes: Mapping[str, float]) -> str:
    """A line for each."""
    lines = ["change of codes (0: none, 1: as unlike as those of others)"]
    return "\n".join(lines + [f"{name:27}{change:6.3f}" for name, change in changes.items()])


def write_invariances(path: Path, changes: Mapping[str, float]) -> None:
    """A CSV file, whole or not at all."""
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("code", "relative_change"), *changes.items()])
