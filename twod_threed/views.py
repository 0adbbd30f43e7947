"""Virtual cameras: motion capture as a phone, a webcam or a calibrated room would film it.

Each camera is drawn around the middle of what it has to show (`twod_threed/view_ranges.py` has the
ranges):

1. azimuth and field of view, uniform; a picture size from a list;
2. the share of the picture that the person fills, uniform. The distance follows from it, and stays
   large enough for nobody to be behind the camera or within arm's length of it;
3. height above the lowest joint, and roll, each most likely in the middle of its range (the mean of
   two uniform draws);
4. place in the picture, uniform in the room that is left beside and above the person.

The tilt is solved for, so that roll is exact and the person stands at that place. All of it is
batched torch, on the device of the poses.

A camera's "level" frame has x right, y straight down and z forward along the horizon.
"""

import math
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from twod_threed.pairs import PosePairs, join_pairs
from twod_threed.view_ranges import ViewRanges
from utils.cameras import project, project_with_distortion
from utils.errors import UserError
from utils.mocap.store import MotionStore
from utils.seeds import derive_seed
from utils.skeleton_conversion import convert
from utils.skeletons import H36M_17, MPII_16

Y_UP = (0.0, 1.0, 0.0)
# Aim and distance act on each other: whole steps would overshoot.
_FITTING_STEPS, _DAMPING = 4, 0.6
_BEHIND = 1.0  # mm; while fitting, what lies nearer or behind the camera counts as very large


@dataclass(frozen=True)
class Views:
    """B cameras: `rotation` (B, 3, 3) world to camera, `position` (B, 3) mm in the world,
    `intrinsics` (B, 4) fx, fy, cx, cy in px, `image_size` (B, 2) width and height in px."""

    rotation: Tensor
    position: Tensor
    intrinsics: Tensor
    image_size: Tensor

    def to_camera(self, points: Tensor) -> Tensor:
        """World points (B, P, 3), mm -> camera points (B, P, 3), mm."""
        return (points - self.position[:, None]) @ self.rotation.mT


def project_mpii(poses: Tensor, intrinsics: Tensor, distortion: Tensor | None = None) -> Tensor:
    """The 2D joints of the lifter's input: (B, 17, 3) -> (B, 16, 2) px.

    poses: Human3.6M-17, mm, camera frame, not relative to the hip; NaN unknown. intrinsics: (B, 4)
    or (4,) fx, fy, cx, cy, px; distortion: (B, 5) or (5,) k1, k2, k3, p1, p2, or None. MPII's
    joints are made in 3D (`utils.skeleton_conversion`) and then projected. NaN where unknown or
    behind the camera.
    """
    points = convert(poses, H36M_17, MPII_16).poses
    if distortion is None:
        return project(points, intrinsics)
    result = torch.full_like(points[..., :2], torch.nan)
    lenses, scales = distortion.expand(len(points), 5), intrinsics.expand(len(points), 4)
    for lens in lenses.unique(dim=0):
        same = (lenses == lens).all(dim=1)
        k1, k2, k3, p1, p2 = lens.tolist()
        result[same] = project_with_distortion(points[same], scales[same], (k1, k2, k3), (p1, p2))
    return result


def draw_views(
    poses_world: Tensor,
    generator: torch.Generator,
    ranges: ViewRanges | None = None,
    up: tuple[float, float, float] = Y_UP,
) -> Views:
    """Draw a camera for each pose (B, 17, 3), Human3.6M-17, mm in the world, NaN unknown.

    All MPII joints of the pose lie in front of the camera and, unless `ranges.off_centre` exceeds
    1, inside the picture. `generator`: on the device of the poses. `up`: upward direction of the
    world, length 1.
    """
    return frame_points(convert(poses_world, H36M_17, MPII_16).poses, generator, ranges, up)


