"""Options of the lifter commands. Nothing heavy is imported here, so that --help stays quick."""

from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

import tyro

from utils.errors import UserError
from utils.option_checks import (
    at_least_one,
    check_disjoint,
    check_height,
    check_lens,
    check_poses_alone,
    refuse_given,
    refuse_idle,
)
from utils.options import LoopOptions, OptimizerOptions, RunOptions
from utils.subjects import TEST_SUBJECTS, VALIDATION_SUBJECTS

Dataset = Literal["h36m", "mocap", "mannequin"]
RECORDED: tuple[Dataset, ...] = ("h36m", "mocap")


def _need_share(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise UserError(f"--{name} must be in [0, 1], not {value}")


def _need_not_negative(name: str, value: float) -> None:
    if value < 0:
        raise UserError(f"--{name} must not be negative, not {value}")


@dataclass
class LifterNetworkOptions:
    """The network. These travel with its weights and are never asked for again."""

    linear_size: int = 1024
    """Units of each hidden layer."""
    num_stage: int = 2
    """Residual blocks, of two layers each."""
    dropout: float = 0.5
    """Share of the units that are switched off in each training step."""
    max_norm: bool = True
    """Hold the norm of each layer's weight matrix at most 1, after every step."""

    def __post_init__(self) -> None:
        at_least_one(linear_size=self.linear_size)
        _need_not_negative("num_stage", self.num_stage)
        if not 0 <= self.dropout < 1:
            raise UserError(f"--dropout must be in [0, 1), not {self.dropout}")


@dataclass
class NormalisationOptions:
    """What the network's numbers mean, and what it learns from them."""

    dataset_normalization: bool = False
    """Subtract the mean and divide by the deviation of the training set, as published. Otherwise
    each pose is aligned with the view to it and freed of its scale."""
    target_size: Literal["body", "standard"] = "body"
    """Without --dataset_normalization: divide each 3D pose by the size of its own body, or all by
    that of the standard body, so that the network guesses sizes from proportions."""
    pose_loss: Literal["mse", "mpjpe"] = "mse"
    """mse: mean squared error, as published; mpjpe: mean distance."""
    lr_decay: float = 0.96
    """The learning rate is multiplied by this over --lr_decay_steps steps, smoothly, as published;
    on top of --lr_scheduler. 1 is off."""
    lr_decay_steps: int = 100_000
    """See --lr_decay."""

    def __post_init__(self) -> None:
        if not 0 < self.lr_decay <= 1:
            raise UserError(f"--lr_decay must be above 0 and at most 1, not {self.lr_decay}")
        at_least_one(lr_decay_steps=self.lr_decay_steps)
        if self.dataset_normalization:
            refuse_given(self, ("target_size",), "with --dataset_normalization")


@dataclass
class AugmentationOptions:
    """Changes to the training poses."""

    orthogonal_data_augmentation: bool = False
    """Turn poses about their hip at random and look at them again with the same camera."""
    orthogonal_data_augmentation_prob: float = 0.5
    """Share of the poses that are turned; their 2D joints become exact projections."""
    z_rotations_only: bool = False
    """Turn about the world's upward direction only, rather than about any axis."""
    flip_prob: float = 0.0
    """Share of the poses that are mirrored, left and right exchanged; their 2D joints become exact
    projections."""
    drop_joint_prob: float = 0.0
    """Chance of each 2D joint to be absent."""
    input_noise: float = 0.0
    """2D errors like a detector's: for each pose between 0 and this times those in
    twod_threed/detector_noise.json, so that exact poses are learnt as well."""

    def __post_init__(self) -> None:
        for name in ("orthogonal_data_augmentation_prob", "flip_prob", "drop_joint_prob"):
            _need_share(name, getattr(self, name))
        _need_not_negative("input_noise", self.input_noise)
        if not self.orthogonal_data_augmentation:
            used = ("orthogonal_data_augmentation_prob", "z_rotations_only")
            refuse_given(self, used, "without --orthogonal_data_augmentation")

    @property
    def turn_probability(self) -> float:
        """Share of the poses that are turned, 0 if none."""
        used = self.orthogonal_data_augmentation
        return self.orthogonal_data_augmentation_prob if used else 0.0


@dataclass
class CycleGanOptions:
    """Training with a cycle and two critics."""

    cycle_gan: bool = False
    """Also train a weak-perspective camera that takes 3D back to 2D, and critics of both."""
    gan_coeff: float = 1.0
    """Weight of what the critics say."""
    cycle_coeff: float = 10.0
    """Weight of the difference after a way there and back."""
    regression_coeff: float = 10.0
    """Weight of the plain loss (--pose_loss)."""
    gradient_penalty_coeff: float = 10.0
    """Weight of the penalty that holds the critics' gradients near length 1."""

    def __post_init__(self) -> None:
        names = ("gan_coeff", "cycle_coeff", "regression_coeff", "gradient_penalty_coeff")
        if not self.cycle_gan:
            refuse_given(self, names, "without --cycle_gan")
        for name in names:
            _need_not_negative(name, getattr(self, name))


_USED_BY = {
    **dict.fromkeys(("data_dir", "train_subjects", "val_subjects", "test_subjects"), RECORDED),
    **dict.fromkeys(("action", "keypoints", "every", "joints"), ("h36m",)),
    "validation_poses": ("mocap", "mannequin"),
    "mannequin_count": ("mannequin",),
}


@dataclass
class DataOptions:
    """Which poses."""

    dataset: Annotated[Dataset, tyro.conf.Suppress] = "mannequin"
    """Fixed by the subcommand."""
    data_dir: str = ""
    """h36m: folder of Human3.6M in one of the layouts of data/README.md, or a file of pairs; mocap:
    a motion store (.npz) of data/prepare.py, a folder of them, or a file of pairs. Empty means
    data/<name>."""
    train_subjects: tuple[str, ...] = ()
    """Who trains; empty means everybody who neither validates nor tests."""
    val_subjects: tuple[str, ...] = ()
    """Who validates; empty means S8, or cmu/06 hdm05/dg uiprmd/s07."""
    test_subjects: tuple[str, ...] = ()
    """Who is kept for the test; empty means S9 S11, or cmu/07 hdm05/mm uiprmd/s08."""
    action: tuple[str, ...] = ()
    """h36m: actions; empty means all 15."""
    keypoints: str = "gt"
    """h36m: 2D joints: gt for projections, or the name of a detector whose joints are there."""
    every: int = 1
    """h36m: take every so many-th frame."""
    joints: Literal[14, 17] = 17
    """h36m: joints that count; 14 leaves out hip, spine and nose. Trained with 14, a lifter has not
    learnt spine and nose, and what it gives for them means nothing."""
    validation_poses: int = 20_000
    """mocap, mannequin: poses that validate, about, evenly spaced in time."""
    mannequin_count: int = 100
    """mannequin: bodies, each with 500 poses."""

    def __post_init__(self) -> None:
        refuse_idle(self, _USED_BY)
        at_least_one(
            every=self.every,
            validation_poses=self.validation_poses,
            mannequin_count=self.mannequin_count,
        )
        self.val_subjects = self.val_subjects or VALIDATION_SUBJECTS[self.dataset]
        self.test_subjects = self.test_subjects or TEST_SUBJECTS[self.dataset]
        check_disjoint(self.train_subjects, self.val_subjects, self.test_subjects)


@dataclass
class DrawingOptions:
    """How motion is sampled."""

    epoch_poses: int = 262_144
    """mocap, mannequin: poses in an epoch, drawn evenly over the data sets and then their subjects,
    each seen by a camera of its own."""

    def __post_init__(self) -> None:
        at_least_one(epoch_poses=self.epoch_poses)


def _loop() -> LoopOptions:
    return LoopOptions(epochs=200, train_batch_size=4096, test_batch_size=4096, workers=0)


def _optimizer() -> OptimizerOptions:
    return OptimizerOptions(optimizer="adam", lr=1e-3)


@dataclass
class LifterTrainOptions:
    """Train a lifter."""

    run: RunOptions = field(default_factory=RunOptions)
    loop: LoopOptions = field(default_factory=_loop)
    optim: OptimizerOptions = field(default_factory=_optimizer)
    network: LifterNetworkOptions = field(default_factory=LifterNetworkOptions)
    learning: NormalisationOptions = field(default_factory=NormalisationOptions)
    augmentation: AugmentationOptions = field(default_factory=AugmentationOptions)
    gan: CycleGanOptions = field(default_factory=CycleGanOptions)
    data: DataOptions = field(default_factory=DataOptions)
    drawing: DrawingOptions = field(default_factory=DrawingOptions)

    def __post_init__(self) -> None:
        if self.data.dataset == "h36m":
            refuse_given(self.drawing, ("epoch_poses",), "for h36m: an epoch is all of its poses")


def train_defaults(dataset: Dataset) -> LifterTrainOptions:
    """Human3.6M: the published network. Otherwise what did best on motion capture that validates:
    there nearly every pose is seen once, and dropout only slows learning."""
    data = DataOptions(dataset=dataset)
    if dataset == "h36m":
        return LifterTrainOptions(data=data)
    return LifterTrainOptions(
        loop=replace(_loop(), train_batch_size=512),
        optim=replace(_optimizer(), lr=2e-4, lr_scheduler="cosine"),
        network=LifterNetworkOptions(dropout=0.0),
        augmentation=AugmentationOptions(flip_prob=0.5),
        data=data,
    )


@dataclass
class LifterRunOptions:
    """Lift 2D poses to 3D."""

    data: DataOptions = field(default_factory=DataOptions)
    load: str = "lifter"
    """Shipped model, run folder, .safetensors, .ckpt, or a public checkpoint (--statistics)."""
    poses: str = ""
    """2D pose file (poses.npz or poses.json) to lift, instead of a data set."""
    split: Literal["train", "val", "test"] = "val"
    """Part of the data set."""
    process_as_video: bool = False
    """Take the rows of one source and person as the frames of a video: one body size for all of
    them, and short gaps filled."""
    max_gap: int = 10
    """--process_as_video: longest run of frames without a joint that is filled by interpolation."""
    focal: float | None = None
    """Focal length of an unknown camera, px."""
    fov: float | None = None
    """Field of view of an unknown camera along the longer edge, degrees; 55 if nothing is said."""
    height: float | None = None
    """Standing height of the person, mm; otherwise the answer has the size of a standard body."""
    statistics: str = ""
    """Public checkpoints hold no normalisation: a file of Human3.6M pairs to measure it on, of S1,
    S5, S6, S7 and S8, who trained them."""
    output_dir: str = "visualizations/lifter"
    """Where poses.npz and poses.json go."""
    test_batch_size: int = 4096
    """Poses at a time."""
    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"] = "auto"
    """Kind of device; auto takes a GPU where there is one."""
    seed: int = 234
    """Seed of the cameras and the mannequins."""

    def __post_init__(self) -> None:
        check_lens(self.focal, self.fov)
        check_height(self.height)
        check_poses_alone(self.poses, self.data, self.split == "val")
        if self.max_gap < 0 or self.test_batch_size < 1 or self.seed < 0:
            raise UserError("--max_gap and --seed must not be negative, --test_batch_size not 0")
        if not self.process_as_video:
            refuse_given(self, ("max_gap",), "without --process_as_video")
