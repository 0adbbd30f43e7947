"""Options of the stitched commands. Nothing heavy is imported here, so that --help stays quick."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

import tyro

from utils.errors import UserError
from utils.option_checks import (
    at_least_one,
    check_disjoint,
    check_height,
    check_lens,
    refuse_given,
    refuse_idle,
)
from utils.options import LoopOptions, OptimizerOptions, RunOptions
from utils.subjects import TEST_SUBJECTS, VALIDATION_SUBJECTS

TrainDataset = Literal["fine_tune", "h36m", "mannequin"]
Dataset = Literal["mpii", "h36m", "mannequin"]
Split = Literal["train", "val", "test"]


@dataclass
class JoinOptions:
    """Two networks that become one. A whole one, given with --load, overrides them."""

    load_hourglass: str = ""
    """Hourglass to start from: shipped model, run folder, .safetensors, .ckpt or public checkpoint;
    empty takes the best shipped one."""
    load_2d3d: str = "lifter"
    """Lifter to start from: shipped model, run folder, .safetensors, .ckpt, or a public checkpoint
    (--statistics)."""
    statistics: str = ""
    """Public lifters hold no normalisation: a file of Human3.6M pairs to measure it on."""
    window: Literal["auto", "none", "uniform", "parzen"] = "auto"
    """Which cells around a heatmap's largest one the soft-argmax is the mean of: all, those within
    5 heatmap px, or these weighted by Parzen's window; auto is uniform, or what --load has."""
    temperature: float | None = None
    """Of the soft-argmax; otherwise 1 for hourglasses trained with cross_entropy, 0.1 with mse."""

    def __post_init__(self) -> None:
        if self.temperature is not None and self.temperature <= 0:
            raise UserError(f"--temperature must be above 0, not {self.temperature}")


@dataclass
class LearningOptions:
    """What is learnt, from what."""

    freeze: Literal["none", "hourglass", "lifter"] = "none"
    """Part that stays as it is: none trains both end to end; hourglass retrains the lifter on the
    soft-argmax's joints; lifter trains the hourglass through it."""
    learn_temperature: bool = False
    """Train the temperature of the soft-argmax, too."""
    heatmap_loss_coeff: float = 0.1
    """Weight of the heatmap loss, in 2D, beside the 3D loss; 0 leaves it out."""
    sigma: float = 1.0
    """Width of the peaks that the heatmaps are to have, heatmap px."""
    pose_loss: Literal["mse", "mpjpe"] = "mpjpe"
    """3D loss, in the lifter's numbers: mean squared error, or mean distance."""
    fixed_statistics: bool = True
    """Batch norm works with the statistics that the networks were trained to, as in use; otherwise
    with those of each batch, which suits large batches only."""
    augment_training_data: bool = True
    """Random scale, roll, mirroring and colour of the pictures; camera and 3D pose move along."""

    def __post_init__(self) -> None:
        if self.heatmap_loss_coeff < 0:
            raise UserError(
                f"--heatmap_loss_coeff must not be negative, not {self.heatmap_loss_coeff}"
            )
        if self.sigma <= 0:
            raise UserError(f"--sigma must be above 0, not {self.sigma}")
        if self.freeze == "hourglass":
            refuse_given(self, ("heatmap_loss_coeff",), "with --freeze hourglass")


_OF_PEOPLE = ("data_dir", "train_subjects", "val_subjects", "test_subjects", "every")
_USED_BY = {
    **dict.fromkeys(_OF_PEOPLE, ("h36m", "fine_tune")),
    **dict.fromkeys(("mannequin_count", "held_out_count"), ("mannequin",)),
}


@dataclass
class DataOptions:
    """Which pictures with 3D poses."""

    dataset: Annotated[TrainDataset, tyro.conf.Suppress] = "mannequin"
    """Fixed by the subcommand; fine_tune is another name of h36m."""
    data_dir: str = ""
    """h36m: folder that `data/prepare.py h36m_images` wrote; empty means data/h36m/images."""
    train_subjects: tuple[str, ...] = ()
    """h36m: who trains; empty means everybody who neither validates nor tests."""
    val_subjects: tuple[str, ...] = VALIDATION_SUBJECTS["h36m"]
    """h36m: who validates."""
    test_subjects: tuple[str, ...] = TEST_SUBJECTS["h36m"]
    """h36m: who is kept for the test."""
    every: int = 1
    """h36m: take every so many-th of the pictures."""
    mannequin_count: int = 5000
    """mannequin: pictures that train; they are rendered once and kept in .cache/."""
    held_out_count: int = 500
    """mannequin: pictures that validate, and as many others that test."""

    def __post_init__(self) -> None:
        refuse_idle(self, _USED_BY)
        at_least_one(
            every=self.every,
            mannequin_count=self.mannequin_count,
            held_out_count=self.held_out_count,
        )
        check_disjoint(self.train_subjects, self.val_subjects, self.test_subjects)


