"""How far a joint may be from its annotation to count as found, while training."""

import torch
from torch import Tensor

from stacked_hourglass.pck import HEAD_SHARE_OF_DIAGONAL
from utils.skeletons import Skeleton

PCKH_SHARE, PCK_SHARE, BOX_SHARE = 0.5, 0.2, 0.05


def tolerance(keypoints: Tensor, head_box: Tensor, box: Tensor, skeleton: Skeleton) -> Tensor:
    """Tolerance (B,) in px of the original pictures.

    keypoints (B, J, 2) of the skeleton, head_box (B, 4) x1 y1 x2 y2, box (B, 3), all in those px,
    NaN where not annotated. Half the head size where a head box is annotated (PCKh@0.5), else a
    fifth of the torso from left shoulder to right hip (PCK@0.2), else a twentieth of the box, about
    what the two amount to.
    """
    torso = torch.full_like(box[:, 2], torch.nan)
    if {"left_shoulder", "right_hip"} <= {*skeleton.joints}:
        shoulder, hip = skeleton.indices("left_shoulder", "right_hip")
        torso = (keypoints[:, shoulder] - keypoints[:, hip]).norm(dim=-1)
    head_size = HEAD_SHARE_OF_DIAGONAL * (head_box[:, 2:] - head_box[:, :2]).norm(dim=-1)
    known = torch.where(torso > 0, PCK_SHARE * torso, BOX_SHARE * box[:, 2])
    return torch.where(head_size > 0, PCKH_SHARE * head_size, known)
