"""Mannequins as a motion store."""

from pathlib import Path

import numpy as np
import pytest

from utils.mannequin import motion_store
from utils.mannequin.motion_store import mannequin_store
from utils.skeletons import H36M_17


@pytest.fixture(autouse=True)
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("utils.dataset_statistics.CACHE", tmp_path)
    monkeypatch.setattr(motion_store, "STILL_POSES", 4)
    monkeypatch.setattr(motion_store, "MOVING_POSES", 6)


def test_each_body_stands_still_and_moves() -> None:
    store = mannequin_store(0, 3, 2)
    assert store.subjects.tolist() == ["mannequin/3"] * 2 + ["mannequin/4"] * 2
    assert store.actions.tolist() == ["still", "moving"] * 2
    assert [len(store.clip(number)) for number in range(4)] == [4, 6] * 2
    assert store.valid_of_frame().all()
    heads, feet = (store.positions[:, H36M_17.index(name), 1] for name in ("head", "left_ankle"))
    assert (heads > feet).mean() > 0.9
    thighs = np.diff(store.positions[:, H36M_17.indices("left_hip", "left_knee")], axis=1)
    lengths = np.linalg.norm(thighs[:, 0], axis=1)
    assert np.allclose(lengths[:10], lengths[0], rtol=1e-3) and 250 < lengths[0] < 600


def test_a_body_is_decided_by_seed_and_number() -> None:
    one = mannequin_store(0, 0, 3)
    again = mannequin_store(0, 2, 1)
    assert np.array_equal(one.positions[20:], again.positions)
    assert not np.array_equal(mannequin_store(1, 2, 1).positions, again.positions)
