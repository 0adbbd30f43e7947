"""Films of any length through a temporal network, in memory that does not grow with them."""

import torch
from torch import Tensor

from twod_threed.temporal.model import TemporalNetwork, pad_sequence

CHUNK = 2048
"""Frames in a go. They take about 60 MB with 1,024 channels."""


@torch.inference_mode()
def lift_sequence(network: TemporalNetwork, points: Tensor, chunk: int = CHUNK) -> Tensor:
    """A pose for each frame of one film: (T, J, 2) -> (T, J', 3), both normalised.

    network: in evaluation mode, on the device of the points. Beyond the ends of the film stand
    copies of its first and last frame. The film goes through in parts of `chunk` poses, each with
    the frames about them that they are made from: the same as in one go.
    """
    if network.training:
        raise ValueError("the network is in training mode")
    architecture = network.architecture
    poses = points.new_empty(len(points), architecture.joints_out, 3)
    if not len(points):
        return poses
    padded = pad_sequence(points[None], architecture)
    more = architecture.receptive_field - 1
    for start in range(0, len(points), chunk):
        # Into one array: parts kept between what the layers need would scatter the memory.
        poses[start : start + chunk] = network(padded[:, start : start + chunk + more])[0]
    return poses
