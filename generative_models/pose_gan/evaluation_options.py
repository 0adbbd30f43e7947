"""Options of the command that scores models of poses. Nothing heavy is imported here."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from generative_models.pose_gan.options import Dataset, PoseDataOptions
from utils.errors import UserError
from utils.option_checks import named_models


@dataclass
class EvalPoseGanOptions:
    """Score models of 3D poses against poses of people they have not seen."""

    models: tuple[str, ...] = ("pose_gan",)
    """What to compare, each as name=path or path: shipped models, run folders, .safetensors or
    .ckpt. Beside them stand a Gaussian, fitted to the training poses, and real poses."""

    dataset: Dataset = "mocap"
    """Where real poses come from; mannequin needs no data."""

    data_dir: str = ""
    """The data set, as for training; empty means data/<name>."""

    train_subjects: tuple[str, ...] = ()
    """Whose poses are the training poses; empty means everybody who neither validates nor tests."""

    held_out_subjects: tuple[str, ...] = ()
    """Whose poses all is compared with; empty means those of --split."""

    split: Literal["val", "test"] = "test"
    """Part of the data set that all is compared with."""

    count: int = 10_000
    """Poses of each kind."""

    seed: int = 234
    """Seed of the samples."""

    output_dir: Path = Path("visualizations/3d_pose_gan_eval")
    """Where results.csv goes."""

    def __post_init__(self) -> None:
        if self.count < 100:
            raise UserError(f"--count must be at least 100, not {self.count}")
        if self.seed < 0:
            raise UserError(f"--seed must not be negative, not {self.seed}")
        if "real" in self.named or "Gaussian" in self.named:
            raise UserError("--models: real and Gaussian are there anyway; choose other names")

    @property
    def named(self) -> dict[str, str]:
        """Name -> what to load."""
        return named_models(self.models)

    @property
    def data(self) -> PoseDataOptions:
        """The same, as the readers of training data take it. Raises UserError."""
        chosen = self.held_out_subjects
        return PoseDataOptions(
            dataset=self.dataset,
            data_dir=self.data_dir,
            train_subjects=self.train_subjects,
            val_subjects=chosen if self.split == "val" else (),
            test_subjects=chosen if self.split == "test" else (),
        )
