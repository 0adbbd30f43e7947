"""Stacked hourglass network: pictures in, one stack of heatmaps per joint out.

Newell, Yang, Deng, "Stacked Hourglass Networks for Human Pose Estimation", ECCV 2016, with the
bottleneck residuals, biases and layer order of the public PyTorch form (bearpaw/pytorch-pose), so
that its checkpoints give the same output.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import partial
from typing import Literal, overload

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from stacked_hourglass.architecture import Architecture

HEATMAP_STRIDE = 4
DEPTH = 4
SIZE_DIVISOR = HEATMAP_STRIDE * 2**DEPTH


MakeNorm = Callable[[int], nn.Module]
"""Channels -> the norm of maps (B, channels, H, W)."""


def norm_layer(architecture: Architecture) -> MakeNorm:
    """The norm of every layer: batch norm, or the mean and deviation of each picture's own map
    (Ba, Kiros, Hinton 2016) without scale and shift, so that any size of picture will do."""
    if architecture.layer_norm:
        return partial(nn.GroupNorm, 1, affine=False)  # one group of all channels is layer norm
    return partial(
        nn.BatchNorm2d,
        momentum=architecture.batch_norm_momentum,
        affine=architecture.batch_norm_affine,
    )


class Residual(nn.Module):
    """Pre-activation bottleneck: norm-relu-conv three times (1x1, 3x3, 1x1), plus a shortcut."""

    def __init__(self, channels_in: int, channels_out: int, make_norm: MakeNorm) -> None:
        super().__init__()
        middle = channels_out // 2
        self.norm1 = make_norm(channels_in)
        self.conv1 = nn.Conv2d(channels_in, middle, 1)
        self.norm2 = make_norm(middle)
        self.conv2 = nn.Conv2d(middle, middle, 3, padding=1)
        self.norm3 = make_norm(middle)
        self.conv3 = nn.Conv2d(middle, channels_out, 1)
        same = channels_in == channels_out
        self.shortcut = nn.Identity() if same else nn.Conv2d(channels_in, channels_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels_in, H, W) -> (B, channels_out, H, W)."""
        y = self.conv1(F.relu(self.norm1(x), inplace=True))
        y = self.conv2(F.relu(self.norm2(y), inplace=True))
        y = self.conv3(F.relu(self.norm3(y), inplace=True))
        return y + self.shortcut(x)


def residual_group(channels: int, blocks: int, make_norm: MakeNorm) -> nn.Sequential:
    """`blocks` residual blocks of equal width."""
    return nn.Sequential(*(Residual(channels, channels, make_norm) for _ in range(blocks)))


class FrameAttention(nn.Module):
    """Each place of a frame looks at the same place of the film's frames, itself among them.

    With the features h_t of frame t there and y of its own, it takes the mean of the h_t, weighted
    by the softmax over t of <W h_t, y> / sqrt(channels) (Vaswani et al. 2017, eq. 1). What it adds
    begins at 0, so that a network without it can be trained on.
    """

    def __init__(self, channels: int, causal: bool) -> None:
        super().__init__()
        self.causal = causal
        self.key = nn.Conv2d(channels, channels, 1, bias=False)
        self.merge = nn.Conv2d(2 * channels, channels, 1, bias=False)
        nn.init.zeros_(self.merge.weight)

    def forward(self, x: Tensor, frames: int) -> Tensor:
        """(films * frames, channels, h, w), each film's frames one after another -> the same."""
        # (films, h * w, frames, channels)
        y, keys = (
            one.flatten(-2).unflatten(0, (-1, frames)).permute(0, 3, 1, 2)
            for one in (x, self.key(x))
        )
        seen = F.scaled_dot_product_attention(y, keys, y, is_causal=self.causal)
        seen = seen.permute(0, 2, 3, 1).flatten(0, 1).reshape(x.shape)
        return x + self.merge(torch.cat([seen, x], dim=1))


