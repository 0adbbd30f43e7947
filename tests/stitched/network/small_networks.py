"""Networks so small that a test can train them, and the files and options that name them."""

from dataclasses import replace
from pathlib import Path

import torch

from stacked_hourglass.architecture import Architecture
from stacked_hourglass.description import Description
from stacked_hourglass.model import StackedHourglass
from stitched.network.description import StitchedDescription
from stitched.network.model import StitchedNetwork, join_networks
from stitched.network.options import JoinOptions
from twod_threed.description import LifterDescription
from twod_threed.model import Lifter, LifterArchitecture
from utils.skeletons import skeleton_named
from utils.weights import save_weights

RESOLUTION = 64


def hourglass_description(skeleton: str = "mpii_16", loss: str = "cross_entropy") -> Description:
    joints = len(skeleton_named(skeleton))
    return Description(
        architecture=Architecture(stacks=2, features=16, num_classes=joints),
        resolution=RESOLUTION,
        heatmap_loss=loss,
        decoder="dark",
        mean=(0.5, 0.4, 0.3),
        std=(0.2, 0.3, 0.4),
        skeleton=skeleton,
    )


def lifter_description(max_norm: bool = True) -> LifterDescription:
    architecture = LifterArchitecture(linear_size=16, num_stage=1, dropout=0.0, max_norm=max_norm)
    return LifterDescription(architecture, standard_size=3200.0)


def small_description(skeleton: str = "mpii_16") -> StitchedDescription:
    return StitchedDescription(hourglass_description(skeleton), lifter_description())


def small_network(description: StitchedDescription | None = None) -> StitchedNetwork:
    """With the same random weights each time, in evaluation mode."""
    description = description or small_description()
    torch.manual_seed(0)
    hourglass = StackedHourglass(description.hourglass.architecture)
    lifter = Lifter(description.lifter.architecture)
    return join_networks(hourglass, lifter, description).eval()


def write_networks(folder: Path) -> JoinOptions:
    """Files of the two halves of `small_network`, and the options that join them."""
    network = small_network()
    parts = (("hourglass", network.hourglass), ("lifter", network.lifter))
    for name, part in parts:
        metadata = getattr(network.description, name).as_metadata()
        save_weights(folder / f"{name}.safetensors", part.state_dict(), metadata)
    names = [str(folder / f"{name}.safetensors") for name, _ in parts]
    return replace(JoinOptions(), load_hourglass=names[0], load_2d3d=names[1])
