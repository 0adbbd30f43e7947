import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.twod_threed.small_poses import minibatch
from twod_threed.detector_noise import (
    NoiseTable,
    add_noise,
    measure_noise,
    read_table,
    torso_size,
    write_table,
)
from utils.errors import UserError
from utils.skeletons import MPII_16

PAIRED = np.array([side != "middle" for side in MPII_16.sides])


def table(**changes: float) -> NoiseTable:
    """The same for every joint; sides are swapped only where there are two."""
    values = {
        "error": 0.05,
        "outlier_share": 0.0,
        "outlier_scale": 0.0,
        "swap_share": 0.0,
        "missing_share": 0.0,
    } | changes
    columns = {name: (value,) * 16 for name, value in values.items()}
    columns["swap_share"] = tuple((values["swap_share"] * PAIRED).tolist())
    return NoiseTable(**columns)


def noisy(one: NoiseTable, amount: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
    truth = minibatch(3000)["poses_2d"]
    return add_noise(truth, one, amount, torch.Generator().manual_seed(0)), truth


def test_measuring_finds_the_errors_that_were_made() -> None:
    made = table(error=0.04, outlier_share=0.06, outlier_scale=0.8, missing_share=0.1)
    found = measure_noise(*noisy(made))
    assert np.allclose(found.error, made.error, rtol=0.08)
    assert np.allclose(found.missing_share, made.missing_share, atol=0.02)
    # Far-off joints that happen to fall near the truth count as found.
    assert np.allclose(found.outlier_share, made.outlier_share, atol=0.02)
    assert np.allclose(found.outlier_scale, made.outlier_scale, rtol=0.2)


def test_swapped_sides_are_told_from_other_errors() -> None:
    found = measure_noise(*noisy(table(error=0.01, swap_share=0.2)))
    swapped = np.array(found.swap_share)
    assert (swapped[~PAIRED] == 0).all()
    # Where both sides are at the same place of the picture there is nothing to see.
    assert ((swapped[PAIRED] > 0.12) & (swapped[PAIRED] < 0.22)).all()
    assert np.allclose(found.error, 0.01, rtol=0.1)


def test_the_joints_of_a_limb_are_swapped_together() -> None:
    one = table(error=0.0, swap_share=0.1)
    share = list(one.swap_share)
    share[MPII_16.index("left_wrist")] = 0.4
    found, truth = noisy(replace(one, swap_share=tuple(share)))
    moved = (found != truth).any(-1)
    wrist, elbow, ankle = (
        moved[:, MPII_16.index(f"left_{name}")] for name in ("wrist", "elbow", "ankle")
    )
    assert 0.36 < wrist.float().mean() < 0.44 and (wrist | ~elbow).all()
    assert (elbow & ~ankle).float().mean() > 0.02  # another limb is drawn anew


def test_amount_multiplies_errors() -> None:
    still, truth = noisy(read_table(), 0.0)
    assert torch.equal(still, truth)
    assert np.allclose(measure_noise(*noisy(table(error=0.03), 2.0)).error, 0.06, rtol=0.08)


def test_noise_grows_with_the_person() -> None:
    truth = minibatch(50)["poses_2d"]
    one = read_table()
    near, far = (
        add_noise(points, one, 1.0, torch.Generator().manual_seed(1)) - points
        for points in (truth, truth * 0.5)
    )
    assert torch.allclose(near * 0.5, far, atol=1e-3, equal_nan=True)


def test_absent_joints_stay_absent() -> None:
    truth = minibatch(10)["poses_2d"]
    truth[:, 3] = float("nan")
    after = add_noise(truth, table(), 1.0, torch.Generator().manual_seed(0))
    assert after[:, 3].isnan().all() and after[:, :3].isfinite().all()


def test_torso_of_a_trunk_that_points_at_the_camera() -> None:
    points = torch.zeros(1, 16, 2)
    points[0, MPII_16.index("left_wrist")] = torch.tensor([400.0, 0.0])
    assert float(torso_size(points)) == 100.0
    points[0, MPII_16.index("left_shoulder")] = torch.tensor([0.0, 300.0])
    assert float(torso_size(points)) == 300.0


def test_tables_survive_their_file_and_damaged_ones_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "noise.json"
    one = replace(table(), error=tuple(i / 100 for i in range(16)))
    write_table(path, one)
    assert read_table(path) == one
    content = json.loads(path.read_text())
    content["left_hip"]["swap_share"] = 1.5
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=r"noise\.json is no table"):
        read_table(path)
    del content["left_hip"]
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match="left_hip"):
        read_table(path)
    with pytest.raises(UserError, match="cannot read"):
        read_table(tmp_path / "nowhere.json")
    with pytest.raises(ValueError, match="every joint"):
        measure_noise(torch.full((2, 16, 2), float("nan")), torch.zeros(2, 16, 2))
