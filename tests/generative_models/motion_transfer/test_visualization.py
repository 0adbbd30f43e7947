"""`viz.py motion_transfer`: the grid, the films, and their scale."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from generative_models.motion_transfer import visualization
from generative_models.motion_transfer.options import TransferVizOptions, TransferWeightsOptions
from tests.generative_models.motion_transfer.moving import (
    CLIP,
    pose_file,
    seen_from_side,
    swinging,
)
from utils.pose_file import write_poses
from utils.video import VideoReader


def test_viz_draws_grid_and_films(tmp_path: Path, weights: TransferWeightsOptions):
    write_poses(tmp_path / "a.npz", pose_file(CLIP[:9]))
    write_poses(tmp_path / "b.npz", pose_file(CLIP[:12]))
    options = TransferVizOptions(
        source=str(tmp_path / "a.npz"),
        target=str(tmp_path / "b.npz"),
        weights=weights,
        steps=2,
        size=64,
        output_dir=tmp_path / "out",
    )
    assert visualization.draw(options) == 0
    with VideoReader(tmp_path / "out" / "grid.mp4") as video:
        frames = [frame.image for frame in video]
    assert len(frames) == 9 and frames[0].shape == (128, 128, 3)
    with VideoReader(tmp_path / "out" / "side_by_side.mp4") as video:
        assert sum(1 for _ in video) == 9
    assert (tmp_path / "out" / "grid.png").is_file()


def test_the_grid_has_the_frame_rate_of_the_network(
    tmp_path: Path, weights: TransferWeightsOptions
):
    film = pose_file(seen_from_side(swinging(41, rate=60)), rate=60)
    write_poses(tmp_path / "a.npz", film)
    options = TransferVizOptions(
        source=str(tmp_path / "a.npz"),
        target=str(tmp_path / "a.npz"),
        weights=weights,
        steps=2,
        size=64,
        output_dir=tmp_path,
    )
    assert visualization.draw(options) == 0
    for name, count, rate in (("grid.mp4", 21, 30), ("side_by_side.mp4", 41, 60)):
        with VideoReader(tmp_path / name) as video:
            times = [frame.time for frame in video]
        assert len(times) == count
        assert (count - 1) / (times[-1] - times[0]) == pytest.approx(rate, rel=0.01)


def test_cells_hold_everybody_to_one_scale():
    points = torch.stack([CLIP, 2 * CLIP])[None]
    cells = visualization.in_cells(points, 100)
    assert cells.min() >= 9 and cells.max() <= 90
    sizes = np.ptp(cells[0, :, 0, :, 1], axis=-1)
    assert sizes[1] == pytest.approx(2 * sizes[0], rel=1e-4)


def test_films_run_at_the_rate_of_their_times():
    poses = pose_file(CLIP)
    assert visualization.rate_of(poses) == pytest.approx(30)
    without = replace(poses, time=np.full(len(poses), np.nan))
    assert visualization.rate_of(without) == visualization.USUAL_RATE
