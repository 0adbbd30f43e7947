"""The networks of a run, as the training loop and several processes need them: in one module."""

from dataclasses import replace

from torch import Tensor, nn

from twod_threed.temporal.description import TemporalDescription
from twod_threed.temporal.model import TemporalNetwork


class TemporalNetworks(nn.Module):
    """`pose`, and `trajectory` where the description has one: a network for the root alone.

    The two share no weights: they would hurt each other (Pavllo et al. 2019, section 4).
    """

    def __init__(self, description: TemporalDescription) -> None:
        super().__init__()
        one = description.architecture
        self.pose = TemporalNetwork(one)
        alone = replace(one, joints_out=1)
        self.trajectory = TemporalNetwork(alone) if description.trajectory else None

    def forward(self, points: Tensor, single: bool = False) -> tuple[Tensor, Tensor | None]:
        """points (B, T, J, 2) -> poses (B, S, J', 3) and roots (B, S, 1, 3) or None, normalised.

        S is the number of poses that there are frames for. single: it is 1, in the form of the
        networks that computes nothing else. Raises UserError for other joints or too few frames.
        """
        roots = None if self.trajectory is None else _answer(self.trajectory, points, single)
        return _answer(self.pose, points, single), roots


def _answer(network: TemporalNetwork, points: Tensor, single: bool) -> Tensor:
    return network.forward_single(points)[:, None] if single else network(points)
