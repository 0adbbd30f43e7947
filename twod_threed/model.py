"""The lifter of Martinez et al., "A simple yet effective baseline for 3d human pose estimation".

International Conference on Computer Vision 2017. A linear layer, `num_stage` residual blocks of two
linear layers each, and a linear layer out; batch norm, ReLU and dropout after every linear layer
but the last. Weights start as in He et al. 2015.

Max-norm. The norm of each layer's weights is at most 1: here the Frobenius norm of each weight
matrix, biases left out, which `constrain_weights` restores in place before the first step and after
every update, outside of the gradient. (The authors' program divides by the same norm within the
forward pass and leaves the stored weights longer.) Batch norm undoes the scale of what it follows,
so this mostly sets how fast directions of weights change, and bounds the last layer.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from utils.devices import in_float32
from utils.errors import UserError
from utils.option_checks import MOST_LAYERS

MAX_NORM = 1.0
"""Largest Frobenius norm of a weight matrix."""


@dataclass(frozen=True)
class LifterArchitecture:
    """Sizes of a lifter, as they travel with its weights."""

    joints_in: int = 16
    joints_out: int = 17
    linear_size: int = 1024
    num_stage: int = 2
    dropout: float = 0.5
    max_norm: bool = True

    def __post_init__(self) -> None:
        for name in ("joints_in", "joints_out", "linear_size"):
            if getattr(self, name) < 1:
                raise UserError(f"{name} must be at least 1, not {getattr(self, name)}")
        if not 0 <= self.num_stage <= MOST_LAYERS:
            raise UserError(f"num_stage must be in [0, {MOST_LAYERS}], not {self.num_stage}")
        if not 0 <= self.dropout < 1:
            raise UserError(f"dropout must be in [0, 1), not {self.dropout}")


class Dropout(nn.Module):
    """Dropout (Srivastava et al. 2014), survivors scaled by 1 / (1 - p) in training.

    On a CPU `torch.nn.Dropout` draws one random number for each element, which takes longer than
    the layer it follows. Here 64 random bits decide four elements; p is met to 1/65536.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """x of any shape -> the same shape."""
        if not self.training or self.p == 0:
            return x
        if x.device.type != "cpu":
            return F.dropout(x, self.p)
        words = torch.empty((x.numel() + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
        sixteen_bits = words.view(torch.int16)[: x.numel()].view(x.shape)
        keep = sixteen_bits >= min(round(self.p * 65536) - 32768, 32767)
        return x * keep.to(x.dtype).mul_(1 / (1 - self.p))


class LinearLayer(nn.Module):
    """Linear, batch norm, ReLU, dropout: (B, features_in) -> (B, features_out)."""

    def __init__(self, features_in: int, features_out: int, dropout: float) -> None:
        super().__init__()
        self.linear = nn.Linear(features_in, features_out)
        self.norm = nn.BatchNorm1d(features_out)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, features_in) -> (B, features_out)."""
        return self.dropout(F.relu(self.norm(self.linear(x)), inplace=True))


class Stage(nn.Module):
    """x + two linear layers of x."""

    def __init__(self, size: int, dropout: float) -> None:
        super().__init__()
        self.first = LinearLayer(size, size, dropout)
        self.second = LinearLayer(size, size, dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, size) -> (B, size)."""
        return x + self.second(self.first(x))


class Lifter(nn.Module):
    """Normalised 2D joints (B, J, 2) -> normalised 3D joints (B, J', 3). Absent joints are zeros.

    4,294,707 weights for 16 joints in and 17 out.
    """

    def __init__(self, architecture: LifterArchitecture) -> None:
        super().__init__()
        self.architecture = one = architecture
        self.first = LinearLayer(2 * one.joints_in, one.linear_size, one.dropout)
        self.stages = nn.Sequential(
            *(Stage(one.linear_size, one.dropout) for _ in range(one.num_stage))
        )
        self.last = nn.Linear(one.linear_size, 3 * one.joints_out)
        for layer in linear_layers(self):
            nn.init.kaiming_normal_(layer.weight)
        if one.max_norm:
            constrain_weights(self)

    def forward(self, points: Tensor) -> Tensor:
        """(B, J, 2) -> (B, J', 3), both normalised (`twod_threed.normalisation`)."""
        outputs = in_float32(self.last, self.stages(self.first(points.flatten(1))))
        return outputs.unflatten(1, (self.architecture.joints_out, 3))


def linear_layers(model: nn.Module) -> list[nn.Linear]:
    """The linear layers in a model, in order."""
    return [module for module in model.modules() if isinstance(module, nn.Linear)]


@torch.no_grad()
def constrain_weights(model: nn.Module, limit: float = MAX_NORM) -> None:
    """Scale weight matrices whose Frobenius norm is above `limit` down to it, in place."""
    for layer in linear_layers(model):
        layer.weight.mul_((limit / layer.weight.norm()).clamp_(max=1.0))


def _folded(layer: LinearLayer) -> tuple[Tensor, Tensor]:
    """Weight and bias of one linear map that does what linear and norm do together."""
    norm = layer.norm
    assert norm.running_mean is not None and norm.running_var is not None
    factor = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
    bias = (layer.linear.bias.double() - norm.running_mean.double()) * factor + norm.bias.double()
    return (layer.linear.weight.double() * factor[:, None]).float(), bias.float()


class FoldedLifter(nn.Module):
    """A trained lifter for use: batch norm folded into the linear layers, no dropout."""

    def __init__(self, lifter: Lifter) -> None:
        super().__init__()
        self.architecture = lifter.architecture
        layers = [lifter.first]
        for stage in lifter.stages:
            assert isinstance(stage, Stage)
            layers += [stage.first, stage.second]
        pairs = [*map(_folded, layers), (lifter.last.weight.float(), lifter.last.bias.float())]
        self.weights = nn.ParameterList([weight.detach().contiguous() for weight, _ in pairs])
        self.biases = nn.ParameterList([bias.detach().contiguous() for _, bias in pairs])
        self.requires_grad_(False)

    def _linear(self, number: int, x: Tensor) -> Tensor:
        """Layer `number`. One pose alone is a matrix times a vector, which reads weights faster."""
        if len(x) == 1:
            return torch.addmv(self.biases[number], self.weights[number], x[0])[None]
        return F.linear(x, self.weights[number], self.biases[number])

    def forward(self, points: Tensor) -> Tensor:
        """(B, J, 2) -> (B, J', 3), normalised, as `Lifter` in evaluation mode."""
        x = self._linear(0, points.flatten(1)).relu_()
        for number in range(1, len(self.weights) - 1, 2):
            y = self._linear(number, x).relu_()
            x = x + self._linear(number + 1, y).relu_()
        outputs = self._linear(len(self.weights) - 1, x)
        return outputs.unflatten(1, (self.architecture.joints_out, 3))
