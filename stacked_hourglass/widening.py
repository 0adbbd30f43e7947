"""A wider network that computes what a narrower one did, to train on from there.

Chen, Goodfellow, Shlens, "Net2Net: Accelerating Learning via Knowledge Transfer", ICLR 2016,
section 2.2: every feature is there several times, and what takes it in divides its weight between
the copies. Here each weight is divided at random, so that the copies learn different things.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

_MERGE, _KEY = ".attention.merge.weight", ".attention.key.weight"


def widen(
    weights: Mapping[str, Tensor], wide: Mapping[str, Tensor], seed: int
) -> dict[str, Tensor]:
    """Weights of a network -> of one of the same output with a multiple of its features.

    `wide` are any weights of the wider network: every axis that is a multiple of the narrow one's
    is filled with copies. Weights that do not fit in this way stay as they are.
    """
    generator = torch.Generator().manual_seed(seed)
    result = dict(weights)
    for name, value in weights.items():
        if name in wide and wide[name].dim() == value.dim():
            result[name] = _widened_part(name, value, wide[name].shape, generator)
    return result


def _widened_part(
    name: str, narrow: Tensor, shape: torch.Size, generator: torch.Generator
) -> Tensor:
    if name.endswith(_MERGE):  # it takes two lots of features, one behind the other
        half = torch.Size((shape[0], shape[1] // 2, *shape[2:]))
        return torch.cat([_widened(one, half, generator) for one in narrow.chunk(2, dim=1)], dim=1)
    wide = _widened(narrow, shape, generator)
    if name.endswith(_KEY):  # FrameAttention's logits grow by the root of the number of copies
        return wide * math.sqrt(len(narrow) / shape[0])
    return wide


def _widened(narrow: Tensor, shape: torch.Size, generator: torch.Generator) -> Tensor:
    if any(w % n for n, w in zip(narrow.shape, shape, strict=True)):
        return narrow
    copies = [w // n for n, w in zip(narrow.shape, shape, strict=True)]
    tiled = narrow.repeat(copies)
    if len(copies) < 2 or copies[1] == 1:
        return tiled
    # (out, copies, in, ...): what the copies of one feature are multiplied by sums to 1.
    parts = 0.5 + torch.rand(shape[0], copies[1], narrow.shape[1], generator=generator)
    parts = (parts / parts.sum(dim=1, keepdim=True)).flatten(1)
    return tiled * parts.reshape(*parts.shape, *[1] * (len(shape) - 2)).to(tiled)
