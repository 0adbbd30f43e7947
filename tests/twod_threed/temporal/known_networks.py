"""Temporal networks of which it is known what they do, and small ones that do anything."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from twod_threed.temporal.description import TemporalDescription
from twod_threed.temporal.model import TemporalArchitecture, TemporalNetwork
from twod_threed.temporal.networks import TemporalNetworks
from twod_threed.temporal.options import Normalisation
from twod_threed.temporal.predictor import TemporalLiftingModel
from utils.skeletons import skeleton_named
from utils.weights import save_weights


def describe(
    skeleton_2d: str = "h36m_17",
    skeleton_3d: str = "h36m_17",
    normalisation: Normalisation = "screen",
    frame_rate: float = 25.0,
    widths: tuple[int, ...] = (3, 3),
    channels: int = 12,
    trajectory: bool = False,
    causal: bool = False,
) -> TemporalDescription:
    """Of a small network."""
    points, poses = skeleton_named(skeleton_2d), skeleton_named(skeleton_3d)
    sizes = TemporalArchitecture(len(points), len(poses), widths, channels, 0.1, causal)
    return TemporalDescription(
        architecture=sizes,
        normalisation=normalisation,
        standard_size=3300.0,
        frame_rate=frame_rate,
        skeleton_2d=skeleton_2d,
        joints_2d=points.joints,
        skeleton_3d=skeleton_3d,
        joints_3d=poses.joints,
        trajectory=trajectory,
    )


def any_networks(description: TemporalDescription, seed: int = 0) -> TemporalNetworks:
    """With random weights and batch-norm statistics."""
    torch.manual_seed(seed)
    networks = TemporalNetworks(description)
    for name, buffer in networks.named_buffers():
        if name.endswith(("running_mean", "running_var")):
            buffer.uniform_(0.1, 1.0)
    return networks.eval()


def any_model(description: TemporalDescription | None = None, seed: int = 0):
    """A model that does anything."""
    one = description or describe()
    return TemporalLiftingModel(any_networks(one, seed), one, "cpu")


def make_constant(network: TemporalNetwork, answer: Tensor) -> None:
    """Let a network answer (J', 3) whatever it sees."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        network.last.bias.copy_(answer.flatten())


def constant_model(
    poses: np.ndarray, root: np.ndarray | None = None, **known
) -> TemporalLiftingModel:
    """Always answers poses (J3, 3) mm about the hip; root (3,) mm is its trajectory network's."""
    description = describe(trajectory=root is not None, **known)
    networks = any_networks(description)
    make_constant(networks.pose, torch.from_numpy(poses / 1000))
    if root is not None and networks.trajectory is not None:
        make_constant(networks.trajectory, torch.from_numpy(root / 1000))
    return TemporalLiftingModel(networks, description, "cpu")


def identity_model(frame_rate: float = 25.0, width: int = 3) -> TemporalLiftingModel:
    """Answers (x, y, 0) of each of Human3.6M-17's joints, as it goes in, in m about the hip."""
    joints = 17
    description = describe(frame_rate=frame_rate, widths=(width,), channels=4 * joints)
    networks = any_networks(description)
    network, identity = networks.pose, torch.eye(2 * joints)
    # ReLU lets each number or its negative through; batch norm does nothing with variance 1.
    with torch.no_grad():
        network.first.weight.zero_()
        network.first.weight[:, width // 2] = torch.cat([identity, -identity])
        statistics = dict(network.first.norm.named_buffers())
        statistics["running_mean"].zero_()
        statistics["running_var"].fill_(1 - network.first.norm.eps)
        network.last.weight.zero_()
        network.last.bias.zero_()
        places = [3 * joint + axis for joint in range(joints) for axis in range(2)]
        network.last.weight[places] = torch.cat([identity, -identity], dim=1)
    return TemporalLiftingModel(networks, description, "cpu")


def write_networks(path: Path, description: TemporalDescription, seed: int = 0) -> Path:
    """A weights file as a run writes it; -> its path."""
    networks = any_networks(description, seed)
    save_weights(path, networks.state_dict(), description.as_metadata())
    return path
