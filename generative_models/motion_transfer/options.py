"""Options of motion transfer. Nothing heavy is imported here, so that --help stays quick."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from utils.errors import need
from utils.option_checks import at_least_one, refuse_idle
from utils.options import LoopOptions, OptimizerOptions, RunOptions
from utils.subjects import TEST_SUBJECTS, VALIDATION_SUBJECTS

MotionDataset = Literal["mocap", "mannequin"]
Part = Literal["train", "validation", "test"]
Method = Literal["scale", "bones", "learned"]
FASTEST = 1000.0
"""Frames per second that nothing is filmed at."""


@dataclass
class MotionDataOptions:
    """Which motion."""

    dataset: Annotated[MotionDataset, tyro.conf.Suppress] = "mannequin"
    """Fixed by the subcommand."""
    data_dir: str = ""
    """mocap: a motion store (.npz) of data/prepare.py, a folder of them (data/mocap if empty), or a
    folder as Mixamo's, <character>/<motion>/<motion>.npy, arrays (15, 3, frames)."""
    subjects_validation: tuple[str, ...] = VALIDATION_SUBJECTS["mocap"]
    """mocap: who validates (mixamo/<character> for a folder as Mixamo's)."""
    subjects_test: tuple[str, ...] = TEST_SUBJECTS["mocap"]
    """mocap: who tests. Everybody else trains."""
    frame_rate: float = 30.0
    """Frames per second that motion stores are brought to; mannequins move so."""
    mannequin_count: int = 100
    """mannequin: bodies that train, each with half a minute of motion."""

    def __post_init__(self) -> None:
        used_by = dict.fromkeys(("data_dir", "subjects_validation", "subjects_test"), ("mocap",))
        refuse_idle(self, used_by | {"mannequin_count": ("mannequin",)})
        need(
            0 < self.frame_rate <= FASTEST,
            f"--frame_rate must be above 0 and at most {FASTEST:g}, not {self.frame_rate}",
        )
        at_least_one(mannequin_count=self.mannequin_count)
        twice = sorted(set(self.subjects_validation) & set(self.subjects_test))
        need(not twice, f"{' '.join(twice)}: named to validate and to test")


@dataclass
class TransferNetworkOptions:
    """The network. These travel with its weights and are never asked for again."""

    width: float = 1.0
    """Channels, times the published ones."""
    dropout: float = 0.2
    """Share of the decoder's channels that are switched off in each training step."""

    def __post_init__(self) -> None:
        need(self.width > 0, f"--width must be above 0, not {self.width}")
        need(0 <= self.dropout < 1, f"--dropout must be in [0, 1), not {self.dropout}")


@dataclass
class LossOptions:
    """Windows, how limbs are scaled, and the weight of each loss. 0 leaves a loss out."""

    window: int = 64
    """Frames of a window, a multiple of 8."""
    epoch_windows: int = 16_384
    """Windows in an epoch."""
    limb_scale: tuple[float, float] = (0.5, 2.0)
    """Range of the factor on all limbs, and of that on each limb beside it."""
    turns: int = 3
    """Turned copies of each clip that is made."""
    drop_joint_prob: float = 0.02
    """Chance of each joint to be hidden from the network in a whole clip."""
    reconstruction_weight: float = 10.0
    """A clip of its own codes is the clip."""
    cross_weight: float = 4.0
    """With the motion code of the same motion on other limbs it is the same clip."""
    transfer_weight: float = 10.0
    """With the body code of another clip of a person with other limbs it is the motion on those.
    (Not in the paper; 0 trains as published.)"""
    limbs_weight: float = 2.0
    """Codes of motion and view do not change with the limbs."""
    turns_weight: float = 2.0
    """Codes of motion and body do not change with the view."""
    triplet_weight: float = 10.0
    """Codes of body and view are like themselves at other times and unlike those of others."""
    adversarial_weight: float = 2.0
    """Turned clips look real to the discriminator."""

    def __post_init__(self) -> None:
        need(
            self.window >= 16 and self.window % 8 == 0,
            f"--window must be a multiple of 8 from 16 on, not {self.window}",
        )
        at_least_one(epoch_windows=self.epoch_windows, turns=self.turns)
        low, high = self.limb_scale
        need(0 < low <= high, f"--limb_scale must be two rising factors above 0: {low} {high}")
        share = self.drop_joint_prob
        need(0 <= share < 1, f"--drop_joint_prob must be in [0, 1), not {share}")
        for name, value in vars(self).items():
            if name.endswith("_weight"):
                need(value >= 0, f"--{name} must not be negative, not {value}")


def _loop() -> LoopOptions:
    return LoopOptions(epochs=30, train_batch_size=32, test_batch_size=128, workers=0)


