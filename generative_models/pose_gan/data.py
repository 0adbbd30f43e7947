"""Which poses train, validate and test, and batches of them.

A GAN needs whole poses: clips of sources that lack a joint (ReActIdle has neither nose nor head)
are left out, and so are frames without a heading (`representation.heading`). Poses are drawn evenly
over the data sets, then over the people of a set, then over a person's frames, so that neither a
much-filmed person nor a large set rules.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from generative_models.pose_gan.h36m import read_h36m_motion
from generative_models.pose_gan.options import PoseDataOptions
from generative_models.pose_gan.representation import (
    STANDARD_SIZE,
    to_bones,
    to_canonical,
    to_joints,
)
from utils.errors import UserError
from utils.mannequin.motion_store import mannequin_store
from utils.mocap.store import MotionStore, in_split, of_people, read_stores
from utils.seeds import derive_seed

Split = Literal["train", "val", "test"]

MIN_POSES = 100
"""Fewer say nothing about what poses look like."""
_LEAST_SPREAD = 1e-3
"""Standard deviation of the most varied coordinate of a bone, as a part of the body's size."""
# Mannequin bodies that validate and test have numbers of their own.
HELD_OUT_BODIES = 20
_FIRST_BODY: dict[Split, int] = {"train": 0, "val": 1_000_000, "test": 2_000_000}
_MANY = 2**62
"""So much more than there are frames that the remainder of a number below it is uniform."""


@dataclass(frozen=True, eq=False)
class PosePool:
    """Poses to draw from, ordered by person.

    `bones` (F, 15, 3) canonical, of bodies of size 1; `starts` and `counts` (S,) a person's rows;
    `chances` (S,) of each to be drawn; `subjects` and `sources` (S,) names.
    """

    bones: Tensor
    starts: Tensor
    counts: Tensor
    chances: Tensor
    subjects: tuple[str, ...]
    sources: tuple[str, ...]

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Bones (count, 15, 3); the generator is on the CPU."""
        person = self.chances.multinomial(count, replacement=True, generator=generator)
        number = torch.randint(_MANY, (count,), generator=generator)
        rows = self.starts[person] + number % self.counts[person]
        return self.bones[rows.to(self.bones.device)]

    def even_poses(self, count: int) -> np.ndarray:
        """About `count` poses (N, 17, 3) float32, mm, of the standard body, canonical: as many of
        each data set, of them as many of each person, evenly spaced along that person's films. Of a
        person who has fewer, all."""
        shares = (self.chances / self.chances.sum() * count).round().clamp(min=1).long()
        numbers = zip(
            self.starts.tolist(),
            self.counts.tolist(),
            torch.minimum(shares, self.counts).tolist(),
            strict=True,
        )
        rows = [
            start + np.linspace(0, there - 1, wanted).round().astype(int)
            for start, there, wanted in numbers
        ]
        bones = self.bones[torch.from_numpy(np.concatenate(rows)).to(self.bones.device)]
        return (to_joints(bones) * STANDARD_SIZE).cpu().numpy()


def read_motion(data_dir: str) -> MotionStore:
    """The people of the motion stores in a folder, or of one store. Raises UserError."""
    path = Path(data_dir or "data/mocap")
    files = sorted(path.glob("*.npz")) if path.is_dir() or not path.exists() else [path]
    if not files:
        reason = "" if path.exists() else ", which does not exist"
        raise UserError(
            f"no motion capture in {path}{reason}: it needs motion stores (.npz), which `python "
            f"data/prepare.py mocap FOLDER --output {path}/NAME.npz` makes from BVH or ASF/AMC "
            "files; train.py 3d_pose_gan_mannequin and 3d_pose_vae_mannequin need no data, nor do "
            "eval.py and viz.py with --dataset mannequin"
        )
    return of_people(read_stores(files))


def read_splits(data: PoseDataOptions, splits: Sequence[Split], seed: int) -> list[MotionStore]:
    """The motion of each split. Raises UserError for what is absent or damaged."""
    if data.dataset == "mannequin":
        counts = {"train": data.mannequin_count}
        return [
            mannequin_store(seed, _FIRST_BODY[one], counts.get(one, HELD_OUT_BODIES))
            for one in splits
        ]
    if data.dataset == "h36m":
        found = read_h36m_motion(data.data_dir or "data/h36m")
    else:
        found = read_motion(data.data_dir)
    return [found.select(in_split(found.subjects, data, one)) for one in splits]


def pool_poses(store: MotionStore, device: torch.device | str = "cpu") -> PosePool:
    """The whole poses of a store. Raises UserError if they are too few, or do not differ."""
    whole = np.asarray(store.valid_of_frame().all(axis=1))
    # From y up to y down, by half a turn about x.
    poses = store.positions[whole] * np.array([1, -1, -1], np.float32)
    bones = to_bones(to_canonical(torch.from_numpy(poses))[0])
    usable = bones.isfinite().flatten(1).all(1).numpy()
    subjects = store.subjects[store.clip_of_frame()][whole][usable]
    if len(subjects) < MIN_POSES:
        raise UserError(
            f"only {len(subjects)} of {len(whole)} poses have all joints and a heading; at least "
            f"{MIN_POSES} are needed"
        )
    bones = bones[torch.from_numpy(np.flatnonzero(usable))]
    if not bones.std(0).max() > _LEAST_SPREAD:
        raise UserError(f"the {len(subjects)} poses are all the same: there is nothing to learn")
    names, code, counts = np.unique(subjects, return_inverse=True, return_counts=True)
    order = torch.from_numpy(np.argsort(code, kind="stable"))
    set_of = dict(zip(store.subjects.tolist(), store.sources.tolist(), strict=True))
    sources = [set_of[name] for name in names.tolist()]
    _, set_code, people = np.unique(sources, return_inverse=True, return_counts=True)
    return PosePool(
        bones[order].to(device),
        torch.from_numpy(np.cumsum(counts) - counts),
        torch.from_numpy(counts),
        torch.from_numpy(1 / people[set_code]),
        tuple(names.tolist()),
        tuple(sources),
    )


def pose_pools(
    data: PoseDataOptions,
    splits: Sequence[Split],
    seed: int,
    device: torch.device | str = "cpu",
) -> list[PosePool]:
    """The poses of each split. seed: of the mannequins. Raises UserError."""
    return [pool_poses(store, device) for store in read_splits(data, splits, seed)]


class PoolBatches:
    """Batches drawn from a pool, decided by (seed, epoch, step, rank): an epoch has any length."""

    def __init__(
        self, pool: PosePool, batch_size: int, steps: int, seed: int, rank: int = 0
    ) -> None:
        self.pool, self.batch_size, self.steps = pool, batch_size, steps
        self.seed, self.rank = seed, rank

    def __len__(self) -> int:
        return self.steps

    def epoch(self, epoch: int, start: int = 0) -> Iterator[dict[str, Tensor]]:
        """Batches {"bones": (B, 15, 3)} of an epoch from step `start` on."""
        for step in range(start, self.steps):
            seed = derive_seed("poses", self.seed, epoch, step, self.rank)
            bones = self.pool.draw(self.batch_size, torch.Generator().manual_seed(seed))
            yield {"bones": bones}
