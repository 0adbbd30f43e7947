"""Heatmap losses. A joint that is not annotated never enters them."""

import torch
from torch import Tensor
from torch.nn import functional as F


def joint_losses(scores: Tensor, targets: Tensor, kind: str) -> Tensor:
    """Loss of every joint: scores (S, B, J, h, w), targets (B, J, h, w) -> (S, B, J).

    `mse`: the mean squared error over the map (Newell et al. 2016, section 3.3).
    `cross_entropy`: the softmax over the map against the target scaled to sum 1, less the target's
    own entropy (so the Kullback-Leibler divergence, which is 0 for a perfect map).
    """
    if kind == "mse":
        return (scores.float() - targets).square().mean(dim=(-2, -1))
    target = targets.flatten(-2)
    target = target / target.sum(-1, keepdim=True).clamp_min(1e-12)
    log_score = F.log_softmax(scores.float().flatten(-2), dim=-1)
    entropy = torch.special.entr(target).sum(-1)
    return -(target * log_score).sum(-1) - entropy


def visibility_loss(logits: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """Binary cross-entropy of logits (B, J) of being seen -> (sum, number of known joints).

    seen (B, J): 1 seen, 0 hidden, NaN where that is not known, which does not count.
    """
    known = ~seen.isnan()
    each = F.binary_cross_entropy_with_logits(logits.float(), seen.nan_to_num(), reduction="none")
    return torch.where(known, each, each.new_zeros(())).sum(), known.sum()


def heatmap_loss(
    scores: Tensor,
    targets: Tensor,
    present: Tensor,
    kind: str,
    intermediate_supervision: bool = True,
) -> tuple[Tensor, Tensor]:
    """-> (sum over labelled joints and stacks, number of labelled joints); divide to get the loss.

    scores (S, B, J, h, w), targets (B, J, h, w), present (B, J) bool: joints that are labelled and
    on the map. Without intermediate supervision only the last stack counts.
    """
    supervised = scores if intermediate_supervision else scores[-1:]
    per_joint = joint_losses(supervised, targets, kind)
    total = torch.where(present, per_joint, per_joint.new_zeros(())).sum()
    return total, present.sum()
