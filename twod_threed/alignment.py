"""View-aligned, scale-free poses: the geometry of the instance normalisation.

Pixels become rays. The camera is turned, by the smallest rotation that does it, so that the ray
through the middle of the hips is its optical axis; the rays then meet the plane z = 1 at points
around (0, 0), which are divided by their spread. Turning a camera about its own centre keeps the
perspective: nothing is lost, and everything can be taken back exactly.

In 3D the same rotation turns the pose about the hip, and the body's size divides it: the summed
lengths of `BODY_BONES`, which do not depend on the pose.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from utils.skeletons import H36M_17

MIN_JOINTS = 3
"""A pose of fewer joints cannot be lifted."""

# Ends of each bone of limbs and trunk, and its length as a fraction of standing height (Drillis and
# Contini 1966, between joint centres). The fractions fill in for bones that a data set lacks.
_ONE_SIDE = (("hip", "knee", 0.245), ("knee", "ankle", 0.246))
_ONE_ARM = (("shoulder", "elbow", 0.167), ("elbow", "wrist", 0.148))
BODY_BONES: tuple[tuple[str, str, float], ...] = (
    ("hip", "spine", 0.137),
    ("spine", "thorax", 0.1505),
    *(
        (f"{side}_{upper}", f"{side}_{lower}", fraction)
        for side in ("left", "right")
        for upper, lower, fraction in (*_ONE_SIDE, *_ONE_ARM)
    ),
)
SIZE_PER_HEIGHT = sum(fraction for _, _, fraction in BODY_BONES)
"""A body's size is about 1.9 times its standing height."""

_UPPER = H36M_17.indices(*(upper for upper, _, _ in BODY_BONES))
_LOWER = H36M_17.indices(*(lower for _, lower, _ in BODY_BONES))
_FRACTIONS = tuple(fraction for _, _, fraction in BODY_BONES)
_HIP = H36M_17.index("hip")


@dataclass(frozen=True)
class View:
    """How a batch of 2D poses was aligned."""

    rotation: Tensor
    """(B, 3, 3) camera axes to aligned axes"""
    scale: Tensor
    """(B,) spread of the points on the plane z = 1; NaN where there are too few to lift"""
    plane: Tensor
    """(B, J, 2) the points on that plane after the rotation, NaN absent"""


def to_plane(keypoints: Tensor, intrinsics: Tensor) -> Tensor:
    """px (B, J, 2) and intrinsics (B, 4) -> where the rays meet the plane z = 1, (B, J, 2)."""
    focal, middle = intrinsics[:, None].split(2, -1)
    return (keypoints - middle) / focal


def to_pixels(plane: Tensor, intrinsics: Tensor) -> Tensor:
    """Inverse of `to_plane`."""
    return plane * intrinsics[:, None, :2] + intrinsics[:, None, 2:]


def turn_to_axis(places: Tensor) -> Tensor:
    """The smallest rotations (B, 3, 3) that bring the rays through places (B, 2) of the plane z = 1
    onto the z axis (Rodrigues: R = I + [v] + [v]^2 / (1 + c) with v = a x z, c = a . z)."""
    rays = torch.nn.functional.pad(places, (0, 1), value=1.0)
    rays = rays / torch.linalg.vector_norm(rays, dim=-1, keepdim=True)
    across, cosine = rays[:, :2, None], rays[:, 2:, None]
    identity = torch.eye(2, device=rays.device, dtype=rays.dtype)
    block = torch.addcdiv(identity, across * across.mT, 1 + cosine, value=-1)
    return torch.cat([torch.cat([block, -across], -1), rays[:, None]], -2)


def turn_plane(plane: Tensor, rotation: Tensor) -> Tensor:
    """Turn the rays through points (B, J, 2) of the plane z = 1, and meet it again.

    NaN for rays that end up beside or behind the camera.
    """
    rays = torch.nn.functional.pad(plane, (0, 1), value=1.0) @ rotation.mT
    depth = rays[..., 2:]
    return rays[..., :2] / depth.masked_fill(depth <= 1e-3, torch.nan)


