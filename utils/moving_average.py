"""Exponential moving average of a model's weights."""

import copy

import torch
from torch import Tensor, nn


class MovingAverage:
    """A copy of `module` whose weights follow it slowly (Polyak averaging).

    After step t the average keeps min(decay, (1 + t) / (10 + t)) of itself, so that the first
    weights are soon forgotten. Buffers, such as batch-norm statistics, are copied as they are.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.module = copy.deepcopy(module).requires_grad_(False).eval()
        self.decay = decay

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Take in the weights of `module` after step `step` (from 0)."""
        weight = 1 - min(self.decay, (1 + step) / (10 + step))
        averages: list[Tensor] = [*self.module.parameters()]
        weights: list[Tensor] = [*module.parameters()]
        torch._foreach_lerp_(averages, weights, weight)  # pyright: ignore[reportPrivateImportUsage]
        for average, buffer in zip(self.module.buffers(), module.buffers(), strict=True):
            average.copy_(buffer)
