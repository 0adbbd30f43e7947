"""A wider network that computes what a narrower one did, to train on from there.

Chen, Goodfellow, Shlens, "Net2Net: Accelerating Learning via Knowledge Transfer", ICLR 2016,
section 2.2: every feature is there several times, and what takes it in divides its weight between
the copies. Here each weight is divided at random, so that the copies learn different things.
"""

from collections.abc import Mapping

import torch
from torch import Tensor


def widen(
    weights: Mapping[str, Tensor], wide: Mapping[str, Tensor], seed: int
) -> dict[str, Tensor]:
    """Weights of a network -> of one of the same output with a multiple of its features.

    `wide` are any weights of the wider network: every axis that is a multiple of the narrow one's
    is filled with copies. Weights that do not fit in this way stay as they are.
    """
    generator = torch.Generator().manual_seed(seed)
    return {
        name: _widened(value, wide[name].shape, generator) if name in wide else value
        for name, value in weights.items()
    }


def _widened(narrow: Tensor, shape: torch.Size, generator: torch.Generator) -> Tensor:
    if narrow.dim() != len(shape) or any(w % n for n, w in zip(narrow.shape, shape, strict=True)):
        return narrow
    copies = [w // n for n, w in zip(narrow.shape, shape, strict=True)]
    tiled = narrow.repeat(copies)
    if len(copies) < 2 or copies[1] == 1:
        return tiled
    # (out, copies, in, ...): what the copies of one feature are multiplied by sums to 1.
    parts = 0.5 + torch.rand(shape[0], copies[1], narrow.shape[1], generator=generator)
    parts = (parts / parts.sum(dim=1, keepdim=True)).flatten(1)
    return tiled * parts.reshape(*parts.shape, *[1] * (len(shape) - 2)).to(tiled)
