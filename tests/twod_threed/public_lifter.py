"""The public lifter, computed from a state dict with its own names and nothing of ours.

Martinez et al. 2017 in the form of weigq/3d_pose_baseline_pytorch, written out from its
description: what a checkpoint of that project must give.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

State = dict[str, Tensor]


def random_state(size: int = 24, stages: int = 2, inputs: int = 32, outputs: int = 48) -> State:
    """A checkpoint's content: the names of the public project, random weights."""
    generator = torch.Generator().manual_seed(size + stages)
    state: State = {}

    def linear(name: str, features_in: int, features_out: int) -> None:
        weight = torch.randn(features_out, features_in, generator=generator)
        state[f"{name}.weight"] = weight * features_in**-0.5
        state[f"{name}.bias"] = torch.randn(features_out, generator=generator) * 0.1

    def norm(name: str) -> None:
        ranges = {"weight": (0.5, 1.5), "bias": (-0.1, 0.1)}
        ranges |= {"running_mean": (-0.2, 0.2), "running_var": (0.5, 2)}
        for part, (low, high) in ranges.items():
            state[f"{name}.{part}"] = torch.empty(size).uniform_(low, high, generator=generator)

    linear("w1", inputs, size)
    norm("batch_norm1")
    for stage in range(stages):
        for layer in (1, 2):
            linear(f"linear_stages.{stage}.w{layer}", size, size)
            norm(f"linear_stages.{stage}.batch_norm{layer}")
    linear("w2", size, outputs)
    return state


def forward(state: State, x: Tensor, stages: int = 2) -> Tensor:
    """(B, 32) -> (B, 48), both normalised."""

    def layer(x: Tensor, linear: str, norm: str) -> Tensor:
        y = F.linear(x, state[f"{linear}.weight"], state[f"{linear}.bias"])
        spread = torch.sqrt(state[f"{norm}.running_var"] + 1e-5)
        y = (y - state[f"{norm}.running_mean"]) / spread
        return torch.relu(y * state[f"{norm}.weight"] + state[f"{norm}.bias"])

    x = layer(x, "w1", "batch_norm1")
    for stage in range(stages):
        name = f"linear_stages.{stage}"
        y = layer(x, f"{name}.w1", f"{name}.batch_norm1")
        x = x + layer(y, f"{name}.w2", f"{name}.batch_norm2")
    return F.linear(x, state["w2.weight"], state["w2.bias"])
