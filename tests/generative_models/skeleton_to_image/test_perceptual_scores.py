"""LPIPS and FID: left out, and said so, without weights; given the right pictures with them.

The libraries are stood in for: their weights are downloads.
"""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor

from generative_models.skeleton_to_image import perceptual_scores
from generative_models.skeleton_to_image.perceptual_scores import find_perceptual_scores

MADE, REAL = (np.full((40, 8, 8, 3), value, np.uint8) for value in (0, 255))


class MeanDistance:
    """Mean absolute difference over all pictures, which must lie in [-1, 1]."""

    def __init__(self, net_type: str) -> None:
        self.reset()

    def reset(self) -> None:
        self.seen: list[Tensor] = []

    def update(self, made: Tensor, real: Tensor) -> None:
        assert min(made.min(), real.min()) >= -1 and max(made.max(), real.max()) <= 1
        self.seen += list((made - real).abs().mean(dim=(1, 2, 3)))

    def compute(self) -> Tensor:
        assert len(self.seen) == len(MADE)
        return torch.stack(self.seen).mean()


class MeanGap:
    """Mean of the real ones less that of the made ones."""

    def __init__(self, feature: int) -> None:
        assert feature == 2048

    def reset(self) -> None:
        self.seen: dict[bool, list[Tensor]] = {True: [], False: []}

    def update(self, pictures: Tensor, real: bool) -> None:
        assert pictures.dtype == torch.uint8 and pictures.shape[1:] == (3, 8, 8)
        self.seen[real] += list(pictures.float())

    def compute(self) -> Tensor:
        assert all(len(pictures) == len(MADE) for pictures in self.seen.values())
        return torch.stack(self.seen[True]).mean() - torch.stack(self.seen[False]).mean()


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of weights that are not there yet."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    return tmp_path / "checkpoints"


def stand_in(monkeypatch: pytest.MonkeyPatch, name: str, **content: object) -> None:
    module = ModuleType(name)
    module.__dict__.update(content)
    monkeypatch.setitem(sys.modules, name, module)


def test_nothing_is_there(weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert find_perceptual_scores() == {}
    said = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in said] == ["no lpips", "no fid"]
    assert str(weights / perceptual_scores.WEIGHTS["fid"]) in said[1]


def test_a_library_that_does_not_load(
    weights: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (weights / perceptual_scores.WEIGHTS["lpips"]).touch()
    monkeypatch.setitem(sys.modules, "torchmetrics", None)
    assert find_perceptual_scores() == {}
    assert "no lpips: torchmetrics or torchvision does not load" in capsys.readouterr().out


def test_all_pictures_are_compared(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in perceptual_scores.WEIGHTS.values():
        (weights / name).touch()
    for name in ("torchmetrics", "torchmetrics.image"):
        stand_in(monkeypatch, name)
    stand_in(
        monkeypatch, "torchmetrics.image.lpip", LearnedPerceptualImagePatchSimilarity=MeanDistance
    )
    stand_in(monkeypatch, "torchmetrics.image.fid", FrechetInceptionDistance=MeanGap)
    scores = find_perceptual_scores()
    for _ in range(2):
        assert scores["lpips"](MADE, REAL) == pytest.approx(2)
        assert scores["fid"](MADE, REAL) == pytest.approx(255)
