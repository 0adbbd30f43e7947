"""Options of the command that draws made-up poses. Nothing heavy is imported here."""

from dataclasses import dataclass
from pathlib import Path

from generative_models.pose_gan.options import Dataset, PoseDataOptions
from utils.errors import UserError
from utils.option_checks import at_least_one


@dataclass
class VizPoseGanOptions:
    """Draw made-up poses, ways from one to another, and, given real poses, the nearest of them."""

    load: str = "pose_gan"
    """Shipped model, run folder, .safetensors or .ckpt: a GAN or a VAE."""

    output_dir: Path = Path("visualizations/3d_pose_gan")
    """Where the pictures go: samples.png and interpolations.png; nearest.png with --dataset;
    regression.png with --poses or --dataset."""

    dataset: Dataset | None = None
    """Where real poses come from; mannequin needs no data. If nothing is said, motion capture if
    --data_dir is given, else none are drawn."""

    data_dir: str = ""
    """The data set, as for training; empty means data/<name>."""

    poses: Path | None = None
    """Pose file (poses.npz, poses.json) whose 3D poses the model is to come closest to; otherwise
    held-out ones of --dataset."""

    num_samples: int = 64
    """Samples in the grid."""

    num_interpolations: int = 8
    """Ways from one sample to another, a row each."""

    num_rows: int = 8
    """Samples with their nearest real poses, and poses that the model is to come closest to."""

    seed: int = 234
    """Seed of the samples."""

    def __post_init__(self) -> None:
        at_least_one(
            num_samples=self.num_samples,
            num_interpolations=self.num_interpolations,
            num_rows=self.num_rows,
        )
        if self.seed < 0:
            raise UserError(f"--seed must not be negative, not {self.seed}")

    @property
    def data(self) -> PoseDataOptions | None:
        """The real poses that are meant, if any."""
        kind = self.dataset or ("mocap" if self.data_dir else None)
        return PoseDataOptions(dataset=kind, data_dir=self.data_dir) if kind else None
