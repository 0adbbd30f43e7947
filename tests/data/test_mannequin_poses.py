"""`data/prepare.py mannequin`."""

from pathlib import Path

import numpy as np
import pytest

from data.prepare import main
from utils.mannequin.motion_store import mannequin_store
from utils.mocap import read_store


def test_mannequins_become_a_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("utils.dataset_statistics.CACHE", tmp_path / "cache")
    monkeypatch.setattr("utils.mannequin.motion_store.STILL_POSES", 3)
    monkeypatch.setattr("utils.mannequin.motion_store.MOVING_POSES", 4)
    path = tmp_path / "mannequin.npz"
    assert main(["mannequin", "--output", str(path), "--count", "2", "--seed", "3"]) == 0
    assert "2 bodies, 14 poses" in capsys.readouterr().out
    store, made = read_store(path), mannequin_store(3, 0, 2)
    assert store.subjects.tolist() == made.subjects.tolist()
    assert np.allclose(store.positions, made.positions, atol=0.1)
    assert main(["mannequin", "--count", "0"]) == 2
    assert "--count must be at least 1" in capsys.readouterr().err
