"""Losses over the joints that a data set really has."""

import torch
from torch import Tensor

KINDS = ("mse", "mpjpe")


def pose_loss(outputs: Tensor, targets: Tensor, valid: Tensor, kind: str) -> tuple[Tensor, Tensor]:
    """Sum of the loss over the valid joints of a batch, and their number.

    outputs, targets (B, J, 3), any unit; valid (B, J) bool, targets may be NaN elsewhere.
    mse: mean square over the three coordinates, as published. mpjpe: distance, the mean of which is
    the error that is reported (Pavllo et al. 2019, section 3).
    """
    # Filled before the difference: a NaN times zero would still be NaN in the gradient.
    difference = (outputs - torch.where(valid[..., None], targets, 0)).float()
    if kind == "mse":
        each = difference.square().mean(-1)
    elif kind == "mpjpe":
        each = torch.linalg.vector_norm(difference, dim=-1)
    else:
        raise ValueError(f"the loss must be one of {', '.join(KINDS)}, not {kind}")
    return torch.where(valid, each, 0).sum(), valid.sum()


def joint_errors(poses: Tensor, truth: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Sum of distances over valid joints and their number: MPJPE is one by the other.

    poses, truth (B, J, 3) mm, relative to the hip; valid (B, J) bool.
    """
    return pose_loss(poses, truth, valid, "mpjpe")