def frame_points(
    points: Tensor,
    generator: torch.Generator,
    ranges: ViewRanges | None = None,
    up: tuple[float, float, float] = Y_UP,
) -> Views:
    """Draw a camera for each set of points (B, P, 3), mm in the world; see `draw_views`.

    Points that are NaN do not count; a set without others is taken for a point in the origin.
    """
    ranges = ranges or ViewRanges()
    draw = _Draw(len(points), generator, points)
    axes = _turned(_level_axes(up, points), draw.uniform(-math.pi, math.pi))
    across = points.permute(2, 1, 0).contiguous()
    level = (axes.permute(1, 2, 0)[:, :, None] * across).sum(dim=1)
    low = level.nan_to_num(torch.inf).amin(dim=1)
    high = level.nan_to_num(-torch.inf).amax(dim=1)
    known = low <= high
    middle = ((low + high) / 2).where(known, 0)
    floor = (high - middle).where(known, 0)[1]
    local = (level - middle[:, None]).nan_to_num(0.0)
    lens = _draw_lens(draw, ranges)
    place, rotation = _fit(local, floor, lens, draw, ranges)
    position = (middle + place).T[:, None] @ axes
    intrinsics = torch.cat([lens.focal.expand(2, -1), (lens.size - 1) / 2]).T.contiguous()
    turned = rotation.permute(2, 0, 1) @ axes
    return Views(turned, position[:, 0], intrinsics, lens.size.T.contiguous())


@dataclass(frozen=True)
class _Draw:
    """Random numbers (count,) of the type and on the device of `like`."""

    count: int
    generator: torch.Generator
    like: Tensor

    def uniform(self, low: float, high: float) -> Tensor:
        drawn = torch.rand(
            self.count, generator=self.generator, dtype=self.like.dtype, device=self.like.device
        )
        return low + (high - low) * drawn

    def peaked(self, low: float, high: float) -> Tensor:
        """The mean of two uniform draws: triangular, most likely in the middle."""
        return (self.uniform(low, high) + self.uniform(low, high)) / 2


def _level_axes(up: tuple[float, float, float], like: Tensor) -> Tensor:
    """Rotation (3, 3) from the world to some level frame."""
    down = -torch.tensor(up, dtype=like.dtype, device=like.device)
    right = torch.linalg.cross(down, torch.eye(3).to(down)[down.abs().argmin()])
    right = right / right.norm()
    return torch.stack([right, down, torch.linalg.cross(right, down)])


def _turned(axes: Tensor, azimuth: Tensor) -> Tensor:
    """A level frame (3, 3), turned about the vertical by azimuths (B,): (B, 3, 3)."""
    cos, sin, none = azimuth.cos(), azimuth.sin(), torch.zeros_like(azimuth)
    turn = torch.stack([cos, none, sin, none, none + 1, none, -sin, none, cos], dim=1)
    return turn.view(-1, 3, 3) @ axes


# From here on arrays have the camera as their last axis: (2, B), (3, P, B). The few points of each
# camera are then worked through side by side, three times as fast as one after another.


@dataclass(frozen=True)
class _Lens:
    """`focal` (B,) px and picture `size` (2, B) px."""

    focal: Tensor
    size: Tensor


def _draw_lens(draw: _Draw, ranges: ViewRanges) -> _Lens:
    sizes = torch.tensor(ranges.image_sizes, dtype=draw.like.dtype, device=draw.like.device)
    size = sizes[draw.uniform(0, len(sizes)).long().clamp(max=len(sizes) - 1)].T
    half = torch.deg2rad(draw.uniform(*ranges.field_of_view)) / 2
    return _Lens(size.amax(dim=0) / 2 / half.tan(), size)