class Hourglass(nn.Module):
    """One level of the hourglass, with the level below inside; at the bottom a residual group and,
    if films are to be looked at, attention over their frames."""

    def __init__(
        self, depth: int, channels: int, blocks: int, make_norm: MakeNorm, attention: str = ""
    ) -> None:
        super().__init__()
        self.skip = residual_group(channels, blocks, make_norm)
        self.down = residual_group(channels, blocks, make_norm)
        is_lowest = depth == 1
        self.inner = (
            residual_group(channels, blocks, make_norm)
            if is_lowest
            else Hourglass(depth - 1, channels, blocks, make_norm, attention)
        )
        looks = is_lowest and attention
        self.attention = FrameAttention(channels, attention == "causal") if looks else None
        self.up = residual_group(channels, blocks, make_norm)

    def forward(self, x: Tensor, frames: int = 1) -> Tensor:
        """(B, channels, H, W) -> the same shape; H and W divide by 2 ** depth."""
        low = self.down(F.max_pool2d(x, 2))
        low = self.inner(low, frames) if isinstance(self.inner, Hourglass) else self.inner(low)
        if self.attention is not None:
            low = self.attention(low, frames)
        return self.skip(x) + F.interpolate(self.up(low), scale_factor=2, mode="nearest")


class Stem(nn.Module):
    """Picture -> features at a quarter of its size."""

    def __init__(self, features: int, make_norm: MakeNorm) -> None:
        super().__init__()
        quarter, half = features // 4, features // 2
        self.conv = nn.Conv2d(3, quarter, 7, stride=2, padding=3)
        self.norm = make_norm(quarter)
        self.residual1 = Residual(quarter, half, make_norm)
        self.residual2 = Residual(half, features, make_norm)
        self.residual3 = Residual(features, features, make_norm)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, features, H / 4, W / 4)."""
        x = F.relu(self.norm(self.conv(images)), inplace=True)
        x = F.max_pool2d(self.residual1(x), 2)
        return self.residual3(self.residual2(x))


class Stack(nn.Module):
    """One hourglass with its head; all but the last hand their features on to the next."""

    def __init__(self, architecture: Architecture, is_last: bool) -> None:
        super().__init__()
        features, make_norm = architecture.features, norm_layer(architecture)
        joints = architecture.num_classes
        self.hourglass = Hourglass(
            DEPTH, features, architecture.blocks, make_norm, architecture.attention
        )
        self.residual = residual_group(features, architecture.blocks, make_norm)
        self.linear = nn.Conv2d(features, features, 1)
        self.norm = make_norm(features)
        self.score = nn.Conv2d(features, joints, 1)
        self.merge_features = None if is_last else nn.Conv2d(features, features, 1)
        self.merge_score = None if is_last else nn.Conv2d(joints, features, 1)

    def forward(self, x: Tensor, frames: int = 1) -> tuple[Tensor, Tensor, Tensor]:
        """(B, features, h, w) -> features for the next stack, those that heatmaps are made from,
        both of the same shape, and heatmaps (B, joints, h, w)."""
        y = self.residual(self.hourglass(x, frames))
        y = F.relu(self.norm(self.linear(y)), inplace=True)
        score = self.score(y)
        if self.merge_features is None or self.merge_score is None:
            return x, y, score
        return x + self.merge_features(y) + self.merge_score(score), y, score


class VisibilityHead(nn.Module):
    """Is a joint seen or hidden? Every place of the map answers, and counts as far as the joint's
    heatmap says that the joint is there. Heatmaps learn nothing from the answer."""

    def __init__(self, features: int, joints: int) -> None:
        super().__init__()
        self.hidden = nn.Conv2d(features, features // 2, 1)
        self.answer = nn.Conv2d(features // 2, joints, 1)
        # Scores that learn by mean squared error are too flat for a softmax until sharpened.
        self.sharpness = nn.Parameter(torch.ones(joints, 1))

    def forward(self, features: Tensor, score: Tensor) -> Tensor:
        """(B, features, h, w), heatmaps (B, joints, h, w) -> logits of being seen (B, joints)."""
        places = score.detach().float().flatten(-2) * self.sharpness
        answers = self.answer(F.relu(self.hidden(features), inplace=True))
        return (F.softmax(places, dim=-1) * answers.flatten(-2)).sum(-1)


class StackedHourglass(nn.Module):
    """The whole network. `architecture` holds its shape."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.stem = Stem(architecture.features, norm_layer(architecture))
        last = architecture.stacks - 1
        self.stacks = nn.ModuleList(Stack(architecture, i == last) for i in range(last + 1))
        features, joints = architecture.features, architecture.num_classes
        self.visibility = VisibilityHead(features, joints) if architecture.visibility else None

    @overload
    def forward(
        self, images: Tensor, visibility: Literal[False] = False, frames: int = 1
    ) -> Tensor: ...

    @overload
    def forward(
        self, images: Tensor, visibility: Literal[True], frames: int = 1
    ) -> tuple[Tensor, Tensor | None]: ...

    def forward(
        self, images: Tensor, visibility: bool = False, frames: int = 1
    ) -> Tensor | tuple[Tensor, Tensor | None]:
        """Normalised pictures (B, 3, H, W) -> raw scores (S, B, J, H / 4, W / 4) of every stack.

        The last stack comes last. With `visibility` also the logits (B, J) of each joint being
        seen, None from a network without that head. A network with attention over time takes the
        pictures for films of so many `frames`, one film after another. Raises ValueError unless H
        and W divide by 64.
        """
        height, width = images.shape[-2:]
        if height % SIZE_DIVISOR or width % SIZE_DIVISOR:
            raise ValueError(f"picture sides must divide by {SIZE_DIVISOR}, not {width}x{height}")
        x = self.stem(images)
        features, scores = x, []
        for stack in self.stacks:
            x, features, score = stack(x, frames)
            scores.append(score)
        if not visibility:
            return torch.stack(scores)
        head = self.visibility
        return torch.stack(scores), head(features, scores[-1]) if head is not None else None


