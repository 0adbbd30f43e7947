"""Poses as the networks take them: upright, facing one way, about the hip, of size 1, as bones.

The canonical pose of a Human3.6M-17 pose is relative to the hip, divided by the size of its body
(the summed lengths of limbs and trunk, which do not depend on the pose), and turned about the
vertical until the line from the right hip to the left one, seen from above, points along x. With
axes x right, y down, z forward it then faces the camera. `Placement` is what was taken away, so
that it can be put back exactly.

Bones are the vectors from parent to child. The hip is the middle of the two hips in every data
set, so the right hip's bone is that of the left one backwards, and is left out; and the left one's
z is 0. Joints follow by adding bones up along the skeleton.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from utils.skeletons import H36M_17

SIZE_PER_HEIGHT = 1.8995
"""A body's size is about 1.9 times its standing height (Drillis and Contini 1966, between joint
centres)."""
STANDARD_SIZE = SIZE_PER_HEIGHT * 1700
"""Size of the body that poses are made for, mm: that of a person of 1.70 m."""

_HIP = H36M_17.index("hip")
_LEFT, _RIGHT = H36M_17.indices("left_hip", "right_hip")
BONE_JOINTS = tuple(name for name in H36M_17.joints if name not in ("hip", "right_hip"))
"""The joint that each bone ends at."""
_CHILDREN = H36M_17.indices(*BONE_JOINTS)
_PARENTS = [H36M_17.parents[child] for child in _CHILDREN]
LEFT_HIP_BONE = BONE_JOINTS.index("left_hip")
_LIMBS = ("knee", "ankle", "elbow", "wrist")
SIZE_BONES = [
    BONE_JOINTS.index(name)
    for name in (
        *("spine", "thorax"),
        *(f"{side}_{joint}" for side in ("left", "right") for joint in _LIMBS),
    )
]
"""Bones whose lengths add up to a body's size."""
# Below this share of the hips' distance, seen from above, the heading is chance.
_LEAST_LEVEL = 0.05


@dataclass(frozen=True)
class Placement:
    """What canonical poses lost: `hip` (N, 3) mm, `turn` (N, 3, 3) from the pose's axes to
    canonical ones, `size` (N,) mm of the body."""

    hip: Tensor
    turn: Tensor
    size: Tensor


def _path_matrix() -> Tensor:
    """(17, 15): which bones, and how often, lead from the hip to each joint."""
    matrix = torch.zeros(len(H36M_17), len(BONE_JOINTS))
    for joint in range(len(H36M_17)):
        at = joint
        while at != _HIP:
            if at == _RIGHT:
                matrix[joint, LEFT_HIP_BONE] -= 1
            else:
                matrix[joint, _CHILDREN.index(at)] += 1
            at = H36M_17.parents[at]
    return matrix


PATHS = _path_matrix()


def to_bones(poses: Tensor) -> Tensor:
    """Joints (N, 17, 3) -> bones (N, 15, 3), in the same unit and axes."""
    return poses[:, _CHILDREN] - poses[:, _PARENTS]


def to_joints(bones: Tensor) -> Tensor:
    """Bones (N, 15, 3) -> joints (N, 17, 3) about the hip, in the same unit and axes."""
    return PATHS.to(bones) @ bones


def bone_lengths(bones: Tensor) -> Tensor:
    """(N, 15, 3) -> (N, 15)."""
    return torch.linalg.vector_norm(bones, dim=-1)


def body_size(poses: Tensor) -> Tensor:
    """Summed lengths of limbs and trunk of poses (N, 17, 3): (N,), in the same unit."""
    return bone_lengths(to_bones(poses))[:, SIZE_BONES].sum(-1)


def heading(poses: Tensor) -> Tensor:
    """Rotations (N, 3, 3) about the vertical (y) that turn the line from the right hip to the left
    one, seen from above, towards x. NaN where that line stands nearly upright."""
    line = poses[:, _LEFT] - poses[:, _RIGHT]
    across, along = line[:, 0], line[:, 2]
    level = torch.hypot(across, along)
    known = level > _LEAST_LEVEL * torch.linalg.vector_norm(line, dim=-1)
    level = torch.where(known, level, torch.nan)
    cosine, sine = across / level, along / level
    zero, one = torch.zeros_like(cosine), torch.ones_like(cosine)
    rows = (cosine, zero, sine, zero, one, zero, -sine, zero, cosine)
    return torch.stack(rows, -1).reshape(-1, 3, 3)


def to_canonical(poses: Tensor) -> tuple[Tensor, Placement]:
    """Poses (N, 17, 3), mm, y down, about any root -> canonical poses (N, 17, 3), and what puts
    them back. NaN where a joint is unknown or the heading is not defined."""
    hip, size, turn = poses[:, _HIP], body_size(poses), heading(poses)
    canonical = (poses - hip[:, None]) @ turn.mT / size[:, None, None]
    return canonical, Placement(hip, turn, size)


def from_canonical(canonical: Tensor, placement: Placement) -> Tensor:
    """Inverse of `to_canonical`."""
    return canonical @ placement.turn * placement.size[:, None, None] + placement.hip[:, None]