def _fit(
    local: Tensor, floor: Tensor, lens: _Lens, draw: _Draw, ranges: ViewRanges
) -> tuple[Tensor, Tensor]:
    """Where the cameras stand (3, B) and how they are turned (3, 3, B), in their level frames.

    local: (3, P, B) points around their middle; floor: (B,) how far below it the lowest lies.
    Distance and aim are corrected a few times by what the picture shows: from near, the outline is
    another than that of the parallel projection which the first guess is made from. A person whom
    that leaves cut off (one view of some hundreds) is looked at straight and from further away.
    """
    fill, roll = draw.uniform(*ranges.fill), torch.deg2rad(draw.peaked(*ranges.roll))
    lift = draw.peaked(*ranges.height) - floor
    share = ranges.off_centre
    wish = torch.stack([draw.uniform(-share, share), draw.uniform(-share, share)])
    reach = _length(local).amax(dim=0)
    least = reach + ranges.nearest
    scale = lens.focal / lens.size
    extent = local.amax(dim=1) - local.amin(dim=1)
    distance = ((extent[:2] * scale).amax(dim=0) / fill).maximum(least)
    target = torch.zeros_like(wish)
    for _ in range(_FITTING_STEPS):
        low, high = _outline(local, _place(distance, lift, ranges.steepest), target, roll)
        filled = (high - low) * scale
        step = (filled.amax(dim=0) / fill).pow(_DAMPING).clamp(0.5, 2.0)
        distance = (distance * step).maximum(least)
        centre = wish * (1 - filled).clamp(min=0) / 2 / scale
        target = target + _DAMPING * (centre - (low + high) / 2)
    if share <= 1:
        low, high = _outline(local, _place(distance, lift, ranges.steepest), target, roll)
        whole = (torch.maximum(-low, high) * scale <= 0.5).all(dim=0)
        # From here the sphere around the points fits between the two nearer edges.
        far = reach / (0.5 / scale.amax(dim=0)).atan().sin()
        distance, target = distance.where(whole, far.maximum(least)), target.where(whole, 0)
    place = _place(distance, lift, ranges.steepest)
    return place, _aim(place, target, roll)


def _outline(local: Tensor, place: Tensor, target: Tensor, roll: Tensor) -> tuple[Tensor, Tensor]:
    """Smallest and largest coordinates (2, B) of the points (3, P, B) on the plane z = 1."""
    seen = (_aim(place, target, roll)[:, :, None] * (local - place[:, None])).sum(dim=1)
    flat = seen[:2] / seen[2].clamp(min=_BEHIND)
    return flat.amin(dim=1), flat.amax(dim=1)


def _length(vectors: Tensor) -> Tensor:
    """Of vectors (3, ...): what `norm(dim=0)` gives, fifty times as fast."""
    return vectors.square().sum(dim=0).sqrt()


def _place(distance: Tensor, lift: Tensor, steepest: float) -> Tensor:
    """Where cameras stand (3, B) that are `lift` (B,) above what they look at, if not too steep."""
    most = distance * math.sin(math.radians(steepest))
    lift = lift.minimum(most).maximum(-most)
    back = (distance.square() - lift.square()).sqrt()
    return torch.stack([torch.zeros_like(lift), -lift, -back])


def _aim(place: Tensor, target: Tensor, roll: Tensor) -> Tensor:
    """Rotations (3, 3, B) that show the origin at `target` (2, B) of the plane z = 1.

    With the roll taken off, the ray of the target is (u, v, 1). The camera is tilted down by t, so
    that the ray sinks by v cos t + sin t: this has to be the ray's length times the sine of the
    line from camera to origin. Then it is turned about the vertical until the ray meets the origin.
    """
    cos_roll, sin_roll = roll.cos(), roll.sin()
    u = target[0] * cos_roll - target[1] * sin_roll
    v = target[0] * sin_roll + target[1] * cos_roll
    upright = (1 + v.square()).sqrt()
    sink = -place[1] / _length(place) * (1 + (u / upright).square()).sqrt()
    sink = sink.clamp(-1, 1)
    level = (1 - sink.square()).sqrt()
    cos_tilt, sin_tilt = (level + v * sink) / upright, (sink - v * level) / upright
    ahead = cos_tilt - v * sin_tilt
    side = (u.square() + ahead.square()).sqrt()
    cos_turn, sin_turn = ahead / side, u / side
    right = torch.stack([cos_turn, torch.zeros_like(u), sin_turn])
    down = torch.stack([sin_tilt * sin_turn, cos_tilt, -sin_tilt * cos_turn])
    forward = torch.stack([-cos_tilt * sin_turn, sin_tilt, cos_tilt * cos_turn])
    return torch.stack(
        [cos_roll * right + sin_roll * down, cos_roll * down - sin_roll * right, forward]
    )