@torch.no_grad()
def scale_weights(model: nn.Module, factor: float) -> None:
    """Multiply every parameter, also the scales and shifts of norms, by `factor`, in place."""
    for parameter in model.parameters():
        parameter.mul_(factor)


@contextmanager
def statistics_of_batch(model: nn.Module) -> Iterator[None]:
    """Within it, batch norms in evaluation mode take the mean and deviation of the batch at hand;
    their running statistics stay as they are."""
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    kept = [(norm.running_mean, norm.running_var) for norm in norms]
    for norm in norms:
        norm.running_mean = norm.running_var = None
    try:
        yield
    finally:
        for norm, (mean, variance) in zip(norms, kept, strict=True):
            norm.running_mean, norm.running_var = mean, variance


def _folded(conv: nn.Conv2d, norm: nn.Module) -> nn.Conv2d:
    assert isinstance(norm, nn.BatchNorm2d)
    return fuse_conv_bn_eval(conv, norm)


def fold_batch_norm(model: StackedHourglass) -> StackedHourglass:
    """A copy for inference, its weights changed so that most norms are gone; same output to 1e-5.

    A norm right behind a convolution is a scale and shift of that convolution. The first norm of a
    residual block is not: it follows a sum. Layer norms measure every picture, so they all stay.
    """
    folded = deepcopy(model).eval()
    if model.architecture.layer_norm:
        return folded
    for module in folded.modules():
        if isinstance(module, Residual):
            module.conv1 = _folded(module.conv1, module.norm2)
            module.conv2 = _folded(module.conv2, module.norm3)
            module.norm2 = module.norm3 = nn.Identity()
        elif isinstance(module, Stem):
            module.conv = _folded(module.conv, module.norm)
            module.norm = nn.Identity()
        elif isinstance(module, Stack):
            module.linear = _folded(module.linear, module.norm)
            module.norm = nn.Identity()
    return folded


def convolve_in(model: nn.Module, dtype: torch.dtype) -> None:
    """Keep the weights of convolutions in the number format in which autocast computes them, in
    place, for inference: it would convert them anew for every picture. The output is the same."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            module.to(dtype)
