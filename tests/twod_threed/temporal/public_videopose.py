"""The public temporal network, computed from a state dict with its own names and nothing of ours.

Pavllo et al. 2019 in the form of facebookresearch/VideoPose3D, written out from its description:
what a checkpoint of that program must give.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

State = dict[str, Tensor]


def random_state(
    widths: tuple[int, ...] = (3, 3, 3),
    channels: int = 12,
    joints_in: int = 17,
    joints_out: int = 17,
    dense: bool = False,
    coordinates: int = 2,
) -> State:
    """Weights under the public names, with norms that have statistics of their own."""
    generator = torch.Generator().manual_seed(sum(widths) + channels + joints_out)
    state: State = {}

    def convolution(name: str, features: int, outputs: int, width: int) -> None:
        weight = torch.randn(outputs, features, width, generator=generator)
        state[f"{name}.weight"] = weight * (features * width) ** -0.5

    def norm(name: str) -> None:
        ranges = {"weight": (0.5, 1.5), "bias": (-0.3, 0.3)}
        ranges |= {"running_mean": (-0.3, 0.3), "running_var": (0.3, 2)}
        for part, (low, high) in ranges.items():
            state[f"{name}.{part}"] = torch.empty(channels).uniform_(low, high, generator=generator)
        state[f"{name}.num_batches_tracked"] = torch.tensor(7)

    convolution("expand_conv", coordinates * joints_in, channels, widths[0])
    norm("expand_bn")
    frames = widths[0]
    for block, width in enumerate(widths[1:]):
        taps = (width - 1) * frames + 1 if dense else width
        for number, size in ((2 * block, taps), (2 * block + 1, 1)):
            convolution(f"layers_conv.{number}", channels, channels, size)
            norm(f"layers_bn.{number}")
        frames *= width
    convolution("shrink", channels, 3 * joints_out, 1)
    state["shrink.bias"] = torch.randn(3 * joints_out, generator=generator) * 0.1
    return state


def forward(
    state: State, points: Tensor, widths: tuple[int, ...], causal: bool = False, dense: bool = False
) -> Tensor:
    """(B, T, J, 2) -> (B, T - F + 1, J', 3), one output frame after the other."""

    def layer(x: Tensor, number: int | None, dilation: int = 1) -> Tensor:
        names = ("expand_conv", "expand_bn")
        if number is not None:
            names = (f"layers_conv.{number}", f"layers_bn.{number}")
        y = F.conv1d(x, state[f"{names[0]}.weight"], dilation=dilation)
        mean, variance, weight, bias = (
            state[f"{names[1]}.{part}"]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return torch.relu(F.batch_norm(y, mean, variance, weight, bias))

    x = layer(points.flatten(2).transpose(1, 2), None)
    frames = widths[0]
    for block, width in enumerate(widths[1:]):
        lost = (width - 1) * frames
        kept = x[:, :, lost:] if causal else x[:, :, lost // 2 : x.shape[2] - lost // 2]
        y = layer(x, 2 * block, 1 if dense else frames)
        x = kept + layer(y, 2 * block + 1)
        frames *= width
    outputs = F.conv1d(x, state["shrink.weight"], state["shrink.bias"])
    return outputs.transpose(1, 2).unflatten(2, (-1, 3))


def save_checkpoint(path: Path, pose: State, trajectory: State | None = None) -> Path:
    """A file as the public program writes it, a NumPy random generator as an object in it."""
    moments = {name: torch.zeros(3) for name in ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")}
    group = {"lr": 1.6e-5, "betas": (0.9, 0.999), "amsgrad": True, "params": [0]}
    content = {
        "epoch": 80,
        "lr": 1.6e-5,
        "random_state": np.random.RandomState(1234),
        "optimizer": {"state": {0: {"step": 3, **moments}}, "param_groups": [group]},
        "model_pos": pose,
        "model_traj": trajectory,
        "random_state_semi": None if trajectory is None else np.random.RandomState(4321),
    }
    torch.save(content, path)
    return path
