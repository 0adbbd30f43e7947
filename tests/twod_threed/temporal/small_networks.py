"""Small temporal networks whose batch norms have statistics of their own."""

from typing import Any

import torch
from torch import nn

from twod_threed.temporal.model import TemporalArchitecture, TemporalBlock, TemporalNetwork


def network(seed: int = 0, **sizes: Any) -> TemporalNetwork:
    """In evaluation mode, with random weights that the seed decides."""
    torch.manual_seed(seed)
    defaults: dict[str, Any] = {"joints_in": 5, "joints_out": 4, "channels": 24}
    model = TemporalNetwork(TemporalArchitecture(**defaults | sizes))
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            assert module.running_mean is not None and module.running_var is not None
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.3, 0.5)
            module.running_mean.uniform_(-0.3, 0.3)
            module.running_var.uniform_(0.2, 2)
    return model.eval()


def blocks_of(model: TemporalNetwork) -> list[TemporalBlock]:
    """The residual blocks, in order."""
    return [block for block in model.blocks if isinstance(block, TemporalBlock)]
