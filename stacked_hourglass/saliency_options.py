"""Options of the commands that show what an hourglass looks at. Nothing heavy is imported here."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from utils.errors import UserError
from utils.option_checks import at_least_one

Reduction = Literal["sum", "max"]


@dataclass
class SaliencyOptions:
    """Draw, joint by joint, where an hourglass sees the joint and which pixels make it so."""

    img_dir: Path
    """Folder with the pictures."""

    output_dir: Path
    """Where <picture>_sum.png and <picture>_max.png go; with a skeleton, <picture>_skeleton_sum.png
    and <picture>_skeleton_max.png."""

    load: str = ""
    """Shipped model, run folder, .safetensors, .ckpt or public checkpoint; empty takes the best
    shipped one."""

    images: tuple[str, ...] = ()
    """Names of pictures in --img_dir; by default its first ones."""

    count: int = 4
    """How many pictures to draw where --images names none."""

    saliency: tuple[Reduction, ...] = ("sum", "max")
    """What is made of a joint's heatmap before its gradient is taken: the sum of its scores, or
    the largest; a file for each."""

    twod_pose_estimations: Annotated[
        Path | None,
        tyro.conf.arg(name="2d_pose_estimations", aliases=["--twod_pose_estimations"]),
    ] = None
    """poses.npz or poses.json whose boxes, one for each picture, the network looks at; by default
    it looks at whole pictures."""

    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"] = "auto"
    """Kind of device; auto takes a GPU where there is one."""

    def __post_init__(self) -> None:
        at_least_one(count=self.count)
        if not self.saliency:
            raise UserError("--saliency needs sum, max or both")
