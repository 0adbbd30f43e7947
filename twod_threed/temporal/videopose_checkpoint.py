"""Checkpoints (`.bin`) of facebookresearch/VideoPose3D, the authors' program of Pavllo et al. 2019.

They hold the weights of the pose network under `model_pos` and, if it was trained with unlabelled
films or is meant for any video, those of the trajectory network under `model_traj`. The networks
are ours under other names, with the axes of the filters in another order. The widths, joints and
channels are read off the weights; whether a network is causal or dense is not in the file.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from twod_threed.temporal.model import TemporalArchitecture, TemporalNetwork
from utils.errors import UserError
from utils.foreign_files import foreign_weights, read_foreign
from utils.weights import building, load_into

Weights = dict[str, Tensor]

POSE_KEY, TRAJECTORY_KEY = "model_pos", "model_traj"
_FIRST, _LAST = "expand_conv.weight", "shrink.weight"
_NUMBERED = re.compile(r"layers_(conv|bn)\.(\d+)\.(\w+)")
_ENDS = {"expand_conv": "first", "expand_bn": "first.norm", "shrink": "last"}


def is_videopose(weights: Mapping[str, Any]) -> bool:
    """Do these weights have the public network's names?"""
    return _FIRST in weights and _LAST in weights


def read_videopose(
    path: str | Path, causal: bool = False, dense: bool = False
) -> tuple[TemporalNetwork, TemporalNetwork | None]:
    """Pose network, and trajectory network if there is one, in evaluation mode.

    path: a public `.bin`, of which nothing is run; causal, dense: how it was trained. In: (x, y) of
    each joint by `x * 2 / w - 1`, `y * 2 / w - h / w`; out: metres, camera axes, relative to the
    hip, and for the trajectory the hip's place. Raises UserError, naming the weight, if the file is
    of another kind or its weights do not fit each other.
    """
    content = read_foreign(path)
    if not isinstance(content, dict) or POSE_KEY not in content:
        raise UserError(f"{path} is no VideoPose3D checkpoint: it has no {POSE_KEY}")
    pose = _network(content[POSE_KEY], f"{path} ({POSE_KEY})", causal, dense)
    if content.get(TRAJECTORY_KEY) is None:
        return pose, None
    trajectory = _network(content[TRAJECTORY_KEY], f"{path} ({TRAJECTORY_KEY})", causal, dense)
    joints_in, joints_out = trajectory.architecture.joints_in, trajectory.architecture.joints_out
    if (joints_in, joints_out) != (pose.architecture.joints_in, 1):
        raise UserError(
            f"{path} ({TRAJECTORY_KEY}) takes {joints_in} joints to {joints_out}, "
            f"not {pose.architecture.joints_in} to 1"
        )
    return pose, trajectory


def _network(weights: Any, source: str, causal: bool, dense: bool) -> TemporalNetwork:
    weights = foreign_weights(weights, source)
    network = TemporalNetwork(_architecture(weights, source, causal, dense))
    load_into(network, _renamed(weights, source), source)
    return network.eval()


def _architecture(weights: Weights, source: str, causal: bool, dense: bool) -> TemporalArchitecture:
    """Sizes that the shapes of the filters tell. Raises UserError where they tell none."""
    channels, inputs, first = _filter_shape(weights, _FIRST, source)
    outputs, _, _ = _filter_shape(weights, _LAST, source, channels_in=channels)
    if inputs % 2 or outputs % 3:
        raise UserError(
            f"{source} takes {inputs} numbers a frame to {outputs}: not x and y of joints to "
            "x, y and z"
        )
    wide = (f"layers_conv.{number}.weight" for number in range(0, len(weights), 2))
    shapes = [
        _filter_shape(weights, name, source, channels, channels) for name in wide if name in weights
    ]
    taps = [first, *(shape[2] for shape in shapes)]
    with building(source):
        return TemporalArchitecture(
            joints_in=inputs // 2,
            joints_out=outputs // 3,
            widths=_widths_of_dense(taps) if dense else tuple(taps),
            channels=channels,
            causal=causal,
            dense=dense,
        )


def _filter_shape(
    weights: Weights,
    name: str,
    source: str,
    channels: int | None = None,
    channels_in: int | None = None,
) -> tuple[int, int, int]:
    """(channels, channels in, width) of a filter; the first two must be those wanted, if any."""
    if name not in weights:
        raise UserError(f"{source} is no VideoPose3D network: it lacks {name}")
    shape = tuple(weights[name].shape)
    wanted = (channels, channels_in, None)
    if len(shape) != 3 or any(w not in (None, s) for w, s in zip(wanted, shape, strict=True)):
        text = f"({channels or 'channels'}, {channels_in or 'channels in'}, width)"
        raise UserError(f"{source}: {name} is {shape}, not {text}")
    return shape


def _widths_of_dense(taps: list[int]) -> tuple[int, ...]:
    """The widths that dense filters stand for: each has (width - 1) * frames before it + 1 taps."""
    widths, frames = [], 1
    for count in taps:
        widths.append((count - 1) // frames + 1)
        frames *= widths[-1]
    return tuple(widths)


def _our_name(name: str) -> str | None:
    """Our name of a weight of the public network, None if it has none."""
    if match := _NUMBERED.fullmatch(name):
        kind, number, value = match.groups()
        layer = ("first", "second")[int(number) % 2]
        norm = ".norm" if kind == "bn" else ""
        return f"blocks.{int(number) // 2}.{layer}{norm}.{value}"
    module, _, value = name.partition(".")
    return f"{_ENDS[module]}.{value}" if module in _ENDS else None


def _renamed(weights: Weights, source: str) -> Weights:
    """Weights under our names and with our axes."""
    ours: Weights = {}
    for name, tensor in weights.items():
        new = _our_name(name)
        if new is None:
            raise UserError(f"{source} is no VideoPose3D network: it has {name}")
        ours[new] = tensor.mT.contiguous() if tensor.ndim == 3 else tensor
    if ours["last.weight"].ndim == 3:
        ours["last.weight"] = ours["last.weight"].squeeze(1)
    for name in [name for name in ours if name.endswith(".running_var")]:
        # Files older than PyTorch 0.4.1 do not count batches.
        counted = name.replace("running_var", "num_batches_tracked")
        ours.setdefault(counted, torch.tensor(0))
    return ours
