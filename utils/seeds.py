"""Seeds of random numbers."""

import random
import zlib

import numpy as np
import torch


def derive_seed(purpose: str, *parts: int) -> int:
    """A 63-bit seed from numbers that are not negative, such as (seed, epoch, step).

    Different purposes give unrelated seeds from the same numbers.
    """
    entropy = (zlib.crc32(purpose.encode()), *parts)
    return int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0] >> np.uint64(1))


def seed_all(seed: int) -> None:
    """Seed the global generators of Python, NumPy and torch (every device)."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