def _optimizer() -> OptimizerOptions:
    return OptimizerOptions(
        optimizer="adam", lr=5e-4, weight_decay=1e-4, lr_scheduler="cosine", warmup_steps=200
    )


@dataclass
class TransferTrainOptions:
    """Train the motion transfer network."""

    run: RunOptions = field(default_factory=RunOptions)
    loop: LoopOptions = field(default_factory=_loop)
    optim: OptimizerOptions = field(default_factory=_optimizer)
    network: TransferNetworkOptions = field(default_factory=TransferNetworkOptions)
    losses: LossOptions = field(default_factory=LossOptions)
    data: MotionDataOptions = field(default_factory=MotionDataOptions)

    def __post_init__(self) -> None:
        need(self.optim.optimizer != "rmsprop", "--optimizer must be adam or amsprop here")

    @property
    def run_name(self) -> str:
        """Name of the run's folder."""
        return f"motion_transfer_{self.data.dataset}_{self.run.exp}"


def train_defaults(dataset: MotionDataset) -> TransferTrainOptions:
    """What `train.py motion_transfer_<dataset>` does if nothing else is said."""
    return TransferTrainOptions(data=MotionDataOptions(dataset=dataset))


@dataclass
class TransferWeightsOptions:
    """Which trained network."""

    load: str = ""
    """Run folder, .safetensors or .ckpt of train.py motion_transfer_*; none ship."""
    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"] = "auto"
    """Kind of device; auto takes a GPU where there is one."""


def _check_load(weights: TransferWeightsOptions, methods: Sequence[str]) -> None:
    learned = "learned" in methods
    need(learned or not weights.load, f"--load is for the network, not for {' '.join(methods)}")


@dataclass
class TransferRunOptions:
    """Make the person of --target move as that of --source does."""

    source: str
    """Pose file (poses.npz or poses.json) of whose motion it is: one person, one video."""
    target: str
    """Pose file of whose body it shall be: one person, one video."""
    weights: TransferWeightsOptions = field(default_factory=TransferWeightsOptions)
    method: Method = "bones"
    """scale: the source, as large as the target; bones: on limbs as long as the target's, in 3D
    where both files have 3D poses; learned: by the network."""
    output_dir: Path = Path("visualizations/motion_transfer")
    """Where poses.npz and poses.json go."""

    def __post_init__(self) -> None:
        _check_load(self.weights, (self.method,))


@dataclass
class TransferVizOptions:
    """Draw what lies between two clips, and a transfer beside where it comes from."""

    source: str
    """Pose file of whose motion it is: one person, one video."""
    target: str
    """Pose file of whose body it shall be: one person, one video."""
    weights: TransferWeightsOptions = field(default_factory=TransferWeightsOptions)
    steps: Annotated[int, tyro.conf.arg(aliases=["--n_interp"])] = 4
    """Rows (motion) and columns (body and view) of the grid."""
    size: int = 240
    """Side of a cell of the grid, px."""
    output_dir: Path = Path("visualizations/motion_transfer")
    """Where grid.png, grid.mp4 and side_by_side.mp4 go."""

    def __post_init__(self) -> None:
        need(self.steps >= 2, f"--steps must be at least 2, not {self.steps}")
        need(self.size >= 32, f"--size must be at least 32, not {self.size}")


@dataclass
class TransferEvalOptions:
    """Score transfers to held-out bodies, of which the truth is known."""

    data: MotionDataOptions = field(default_factory=MotionDataOptions)
    weights: TransferWeightsOptions = field(default_factory=TransferWeightsOptions)
    split: Literal["validation", "test"] = "test"
    """Whose motion and bodies."""
    pairs: int = 200
    """Pairs of a source and a target clip."""
    limb_scale: tuple[float, float] = (0.8, 1.25)
    """Range of the factors on the target's limbs."""
    jitter: float = 0.0
    """Errors of the 2D joints, px (standard deviation) in pictures 512 px high."""
    methods: tuple[Method, ...] = ("scale", "bones", "learned")
    """What is compared."""
    output_dir: Path = Path("visualizations/motion_transfer_scores")
    """Where results.csv and invariance.csv go."""
    seed: int = 234
    """Seed of pairs, views and limbs."""

    def __post_init__(self) -> None:
        need(self.seed >= 0, f"--seed must not be negative, not {self.seed}")
        at_least_one(pairs=self.pairs)
        need(self.jitter >= 0, f"--jitter must not be negative, not {self.jitter}")
        low, high = self.limb_scale
        need(0 < low <= high, f"--limb_scale must be two rising factors above 0: {low} {high}")
        need(len(self.methods) > 0, "--methods must name at least one")
        _check_load(self.weights, self.methods)
