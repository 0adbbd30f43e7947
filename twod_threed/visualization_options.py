"""Options of the commands that draw 3D poses. Nothing heavy is imported here."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from utils.errors import UserError
from utils.option_checks import at_least_one


@dataclass
class ExamplesOptions:
    """Draw 2D poses, their true 3D poses, and what a lifter made of them."""

    threed_pose_ground_truths: Annotated[
        Path,
        tyro.conf.arg(
            name="3d_pose_ground_truths", aliases=["--threed_pose_ground_truths", "--ground_truth"]
        ),
    ]
    """File of pose pairs, true 3D poses and the 2D poses that belong to them: ground_truth.npz of
    `run.py 2d3d_*`."""

    output_dir: Path
    """Where 2d_gt_3d_gt_3d_pred.png goes."""

    threed_pose_estimation: Annotated[
        Path | None,
        tyro.conf.arg(name="3d_pose_estimation", aliases=["--threed_pose_estimation"]),
    ] = None
    """Pose file with the lifter's 3D poses, matched by source and frame."""

    twod_pose_ground_truths: Annotated[
        Path | None,
        tyro.conf.arg(name="2d_pose_ground_truths", aliases=["--twod_pose_ground_truths"]),
    ] = None
    """Pose file with other 2D poses (a detector's, say) to draw and lift; by default those of the
    pose pairs."""

    load: str = ""
    """Lifter to lift the 2D poses with, instead of --3d_pose_estimation: a shipped model, run
    folder, .safetensors or .ckpt."""

    index: tuple[int, ...] = ()
    """Rows of the pose pairs to draw, from 0; by default some from all over the file."""

    num_examples: int = 6
    """How many rows to draw where --index names none."""

    def __post_init__(self) -> None:
        if (self.threed_pose_estimation is None) == (self.load == ""):
            raise UserError("give either --3d_pose_estimation or --load")
        at_least_one(num_examples=self.num_examples)


@dataclass
class OrthogonalOptions:
    """Turn one example at random, again and again, and draw what a lifter makes of it."""

    output_dir: Path
    """Where orthog_augmentation.png goes."""

    dataset: Literal["h36m", "mocap", "mannequin"] | None = None
    """Kind of data set; by default Human3.6M if --data_dir is given, else the mannequin."""

    data_dir: str = ""
    """The data set, as for training; empty means data/<name>. The mannequin needs none."""

    split: Literal["train", "val", "test"] = "test"
    """Part of the data set."""

    index: int = 0
    """Row of the data set to turn, from 0."""

    num_orientations: int = 8
    """How many times to turn it."""

    z_rotations_only: bool = False
    """Turn about the world's upward direction only, rather than about any axis."""

    load: str = "lifter"
    """Shipped model, run folder, .safetensors or .ckpt."""

    dataset_normalization: bool = False
    """Say that the lifter was trained with dataset normalisation; its file knows, and a
    contradiction is an error."""

    seed: int = 234
    """Seed of the turns."""

    def __post_init__(self) -> None:
        at_least_one(num_orientations=self.num_orientations)
        if self.index < 0 or self.seed < 0:
            raise UserError("--index and --seed must not be negative")

    @property
    def kind(self) -> Literal["h36m", "mocap", "mannequin"]:
        """The data set that is meant."""
        return self.dataset or ("h36m" if self.data_dir else "mannequin")
