"""Options of the commands that score and draw 2D poses."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from stacked_hourglass.options import CustomOptions
from utils.errors import UserError, need


@dataclass
class EvalMpiiOptions:
    """Score 2D poses on the MPII validation people: PCKh tables and curves."""

    prediction_files: tuple[Path, ...]
    """Files to compare: poses.npz, poses.json or predictions.npz of this project (one row per
    validation person), or MATLAB files with `preds` (N, 16, 2) or `pos_pred_src` (16, 2, N)."""

    model_names: tuple[str, ...] = ()
    """Names for tables and curves, the i-th for the i-th file. By default the files' names."""

    output_dir: Path = Path("visualizations/mpii_PCKh")
    """Where the curves (PNG), results.json and results.csv go."""

    ground_truth: Path | None = None
    """The published detections_our_format.mat. By default looked for in --data_dir and in
    mpii_eval/ of the folder that the environment variable MARIONETTE_DATA names."""

    data_dir: Path = Path("data/mpii")
    """Folder of the MPII data set."""


@dataclass
class EvalLspOptions:
    """Score 2D poses on Leeds Sports Pose: PCK in units of the torso, tables and curves."""

    prediction_files: tuple[Path, ...]
    """Files to compare: poses.npz or poses.json with one row per picture, matched by its name."""

    model_names: tuple[str, ...] = ()
    """Names for tables and curves, the i-th for the i-th file. By default the files' names."""

    output_dir: Path = Path("visualizations/lsp_PCK")
    """Where the curves (PNG), results.json and results.csv go."""

    data_dir: Path = Path("data/lsp")
    """Folder of the LSP data set: joints.mat and images/im0001.jpg ..."""

    split: Literal["test", "val"] = "test"
    """Pictures to score: test (1001-1500) or val (901-1000)."""


@dataclass
class EvalEvaOptions:
    """Score 2D poses on HumanEva-I: PCK in units of the torso, and distances in pixels."""

    prediction_files: tuple[Path, ...]
    """Files to compare: poses.npz or poses.json of run.py hourglass_eva, matched by picture."""

    model_names: tuple[str, ...] = ()
    """Names for tables and curves, the i-th for the i-th file. By default the files' names."""

    output_dir: Path = Path("visualizations/eva_PCK")
    """Where the curves (PNG), results.json and results.csv go."""

    data_dir: Path = Path("data/humaneva")
    """Folder that data/prepare.py humaneva wrote: index.npz and images/."""

    split: Literal["val", "train"] = "val"
    """Pictures to score: those of HumanEva's Validate or Train."""


@dataclass
class EvalCustomOptions:
    """Score poses of keypoints of any kind: PCK, tables and curves."""

    prediction_files: tuple[Path, ...]
    """Files to compare: poses.npz or poses.json of run.py hourglass_custom, matched by picture and
    number of the annotation."""

    model_names: tuple[str, ...] = ()
    """Names for tables and curves, the i-th for the i-th file. By default the files' names."""

    output_dir: Path = Path("visualizations/custom_PCK")
    """Where the curves (PNG), results.json and results.csv go."""

    data_dir: Path = Path("data/custom")
    """Folder of the pictures and annotations."""

    custom: CustomOptions = field(default_factory=CustomOptions)

    split: Literal["val", "train"] = "val"
    """Which part of the annotations."""

    length_joints: tuple[str, str] | None = None
    """Two joints whose distance is the unit of length; without them it is the side of the box."""

    threshold: float = 0.05
    """How near a joint must be to count as found, in that unit: hundredths, up to 0.5."""

    def __post_init__(self) -> None:
        is_on_grid = abs(100 * self.threshold - round(100 * self.threshold)) < 1e-9
        need(
            0.01 <= self.threshold <= 0.5 and is_on_grid,
            f"--threshold must be a whole number of hundredths up to 0.5, not {self.threshold}",
        )


@dataclass
class Overlay2dOptions:
    """Draw 2D poses on the pictures that they were found in."""

    img_dir: Path
    """Folder with the pictures."""

    twod_pose_estimations: Annotated[
        Path, tyro.conf.arg(name="2d_pose_estimations", aliases=["--twod_pose_estimations"])
    ]
    """The poses.npz or poses.json to draw."""

    output_dir: Path
    """Where the drawn pictures go, under the names and subfolders that they have in --img_dir."""

    limit: int | None = None
    """Draw only so many pictures."""

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise UserError(f"--limit must be at least 1, not {self.limit}")
