"""Real clips, unpacked once."""

from pathlib import Path

import pytest

from tests.utils.mocap.motion_files import first_files


@pytest.fixture(scope="session")
def cmu_clip(real_data, tmp_path_factory) -> Path:
    """A BVH of CMU."""
    folder = tmp_path_factory.mktemp("cmu")
    return first_files(real_data / "mocap/cmu_bvh.tar.xz", folder, ".bvh")[0]


@pytest.fixture(scope="session")
def hdm05_clip(real_data, tmp_path_factory) -> tuple[Path, Path]:
    """Skeleton and motion of a clip of HDM05."""
    folder = tmp_path_factory.mktemp("hdm05")
    asf, amc = first_files(real_data / "mocap/hdm05.tar.xz", folder, ".asf", ".amc")
    return asf, amc
