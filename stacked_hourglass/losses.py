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


def joint_weights(present: Tensor, seen: Tensor, hidden_weight: float) -> Tensor:
    """What each joint (B, J) counts: 0 where it is not present, `hidden_weight` where it is known
    to be hidden (seen is 0; NaN where that is not known), else 1."""
    return torch.where(seen == 0, hidden_weight, 1.0) * present


def without_worst(weights: Tensor, per_joint: Tensor, share: float) -> Tensor:
    """The weights (B, J), 0 for that share of the joints with the largest losses (B, J): as far as
    the network can tell, they are labelled wrongly (trimmed loss: Shen, Sanghavi, "Learning with
    bad training data via iterative trimmed loss minimization", ICML 2019)."""
    counted = weights > 0
    count = int(share * int(counted.sum()))
    if not count:
        return weights
    worst = torch.where(counted, per_joint, -torch.inf).flatten().topk(count).indices
    return weights.flatten().index_fill(0, worst, 0.0).view_as(weights)


def heatmap_loss(
    scores: Tensor,
    targets: Tensor,
    weights: Tensor,
    kind: str,
    intermediate_supervision: bool = True,
    trimmed: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """-> (weighted sum over joints and stacks, sum of the weights); divide to get the loss.

    scores (S, B, J, h, w), targets (B, J, h, w), weights (B, J): 0 or False for joints that are not
    labelled or not on the map. Without intermediate supervision only the last stack counts;
    `trimmed` of the joints, the worst in the last stack, do not (`without_worst`).
    """
    supervised = scores if intermediate_supervision else scores[-1:]
    per_joint = joint_losses(supervised, targets, kind)
    weights = without_worst(weights.float(), per_joint[-1].detach(), trimmed)
    total = torch.where(weights > 0, per_joint * weights, per_joint.new_zeros(())).sum()
    return total, weights.sum()
