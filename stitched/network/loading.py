"""Where a stitched network comes from: one file, or two networks joined."""

from stacked_hourglass.model import StackedHourglass
from stacked_hourglass.predictor import load_model
from stitched.network.description import (
    StitchedDescription,
    description_from_metadata,
)
from stitched.network.model import StitchedNetwork, join_networks
from stitched.network.options import JoinOptions
from twod_threed.model import Lifter
from twod_threed.predictor import load_lifter
from utils.checkpoint import read_weights
from utils.errors import UserError
from utils.weights import building, load_into


def load_stitched(name_or_path: str, learnable: bool = False) -> StitchedNetwork:
    """A whole stitched network from a run folder, a .safetensors or a .ckpt file.

    learnable: let its temperature be trained on. Raises UserError for anything else.
    """
    weights, metadata = read_weights(name_or_path)
    description = description_from_metadata(metadata, name_or_path)
    with building(name_or_path):
        hourglass = StackedHourglass(description.hourglass.architecture)
        lifter = Lifter(description.lifter.architecture)
    network = join_networks(hourglass, lifter, description, learnable=learnable)
    load_into(network, weights, name_or_path)
    return network


def join(options: JoinOptions, learnable: bool = False) -> StitchedNetwork:
    """Two networks joined as the options say. Raises UserError if they do not fit each other."""
    hourglass, seeing = load_model(options.load_hourglass)
    lifter, lifting = load_lifter(options.load_2d3d, options.statistics)
    window = "uniform" if options.window == "auto" else options.window
    description = StitchedDescription(seeing, lifting, window)
    return join_networks(hourglass, lifter, description, options.temperature, learnable)


def open_network(load: str, options: JoinOptions, learnable: bool = False) -> StitchedNetwork:
    """The whole network in `load`, which overrides the two; without it, the two joined.

    learnable: let the temperature be trained on.

    Raises UserError if the options ask for another window or temperature than a whole one has.
    """
    if not load:
        return join(options, learnable)
    network = load_stitched(load, learnable)
    own = network.description.window
    if options.window not in ("auto", own):
        raise UserError(f"{load} was trained with --window {own}, not {options.window}")
    if options.temperature is not None and not learnable:
        trained = float(network.soft_argmax.temperature.detach())
        if abs(trained / options.temperature - 1) > 1e-4:
            raise UserError(
                f"{load} was trained with --temperature {trained:g}, not {options.temperature:g}"
            )
    return network
