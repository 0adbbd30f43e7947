"""Minibatches of poses, made for the whole batch on the model's device.

A minibatch is a dict of tensors: poses_3d (B, 17, 3) Human3.6M-17, mm in the camera frame, NaN
unknown; valid (B, 17) bool; poses_2d (B, J, 2) px, NaN absent; intrinsics (B, 4) px; up (B, 3) the
world's upward direction in camera axes; size (B,) mm, of the body; and, where lenses bend,
distortion (B, 5).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from twod_threed.alignment import body_size
from twod_threed.pairs import PosePairs
from twod_threed.view_ranges import ViewRanges
from twod_threed.views import Y_UP, draw_views, project_mpii
from utils.batches import Plan
from utils.errors import UserError
from utils.mocap.store import MotionStore
from utils.seeds import derive_seed

Minibatch = dict[str, Tensor]

UP = Y_UP
"""Upward direction of motion capture."""
_MANY = 2**62
"""So much more than there are frames that the remainder of a number below it is uniform."""
_MEASURED = 2000
"""Poses of a subject that its body's size is measured on."""


@dataclass(frozen=True)
class Bodies:
    """Who is who: names (S,), the subject of each pose (N,) and the size of each body (S,) mm."""

    names: np.ndarray
    subject: np.ndarray
    size: np.ndarray

    @property
    def standard_size(self) -> float:
        """Median size of the bodies, mm: some sets are not sure of their scale."""
        return float(np.median(self.size))


def measure_bodies(
    poses: np.ndarray, valid: np.ndarray, clip_subjects: np.ndarray, clip: np.ndarray
) -> Bodies:
    """Median size over the poses of each subject.

    poses (N, 17, 3) mm, valid (N, 17) bool, clip (N,) the clip of each pose, clip_subjects (C,) who
    moves in it. Raises UserError if a subject lacks every bone that its size could be measured by.
    """
    names, code_of_clip = np.unique(clip_subjects, return_inverse=True)
    used, subject = np.unique(code_of_clip[clip], return_inverse=True)
    names, sizes = names[used], []
    for code, name in enumerate(names):
        rows = np.flatnonzero(subject == code)
        rows = rows[:: max(1, len(rows) // _MEASURED)]
        known = np.where(valid[rows][..., None], poses[rows], np.nan)
        size = float(body_size(torch.from_numpy(known)).nanmedian())
        if not size > 0:
            raise UserError(f"{name} has no bone of limbs or trunk to measure the body by")
        sizes.append(size)
    return Bodies(names, subject, np.array(sizes))


def body_chances(store: MotionStore, bodies: Bodies) -> np.ndarray:
    """Chance (S,) of each body to be drawn: all data sets alike, and all bodies of a set alike.

    Then neither a set of one much-filmed body rules, nor one of many who all do the same.
    """
    set_of_subject = dict(zip(store.subjects.tolist(), store.sources.tolist(), strict=True))
    sets = [set_of_subject[name] for name in bodies.names.tolist()]
    _, code, count = np.unique(sets, return_inverse=True, return_counts=True)
    return 1 / (len(count) * count[code])


def as_tensor(array: np.ndarray, device: torch.device | str, dtype: torch.dtype) -> Tensor:
    """A copy of the array on a device."""
    return torch.from_numpy(np.ascontiguousarray(array)).to(device=device, dtype=dtype)


class PairBatches:
    """Batches of fixed pairs, in the order of a plan."""

    def __init__(
        self, pairs: PosePairs, bodies: Bodies, plan: Plan, device: torch.device | str = "cpu"
    ) -> None:
        self.plan, self.device = plan, device
        up = pairs.rotation @ pairs.up
        tables = {"intrinsics": pairs.intrinsics, "up": up}
        if pairs.distortion.any():
            tables["distortion"] = pairs.distortion
        self.tables = {k: as_tensor(v, device, torch.float32) for k, v in tables.items()}
        self.rows = {
            "poses_3d": as_tensor(pairs.poses_3d, device, torch.float32),
            "poses_2d": as_tensor(pairs.poses_2d, device, torch.float32),
            "valid": as_tensor(pairs.valid, device, torch.bool),
        }
        self.camera = as_tensor(pairs.camera, device, torch.int32)
        self.subject = as_tensor(bodies.subject, device, torch.int32)
        self.size = as_tensor(bodies.size, device, torch.float32)

    def __len__(self) -> int:
        return len(self.plan)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Minibatch]:
        """Batches of an epoch from step `start` on."""
        for _, indices in self.plan.epoch(epoch, start):
            index = torch.from_numpy(indices).to(self.device)
            camera = self.camera[index]
            batch = {name: values[index] for name, values in self.rows.items()}
            batch |= {name: values[camera] for name, values in self.tables.items()}
            yield batch | {"size": self.size[self.subject[index]]}


class FrameDraw:
    """Frames of motion, drawn at random: a body (`body_chances`), then one of its frames, all
    equally likely."""

    def __init__(self, store: MotionStore, bodies: Bodies, device: torch.device | str) -> None:
        self.order = as_tensor(np.argsort(bodies.subject, kind="stable"), device, torch.int64)
        counts = np.bincount(bodies.subject, minlength=len(bodies.names))
        self.counts = as_tensor(counts, device, torch.int64)
        self.starts = as_tensor(np.cumsum(counts) - counts, device, torch.int64)
        self.sizes = as_tensor(bodies.size, device, torch.float32)
        self.chances = as_tensor(body_chances(store, bodies), device, torch.float32)

    def draw(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Frames of the store (count,), and the sizes of their bodies (count,), mm."""
        body = self.chances.multinomial(count, replacement=True, generator=generator)
        number = torch.randint(_MANY, (count,), generator=generator, device=generator.device)
        return self.order[self.starts[body] + number % self.counts[body]], self.sizes[body]


class MotionBatches:
    """Batches of motion capture, drawn evenly over the bodies, seen by cameras drawn for them.

    Each pose of a batch: a body and one of its frames (`FrameDraw`); a camera
    (`twod_threed.views`). Everything is decided by (seed, epoch, step, rank), so
    an epoch has any length that is asked for: `steps` batches of `batch_size` poses.
    """

    def __init__(
        self,
        store: MotionStore,
        bodies: Bodies,
        batch_size: int,
        steps: int,
        seed: int,
        rank: int = 0,
        device: torch.device | str = "cpu",
        ranges: ViewRanges | None = None,
    ) -> None:
        self.batch_size, self.steps, self.seed, self.rank = batch_size, steps, seed, rank
        self.device, self.ranges = device, ranges or ViewRanges()
        self.positions = as_tensor(store.positions, device, torch.float32)
        self.frames = FrameDraw(store, bodies, device)

    def __len__(self) -> int:
        return self.steps

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Minibatch]:
        """Batches of an epoch from step `start` on."""
        for step in range(start, self.steps):
            seed = derive_seed("motion", self.seed, epoch, step, self.rank)
            yield self.draw(torch.Generator(self.device).manual_seed(seed))

    def draw(self, generator: torch.Generator) -> Minibatch:
        """One batch, decided by the state of the generator, which is on the device of the poses."""
        frame, size = self.frames.draw(self.batch_size, generator)
        world = self.positions[frame]
        views = draw_views(world, generator, self.ranges, UP)
        poses = views.to_camera(world)
        return {
            "poses_3d": poses,
            "valid": ~poses[..., 0].isnan(),
            "poses_2d": project_mpii(poses, views.intrinsics),
            "intrinsics": views.intrinsics,
            "up": views.rotation @ torch.tensor(UP, device=self.device),
            "size": size,
        }
