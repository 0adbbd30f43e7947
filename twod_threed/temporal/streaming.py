"""A causal temporal network frame by frame, as frames come from a camera.

Each layer keeps the outputs of the layer before it for as many frames as it looks back, so that a
new frame costs one matrix times a vector in each layer. Batch norm is folded into the matrices.
Before the first frame stand copies of it, as in `pad_sequence`: then all that any layer keeps is
what it is given first.
"""

import torch
from torch import Tensor, nn

from twod_threed.temporal.model import TemporalBlock, TemporalLayer, TemporalNetwork
from utils.errors import UserError


def folded(layer: TemporalLayer) -> tuple[Tensor, Tensor]:
    """Matrix (channels, width * features) and bias that do what convolution and norm do."""
    norm = layer.norm
    assert norm.running_mean is not None and norm.running_var is not None
    factor = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
    matrix = layer.weight.flatten(1).double() * factor[:, None]
    bias = norm.bias.double() - norm.running_mean.double() * factor
    return matrix.float().detach(), bias.float().detach()


class _StreamedLayer:
    """One layer, and the frames that it looks back on in a ring."""

    def __init__(self, layer: TemporalLayer) -> None:
        self.matrix, self.bias = folded(layer)
        _, width, features = layer.weight.shape
        length = (width - 1) * layer.dilation + 1
        self.ring = self.matrix.new_zeros(length, features)
        self.taps = layer.dilation * torch.arange(width, device=self.matrix.device)
        self.oldest = 0

    def fill(self, x: Tensor) -> None:
        """Take x (features,) for every frame so far."""
        self.ring[:] = x

    def push(self, x: Tensor) -> Tensor:
        """The next frame: (features,) -> (channels,)."""
        length = len(self.ring)
        self.ring[self.oldest] = x
        self.oldest = (self.oldest + 1) % length
        seen = self.ring[(self.oldest + self.taps) % length].flatten()
        return torch.addmv(self.bias, self.matrix, seen).relu_()


class CausalStream:
    """A causal network that is given one frame at a time.

    The same numbers as `TemporalNetwork` in evaluation mode gives for the padded film. The weights
    are copied: later changes of the network do not matter. Raises UserError if it is not causal.
    """

    def __init__(self, network: TemporalNetwork) -> None:
        self.architecture = network.architecture
        if not self.architecture.causal:
            raise UserError("frame by frame needs a causal network; this one looks ahead")
        self.first = _StreamedLayer(network.first)
        self.blocks = [_streamed_block(block) for block in network.blocks]
        self.matrix = network.last.weight.detach().clone()
        self.bias = network.last.bias.detach().clone()
        self.started = False

    def reset(self) -> None:
        """Forget all frames: the next one is the first of another film."""
        self.started = False

    @torch.inference_mode()
    def push(self, points: Tensor) -> Tensor:
        """The next frame: (J, 2) -> its pose (J', 3), both normalised.

        Raises UserError if the joints are others than the network's.
        """
        wanted = (self.architecture.joints_in, 2)
        if points.shape != wanted:
            raise UserError(f"a frame is {wanted[0]} joints, x and y, not {tuple(points.shape)}")
        x = self._push(self.first, points.flatten())
        for wide, narrow in self.blocks:
            x = x + self._push(narrow, self._push(wide, x))
        self.started = True
        outputs = torch.addmv(self.bias, self.matrix, x)
        return outputs.unflatten(0, (self.architecture.joints_out, 3))

    def _push(self, layer: _StreamedLayer, x: Tensor) -> Tensor:
        if not self.started:
            layer.fill(x)
        return layer.push(x)


def _streamed_block(block: nn.Module) -> tuple[_StreamedLayer, _StreamedLayer]:
    assert isinstance(block, TemporalBlock)
    return _StreamedLayer(block.first), _StreamedLayer(block.second)
