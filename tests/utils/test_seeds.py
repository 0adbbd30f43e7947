"""Seeds of random numbers."""

from utils.seeds import derive_seed


def test_seeds_differ_by_every_part():
    seeds = {
        derive_seed(purpose, seed, epoch, step)
        for purpose in ("a", "b")
        for seed in (0, 1)
        for epoch in (0, 1)
        for step in (0, 1)
    }
    assert len(seeds) == 16 and all(0 <= seed < 2**63 for seed in seeds)
    assert derive_seed("a", 1, 2) == derive_seed("a", 1, 2)
