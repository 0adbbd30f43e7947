"""Weights that several tests use."""

from pathlib import Path

import pytest
import torch

from generative_models.motion_transfer.model import TransferNetwork
from generative_models.motion_transfer.options import TransferWeightsOptions
from tests.generative_models.motion_transfer.moving import description
from utils.weights import save_weights


@pytest.fixture
def weights(tmp_path: Path) -> TransferWeightsOptions:
    """A file of an untrained network."""
    torch.manual_seed(0)
    one = description()
    network = TransferNetwork(one.architecture).state_dict()
    place = tmp_path / "weights.safetensors"
    named = {f"network.{name}": tensor for name, tensor in network.items()}
    save_weights(place, named, one.as_metadata(), bits=16)
    return TransferWeightsOptions(load=str(place), accelerator="cpu")
