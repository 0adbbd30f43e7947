"""Options of the hourglass commands. Nothing heavy is imported here, so that --help stays quick."""

import math
from dataclasses import dataclass, field, fields
from typing import Annotated, Literal, get_args

import tyro

from stacked_hourglass.architecture import Architecture
from utils.errors import UserError, need
from utils.option_checks import at_least_one, check_scales, refuse_given, refuse_idle
from utils.options import LoopOptions, OptimizerOptions, RunOptions

Dataset = Literal[
    "mpii",
    "lsp",
    "lspet",
    "coco",
    "eva",
    "mannequin",
    "mannequin_video",
    "people",
    "custom",
]
Decoder = Literal["auto", "quarter_offset", "dark", "expected_pck"]
MANNEQUINS: tuple[Dataset, ...] = ("mannequin", "mannequin_video")
FILMS: tuple[Dataset, ...] = ("eva", "mannequin_video")
"""Data sets of films."""
WINDOW = 8
"""Frames that are looked at together, if nothing else is said."""
SIGMAS = (0.1, 100.0)
"""Widths of a target peak, heatmap px: of a narrower one no pixel of the map would see anything."""
NO_BATCH_NORM = (
    "with --use_layer_norm there is no batch norm: leave out one of --use_layer_norm and --{}"
)
NEEDS_PAIRS = "at --resolution 64, and only there, batch norms need two pictures in every batch"


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
    use_layer_norm: bool = False
    """Layer norm in place of batch norm: each picture's own mean and deviation, over channels and
    places, without scale and shift."""
    no_batch_norm_affine: bool = False
    """Batch norms without scale and shift."""
    predict_joint_visibility: bool = False
    """Also learn whether each joint is seen or hidden, from data that tell; see
    --joint_visibility_loss_coeff."""
    add_attention: bool = False
    """Attention over the frames of a film at the lowest resolution of each hourglass, for data sets
    of films (hourglass_eva, hourglass_mannequin_video)."""
    causal_attention: bool = False
    """--add_attention: a frame looks at itself and those before it alone, not at all of the
    window."""
    resolution: int = 256
    """Side of the square input in pixels; a multiple of 64."""

    def __post_init__(self) -> None:
        for name in ("batch_norm_momentum", "no_batch_norm_affine"):
            is_default = getattr(self, name) == getattr(NetworkOptions, name)
            need(not self.use_layer_norm or is_default, NO_BATCH_NORM.format(name))
        need(
            self.add_attention or not self.causal_attention,
            "--causal_attention needs --add_attention",
        )
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
            layer_norm=self.use_layer_norm,
            batch_norm_affine=not self.no_batch_norm_affine,
            visibility=self.predict_joint_visibility,
            attention=self._attention(),
        )

    def _attention(self) -> str:
        if not self.add_attention:
            return ""
        return "causal" if self.causal_attention else "window"


