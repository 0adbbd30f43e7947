"""Retargeting without a network: by scale, and by lengths of bones; and where the result stands.

Both take pose files of one person each and give the rows of `source` in the target's pixels, with
the skeleton `limbs.SKELETON`. They stand on the target's ground: the line above which the lower
ankle is in three of four frames; where a file has no ankles, the knees of both are brought to one
height in this way, or else the hips. From side to side the source's way, in steps as long as the
new legs make them, goes about where the target mostly is.
"""

import torch
from torch import Tensor

from generative_models.motion_transfer.films import Film, film_of, with_points
from generative_models.motion_transfer.limbs import (
    ANKLES,
    KNEES,
    ROOT,
    SKELETON,
    clip_size,
    limb_lengths,
    scale_limbs,
)
from utils.errors import UserError
from utils.pose_file import Poses
from utils.skeleton_conversion import convert
from utils.skeletons import skeleton_named

_LOWEST = 0.75
"""Share of the frames in which feet are above the ground: in the others a joint is found too low,
or somebody is nearer to the camera."""


def lowest_joints(*films: Tensor) -> list[int]:
    """The ankles if all of the films (N, 15, 2) show one, else the knees, else the hips."""
    for joints in (ANKLES, KNEES):
        if not any(points[:, joints, 1].isnan().all() for points in films):
            return joints
    return [ROOT]


def ground_line(points: Tensor, joints: list[int]) -> Tensor:
    """Height (), px from the top, below which none of these joints of points (N, 15, 2) is in three
    of four frames."""
    lowest = points[:, joints, 1].nan_to_num(-torch.inf).amax(-1)
    return lowest.quantile(_LOWEST)


def place(points: Tensor, target: Tensor) -> Tensor:
    """Points (N, 15, 2), wherever they are, moved to stand where the target (M, 15, 2) does."""
    x = target[:, ROOT, 0].median() - points[:, ROOT, 0].median()
    joints = lowest_joints(points, target)
    y = ground_line(target, joints) - ground_line(points, joints)
    return points + torch.stack([x, y])


def size_of(film: Film) -> Tensor:
    """Size () of the body in a film, px. Raises UserError if trunk and legs are never seen."""
    size = clip_size(film.points)
    if not size > 0:
        name = film.poses.source[0]
        raise UserError(f"{name}: neither trunk nor legs are seen, so the body's size is unknown")
    return size


def retarget_scale(source: Poses, target: Poses) -> Poses:
    """The source's poses, enlarged or reduced to the size of the target's body.

    Raises UserError for pose files of several people, or without hips.
    """
    one, other = film_of(source, "the source"), film_of(target, "the target")
    ratio = size_of(other) / size_of(one)
    placed = place(one.points * ratio, other.points)
    return with_points(one, placed, other.poses.image_size[0])


def retarget_bones(source: Poses, target: Poses) -> Poses:
    """The source's poses on limbs as long as the target's.

    Every bone keeps its direction: seen without perspective, to scale bones in the picture is the
    same as to scale them in 3D and look again. How long limbs are is measured in 3D where both
    files have 3D poses (`run.py 2d3d_*`, `temporal_*`), else in the pictures. There about half of
    what sets a limb's ratio apart from that of the bodies' sizes is how limbs are turned: the ratio
    is the geometric mean of the two. A limb whose length is not known in both keeps its proportion.

    Raises UserError for pose files of several people, or without hips.
    """
    one, other = film_of(source, "the source"), film_of(target, "the target")
    of_sizes = size_of(other) / size_of(one)
    in_3d = (known_3d(other), known_3d(one))
    if in_3d[0] is not None and in_3d[1] is not None:
        ratios = lengths_by_3d(other, in_3d[0]) / lengths_by_3d(one, in_3d[1])
    else:
        lengths = [limb_lengths(film.points) for film in (other, one)]
        ratios = (lengths[0] / lengths[1] * of_sizes).sqrt()
    ratios = torch.where(ratios.isfinite(), ratios, of_sizes)
    placed = place(scale_limbs(one.points, ratios), other.points)
    return with_points(one, placed, other.poses.image_size[0])


def known_3d(film: Film) -> Tensor | None:
    """3D joints (T, 15, 3) mm of a film's rows, from the hips; None if there are none."""
    poses = film.poses
    if poses.keypoints_3d is None or poses.skeleton_3d is None:
        return None
    points = convert(poses.keypoints_3d, skeleton_named(poses.skeleton_3d), SKELETON).poses
    found = torch.from_numpy(points)
    found = found - found[:, ROOT, None]
    return found if found.isfinite().all(-1).any() else None


def lengths_by_3d(film: Film, points: Tensor) -> Tensor:
    """Limb lengths (8,), px: those of 3D joints (T, 15, 3) mm, and the px that a mm has.

    The latter fits the 3D joints, seen without perspective, to those in the picture (least
    squares): so it does not matter how large the 3D poses are.
    """
    flat = points[..., :2]
    pixels = film.points[film.places]
    pixels = pixels - pixels[:, ROOT, None]
    both = (flat.isfinite() & pixels.isfinite()).all(-1, keepdim=True)
    flat, pixels = torch.where(both, flat, 0), torch.where(both, pixels, 0)
    scale = (flat * pixels).sum() / flat.square().sum()
    return scale * limb_lengths(points)
