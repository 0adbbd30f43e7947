"""Where heatmaps peak, as a mean over their cells, so that gradients pass.

For each map H of a joint, with k the cell of its largest value and T the temperature,

    P(c) = exp(H(c) / T) / sum over cells c' of exp(H(c') / T)
    w(c) = P(c) W(|c - k|) / sum over cells c' of P(c') W(|c' - k|)
    place = sum over cells c of w(c) c

The window W keeps far cells, of which there are thousands, from pulling the place to the middle of
the map. With h the radius and u = d / h:

    none     W = 1
    uniform  W = 1 for d <= h, else 0
    parzen   W = 1 - 6 u^2 (1 - u) for d <= h / 2, 2 (1 - u)^3 for h / 2 < d <= h, else 0

The last is Parzen's; it draws the place towards cell k a little, because it falls off around it.
k moves in steps, and no gradient passes through it.
"""

import math
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from utils.errors import UserError

Window = Literal["none", "uniform", "parzen"]


def window_weights(distance: Tensor, window: Window, radius: float) -> Tensor:
    """W of the module's formula at distances of any shape, in heatmap px."""
    if window == "none":
        return torch.ones_like(distance)
    if window == "uniform":
        return (distance <= radius).to(distance.dtype)
    u = distance / radius
    inner, outer = 1 - 6 * u**2 * (1 - u), 2 * (1 - u).clamp_min(0) ** 3
    return torch.where(u <= 0.5, inner, outer)


class SoftArgmax2D(nn.Module):
    """Heatmaps (B, J, H, W) -> places (B, J, 2), x and y in heatmap px; cell 0 is the top left.

    temperature: the smaller, the nearer to the place of the largest value; 0.1 suits maps whose
    peaks are 1 high, 1 suits logits, whose softmax is the probability of each cell. learnable: it
    is trained, too, and stays above 0, because its logarithm is the weight. window, radius
    (heatmap px): see the module. Raises UserError for values that make no sense.
    """

    def __init__(
        self,
        temperature: float = 0.1,
        learnable: bool = False,
        window: Window = "uniform",
        radius: float = 5.0,
    ) -> None:
        super().__init__()
        if not temperature > 0 or not math.isfinite(temperature):
            raise UserError(f"the temperature must be above 0, not {temperature}")
        if window not in get_args(Window):
            raise UserError(f"the window must be one of {', '.join(get_args(Window))}: {window}")
        if not radius > 0:
            raise UserError(f"the radius of the window must be above 0, not {radius}")
        self.window: Window = window
        self.radius = radius
        logarithm = torch.tensor(math.log(temperature))
        self.log_temperature = nn.Parameter(logarithm, requires_grad=learnable)

    @property
    def temperature(self) -> Tensor:
        """T, a scalar."""
        return self.log_temperature.exp()

    def forward(self, heatmaps: Tensor) -> Tensor:
        """See the class. Gradients reach the maps and, if it is learnable, the temperature."""
        height, width = heatmaps.shape[-2:]
        columns = torch.arange(width, device=heatmaps.device, dtype=heatmaps.dtype)
        rows = torch.arange(height, device=heatmaps.device, dtype=heatmaps.dtype)
        peak = heatmaps.detach().flatten(-2).argmax(-1)
        dx = columns - (peak % width)[..., None]
        dy = rows - (peak // width)[..., None]
        distance = (dy.square()[..., None] + dx.square()[..., None, :]).sqrt()
        # The peak's own cell keeps the sum above 0.
        share = torch.softmax((heatmaps / self.temperature).flatten(-2), -1).view_as(heatmaps)
        share = share * window_weights(distance, self.window, self.radius)
        share = share / share.sum((-2, -1), keepdim=True)
        return torch.stack([(share.sum(-2) * columns).sum(-1), (share.sum(-1) * rows).sum(-1)], -1)