@dataclass
class HeatmapOptions:
    """What the network learns from."""

    heatmap_loss: Literal["cross_entropy", "mse"] = "cross_entropy"
    """cross_entropy: softmax over the map against the target; mse: the published mean squared
    error. Both read out the same way; cross_entropy learns several times faster."""
    remove_intermediate_supervision: bool = False
    """Only the last stack enters the loss."""
    joint_visibility_loss_coeff: float = 0.1
    """What the loss of the visibility counts beside that of the heatmaps."""
    sigma: float = 1.0
    """Width of the target peak in heatmap pixels (a quarter of the input's)."""
    sigma_decay: float = 0.0
    """Factor on --sigma after each epoch, such as 0.98, down to 0.1; 0 leaves it as it is."""
    label_type: Literal["Gaussian", "Cauchy"] = "Gaussian"
    """Shape of the target peak."""
    hidden_joint_weight: float = 1.0
    """What a joint that is annotated as hidden counts in the loss of the heatmaps, beside a seen
    one's 1."""
    round_targets: bool = False
    """Target peaks at whole heatmap pixels, as published; otherwise where the joint is."""
    trim_share: float = 0.0
    """Share of each batch's joints, those that the network finds hardest to believe, that is taken
    for labelled wrongly and not learned from."""
    trim_from_epoch: int = 1
    """--trim_share: first epoch, counted from 0, in which the network is believed so far."""
    augment_training_data: bool = True
    """Random scale, rotation, flip and colour of the training pictures."""
    flip: Annotated[bool, tyro.conf.arg(aliases=["-f"])] = False
    """Validate on the mean of each picture and its mirror image."""
    use_train_mode_to_eval: bool = False
    """Validate with each batch's own statistics in the batch norms, as in training, not with the
    running ones."""
    decoder: Decoder = "auto"
    """How a joint is read off its heatmap: at the peak, by a quarter pixel towards the higher
    neighbour or by DARK; or at the place near which, as near as PCK allows, it most likely is. auto
    takes the best on the validation pictures."""
    scale_weight_factor: float = 1.0
    """Multiplies every weight that the network begins with, also scales and shifts of norms."""

    def __post_init__(self) -> None:
        low, high = SIGMAS
        need(low <= self.sigma <= high, f"--sigma must be from {low} to {high}, not {self.sigma}")
        for name in ("scale_weight_factor", "joint_visibility_loss_coeff"):
            need(getattr(self, name) > 0, f"--{name} must be above 0, not {getattr(self, name)}")
        need(self.hidden_joint_weight >= 0, "--hidden_joint_weight must not be negative")
        need(0 <= self.trim_share < 1, f"--trim_share must be from 0 to 1, not {self.trim_share}")
        need(self.trim_from_epoch >= 0, "--trim_from_epoch must not be negative")
        need(
            self.trim_share > 0 or self.trim_from_epoch == 1, "--trim_from_epoch needs --trim_share"
        )
        if not 0 <= self.sigma_decay <= 1:
            raise UserError(f"--sigma_decay must be from 0 to 1, not {self.sigma_decay}")

    def sigma_in(self, epoch: int) -> float:
        """Width of the target peak in an epoch, which are counted from 0."""
        return max(self.sigma * (self.sigma_decay or 1.0) ** epoch, SIGMAS[0])


