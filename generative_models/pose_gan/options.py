"""Options of training and sampling. Nothing heavy is imported here, so that --help stays quick."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

import tyro

from utils.errors import UserError, need
from utils.option_checks import (
    MOST_LAYERS,
    at_least_one,
    check_disjoint,
    check_height,
    refuse_idle,
)
from utils.options import LoopOptions, OptimizerOptions, RunOptions
from utils.subjects import TEST_SUBJECTS, VALIDATION_SUBJECTS

Dataset = Literal["h36m", "mocap", "mannequin"]

GRADIENT_PENALTY_COEFF = 10.0


@dataclass
class PoseNetworkOptions:
    """The networks. These travel with their weights and are never asked for again."""

    latent_size: int = 32
    """Numbers that a pose is made from."""
    linear_size: int = 160
    """Units of each hidden layer."""
    num_stage: int = 2
    """Residual blocks, of two layers each."""

    def __post_init__(self) -> None:
        at_least_one(
            latent_size=self.latent_size, linear_size=self.linear_size, num_stage=self.num_stage
        )
        need(self.num_stage <= MOST_LAYERS, f"--num_stage must be at most {MOST_LAYERS}")


@dataclass
class GanLearningOptions:
    """How generator and critic learn from each other."""

    gradient_penalty_coeff: float | None = None
    """Weight of the penalty that holds the critic's gradients near length 1 (WGAN-GP); 10 unless
    --clip_max is given."""
    clip_max: float | None = None
    """Hold the critic's weights within plus and minus this, such as 0.01, instead of the
    penalty."""
    num_discriminator_steps_per_generator_step: int = 5
    """Steps of the critic for one of the generator."""

    def __post_init__(self) -> None:
        if self.gradient_penalty_coeff is not None and self.clip_max is not None:
            raise UserError("give --gradient_penalty_coeff or --clip_max, not both")
        for name in ("gradient_penalty_coeff", "clip_max"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise UserError(f"--{name} must be above 0, not {value}")
        each = self.num_discriminator_steps_per_generator_step
        at_least_one(num_discriminator_steps_per_generator_step=each)

    @property
    def penalty_coeff(self) -> float | None:
        """Weight of the gradient penalty; None where weights are clipped instead."""
        if self.clip_max is None and self.gradient_penalty_coeff is None:
            return GRADIENT_PENALTY_COEFF
        return self.gradient_penalty_coeff


@dataclass
class VaeLearningOptions:
    """What the encoder gives up for a simpler latent space."""

    kl_coeff: Annotated[float, tyro.conf.arg(aliases=["--beta"])] = 1.0
    """Weight of the KL divergence; 1 is the bound on the likelihood, less gives sharper poses."""
    decoder_noise: float = 10.0
    """Standard deviation of each coordinate about what is decoded, mm on a standard body."""

    def __post_init__(self) -> None:
        if not self.kl_coeff >= 0:
            raise UserError(f"--kl_coeff must not be negative, not {self.kl_coeff}")
        if not self.decoder_noise > 0:
            raise UserError(f"--decoder_noise must be above 0, not {self.decoder_noise}")


@dataclass
class PoseDataOptions:
    """Which poses."""

    dataset: Annotated[Dataset, tyro.conf.Suppress] = "mannequin"
    """Fixed by the subcommand."""
    subcommand: Annotated[str, tyro.conf.Suppress] = "3d_pose_gan_mannequin"
    """Names the run folder."""
    data_dir: str = ""
    """h36m: folder with data_3d_h36m.npz as VideoPose3D makes it, or with the file that `python
    data/prepare.py h36m` makes; mocap: a motion store (.npz) of data/prepare.py, or a folder of
    them. Empty means data/<name>."""
    train_subjects: tuple[str, ...] = ()
    """Who trains; empty means everybody who neither validates nor tests."""
    val_subjects: tuple[str, ...] = ()
    """Who validates; empty means S8, or cmu/06 hdm05/dg uiprmd/s07."""
    test_subjects: tuple[str, ...] = ()
    """Who is kept for the test; empty means S9 S11, or cmu/07 hdm05/mm uiprmd/s08."""
    mannequin_count: int = 100
    """mannequin: bodies, each with 500 poses."""
    epoch_poses: int = 262_144
    """Poses in an epoch, drawn evenly over the data sets and then their subjects."""
    validation_poses: int = 5_000
    """Poses that validate, drawn in the same way."""

    def __post_init__(self) -> None:
        recorded = ("data_dir", "train_subjects", "val_subjects", "test_subjects")
        used_by = dict.fromkeys(recorded, ("h36m", "mocap"))
        refuse_idle(self, used_by | {"mannequin_count": ("mannequin",)})
        at_least_one(mannequin_count=self.mannequin_count, epoch_poses=self.epoch_poses)
        if self.validation_poses < 2:
            raise UserError(f"--validation_poses must be at least 2, not {self.validation_poses}")
        self.val_subjects = self.val_subjects or VALIDATION_SUBJECTS[self.dataset]
        self.test_subjects = self.test_subjects or TEST_SUBJECTS[self.dataset]
        check_disjoint(self.train_subjects, self.val_subjects, self.test_subjects)


def _loop(epochs: int, batch_size: int) -> LoopOptions:
    # Matrices this small gain nothing from fewer digits, and the gradient penalty loses.
    return LoopOptions(
        epochs=epochs,
        train_batch_size=batch_size,
        test_batch_size=1000,
        workers=0,
        precision="32-true",
        ema_decay=0.999,
    )


def _gan_loop() -> LoopOptions:
    return _loop(epochs=30, batch_size=256)


def _vae_loop() -> LoopOptions:
    return _loop(epochs=50, batch_size=512)


def _gan_optimizer() -> OptimizerOptions:
    return OptimizerOptions(optimizer="adam", lr=5e-4, lr_scheduler="cosine", grad_clip=None)


def _vae_optimizer() -> OptimizerOptions:
    return OptimizerOptions(optimizer="adam", lr=1e-3, lr_scheduler="cosine")


@dataclass
class PoseGanTrainOptions:
    """Train a Wasserstein GAN of 3D poses."""

    run: RunOptions = field(default_factory=RunOptions)
    loop: LoopOptions = field(default_factory=_gan_loop)
    optim: OptimizerOptions = field(default_factory=_gan_optimizer)
    network: PoseNetworkOptions = field(default_factory=PoseNetworkOptions)
    learning: GanLearningOptions = field(default_factory=GanLearningOptions)
    data: PoseDataOptions = field(default_factory=PoseDataOptions)

    def __post_init__(self) -> None:
        need(
            self.loop.test_batch_size >= 2,
            "--test_batch_size must be at least 2: the best weights are those whose poses come "
            "nearest to real ones, and one pose alone has no distance",
        )


@dataclass
class PoseVaeTrainOptions:
    """Train a variational autoencoder of 3D poses."""

    run: RunOptions = field(default_factory=RunOptions)
    loop: LoopOptions = field(default_factory=_vae_loop)
    optim: OptimizerOptions = field(default_factory=_vae_optimizer)
    network: PoseNetworkOptions = field(default_factory=PoseNetworkOptions)
    learning: VaeLearningOptions = field(default_factory=VaeLearningOptions)
    data: PoseDataOptions = field(default_factory=PoseDataOptions)


@dataclass
class SampleOptions:
    """Make up poses."""

    load: str = "pose_gan"
    """Shipped model, run folder, .safetensors or .ckpt."""
    count: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 64
    """How many."""
    seed: int = 234
    """Seed of what they are made from."""
    height: float | None = None
    """Standing height of the person, mm; otherwise the poses have the size of a standard body."""
    output_dir: str = "visualizations/3d_pose_gan"
    """Where poses.npz and poses.json go."""
    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"] = "auto"
    """Kind of device; auto takes a GPU where there is one."""

    def __post_init__(self) -> None:
        at_least_one(count=self.count)
        if self.seed < 0:
            raise UserError(f"--seed must not be negative, not {self.seed}")
        check_height(self.height)
