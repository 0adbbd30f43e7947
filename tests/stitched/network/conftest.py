"""What the tests of the stitched network share: files of two small networks, and a cache."""

from pathlib import Path

import pytest

from stitched.network.options import JoinOptions
from tests.stitched.network.small_networks import write_networks


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
