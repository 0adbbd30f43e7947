"""What a training run starts from: weights of another run, perhaps of another person or model."""

from collections.abc import Callable
from dataclasses import asdict, fields, replace

from torch import Tensor

from generative_models.skeleton_to_image.description import (
    DancerDescription,
    Drawing,
    description_from_metadata,
)
from generative_models.skeleton_to_image.gan import Gan
from generative_models.skeleton_to_image.model import UNetGenerator
from generative_models.skeleton_to_image.options import (
    GeneratorOptions,
    SkeletonToImageTrainOptions,
)
from generative_models.skeleton_to_image.pose2vid import Pose2Vid
from generative_models.skeleton_to_image.pose2vid_options import Pose2VidOptions
from utils.checkpoint import read_weights
from utils.errors import UserError
from utils.options import RunOptions
from utils.run_folder import find_start
from utils.weights import load_into

GENERATOR = "generator."
_SHAPE = {one.name for kind in (GeneratorOptions, Pose2VidOptions) for one in fields(kind)}


def _options(description: DancerDescription) -> str:
    """The options that gave a network its shape."""
    shape: dict[str, object] = {"image_size": description.image_size}
    if description.input in ("skeleton", "heatmaps"):
        shape["input"] = description.input
    shape |= {k: v for k, v in asdict(description.architecture).items() if k in _SHAPE}
    return " ".join(f"--{name} {value}" for name, value in shape.items())


def load_start(
    model: Drawing | Gan | Pose2Vid,
    mean: Callable[[], Tensor],
    description: DancerDescription,
    options: SkeletonToImageTrainOptions,
) -> RunOptions:
    """Give a new model the weights that --load names, unless it names a run to go on with.

    A GAN may start from a vanilla_image: its critic is then new. A U-Net that was trained on
    another person takes the mean frame (3, S, S) in [-1, 1] of its new one as its learned picture,
    which `mean` computes. -> options of the run, in which what is loaded is no longer named. Raises
    UserError if the weights are of another kind.
    """
    load = options.run.load
    if not find_start(options.run, f"skeleton_to_image_{options.run.exp}").weights:
        return options.run
    weights, metadata = read_weights(load)
    old = description_from_metadata(metadata, load)
    generator_alone = (description.model, old.model) == ("gan", "vanilla_image")
    if not generator_alone and old.model != description.model:
        raise UserError(f"--load {load} holds a {old.model}, not a {description.model}")
    if (old.input, old.architecture) != (description.input, description.architecture):
        raise UserError(f"--load {load} was trained with {_options(old)}; give the same")
    if generator_alone:
        weights = {name.removeprefix(GENERATOR): value for name, value in weights.items()}
    load_into(model.generator if generator_alone else model, weights, load)
    if isinstance(model.generator, UNetGenerator) and old.dancer != description.dancer:
        model.generator.start_from(mean())
    return replace(options.run, load="")
