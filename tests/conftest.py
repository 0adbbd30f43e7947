"""What every test shares: one thread, so that results repeat, and the place of the real data."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is no failure: the first case of a property pays for imports.
settings.register_profile("patient", deadline=None)
settings.register_profile("fuzz", deadline=None, max_examples=10_000)
settings.load_profile("patient")

# Set before a test imports torch, NumPy or OpenCV; child processes inherit it.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder with the real data sets, named by the environment variable MARIONETTE_DATA."""
    name = os.environ.get("MARIONETTE_DATA", "")
    if not name:
        pytest.skip("needs real data: the environment variable MARIONETTE_DATA is not set")
    folder = Path(name)
    if not folder.is_dir():
        pytest.skip(f"needs real data: MARIONETTE_DATA={name} is not a folder")
    return folder
