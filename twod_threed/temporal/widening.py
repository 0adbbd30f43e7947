"""Networks that see more frames, made from trained ones: they start where those ended.

A filter that becomes wider gets zeros for the frames it did not see, as two-dimensional filters do
that become three-dimensional (Carreira and Zisserman 2017, "inflation"). A block that is added
comes after the others and adds next to nothing at first. What is trained must go on to mean the
same: filters wider than one frame keep the distance between the frames they take.
"""

import math
from dataclasses import replace

import torch

from twod_threed.temporal.model import (
    TemporalArchitecture,
    TemporalBlock,
    TemporalLayer,
    TemporalNetwork,
)

NEARLY_NOTHING = 0.01
"""Scale of the batch norm that ends an added block; with zero its ReLU would never learn."""


def can_widen(small: TemporalArchitecture, large: TemporalArchitecture) -> bool:
    """Can a network of the first kind go on as one of the second, which sees more frames?"""
    if small.receptive_field == 1:
        small = replace(small, causal=large.causal)  # it sees neither past nor future
    alike = replace(small, widths=large.widths, dropout=large.dropout) == large
    if not alike or large.dense or len(small.widths) > len(large.widths):
        return False
    pairs = enumerate(zip(small.widths, large.widths, strict=False))
    return all(
        one <= other
        and (one == 1 or math.prod(small.widths[:layer]) == math.prod(large.widths[:layer]))
        for layer, (one, other) in pairs
    )


@torch.no_grad()
def widen(small: TemporalNetwork, large: TemporalNetwork) -> None:
    """Give the larger network, which sees more frames, the weights of the smaller.

    Their architectures must pass `can_widen`. Without added blocks both give the same.
    """
    causal = large.architecture.causal
    _fill(small.first, large.first, causal)
    for one, other in zip(small.blocks, large.blocks, strict=False):
        assert isinstance(one, TemporalBlock) and isinstance(other, TemporalBlock)
        _fill(one.first, other.first, causal)
        _fill(one.second, other.second, causal)
    for block in large.blocks[len(small.blocks) :]:
        assert isinstance(block, TemporalBlock)
        block.second.norm.weight.fill_(NEARLY_NOTHING)
    large.last.load_state_dict(small.last.state_dict())


def _fill(small: TemporalLayer, large: TemporalLayer, causal: bool) -> None:
    """A layer's weights, about the frame that answers are for."""
    more = large.weight.shape[1] - small.weight.shape[1]
    start = more if causal else more // 2
    large.weight.zero_()
    large.weight[:, start : start + small.weight.shape[1]] = small.weight
    large.norm.load_state_dict(small.norm.state_dict())
