"""What trained weights of motion transfer must carry, so that no flag is repeated.

Weights of the network have the prefix "network."; those of the discriminator, which only training
needs, may be absent.
"""

from dataclasses import asdict, dataclass
from typing import Any

import torch

from generative_models.motion_transfer.limbs import SKELETON
from generative_models.motion_transfer.model import Architecture, TransferNetwork
from generative_models.motion_transfer.normalisation import ROWS, Normaliser
from generative_models.motion_transfer.options import FASTEST
from utils.checkpoint import read_weights
from utils.errors import UserError
from utils.weights import building, load_into, reading_description

MODEL_KIND = "motion_transfer"
PREFIX = "network."


@dataclass(frozen=True)
class TransferDescription:
    """Architecture, normalisation and the frame rate of what it was trained on."""

    architecture: Architecture
    normaliser: Normaliser
    frame_rate: float

    def as_metadata(self) -> dict[str, Any]:
        """Plain values for the metadata of a weights file."""
        return {
            "kind": MODEL_KIND,
            "architecture": asdict(self.architecture),
            "mean": self.normaliser.mean.tolist(),
            "std": self.normaliser.std.tolist(),
            "frame_rate": self.frame_rate,
            "skeleton": SKELETON.name,
        }


def description_from_metadata(metadata: dict[str, Any], source: str) -> TransferDescription:
    """Inverse of `as_metadata`. Raises UserError if `source` holds another model."""
    with reading_description(metadata, source, MODEL_KIND):
        sizes: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list | tuple) else value
            for name, value in metadata["architecture"].items()
        }
        mean, std = (torch.tensor(metadata[name], dtype=torch.float32) for name in ("mean", "std"))
        if mean.shape != (ROWS, 2) or std.shape != (ROWS, 2):
            raise ValueError(f"statistics of shape {tuple(mean.shape)}")
        rate = float(metadata["frame_rate"])
        if not 0 < rate <= FASTEST:
            raise ValueError(f"a frame rate of {rate}")
        return TransferDescription(Architecture(**sizes), Normaliser(mean, std), rate)


def load_network(name_or_path: str) -> tuple[TransferNetwork, TransferDescription]:
    """From anything that `--load` takes. Raises UserError where there are no such weights."""
    if not name_or_path:
        raise UserError(
            "no network of motion transfer ships: name one of yours with --load, which `python "
            "train.py motion_transfer_mocap` makes, or take the methods scale and bones"
        )
    weights, metadata = read_weights(name_or_path)
    description = description_from_metadata(metadata, name_or_path)
    with building(name_or_path):
        network = TransferNetwork(description.architecture)
    own = {
        name.removeprefix(PREFIX): tensor
        for name, tensor in weights.items()
        if name.startswith(PREFIX)
    }
    load_into(network, own, name_or_path)
    return network, description
