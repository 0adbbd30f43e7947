"""Options of the hourglass commands. Nothing heavy is imported here, so that --help stays quick."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

import tyro

from stacked_hourglass.architecture import Architecture
from utils.errors import UserError
from utils.option_checks import at_least_one
from utils.options import LoopOptions, OptimizerOptions, RunOptions

Dataset = Literal["mpii", "lsp", "lspet", "coco", "mannequin", "people"]


@dataclass
class NetworkOptions:
    """The network. These travel with its weights and are never asked for again."""

    stacks: int = 8
    """Number of hourglasses, one after another."""
    features: int = 256
    """Channels of the features; a multiple of 4."""
    blocks: int = 1
    """Residual modules in each group of an hourglass."""
    num_classes: int = 16
    """Joints to learn: 16 are MPII's; 14 are LSP's (without pelvis and thorax)."""
    batch_norm_momentum: float = 0.1
    """Share of each batch in the running statistics of batch norm."""
    resolution: int = 256
    """Side of the square input in pixels; a multiple of 64."""

    def __post_init__(self) -> None:
        try:
            self.architecture()
        except ValueError as error:
            raise UserError(f"--{error}") from error
        if self.num_classes not in (14, 16):
            raise UserError(f"--num_classes must be 14 or 16, not {self.num_classes}")
        if self.resolution < 64 or self.resolution % 64:
            raise UserError(f"--resolution must be a multiple of 64, not {self.resolution}")

    def architecture(self) -> Architecture:
        """What the weights' shapes follow from."""
        return Architecture(
            stacks=self.stacks,
            features=self.features,
            blocks=self.blocks,
            num_classes=self.num_classes,
            batch_norm_momentum=self.batch_norm_momentum,
        )


@dataclass
class HeatmapOptions:
    """What the network learns from."""

    heatmap_loss: Literal["cross_entropy", "mse"] = "cross_entropy"
    """cross_entropy: softmax over the map against the target; mse: the published mean squared
    error. Both read out the same way; cross_entropy learns several times faster."""
    remove_intermediate_supervision: bool = False
    """Only the last stack enters the loss."""
    sigma: float = 1.0
    """Width of the target peak in heatmap pixels (a quarter of the input's)."""
    label_type: Literal["Gaussian", "Cauchy"] = "Gaussian"
    """Shape of the target peak."""
    augment_training_data: bool = True
    """Random scale, rotation, flip and colour of the training pictures."""
    flip: Annotated[bool, tyro.conf.arg(aliases=["-f"])] = False
    """Validate on the mean of each picture and its mirror image."""
    decoder: Literal["auto", "quarter_offset", "dark"] = "auto"
    """How a joint is read off its heatmap; auto takes the better on the validation pictures."""

    def __post_init__(self) -> None:
        if self.sigma <= 0:
            raise UserError(f"--sigma must be above 0, not {self.sigma}")


@dataclass
class DataOptions:
    """Which pictures."""

    dataset: Annotated[Dataset, tyro.conf.Suppress] = "mannequin"
    """Fixed by the subcommand."""
    data_dir: str = ""
    """Folder of the data set as data/README.md lays it out, or a training pack; empty means
    data/<name>."""
    sources: tuple[str, ...] = ()
    """hourglass_people: what to mix, such as lsp=data/lsp lspet=data/lspet mannequin=20000 or a
    training pack; the first one with validation pictures validates."""
    source_weights: tuple[float, ...] = ()
    """hourglass_people: how often pictures of each source are drawn, relative to one another;
    empty means in proportion to their number."""
    train_on_validation: bool = False
    """Train on the validation pictures too, for a last run once everything is chosen."""
    mannequin_count: int = 20000
    """Mannequin pictures in an epoch."""


@dataclass
class HourglassTrainOptions:
    """Train a stacked hourglass."""

    run: RunOptions = field(default_factory=RunOptions)
    loop: LoopOptions = field(default_factory=lambda: LoopOptions(epochs=200))
    optim: OptimizerOptions = field(default_factory=OptimizerOptions)
    network: NetworkOptions = field(default_factory=NetworkOptions)
    heatmaps: HeatmapOptions = field(default_factory=HeatmapOptions)
    data: DataOptions = field(default_factory=DataOptions)


@dataclass
class HourglassRunOptions:
    """Find the joints in the pictures of a data set, or in a plain folder of pictures."""

    dataset: Annotated[Dataset, tyro.conf.Suppress] = "mannequin"
    """Fixed by the subcommand."""
    load: str = ""
    """Shipped model, run folder, .safetensors, .ckpt or public checkpoint; empty takes the best
    shipped one."""
    data_dir: str = ""
    """The data set (a folder or a training pack), or any folder of pictures; empty means
    data/<name>."""
    output_dir: str = "visualizations/hourglass"
    """Where poses.npz goes (and preds.mat for MPII)."""
    split: Literal["train", "val", "test"] = "val"
    """Part of the data set."""
    run_with_train: bool = False
    """Same as --split train."""
    flip: Annotated[bool, tyro.conf.arg(aliases=["-f"])] = True
    """Average each picture with its mirror image: better, and twice the time."""
    test_batch_size: int = 16
    """Pictures at a time."""
    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"] = "auto"
    """Kind of device; auto takes a GPU where there is one."""
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = "auto"
    """Number format; auto is bf16 where the device computes in it."""
    mannequin_count: int = 500
    """hourglass_mannequin: number of pictures."""
    seed: int = 234
    """hourglass_mannequin: seed of the pictures."""

    def __post_init__(self) -> None:
        if self.run_with_train:
            self.split = "train"
        at_least_one(test_batch_size=self.test_batch_size)
