"""Invariances as numbers."""

from pathlib import Path

import pytest
import torch

from generative_models.motion_transfer.invariance import (
    invariance_table,
    invariances,
    relative_change,
    write_invariances,
)
from generative_models.motion_transfer.model import TransferNetwork
from generative_models.motion_transfer.motion import Motion
from generative_models.motion_transfer.predictor import LearnedRetargeter
from tests.generative_models.motion_transfer.moving import description, swinging


def test_change_is_told_by_how_far_others_are():
    codes = torch.tensor([0.0, 4.0, 8.0])[:, None, None]
    assert relative_change(codes, codes) == 0
    # Each is 1 away from its own; from the one before: 9 - 0, 1 - 4, 5 - 8.
    assert relative_change(codes, codes + 1) == pytest.approx(1 / 5)


def test_codes_that_tell_nothing_change_as_much_as_those_of_others():
    generator = torch.Generator().manual_seed(0)
    one, other = (torch.randn(4000, 8, 2, generator=generator) for _ in range(2))
    assert relative_change(one, other) == pytest.approx(1, abs=0.02)


def measured(limb_scale: tuple[float, float]) -> dict[str, float]:
    torch.manual_seed(0)
    one = description()
    model = LearnedRetargeter(TransferNetwork(one.architecture), one, "cpu")
    clips = [swinging(80, seed=n) / 1363 for n in range(3)]
    return invariances(model, Motion(clips, ["a", "b", "c"], ["set"] * 3), limb_scale, 0)


def test_an_untrained_network_depends_on_all_of_it():
    changes = measured((0.5, 2.0))
    assert len(changes) == 5 and all(0 < change < 2 for change in changes.values())
    # They all swing alike.
    assert min(changes, key=changes.__getitem__) == "body, moving otherwise"


def test_limbs_that_stay_as_they_are_change_nothing():
    changes = measured((1.0, 1.0))
    unchanged = {name for name, change in changes.items() if change == 0}
    assert unchanged == {"motion, on other limbs", "view, on other limbs"}


def test_numbers_are_written_and_told(tmp_path: Path):
    write_invariances(tmp_path / "x.csv", {"a": 0.5})
    assert (tmp_path / "x.csv").read_text().split() == ["code,relative_change", "a,0.5"]
    assert invariance_table({"a": 0.5}).splitlines()[1].split() == ["a", "0.500"]
