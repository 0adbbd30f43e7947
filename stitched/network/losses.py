"""What the stitched network learns from: 3D poses, and heatmaps beside them."""

import torch
from torch import Tensor

from stacked_hourglass.losses import heatmap_loss
from stacked_hourglass.targets import inside, make_heatmaps, to_heatmap
from stitched.network.augmentation import Minibatch
from stitched.network.model import Lift
from twod_threed.losses import pose_loss
from twod_threed.normalisation import Normaliser


def lifted_loss(
    lift: Lift, batch: Minibatch, normaliser: Normaliser, kind: str
) -> tuple[Tensor, Tensor]:
    """Sum of the 3D loss ("mse" or "mpjpe") over the valid joints, and their number.

    In the lifter's numbers, a tenth of the body's size or standard deviations. The poses are
    aligned with the view to the joints that were found, through which gradients pass as well.
    """
    targets = normaliser.targets(batch["poses_3d"], lift.view, batch["size"])
    valid = batch["valid"][:, normaliser.joints_out] & ~targets.isnan().any(-1)
    valid = valid & ~lift.scale.isnan()[:, None]
    return pose_loss(lift.outputs, targets, valid, kind)


def maps_loss(scores: Tensor, points: Tensor, sigma: float, kind: str) -> tuple[Tensor, Tensor]:
    """Sum of the heatmap loss over the labelled joints and all stacks, and the joints' number.

    scores (S, B, J, h, w); points (B, J, 2) input px, NaN unknown; sigma: width of the peaks that
    are wanted, heatmap px; kind: the hourglass's own loss, "mse" or "cross_entropy".
    """
    height, width = scores.shape[-2:]
    places = to_heatmap(points)
    targets = make_heatmaps(places, width, height, sigma)
    return heatmap_loss(scores, targets, inside(places, width, height), kind)


def place_errors(found: Tensor, truth: Tensor, box: Tensor) -> tuple[Tensor, Tensor]:
    """Sum of the distances of 2D joints in per cent of the box's side, and their number.

    found, truth (B, J, 2) px, truth NaN where unknown; box (B, 3).
    """
    distance = 100 * (found - truth).norm(dim=-1) / box[:, 2:]
    known = ~distance.isnan()
    return torch.where(known, distance, 0).sum(), known.sum()