def spread(points: Tensor) -> Tensor:
    """Population standard deviation of the distances of points (B, J, 2) from (0, 0): (B,).

    Divided by the number of joints, not by one less; absent joints (NaN) are left out. NaN where
    fewer than MIN_JOINTS are present or all are equally far.
    """
    distance = torch.linalg.vector_norm(points, dim=-1)
    count = distance.isfinite().sum(-1, keepdim=True)
    deviation = distance - distance.nansum(-1, keepdim=True) / count
    result = (deviation.square().nansum(-1, keepdim=True) / count).sqrt()
    return torch.where((count >= MIN_JOINTS) & (result > 0), result, torch.nan)[:, 0]


def centre(points: Tensor, hips: list[int]) -> Tensor:
    """Middle of the hips of (B, J, 2); of the joints that are present where a hip is absent."""
    left, right = hips
    middle = torch.lerp(points[:, left], points[:, right], 0.5)
    return torch.where(middle.isnan(), points.nanmean(1), middle)


def align(keypoints: Tensor, intrinsics: Tensor, hips: list[int]) -> tuple[Tensor, View]:
    """Pixels to aligned, scale-free points.

    keypoints (B, J, 2) px, NaN absent; intrinsics (B, 4) fx, fy, cx, cy px; hips: places of the two
    hips. -> points (B, J, 2), NaN absent, and the view that takes them back.
    """
    plane = to_plane(keypoints, intrinsics)
    middle = centre(plane, hips)
    rotation = turn_to_axis(middle.nan_to_num(0.0))
    turned = turn_plane(plane, rotation)
    scale = spread(turned)
    return turned / scale[:, None, None], View(rotation, scale, turned)


def unalign(points: Tensor, view: View, intrinsics: Tensor) -> Tensor:
    """Inverse of `align`: points (B, J, 2) -> px (B, J, 2)."""
    plane = turn_plane(points * view.scale[:, None, None], view.rotation.mT)
    return to_pixels(plane, intrinsics)


def body_size(poses: Tensor) -> Tensor:
    """Size of the bodies of Human3.6M-17 poses (B, 17, 3), mm: (B,) mm.

    The sum of the lengths of BODY_BONES. Where joints are NaN, bones that are known stand for the
    rest in the proportions of BODY_BONES; NaN if none is.
    """
    fractions = torch.tensor(_FRACTIONS, dtype=poses.dtype, device=poses.device)
    lengths = torch.linalg.vector_norm(poses[:, _UPPER] - poses[:, _LOWER], dim=-1)
    known = ~lengths.isnan()
    part = torch.where(known, fractions, 0).sum(-1)
    factor = torch.where(known.all(-1), 1, fractions.sum() / part)
    return torch.where(known.any(-1), torch.where(known, lengths, 0).sum(-1) * factor, torch.nan)


def about_hip(poses: Tensor) -> Tensor:
    """Human3.6M-17 poses (B, 17, 3) relative to their hip."""
    return poses - poses[:, _HIP : _HIP + 1]


def root_position(poses: Tensor, plane: Tensor) -> Tensor:
    """Where poses must stand to be seen as they are: (B, 3), unit and axes of `poses`.

    poses (B, J, 3) about any root; plane (B, J, 2) where the rays to the same joints meet z = 1,
    NaN absent. Least squares of x (Z + tz) = X + tx and the same for y over the present joints, in
    closed form: with a = x Z - X, b = y Z - Y and deviations d from the mean over joints,
    tz = -(sum dx da + dy db) / (sum dx^2 + dy^2), tx = mean(a) + tz mean(x), ty likewise.
    Exact for exact projections. NaN where fewer than two joints are present.
    """
    shift = plane * poses[..., 2:] - poses[..., :2]
    # Joints that are absent on either side must be absent on both.
    seen = plane + 0 * shift
    count = shift.isfinite().sum(1, keepdim=True)
    seen_mean, shift_mean = seen.nansum(1, True) / count, shift.nansum(1, True) / count
    off = seen - seen_mean
    depth = -(off * shift).nansum((1, 2), True) / off.square().nansum((1, 2), True)
    depth = depth.masked_fill(count[..., :1] < 2, torch.nan)
    return torch.cat([shift_mean + depth * seen_mean, depth], -1)[:, 0]
