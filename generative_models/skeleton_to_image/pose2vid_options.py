"""Options of --model pose2vid, under the names that pix2pixHD's users know."""

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from utils.errors import need
from utils.option_checks import refuse_given


@dataclass
class Pose2VidOptions:
    """Generator, discriminators and losses of --model pose2vid. The published size is --netG local
    --ngf 32 --n_downsample_global 4 --n_blocks_global 9 --ndf 64 --image_size 512."""

    netG: Literal["global", "local"] = "global"
    """global: one generator; local: with an enhancer at twice its resolution for each of
    --n_local_enhancers."""
    ngf: int = 24
    """Channels of the generator's first layer (of the finest, with local)."""
    n_downsample_global: int = 3
    """How often the global generator halves its picture."""
    n_blocks_global: int = 4
    """Residual blocks of the global generator."""
    n_local_enhancers: int = 1
    """local: how many enhancers."""
    n_blocks_local: int = 3
    """local: residual blocks of each enhancer."""
    norm: Literal["instance", "batch"] = "instance"
    """Normalisation in generator and discriminators."""
    num_D: int = 2
    """Discriminators, each at half the resolution of the one before; the last sees 2 px at
    least."""
    n_layers_D: int = 3
    """Layers of a discriminator that halve or widen."""
    ndf: int = 32
    """Channels of a discriminator's first layer."""
    lambda_feat: float = 10.0
    """Weight of the differences in the discriminators' features, and in VGG's."""
    lambda_l1: float = 10.0
    """Weight of the mean absolute difference from the real frames."""
    lambda_flow: float = 10.0
    """Weight of the difference in change from frame to frame (the published one compares optical
    flow, divided by the number of pixels once too often, so that it counts for nothing)."""
    no_ganFeat_loss: bool = False
    """Leave the discriminators' features out of the loss."""
    no_vgg_loss: bool = False
    """Leave VGG's features out of the loss, even where its weights are there."""
    no_flow_loss: bool = False
    """Leave the change from frame to frame out of the loss."""
    no_lsgan: bool = False
    """Cross-entropy for the discriminators, not least squares."""
    decay_epochs: Annotated[int, tyro.conf.arg(aliases=["--niter_decay"])] = 0
    """Of the --epochs, the last so many, over which the learning rate falls in a straight line to
    0, after being constant. It needs --lr_scheduler none."""
    niter_fix_global: int = 0
    """local: first epochs in which only the enhancers learn."""
    face_size: int = 0
    """Side of the square about the nose that a second generator improves, px, a multiple of 4 from
    8 on; 0 is off. The published ones are 48 of 512 and 96 of 1024 px."""

    def __post_init__(self) -> None:
        for name in ("ngf", "num_D", "n_layers_D", "ndf"):
            need(getattr(self, name) >= 1, f"--{name} must be at least 1")
        for name in ("n_downsample_global", "n_blocks_global", "n_blocks_local"):
            need(getattr(self, name) >= 0, f"--{name} must not be negative")
        for name in ("lambda_feat", "lambda_l1", "lambda_flow", "decay_epochs"):
            need(getattr(self, name) >= 0, f"--{name} must not be negative")
        if self.netG == "global":
            refuse_given(self, ("n_local_enhancers", "n_blocks_local"), "with --netG global")
        if self.no_flow_loss:
            refuse_given(self, ("lambda_flow",), "with --no_flow_loss")
        need(self.n_local_enhancers >= 1, "--n_local_enhancers must be at least 1")
        need(self.niter_fix_global >= 0, "--niter_fix_global must not be negative")
        need(
            self.netG == "local" or not self.niter_fix_global,
            "--niter_fix_global needs --netG local",
        )
        need(
            self.face_size == 0 or (self.face_size >= 8 and self.face_size % 4 == 0),
            f"--face_size must be 0 or a multiple of 4 from 8 on, not {self.face_size}",
        )