def _loop() -> LoopOptions:
    return LoopOptions(epochs=20, train_batch_size=16, test_batch_size=32, workers=2)


def _optimizer() -> OptimizerOptions:
    return OptimizerOptions(optimizer="amsprop", lr=1e-4, lr_scheduler="cosine")


@dataclass
class StitchedTrainOptions:
    """Train hourglass and lifter as one network."""

    run: RunOptions = field(default_factory=RunOptions)
    loop: LoopOptions = field(default_factory=_loop)
    optim: OptimizerOptions = field(default_factory=_optimizer)
    join: JoinOptions = field(default_factory=JoinOptions)
    learning: LearningOptions = field(default_factory=LearningOptions)
    data: DataOptions = field(default_factory=DataOptions)


@dataclass
class WeightsOptions:
    """Which network, on which device."""

    load: str = ""
    """A whole stitched network: run folder, .safetensors or .ckpt; it overrides --load_hourglass
    and --load_2d3d."""
    flip: Annotated[bool, tyro.conf.arg(aliases=["-f"])] = True
    """Average each picture's heatmaps with its mirror image's: better, and twice the time."""
    test_batch_size: int = 16
    """Pictures at a time."""
    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"] = "auto"
    """Kind of device; auto takes a GPU where there is one."""
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = "auto"
    """Number format of the hourglass; auto is bf16 where the device computes in it."""

    def __post_init__(self) -> None:
        at_least_one(test_batch_size=self.test_batch_size)


_OF_MANNEQUINS = dict.fromkeys(("mannequin_count", "seed"), ("mannequin",))


@dataclass
class StitchedRunOptions:
    """Find 2D and 3D joints in pictures."""

    dataset: Annotated[Dataset, tyro.conf.Suppress] = "mannequin"
    """Fixed by the subcommand."""
    weights: WeightsOptions = field(default_factory=WeightsOptions)
    join: JoinOptions = field(default_factory=JoinOptions)
    data_dir: str = ""
    """mpii: the data set, a training pack, or any folder of pictures, empty means data/mpii; h36m:
    what `data/prepare.py h36m_images` wrote, empty means data/h36m/images."""
    split: Split = "val"
    """Part of the data set."""
    focal: float | None = None
    """Focal length of the cameras, px, instead of the data set's own or a guess."""
    fov: float | None = None
    """Field of view of the cameras along the longer edge, degrees, likewise; a guess is 55."""
    height: float | None = None
    """Standing height of the people, mm; otherwise they have the size of a standard body."""
    output_dir: str = "visualizations/stitched"
    """Where poses.npz and poses.json go, and ground_truth.npz of data sets with 3D poses."""
    mannequin_count: int = 500
    """mannequin: number of pictures."""
    seed: int = 234
    """mannequin: seed of the pictures."""

    def __post_init__(self) -> None:
        refuse_idle(self, _OF_MANNEQUINS | {"data_dir": ("mpii", "h36m")})
        check_lens(self.focal, self.fov)
        check_height(self.height)
        if self.mannequin_count < 1 or self.seed < 0:
            raise UserError("--mannequin_count must be at least 1, --seed not negative")


@dataclass
class StitchedEvalOptions:
    """Find 2D and 3D joints in pictures with known poses, and score them."""

    dataset: Annotated[Literal["h36m", "mannequin"], tyro.conf.Suppress] = "mannequin"
    """Fixed by the subcommand."""
    weights: WeightsOptions = field(default_factory=WeightsOptions)
    join: JoinOptions = field(default_factory=JoinOptions)
    data_dir: str = ""
    """h36m: what `data/prepare.py h36m_images` wrote, empty means data/h36m/images."""
    split: Split = "test"
    """Part of the data set."""
    joints: Literal[17, 14] = 17
    """17 joints with the hip, whose error is zero; or 14, without hip, spine and nose. Only these
    enter alignment and scale."""
    output_dir: str = "visualizations/stitched_scores"
    """Where results.csv, 2d.csv, the plots, poses.npz and ground_truth.npz go."""
    mannequin_count: int = 500
    """mannequin: number of pictures."""
    seed: int = 234
    """mannequin: seed of the pictures."""

    def __post_init__(self) -> None:
        refuse_idle(self, _OF_MANNEQUINS | {"data_dir": ("h36m",)})
        if self.mannequin_count < 1 or self.seed < 0:
            raise UserError("--mannequin_count must be at least 1, --seed not negative")
