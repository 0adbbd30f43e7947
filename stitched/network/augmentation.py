"""Random views of a batch of crops in which camera, 2D and 3D joints stay true to each other.

Mirrored: the picture about the optical axis, x = 2 cx - x, and the pose with X = -X, sides
exchanged. Turned in its plane: the picture about the optical axis, and pose and camera roll alike.
Larger or smaller: the box alone; the camera sees what it saw. So intrinsics never change (lenses
whose fx and fy differ are turned as exactly as these are alike).
"""

import torch
from torch import Tensor

from stacked_hourglass.augmentation import Views
from utils.skeletons import H36M_17, MPII_16

Minibatch = dict[str, Tensor]


def mild_views(count: int, generator: torch.Generator) -> Views:
    """Scale 1 + 0.1 N kept in [0.8, 1.25]; turned by 8 N degrees kept in +-20; half mirrored; each
    channel times U(0.8, 1.2). Milder than what hourglasses train from nothing with, because cameras
    rarely roll. Drawn on the CPU."""
    scale = (1 + 0.1 * torch.randn(count, generator=generator)).clamp(0.8, 1.25)
    degrees = (8 * torch.randn(count, generator=generator)).clamp(-20, 20)
    flip = torch.rand(count, generator=generator) < 0.5
    colour = torch.empty(count, 3).uniform_(0.8, 1.2, generator=generator)
    return Views(scale, torch.deg2rad(degrees), flip, colour)


def view_scene(batch: Minibatch, views: Views) -> Minibatch:
    """What else the pictures' views change: box, keypoints_image and poses_3d of a minibatch of
    `data.PicturedDataset`, in px of the turned and mirrored pictures and mm before their cameras.
    `valid` follows its joints."""
    device = batch["box"].device
    turn = _turn(views).to(device)
    flip = views.flip.to(device)[:, None, None]
    middle = batch["intrinsics"][:, None, 2:]

    def turned(places: Tensor) -> Tensor:
        return (places - middle) @ turn.mT + middle

    box, places = batch["box"], turned(batch["keypoints_image"])
    centre = turned(box[:, None, :2])[:, 0]
    side = box[:, 2:] * views.scale.to(device)[:, None]
    plane, depth = batch["poses_3d"].split([2, 1], dim=-1)
    poses = torch.cat([plane @ turn.mT, depth], dim=-1)
    swapped = H36M_17.flip_order
    return batch | {
        "box": torch.cat([centre, side], dim=-1),
        "keypoints_image": torch.where(flip, places[:, list(MPII_16.flip_order)], places),
        "poses_3d": torch.where(flip, poses[:, list(swapped)], poses),
        "valid": torch.where(flip[..., 0], batch["valid"][:, list(swapped)], batch["valid"]),
    }


def _turn(views: Views) -> Tensor:
    """(B, 2, 2): what turns and mirrors offsets from the optical axis, x right, y down."""
    cos, sin = torch.cos(views.rotation), torch.sin(views.rotation)
    sign = torch.where(views.flip, -1.0, 1.0)
    return torch.stack([sign * cos, -sign * sin, sin, cos], dim=-1).view(-1, 2, 2)
