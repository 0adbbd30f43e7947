"""Options of the commands that score 3D poses. Nothing heavy is imported here."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from utils.option_checks import at_least_one


@dataclass
class EvalH36mOptions:
    """Score 3D poses on Human3.6M: MPJPE and its relatives, mean over the actions."""

    prediction_files: tuple[Path, ...]
    """Files to compare: pose files with 3D, one row for each pose that is scored."""

    model_names: tuple[str, ...] = ()
    """Names for tables and plots, the i-th for the i-th file. By default the files' names."""

    output_dir: Path = Path("visualizations/h36m_mpjpe")
    """Where results.csv and the plots (PNG) go."""

    ground_truth: Path = Path("data/h36m")
    """Human3.6M: a folder as data/README.md lays it out, or a file of pose pairs."""

    joints: Literal[17, 14] = 17
    """17 joints with the hip, whose error is zero, as most papers; or 14, without hip, spine and
    nose. Only these enter alignment and scale."""

    subjects: tuple[str, ...] = ()
    """People to score; empty means S9 and S11, or all in a file that has neither."""

    actions: tuple[str, ...] = ()
    """Actions to score; empty means all fifteen."""

    every: int = 1
    """Score every so many frames."""

    def __post_init__(self) -> None:
        at_least_one(every=self.every)


@dataclass
class EvalMocapOptions:
    """Score 3D poses on views of motion capture: MPJPE and its relatives, mean over the sets."""

    prediction_files: tuple[Path, ...]
    """Files to compare: pose files with 3D, one row for each pose that is scored."""

    ground_truth: Path
    """The views that were lifted: ground_truth.npz, which `run.py 2d3d_*` writes beside its
    poses.npz."""

    model_names: tuple[str, ...] = ()
    """Names for tables and plots, the i-th for the i-th file. By default the files' names."""

    output_dir: Path = Path("visualizations/mocap_mpjpe")
    """Where results.csv and the plots (PNG) go."""

    joints: Literal[17, 14] = 17
    """17 joints with the hip, whose error is zero; or 14, without hip, spine and nose. Only these
    enter alignment and scale. Joints that a set does not really have never count."""

    subjects: tuple[str, ...] = ()
    """People to score, such as cmu/07 hdm05/mm; empty means all in the file."""
