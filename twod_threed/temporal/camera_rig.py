"""Cameras that stand still around a room and film every clip, as Human3.6M's four do.

Where they stand depends on how many they are and on the range of their field of view alone, not on
a run's seed: everybody who trains, validates and tests is seen by the same cameras, in training as
in any later command.

The room's world has y up, mm, with its origin in the middle of the floor; it is meant for people
who stay within about 2 m of it. Each clip is put there as it is, without a turn.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from twod_threed.pairs import PosePairs
from twod_threed.temporal.global_motion import standing_height
from twod_threed.views import Y_UP, Views, camera_tables, clip_tables
from utils.cameras import intrinsics_from_field_of_view, look_at, project
from utils.errors import UserError
from utils.mocap.store import MotionStore
from utils.seeds import derive_seed
from utils.skeleton_conversion import convert
from utils.skeletons import H36M_17, MPII_16

PICTURE = 1000
"""px, width and height of every picture, about as in Human3.6M"""
DISTANCE = (5000.0, 6000.0)
"""mm from the middle of the room, along the floor"""
HEIGHT = (1200.0, 1800.0)
"""mm above the floor"""
HIP_HEIGHT = 900.0
"""mm above the middle of the floor: what all of them look at"""
SCATTER = 10.0
"""degrees that each may stand beside its place in an even circle"""
NEAREST = 1000.0
"""mm; who comes nearer to a camera is not in its film"""


def rig(cameras: int, field_of_view: tuple[float, float]) -> Views:
    """So many cameras, evenly around the room with a little scatter, without roll.

    field_of_view: range, degrees; each camera has one of its own. All float32.
    """
    drawn = np.random.default_rng(derive_seed("cameras at rest")).random((cameras, 4)).T
    ranges = ((-SCATTER, SCATTER), DISTANCE, HEIGHT, field_of_view)
    scatter, distance, height, degrees = (
        low + (high - low) * share for (low, high), share in zip(ranges, drawn, strict=True)
    )
    azimuth = np.radians(360 * (np.arange(cameras) + 0.5) / cameras + scatter)
    position = np.stack([distance * np.sin(azimuth), height, distance * np.cos(azimuth)], axis=1)
    target, up = np.array([0, HIP_HEIGHT, 0]), np.array(Y_UP)
    lenses = [intrinsics_from_field_of_view(PICTURE, PICTURE, float(one)) for one in degrees]
    return Views(
        rotation=torch.tensor(np.stack([look_at(place, target, up) for place in position])).float(),
        position=torch.tensor(position).float(),
        intrinsics=torch.tensor(np.stack(lenses)).float(),
        image_size=torch.full((cameras, 2), float(PICTURE)),
    )


def in_the_room(clip: np.ndarray) -> np.ndarray:
    """A clip (T, 17, 3), Human3.6M-17, mm, y up, NaN unknown, moved into the room.

    The mean of the hip over the clip comes above the middle of the floor, the lowest joint when it
    is down (`standing_height`) on the floor. Raises ValueError where no joint is known.
    """
    east, _, north = clip[:, H36M_17.root].mean(axis=0, dtype=np.float64)
    moved = clip - np.array([east, standing_height(clip[..., 1]), north])
    return moved.astype(clip.dtype)


def seen_at_rest(store: MotionStore, cameras: int, field_of_view: tuple[float, float]) -> PosePairs:
    """Motion in the room, seen by all cameras of the `rig`: MPII-16 in px, poses in camera axes.

    A frame of which a known MPII joint lies outside a camera's picture, or nearer than `NEAREST`,
    is not in that camera's film: there it ends, and another begins
    (`twod_threed.temporal.sequences`). The cameras' table holds them once, for all clips. Raises
    UserError if there is no clip, or nobody is seen.
    """
    if len(store) == 0:
        raise UserError("there is no motion to look at")
    views = rig(cameras, field_of_view)
    parts = [_seen(torch.from_numpy(in_the_room(store.clip(c))), views) for c in range(len(store))]
    lengths = [len(part["frame"]) for part in parts]
    if not any(lengths):
        raise UserError("nobody stays in the picture of --cameras_at_rest: widen --field_of_view")
    return PosePairs(
        **{name: np.concatenate([part[name] for part in parts]) for name in parts[0]},
        clip=np.repeat(np.arange(len(store)), lengths),
        **camera_tables(views, cameras),
        **clip_tables(store),
    )


def _seen(clip: Tensor, views: Views) -> dict[str, Any]:
    """A clip (T, 17, 3) in the room: the rows of what each camera sees of it."""
    cameras = len(views.position)
    points = views.to_camera(clip.reshape(1, -1, 3).expand(cameras, -1, -1))
    poses = points.reshape(-1, *clip.shape[1:])
    seen_by = torch.arange(cameras).repeat_interleave(len(clip))
    joints = convert(poses, H36M_17, MPII_16).poses
    pixels = project(joints, views.intrinsics[seen_by])
    shown = _in_picture(joints, pixels).view(cameras, -1)
    kept = (shown & _has_neighbour(shown)).flatten()
    return {
        "poses_3d": poses[kept].numpy(),
        "valid": poses[kept].isfinite().all(dim=-1).numpy(),
        "poses_2d": pixels[kept].numpy(),
        "camera": seen_by[kept].numpy(),
        "frame": torch.arange(len(clip)).repeat(cameras)[kept].numpy(),
    }


def _in_picture(joints: Tensor, pixels: Tensor) -> Tensor:
    """Whether all known joints (N, J, 3) mm, at pixels (N, J, 2), are shown: (N,) bool."""
    inside = ((pixels >= -0.5) & (pixels <= PICTURE - 0.5)).all(dim=-1)
    far_enough = joints[..., 2] >= NEAREST
    return (inside & far_enough | joints.isnan().any(dim=-1)).all(dim=-1)


def _has_neighbour(shown: Tensor) -> Tensor:
    """Whether the frame before or after is shown, too (cameras, T): one alone is no film, and from
    two such the rate of their clip could not be told."""
    before, after = torch.zeros_like(shown), torch.zeros_like(shown)
    before[:, 1:], after[:, :-1] = shown[:, :-1], shown[:, 1:]
    return before | after