def stored_views(
    store: MotionStore,
    seed: int,
    every: int = 1,
    ranges: ViewRanges | None = None,
    cameras: int = 1,
    camera_per_frame: bool = False,
) -> PosePairs:
    """Motion capture seen by cameras that are drawn once: test data, or training data for others.

    Every n-th frame of each clip is seen by `cameras` cameras, each of which holds the whole clip;
    `camera_per_frame` draws one for each frame instead, `cameras` times. What is drawn depends on
    the seed and the clip's source and name alone: other clips may come and go. 2D joints are the
    projections of MPII-16. Raises UserError if there is no clip.
    """
    if len(store) == 0:
        raise UserError("there is no motion to look at")
    return join_pairs(
        [
            _views_of_clip(store, clip, seed, every, ranges, cameras, camera_per_frame)
            for clip in range(len(store))
        ]
    )


def _views_of_clip(
    store: MotionStore,
    clip: int,
    seed: int,
    every: int,
    ranges: ViewRanges | None,
    cameras: int,
    camera_per_frame: bool,
) -> PosePairs:
    name = f"{store.sources[clip]}/{store.names[clip]}"
    purpose = ("stored views", seed, zlib.crc32(name.encode()))
    generator = torch.Generator().manual_seed(derive_seed(*purpose))
    whole = torch.from_numpy(store.clip(clip))
    poses = whole[::every].repeat(cameras, 1, 1)
    if camera_per_frame:
        seen_by = torch.arange(len(poses))
        views = draw_views(poses, generator, ranges)
    else:
        seen_by = torch.arange(cameras).repeat_interleave(len(poses) // cameras)
        points = convert(whole, H36M_17, MPII_16).poses.reshape(1, -1, 3)
        views = frame_points(points.expand(cameras, -1, -1), generator, ranges)
    seen = (poses - views.position[seen_by, None]) @ views.rotation[seen_by].mT
    return PosePairs(
        poses_3d=seen.numpy(),
        valid=seen.isfinite().all(dim=-1).numpy(),
        poses_2d=project_mpii(seen, views.intrinsics[seen_by]).numpy(),
        camera=seen_by.numpy(),
        clip=np.zeros(len(poses), np.int64),
        frame=np.tile(np.arange(0, len(whole), every), cameras),
        **camera_tables(views, cameras),
        **clip_tables(store, slice(clip, clip + 1)),
    )


def clip_tables(store: MotionStore, clips: slice = slice(None)) -> dict[str, Any]:
    """What `PosePairs` has to say of clips of motion, and its upward direction."""
    named = zip(store.sources[clips], store.names[clips], strict=True)
    return {
        "clip_names": np.array([f"{source}/{name}" for source, name in named]),
        "clip_sources": store.sources[clips],
        "clip_subjects": store.subjects[clips],
        "clip_actions": store.actions[clips],
        "frame_rates": store.frame_rates[clips],
        "up": np.array(Y_UP),
    }


def camera_tables(views: Views, cameras: int) -> dict[str, Any]:
    """What `PosePairs` has to say of cameras: so many, again and again."""
    count = len(views.position)
    names = np.array([f"camera{number}" for number in range(cameras)])
    return {
        "intrinsics": views.intrinsics.numpy(),
        "distortion": np.zeros((count, 5)),
        "image_size": views.image_size.numpy().astype(np.int64),
        "rotation": views.rotation.numpy(),
        "position": views.position.numpy(),
        "camera_names": np.repeat(names, count // cameras),
    }
