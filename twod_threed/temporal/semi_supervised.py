"""What is learnt from films without 3D (Pavllo et al. 2019, section 4).

Beside the network for the pose, a second one says where the root is, in metres in the camera frame.
With both, a pose found in an unlabelled film can be projected back to the picture, where it must
meet the joints that it was made from; and its bones must on average be as long as those of the
labelled films. All terms have weight 1:

    loss = pose error + root error / depth                     of the labelled,
         + error after projection + difference of bone lengths of the unlabelled, after the warm-up.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from twod_threed.losses import pose_loss
from twod_threed.temporal.normalisation import METRE, to_screen
from utils.skeleton_conversion import convert
from utils.skeletons import Skeleton

WIDEST_RAY = 1.0
"""Rays further than 45 degrees off the axis are taken for 45: early answers may lie anywhere, and
the lens's polynomials are good for what it sees."""
LEAST_DEPTH = 1e-3
"""m; depths nearer to 0 are taken for this: numbers of 16 bits often add up to 0 itself, and a
division by that would leave nothing finite."""
_KNOWN = ("exact", "derived")


def root_targets(poses: Tensor, root: int) -> Tensor:
    """Poses (B, S, J, 3) mm, camera frame -> where their root is, (B, S, 1, 3) m."""
    return poses[:, :, root : root + 1] / METRE


def trajectory_loss(roots: Tensor, truth: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Sum over frames of the distance between roots, divided by the true depth; their number.

    (Section 4, "Trajectory model": E = 1 / y_z * |f(x) - y|: far away, a small error of the 2D is a
    large one of the position.) roots, truth (B, S, 1, 3) m; valid (B, S) bool.
    """
    counted = (valid & (truth[..., 0, 2] > 0))[..., None]
    depth = torch.where(counted, truth[..., 2], 1.0)
    scaled = torch.where(counted[..., None], truth, 0.0) / depth[..., None]
    return pose_loss(roots / depth[..., None], scaled, counted, "mpjpe")


def projected(
    points: Tensor, intrinsics: Tensor, image_size: Tensor, distortion: Tensor | None = None
) -> Tensor:
    """Camera points (B, S, J, 3), m -> coordinates of the picture ("screen") (B, S, J, 2).

    intrinsics (B, 4) px, image_size (B, 2) px; distortion (B, 5) k1, k2, k3, p1, p2, or None for a
    pinhole. The lens is that of `utils.cameras.project_with_distortion`.
    """
    depth = torch.where(points[..., 2:].abs() < LEAST_DEPTH, LEAST_DEPTH, points[..., 2:])
    plane = (points[..., :2] / depth).clamp(-WIDEST_RAY, WIDEST_RAY)
    if distortion is not None:
        k1, k2, k3, p1, p2 = distortion[:, None, None, :, None].unbind(3)
        square = plane.square().sum(-1, keepdim=True)
        radial = 1 + square * (k1 + square * (k2 + square * k3))
        factor = radial + p1 * plane[..., 1:] + p2 * plane[..., :1]
        plane = plane * factor + square * torch.cat([p2, p1], -1)
    lens = intrinsics[:, None, None]
    return to_screen(plane * lens[..., :2] + lens[..., 2:], image_size)


def reprojection_loss(
    poses: Tensor,
    keypoints: Tensor,
    skeletons: tuple[Skeleton, Skeleton],
    intrinsics: Tensor,
    image_size: Tensor,
    distortion: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Sum over joints of the distance between projected poses and keypoints; their number.

    (Section 4, the 2D error of the back-projected poses.) In coordinates of the picture.
    poses (B, S, J, 3) m, where they are in the camera frame; keypoints (B, S, J', 2) px, NaN
    absent; skeletons: of keypoints and poses. Joints that the poses can only guess do not count.
    """
    made = convert(poses, skeletons[1], skeletons[0])
    joints = [joint for joint, status in enumerate(made.status) if status in _KNOWN]
    found = projected(made.poses[:, :, joints], intrinsics, image_size, distortion)
    wanted = to_screen(keypoints[:, :, joints], image_size)
    return pose_loss(found, wanted, ~wanted.isnan().any(-1), "mpjpe")


def mean_bone_lengths(poses: Tensor, bones: Sequence[tuple[int, int]]) -> Tensor:
    """Mean over frames of each bone's length: (B, S, J, 3) -> (bones,), same unit."""
    upper, lower = (list(ends) for ends in zip(*bones, strict=True))
    return torch.linalg.vector_norm(poses[:, :, upper] - poses[:, :, lower], dim=-1).mean((0, 1))


def bone_length_loss(labelled: Tensor, unlabelled: Tensor, skeleton: Skeleton) -> Tensor:
    """Mean over bones of |mean length in the labelled - mean length in the unlabelled|.

    (Section 4, the soft constraint on bone lengths.) Poses (B, S, J, 3) as the network gives them,
    m; the labelled are close to the truth.
    """
    bones = [(parent, joint) for joint, parent in enumerate(skeleton.parents) if parent >= 0]
    first, second = (mean_bone_lengths(poses, bones) for poses in (labelled, unlabelled))
    return (first - second).abs().mean()
