"""What the tests of the stitched network share: small networks, pictures of Human3.6M, a cache."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stitched.network.mannequin_pictures import mannequin_pictures
from stitched.network.options import JoinOptions
from tests.stitched.network.small_networks import write_networks
from twod_threed.pairs import PosePairs, write_pairs
from utils.images import write_image


@pytest.fixture(scope="session")
def halves(tmp_path_factory: pytest.TempPathFactory) -> JoinOptions:
    """Options that join two small networks from their files."""
    return write_networks(tmp_path_factory.mktemp("halves"))


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that the tests of a session share with nobody else."""
    folder = tmp_path_factory.getbasetemp() / "stitched_cache"
    monkeypatch.setattr("utils.dataset_statistics.CACHE", folder)
    return folder


def write_pictures(folder: Path, pairs: PosePairs) -> None:
    """As `data/prepare.py h36m_images` does, each picture of its row's grey."""
    write_pairs(folder / "index.npz", pairs)
    for row, (view, frame) in enumerate(zip(pairs.source_names(), pairs.frame, strict=True)):
        image = np.full((64, 64, 3), 10 * row, np.uint8)
        write_image(folder / view / f"{frame:06d}.jpg", image)


@pytest.fixture
def h36m(tmp_path: Path) -> Path:
    """Pictures of S1 and S9."""
    return write_h36m(tmp_path / "images", "S1", "S9")


def write_h36m(folder: Path, one: str, other: str) -> Path:
    """Two subjects with one take each, in pictures of frames 0, 5 and 10."""
    pairs = mannequin_pictures("train", 6, seed=5).pairs
    two = {
        "clip_names": np.array([f"{one}/Sitting", f"{other}/Photo 1"]),
        "clip_sources": np.array(["h36m", "h36m"]),
        "clip_subjects": np.array([one, other]),
        "clip_actions": np.array(["Sitting", "Photo"]),
        "frame_rates": np.array([50.0, 50.0]),
        "clip": np.repeat([0, 1], 3),
        "frame": np.tile([0, 5, 10], 2),
    }
    write_pictures(folder, replace(pairs, **two))
    return folder
