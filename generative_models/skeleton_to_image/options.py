"""Options of the skeleton -> image commands. Nothing heavy is imported, so that --help is quick."""

from dataclasses import dataclass, field, fields
from typing import Annotated, Literal, get_args

import tyro

from generative_models.skeleton_to_image.pose2vid_options import Pose2VidOptions
from utils.errors import need
from utils.option_checks import refuse_given
from utils.options import LoopOptions, OptimizerOptions, RunOptions

Model = Literal["nearest", "vanilla_vector", "vanilla_image", "gan", "pose2vid"]
MODELS: tuple[Model, ...] = get_args(Model)
"""In the order of the numbers 1 to 5, which are accepted in their place."""
ModelOrNumber = Literal[
    "nearest", "vanilla_vector", "vanilla_image", "gan", "pose2vid", "1", "2", "3", "4", "5"
]
MANNEQUIN = "mannequin"
LARGEST_IMAGE = 1024


# Options of pictures and network that say nothing to a model.
_IDLE: dict[str, tuple[str, ...]] = {
    "nearest": ("input", "features", "joint_noise"),
    "vanilla_vector": ("input",),
    "pose2vid": ("features",),
}


def model_name(model: str) -> Model:
    """The model that a name or a number from 1 to 5 stands for."""
    return MODELS[int(model) - 1] if model.isdigit() else MODELS[MODELS.index(model)]  # type: ignore[arg-type]


@dataclass
class DancerOptions:
    """Which person, and which of the frames."""

    dancer: Annotated[str, tyro.conf.arg(aliases=["--data_dir", "--dataroot"])] = MANNEQUIN
    """Folder of a dancer: of data/prepare.py dancer, tai-chi frames with landmarks.npz, or aligned
    pictures <phase>_A and <phase>_B; mannequin is built in."""
    split: Literal["time", "random"] = "time"
    """How frames are shared out: stretches of time with a gap between them, or single frames at
    random, which is easier, because each has near neighbours in training, and only for
    comparisons."""
    test_share: float = 0.178
    """Part of the frames that tests: the last ones. (0.178 of the 1,497 tai-chi frames are those
    from 1231 on.)"""
    val_share: float = 0.08
    """Part of the frames that validates: those before the test."""
    gap: int = 30
    """Frames left out between training, validation and test."""
    mannequin_frames: int = 1200
    """Frames of the built-in dancer, 10 a second."""
    mannequin_seed: int = 1
    """Another built-in dancer for another seed."""

    def __post_init__(self) -> None:
        for name in ("test_share", "val_share"):
            need(0 < getattr(self, name) < 1, f"--{name} must lie between 0 and 1")
        need(self.test_share + self.val_share < 1, "--test_share and --val_share leave no frame")
        need(self.gap >= 0, f"--gap must not be negative, not {self.gap}")
        need(self.mannequin_frames >= 20, "--mannequin_frames must be at least 20")
        need(self.mannequin_seed >= 0, "--mannequin_seed must not be negative")
        if self.split == "random":
            refuse_given(self, ("gap",), "with --split random")
        if self.dancer != MANNEQUIN:
            refuse_given(self, ("mannequin_frames", "mannequin_seed"), "with --dancer FOLDER")

    @property
    def parts(self) -> str:
        """How the frames are shared out, as one would write it on a command line."""
        names = ("split", "test_share", "val_share", "gap", "mannequin_frames")
        return " ".join(f"--{name} {getattr(self, name)}" for name in names)


@dataclass
class GeneratorOptions:
    """The pictures and the network that makes them. They travel with the weights."""

    image_size: Annotated[int, tyro.conf.arg(aliases=["--fineSize"])] = 64
    """Side of the square pictures, px."""
    input: Literal["skeleton", "heatmaps"] = "skeleton"
    """What vanilla_image, gan and pose2vid see: the drawn skeleton, or a blob for each joint."""
    features: int = 24
    """Channels of the finest maps of vanilla_vector, vanilla_image and gan."""
    joint_noise: float = 0.0
    """Standard deviation of noise on the joints in training, as part of the picture's side; 0.005
    makes up for a detector's unrest."""

    def __post_init__(self) -> None:
        need(
            16 <= self.image_size <= LARGEST_IMAGE,
            f"--image_size must lie in 16 to {LARGEST_IMAGE}, not {self.image_size}",
        )
        need(self.features >= 4, f"--features must be at least 4, not {self.features}")
        need(self.joint_noise >= 0, f"--joint_noise must not be negative: {self.joint_noise}")


