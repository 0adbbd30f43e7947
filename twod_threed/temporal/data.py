"""Minibatches of windows, made for the whole batch on the model's device.

A minibatch is a dict of tensors.
Of the frames that go in: poses_2d (B, T, J, 2) px, NaN absent.
Of those that come out, S in the middle (or at the end, if causal): poses_3d (B, S, J', 3) mm in the
camera frame, NaN unknown, and valid (B, S, J') bool.
Of the camera, which holds still: intrinsics (B, 4) px, image_size (B, 2) px and, where lenses bend,
distortion (B, 5). Of the body: size (B,) mm.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from twod_threed.augmentation import drop_joints
from twod_threed.data import UP, Bodies, FrameDraw, as_tensor
from twod_threed.detector_noise import NoiseTable, add_noise
from twod_threed.pairs import PosePairs
from twod_threed.temporal.options import WindowOptions
from twod_threed.temporal.windows import Reach, Windows
from twod_threed.view_ranges import ViewRanges
from twod_threed.views import frame_points
from utils.batches import Batches, Plan
from utils.cameras import project
from utils.mocap.store import MotionStore
from utils.seeds import derive_seed
from utils.skeleton_conversion import convert
from utils.skeletons import H36M_17, MPII_16, Skeleton, skeleton_named

Minibatch = dict[str, Tensor]

_FRAMED = 9
"""Frames of a window, evenly spaced from first to last, that are held in the picture. What moves
between them hardly leaves it, and all frames of a window would take much longer."""


def take(table: Tensor, rows: Tensor) -> Tensor:
    """Rows (B, T) of a table (N, ...): (B, T, ...)."""
    return table.index_select(0, rows.flatten()).unflatten(0, tuple(rows.shape))


def mirrored(
    batch: Minibatch, which: Tensor, skeleton_2d: Skeleton, skeleton_3d: Skeleton
) -> Minibatch:
    """The windows marked in `which` (B,) in a mirror: a reflection of picture, camera and person.

    x of the picture is counted from the other edge, left and right joints change places, and the
    camera becomes the one that sees so: its centre moves to the other side, and the tangential
    coefficient that goes with x (p2 of `utils.cameras`) changes its sign. Done twice, it is undone.
    """
    width = batch["image_size"][:, 0]
    points, poses = batch["poses_2d"], batch["poses_3d"]
    turned = _exchanged(points, skeleton_2d)
    x = torch.where(which, width, 0)[:, None, None] + _sign(which, 2) * turned[..., 0]
    wide = which[:, None, None, None]
    points = torch.where(wide, torch.stack([x, turned[..., 1]], -1), points)
    poses = torch.where(wide, _reflected(poses, skeleton_3d), poses)
    valid = batch["valid"]
    valid = torch.where(which[:, None, None], _exchanged(valid, skeleton_3d), valid)
    lens = batch["intrinsics"].clone()
    lens[:, 2] = torch.where(which, width - lens[:, 2], lens[:, 2])
    made = {"poses_2d": points, "poses_3d": poses, "valid": valid, "intrinsics": lens}
    if "distortion" in batch:
        made["distortion"] = batch["distortion"].clone()
        made["distortion"][:, 4] *= _sign(which, 0)
    return batch | made


def _exchanged(values: Tensor, skeleton: Skeleton) -> Tensor:
    """(B, T, J, ...) with left and right joints exchanged."""
    # Many times as fast as indexing with a list.
    order = torch.tensor(skeleton.flip_order, device=values.device)
    return values.index_select(2, order)


def _reflected(poses: Tensor, skeleton: Skeleton) -> Tensor:
    """Poses (B, T, J, 3) in a mirror: x has the other sign, left and right joints change places."""
    return _exchanged(poses, skeleton) * poses.new_tensor([-1.0, 1.0, 1.0])


def _sign(which: Tensor, axes: int) -> Tensor:
    """-1 where marked, else 1: (B,), with so many axes of length 1 after it."""
    return torch.where(which, -1.0, 1.0)[(...,) + (None,) * axes]


class FilmBatches:
    """Batches of windows of fixed films, in the order of a plan.

    The plan's samples are the windows; with `mirror` there are twice as many, the second half being
    the mirror images of the first. `whole_films`: frames beyond the ends of a film are not valid,
    so that every frame counts once.
    """

    def __init__(
        self,
        pairs: PosePairs,
        windows: Windows,
        bodies: Bodies,
        plan: Plan,
        mirror: bool = False,
        whole_films: bool = False,
        device: torch.device | str = "cpu",
    ) -> None:
        self.windows, self.plan, self.device = windows, plan, device
        self.mirror, self.whole_films = mirror, whole_films
        self.skeletons = skeleton_named(pairs.skeleton_2d), skeleton_named(pairs.skeleton_3d)
        self.poses_2d = as_tensor(pairs.poses_2d, device, torch.float32)
        self.poses_3d = as_tensor(pairs.poses_3d, device, torch.float32)
        self.valid = as_tensor(pairs.valid, device, torch.bool)
        tables = {"intrinsics": pairs.intrinsics, "image_size": pairs.image_size}
        if pairs.distortion.any():
            tables["distortion"] = pairs.distortion
        self.tables = {k: as_tensor(v, device, torch.float32) for k, v in tables.items()}
        self.camera = as_tensor(pairs.camera, device, torch.int32)
        self.subject = as_tensor(bodies.subject, device, torch.int32)
        self.size = as_tensor(bodies.size, device, torch.float32)

    def __len__(self) -> int:
        return len(self.plan)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Minibatch]:
        """Batches of an epoch from step `start` on."""
        for _, indices in self.plan.epoch(epoch, start):
            yield self.make(torch.from_numpy(indices).to(self.device))

    def make(self, index: Tensor) -> Minibatch:
        """The windows, or mirror images, with these numbers (B,)."""
        count = len(self.windows)
        rows = self.windows.choose(index % count)
        valid = take(self.valid, rows.outputs)
        if self.whole_films:
            valid = valid & rows.inside[..., None]
        camera = self.camera[rows.outputs[:, 0]]
        batch = {
            "poses_2d": take(self.poses_2d, rows.inputs),
            "poses_3d": take(self.poses_3d, rows.outputs),
            "valid": valid,
            "size": self.size[self.subject[rows.outputs[:, 0]]],
        }
        batch |= {name: values[camera] for name, values in self.tables.items()}
        return mirrored(batch, index >= count, *self.skeletons) if self.mirror else batch


class MotionWindows:
    """Batches of windows of motion capture, each seen by a camera that is drawn for it.

    Each window: a body and one of its frames (`FrameDraw`); half of the windows in a mirror, if
    asked for; a camera that stands still and has the person in its picture from first to last
    (`twod_threed.views`). Everything is decided by (seed, epoch, step, rank).
    """

    def __init__(
        self,
        store: MotionStore,
        bodies: Bodies,
        stride: int,
        reach: Reach,
        windows: int,
        steps: int,
        seed: int,
        rank: int = 0,
        mirror: bool = False,
        ranges: ViewRanges | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self.count, self.steps, self.seed, self.rank = windows, steps, seed, rank
        self.stride, self.reach, self.mirror = stride, reach, mirror
        self.device, self.ranges = device, ranges or ViewRanges()
        self.positions = as_tensor(store.positions, device, torch.float32)
        clip = store.clip_of_frame()
        self.first = as_tensor(store.starts[:-1][clip], device, torch.int64)
        self.last = as_tensor(store.starts[1:][clip] - 1, device, torch.int64)
        self.frames = FrameDraw(store, bodies, device)
        begin = -reach.before - (stride - 1) // 2
        length = reach.before + stride + reach.after
        self.offsets = begin + torch.arange(length, device=device)
        self.framed = torch.linspace(0, length - 1, min(length, _FRAMED), device=device).long()

    def __len__(self) -> int:
        return self.steps

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Minibatch]:
        """Batches of an epoch from step `start` on."""
        for step in range(start, self.steps):
            seed = derive_seed("motion windows", self.seed, epoch, step, self.rank)
            yield self.draw(torch.Generator(self.device).manual_seed(seed))

    def draw(self, generator: torch.Generator) -> Minibatch:
        """One batch, decided by the state of the generator, which is on the device."""
        frame, size = self.frames.draw(self.count, generator)
        rows = torch.maximum(frame[:, None] + self.offsets, self.first[frame, None])
        world = take(self.positions, torch.minimum(rows, self.last[frame, None]))
        if self.mirror:
            coin = torch.randint(2, (self.count, 1, 1, 1), generator=generator, device=self.device)
            world = torch.where(coin == 1, _reflected(world, H36M_17), world)
        return self._seen(world, generator) | {"size": size}

    def _seen(self, world: Tensor, generator: torch.Generator) -> Minibatch:
        """Windows (B, T, 17, 3), mm, y up, as their cameras see them."""
        joints = convert(world, H36M_17, MPII_16).poses
        points = joints.flatten(1, 2)
        framed = joints.index_select(1, self.framed).flatten(1, 2)
        views = frame_points(framed, generator, self.ranges, UP)
        pixels = project(views.to_camera(points), views.intrinsics)
        wanted = world[:, self.reach.before : self.reach.before + self.stride]
        poses = views.to_camera(wanted.flatten(1, 2)).unflatten(1, (self.stride, -1))
        return {
            "poses_2d": pixels.unflatten(1, tuple(joints.shape[1:3])),
            "poses_3d": poses,
            "valid": ~poses[..., 0].isnan(),
            "intrinsics": views.intrinsics,
            "image_size": views.image_size,
        }


class PairedBatches:
    """Labelled batches, each with an unlabelled one: how many labelled ones there are is an epoch.

    The unlabelled are gone through again and again, in a new order each time. They stand in the
    minibatch with `prefix` before their names, without their 3D.
    """

    prefix = "unlabelled_"

    def __init__(self, labelled: Batches, unlabelled: Batches) -> None:
        self.labelled, self.unlabelled = labelled, unlabelled

    def __len__(self) -> int:
        return len(self.labelled)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Minibatch]:
        """Batches of an epoch from step `start` on."""
        others = self._others(epoch * len(self) + start)
        for batch in self.labelled.epoch(epoch, start):
            yield batch | {
                self.prefix + name: value
                for name, value in next(others).items()
                if name not in ("poses_3d", "valid", "size")
            }

    def _others(self, step: int) -> Iterator[Minibatch]:
        """Unlabelled batches from a step of the run on, without end."""
        epoch, start = divmod(step, len(self.unlabelled))
        while True:
            yield from self.unlabelled.epoch(epoch, start)
            epoch, start = epoch + 1, 0


def spoil(
    points: Tensor, options: WindowOptions, noise: NoiseTable, generator: torch.Generator
) -> Tensor:
    """Points (B, T, J, 2) px with a detector's errors and lost joints, anew in every frame.

    How large the errors are is drawn for each window, between 0 and --input_noise. They are those
    of MPII-16 (`twod_threed.detector_noise`).
    """
    flat = points.flatten(0, 1)
    if options.input_noise:
        chance = torch.rand(len(points), 1, generator=generator, device=generator.device)
        amount = options.input_noise * chance.repeat_interleave(points.shape[1], 0)
        flat = add_noise(flat, noise, amount, generator)
    if options.drop_joint_prob:
        flat = drop_joints(flat, options.drop_joint_prob, generator)
    return flat.unflatten(0, tuple(points.shape[:2]))
