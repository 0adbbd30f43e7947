"""The stitched network: hourglass, soft-argmax and lifter, differentiable from picture to 3D pose.

    crop -> heatmaps -> places on the map -> px of the crop -> px of the original picture
         -> the lifter's joints, by name -> its normalisation -> its output -> mm

A place h on the map is x = (h + 0.5) * 4 - 0.5 in the crop, and a crop of R px that covers a box of
side s whose centre is c shows at x the place c - s / 2 + (x + 0.5) s / R of the picture.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from stacked_hourglass.model import StackedHourglass
from stacked_hourglass.targets import from_heatmap
from stitched.network.description import StitchedDescription
from stitched.network.soft_argmax import SoftArgmax2D
from twod_threed.alignment import View
from twod_threed.model import Lifter
from utils.skeleton_conversion import convert
from utils.skeletons import skeleton_named


class Lift(NamedTuple):
    """What becomes of heatmaps of B people."""

    keypoints_2d: Tensor
    """(B, J, 2) px of the original picture, in the hourglass's joints"""
    poses_3d: Tensor
    """(B, 17, 3) mm, camera axes, relative to the hip, of the size of the standard body; NaN for
    joints that the lifter does not give"""
    outputs: Tensor
    """(B, J', 3) the lifter's own numbers (`twod_threed.normalisation`)"""
    rotation: Tensor
    """(B, 3, 3), `scale` (B,) and `plane` (B, J, 2): the view by which `outputs` were aligned"""
    scale: Tensor
    plane: Tensor

    @property
    def view(self) -> View:
        """How the poses were aligned."""
        return View(self.rotation, self.scale, self.plane)


class Stitched(NamedTuple):
    """What becomes of B crops."""

    scores: Tensor
    """(S, B, J, R / 4, R / 4) raw scores of every stack"""
    lift: Lift


class StitchedNetwork(nn.Module):
    """Crops, boxes and cameras in; heatmaps, 2D and 3D joints out."""

    def __init__(
        self,
        hourglass: StackedHourglass,
        soft_argmax: SoftArgmax2D,
        lifter: Lifter,
        description: StitchedDescription,
    ) -> None:
        super().__init__()
        self.hourglass, self.soft_argmax, self.lifter = hourglass, soft_argmax, lifter
        self.description = description
        colours = (description.hourglass.mean, description.hourglass.std)
        # Not among the weights: they travel in the description.
        self.colours: Tensor
        self.register_buffer("colours", torch.tensor(colours)[..., None, None], persistent=False)
        self.still: tuple[nn.Module, ...] = ()

    def freeze(self, hourglass: bool, lifter: bool, statistics: bool) -> None:
        """Leave parts out of training: their weights stay as they are, and so do their batch-norm
        statistics. `statistics`: those stay, and are used, in the parts that do train, too."""
        for part, frozen in ((self.hourglass, hourglass), (self.lifter, lifter)):
            part.requires_grad_(not frozen)
        norms = [m for m in self.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
        parts = [p for p, off in ((self.hourglass, hourglass), (self.lifter, lifter)) if off]
        self.still = (*parts, *(norms if statistics else ()))

    def train(self, mode: bool = True) -> "StitchedNetwork":
        """As usual, but for what `freeze` stilled, which always works as it does in use."""
        super().train(mode)
        for module in self.still:
            module.eval()
        return self

    def forward(self, crops: Tensor, boxes: Tensor, intrinsics: Tensor) -> Stitched:
        """crops (B, 3, R, R) RGB in [0, 1]; boxes (B, 3) cx, cy, side, px of the picture, what each
        crop covers; intrinsics (B, 4) fx, fy, cx, cy, px."""
        scores = self.scores(crops)
        return Stitched(scores, self.lift(scores[-1], boxes, intrinsics))

    def scores(self, crops: Tensor) -> Tensor:
        """crops (B, 3, R, R) in [0, 1] -> raw scores (S, B, J, R / 4, R / 4) of every stack."""
        mean, std = self.colours.unbind()
        images = (crops - mean) / std
        return self.hourglass(images.contiguous(memory_format=torch.channels_last))

    def lift(self, scores: Tensor, boxes: Tensor, intrinsics: Tensor) -> Lift:
        """From one stack's scores (B, J, h, w) on; see `forward`. In float32 at any precision: px
        of large pictures have more digits than half of that holds."""
        with torch.autocast(scores.device.type, enabled=False):
            keypoints = self.keypoints(scores.float(), boxes)
            return self.lift_keypoints(keypoints, intrinsics)

    def keypoints(self, scores: Tensor, boxes: Tensor) -> Tensor:
        """scores (B, J, h, w) and boxes (B, 3) -> px of the original picture (B, J, 2)."""
        points = from_heatmap(self.soft_argmax(scores))
        side = boxes[:, None, 2:]
        corner = boxes[:, None, :2] - side / 2
        return corner + (points + 0.5) * (side / self.description.hourglass.resolution)

    def lift_keypoints(self, keypoints: Tensor, intrinsics: Tensor) -> Lift:
        """keypoints (B, J, 2) px in the hourglass's joints, intrinsics (B, 4) -> all the rest."""
        lifter, hourglass = self.description.lifter, self.description.hourglass
        source, target = skeleton_named(hourglass.skeleton), skeleton_named(lifter.skeleton_2d)
        normaliser = lifter.normaliser(keypoints.device)
        points, view = normaliser.inputs(convert(keypoints, source, target).poses, intrinsics)
        outputs = self.lifter(points)
        poses = normaliser.poses(outputs, view)
        return Lift(keypoints, poses, outputs, view.rotation, view.scale, view.plane)


def join_networks(
    hourglass: StackedHourglass,
    lifter: Lifter,
    description: StitchedDescription,
    temperature: float | None = None,
    learnable: bool = False,
) -> StitchedNetwork:
    """A stitched network whose temperature is the one given, or that of the hourglass's kind."""
    soft_argmax = description.soft_argmax(temperature, learnable)
    return StitchedNetwork(hourglass, soft_argmax, lifter, description)