@dataclass
class GanOptions:
    """The critic of --model gan."""

    gan_loss: Literal["wgan", "bce"] = "wgan"
    """wgan: Wasserstein distance with gradient penalty; bce: cross-entropy, real ones towards
    0.9."""
    gan_coeff: float = 1.0
    """Weight of what the critic says."""
    l1_coeff: float = 100.0
    """Weight of the mean absolute difference from the real frame."""
    gradient_penalty_coeff: float = 10.0
    """wgan: weight of the penalty that holds the critic's gradients near length 1."""
    critic_steps: int = 1
    """Steps of the critic for one of the generator."""
    critic_features: int = 32
    """Channels of the critic's first layer."""
    beta1: float = 0.5
    """Adam's decay of the mean gradient, for generator and critic."""

    def __post_init__(self) -> None:
        for name in ("gan_coeff", "l1_coeff", "gradient_penalty_coeff"):
            need(getattr(self, name) >= 0, f"--{name} must not be negative")
        need(self.critic_steps >= 1, f"--critic_steps must be at least 1: {self.critic_steps}")
        need(self.critic_features >= 4, "--critic_features must be at least 4")
        need(0 <= self.beta1 < 1, f"--beta1 must be in [0, 1), not {self.beta1}")
        if self.gan_loss == "bce":
            refuse_given(self, ("gradient_penalty_coeff",), "with --gan_loss bce")


def _loop() -> LoopOptions:
    return LoopOptions(epochs=100, train_batch_size=4, test_batch_size=16, workers=0)


def _optimizer() -> OptimizerOptions:
    return OptimizerOptions(optimizer="adam", lr=5e-4, lr_scheduler="cosine")


@dataclass
class SkeletonToImageTrainOptions:
    """Train a network that draws one person in any pose."""

    model: ModelOrNumber = "vanilla_image"
    """nearest: the stored frame with the nearest pose; vanilla_vector: from the 26 numbers of 13
    joints; vanilla_image: U-Net from the drawn skeleton; gan: the same against a critic; pose2vid:
    pix2pixHD-like, with the frame before. 1 to 5 are the same in this order."""
    run: RunOptions = field(default_factory=RunOptions)
    loop: LoopOptions = field(default_factory=_loop)
    optim: OptimizerOptions = field(default_factory=_optimizer)
    data: DancerOptions = field(default_factory=DancerOptions)
    network: GeneratorOptions = field(default_factory=GeneratorOptions)
    gan: GanOptions = field(default_factory=GanOptions)
    pose2vid: Pose2VidOptions = field(default_factory=Pose2VidOptions)

    def __post_init__(self) -> None:
        need(
            not self.pose2vid.decay_epochs or self.optim.lr_scheduler == "none",
            f"--decay_epochs needs --lr_scheduler none, not {self.optim.lr_scheduler}",
        )
        where = f"with --model {self.name}"
        if self.name != "pose2vid":
            refuse_given(self.pose2vid, [one.name for one in fields(self.pose2vid)], where)
        if self.name != "gan":
            shared = ("beta1",) if self.name == "pose2vid" else ()
            names = [one.name for one in fields(self.gan) if one.name not in shared]
            refuse_given(self.gan, names, where)
        refuse_given(self.network, _IDLE.get(self.name, ()), where)

    @property
    def name(self) -> Model:
        """The model by name."""
        return model_name(self.model)


@dataclass
class SkeletonToImageRunOptions:
    """Draw a person in given poses."""

    data: DancerOptions = field(default_factory=DancerOptions)
    model: ModelOrNumber | None = None
    """Which model it must be: other weights are refused. Without --load, the run
    skeleton_to_image_<model>, as --exp <model> names it."""
    load: str = ""
    """Shipped model, run folder, .safetensors or .ckpt; empty is the run of --model, or the shipped
    dancer."""
    checkpoint_dir: str = "model_checkpoints"
    """Folder of the runs, for --model."""
    poses: str = ""
    """Pose file (poses.npz or poses.json) to draw, instead of the poses of --dancer."""
    film: str = ""
    """--poses: which video of a file that holds several; empty is the one with most rows."""
    skeletons: str = ""
    """Folder of drawn skeletons, for a model that was trained on aligned pictures."""
    part: Literal["train", "val", "test"] = "test"
    """Part of --dancer whose poses are drawn."""
    size: int | None = None
    """Side of the frames, px; the model's own if nothing is said."""
    output_dir: str = "visualizations/skeleton_to_image"
    """Where frames/, video.mp4 and poses.npz go."""
    batch_size: int = 16
    """Frames at a time."""
    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"] = "auto"
    """Kind of device; auto takes a GPU where there is one."""

    def __post_init__(self) -> None:
        need(not (self.poses and self.skeletons), "give --poses or --skeletons, not both")
        need(not self.film or bool(self.poses), "--film is for --poses")
        need(self.batch_size >= 1, "--batch_size must be at least 1")
        need(self.size is None or 16 <= self.size <= 4096, "--size must lie in 16 to 4096")


@dataclass
class DancerViewOptions:
    """Look at a dancer's pictures and skeletons before anyone trains."""

    data: DancerOptions = field(default_factory=DancerOptions)
    count: int = 12
    """Pictures to draw, evenly spaced in time."""
    network_size: int = 64
    """Side of the skeletons as a network gets them, px, which are drawn beside."""
    output_dir: str = "visualizations/dancer"
    """Where the pictures and sheet.jpg go."""

    def __post_init__(self) -> None:
        need(self.count >= 1, "--count must be at least 1")
        need(
            16 <= self.network_size <= LARGEST_IMAGE,
            f"--network_size must lie in 16 to {LARGEST_IMAGE}, not {self.network_size}",
        )