@dataclass
class MaskingOptions:
    """Bars over the training pictures, so that the network learns to guess what it cannot see."""

    add_random_masking: bool = False
    """Cover a part of the person with a bar across the picture, in training only."""
    mask_prob: float = 0.5
    """Probability that a picture gets a bar."""
    orientation_prob: float = 0.5
    """Probability that the bar is vertical; otherwise it is horizontal."""
    mean_valued_prob: float = 0.5
    """Probability that the bar has the mean colour; otherwise it is noise about it."""
    max_cover_ratio: float = 0.5
    """The bar's largest width over that of the box that the person's joints span."""
    noise_std: float = 0.2
    """Standard deviation of the noise, for colours in [0, 1]."""

    def __post_init__(self) -> None:
        for name in ("mask_prob", "orientation_prob", "mean_valued_prob", "max_cover_ratio"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise UserError(f"--{name} must be from 0 to 1, not {value}")
        if self.noise_std < 0:
            raise UserError(f"--noise_std must not be negative, not {self.noise_std}")
        for one in fields(self):
            is_idle = not self.add_random_masking and getattr(self, one.name) != one.default
            need(not is_idle, f"--{one.name} needs --add_random_masking")


@dataclass
class CustomOptions:
    """hourglass_custom: keypoints of any kind, annotated in COCO's layout."""

    annotations: str = "annotations.json"
    """The file, counted from --data_dir; `file_name` of its pictures counts from there or from
    images/ in it."""
    validation_annotations: str = ""
    """A second file, to validate on; empty: one picture in twenty of the first validates."""
    category: str = ""
    """Which category; empty if only one has keypoints."""
    flip_pairs: tuple[str, ...] = ()
    """Joints that a mirror image exchanges, each left:right; empty takes those whose names differ
    in left and right, or l and r, alone."""

    def check(self, dataset: Dataset) -> None:
        """Raises UserError where these are given for another data set."""
        for one in fields(self):
            is_idle = dataset != "custom" and getattr(self, one.name) != one.default
            need(not is_idle, f"--{one.name} is for hourglass_custom")


_USED_BY = {
    "data_dir": [name for name in get_args(Dataset) if name not in MANNEQUINS],
    "sources": ["people"],
    "source_weights": ["people"],
    "mannequin_count": ["mannequin", "people"],
    "mannequin_films": ["mannequin_video", "people"],
    "film_frames": [*FILMS, "people"],
}


@dataclass
class DataOptions:
    """Which pictures."""

    dataset: Annotated[Dataset, tyro.conf.Suppress] = "mannequin"
    """Fixed by the subcommand."""
    data_dir: str = ""
    """Folder of the data set as data/README.md lays it out, or a training pack; empty means
    data/<name>, data/humaneva for hourglass_eva. hourglass_people: a training pack in place of
    --sources."""
    sources: tuple[str, ...] = ()
    """hourglass_people: what to mix, such as lsp=data/lsp lspet=data/lspet mannequin=20000 or a
    training pack; the first one with validation pictures validates. After mannequin= comes the
    number of pictures, after mannequin_video= of films."""
    source_weights: tuple[float, ...] = ()
    """hourglass_people: how often pictures of each source are drawn, relative to one another;
    empty means in proportion to their number."""
    train_on_validation: bool = False
    """Train on the validation pictures too, for a last run once everything is chosen."""
    mannequin_count: int = 20000
    """Mannequin pictures in an epoch."""
    mannequin_films: int = 1500
    """hourglass_mannequin_video: films in an epoch, each of --film_frames frames."""
    film_frames: int = 0
    """Data sets of films: frames, a tenth of a second apart, that are looked at together. 0 means 8
    in hourglass_mannequin_video and with --add_attention, otherwise each alone."""
    custom: CustomOptions = field(default_factory=CustomOptions)

    def __post_init__(self) -> None:
        self.custom.check(self.dataset)
        refuse_idle(self, _USED_BY)
        need(not (self.sources and self.data_dir), "give --sources or --data_dir, not both")
        at_least_one(mannequin_count=self.mannequin_count, mannequin_films=self.mannequin_films)
        weights = self.source_weights
        need(
            not weights or (min(weights) >= 0 and 0 < sum(weights) < math.inf),
            "--source_weights must be finite, from 0 up and not all of them 0, not "
            + " ".join(map(str, weights)),
        )
        need(self.film_frames >= 0, f"--film_frames must not be negative, not {self.film_frames}")
        if self.dataset == "people":
            self._refuse_idle_counts()

    def _refuse_idle_counts(self) -> None:
        used = {"mannequin": "mannequin_count", "mannequin_video": "mannequin_films"}
        idle = [option for source, option in used.items() if source not in self.sources]
        refuse_given(self, idle, "unless --sources names these mannequins without a number")

    @property
    def frames(self) -> int:
        """Pictures in a row that belong together: 1 unless the data set is one of films."""
        if self.dataset not in FILMS:
            return 1
        return self.film_frames or (WINDOW if self.dataset == "mannequin_video" else 1)


@dataclass
class HourglassTrainOptions:
    """Train a stacked hourglass."""

    run: RunOptions = field(default_factory=RunOptions)
    loop: LoopOptions = field(default_factory=lambda: LoopOptions(epochs=200))
    optim: OptimizerOptions = field(default_factory=OptimizerOptions)
    network: NetworkOptions = field(default_factory=NetworkOptions)
    heatmaps: HeatmapOptions = field(default_factory=HeatmapOptions)
    masking: MaskingOptions = field(default_factory=MaskingOptions)
    data: DataOptions = field(default_factory=DataOptions)

    def __post_init__(self) -> None:
        need(
            self.data.dataset != "custom" or self.network.num_classes == 16,
            "hourglass_custom has as many classes as its annotations have joints: leave out "
            "--num_classes",
        )
        self._check_films()
        self._check_norms()
        is_drawn = not self.run.load or self.heatmaps.scale_weight_factor == 1
        need(is_drawn, "--scale_weight_factor is for weights drawn at random, not for --load")
        coefficient = self.heatmaps.joint_visibility_loss_coeff
        need(
            self.network.predict_joint_visibility
            or coefficient == HeatmapOptions.joint_visibility_loss_coeff,
            "--joint_visibility_loss_coeff needs --predict_joint_visibility",
        )

    def _check_films(self) -> None:
        need(
            self.data.dataset in FILMS or not self.network.add_attention,
            "--add_attention needs films: hourglass_eva or hourglass_mannequin_video",
        )
        if self.network.add_attention and not self.data.film_frames:
            self.data.film_frames = WINDOW
        frames = self.data.frames
        for name in ("train_batch_size", "test_batch_size"):
            size = getattr(self.loop, name)
            need(size % frames == 0, f"--{name} must be a multiple of --film_frames, {frames}")

    def _check_norms(self) -> None:
        own_statistics = self.heatmaps.use_train_mode_to_eval
        is_idle = self.network.use_layer_norm and own_statistics
        need(not is_idle, NO_BATCH_NORM.format("use_train_mode_to_eval"))
        for name in ("train_batch_size", "test_batch_size")[: 1 + own_statistics]:
            enough = getattr(self.loop, name) > 1 or not self.needs_pairs
            need(enough, f"--{name} must be at least 2: {NEEDS_PAIRS}")

    @property
    def needs_pairs(self) -> bool:
        """Whether a batch norm that measures its batch needs two pictures: of one, the lowest level
        of an hourglass has one place alone."""
        return self.network.resolution == 64 and not self.network.use_layer_norm


def train_defaults(dataset: Dataset) -> HourglassTrainOptions:
    """What is trained with where nothing else is said."""
    data = DataOptions(dataset=dataset)
    loop = LoopOptions(epochs=200)
    if dataset in FILMS:
        loop = LoopOptions(epochs=200, train_batch_size=2 * WINDOW, test_batch_size=2 * WINDOW)
    return HourglassTrainOptions(data=data, loop=loop)


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
    data/<name>, data/humaneva for hourglass_eva."""
    output_dir: str = "visualizations/hourglass"
    """Where poses.npz goes (and preds.mat for MPII)."""
    split: Literal["train", "val", "test"] = "val"
    """Part of the data set."""
    run_with_train: bool = False
    """Same as --split train."""
    flip: Annotated[bool, tyro.conf.arg(aliases=["-f"])] = True
    """Average each picture with its mirror image: better, and twice the time."""
    scales: tuple[float, ...] = (1.0,)
    """Sizes of the box round the person, in its own, whose answers are averaged: 1 1.15 is better,
    and twice the time."""
    decoder: Decoder = "auto"
    """How a joint is read off its heatmap (see train.py); auto takes what the weights say, whose
    confidence is calibrated for it."""
    test_batch_size: int = 16
    """Pictures at a time."""
    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"] = "auto"
    """Kind of device; auto takes a GPU where there is one."""
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = "auto"
    """Number format; auto is bf16 where the device computes in it."""
    mannequin_count: int = 500
    """hourglass_mannequin: number of pictures; _mannequin_video: frames, in whole films of 25."""
    seed: int = 234
    """hourglass_mannequin, _mannequin_video: seed of the pictures."""
    custom: CustomOptions = field(default_factory=CustomOptions)

    def __post_init__(self) -> None:
        if self.run_with_train:
            self.split = "train"
        at_least_one(test_batch_size=self.test_batch_size, mannequin_count=self.mannequin_count)
        need(self.seed >= 0, f"--seed must not be negative, not {self.seed}")
        check_scales(self.scales)
        self.custom.check(self.dataset)
        refuse_idle(self, dict.fromkeys(("mannequin_count", "seed"), MANNEQUINS))
        if self.dataset in MANNEQUINS:
            refuse_given(self, ("split",), "for mannequins made anew")
