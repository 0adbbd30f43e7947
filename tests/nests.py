"""Nests of dicts, lists, tensors and values, such as checkpoints, compared."""

from typing import Any

import torch


def same(one: Any, two: Any) -> bool:
    """Are two of them equal to the last bit?"""
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(two) and all(map(same, one, two))
    return torch.equal(one, two) if isinstance(one, torch.Tensor) else one == two
