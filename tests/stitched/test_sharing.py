"""Inputs shared out over two processes: one result, in the order of the inputs."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.stitched import two_processes
from utils.images import write_image
from utils.pose_file import read_poses

ROOT = Path(__file__).parents[2]


def test_two_processes_write_one_result(tmp_path):
    pictures = [tmp_path / f"{number}.png" for number in range(5)]
    for number, path in enumerate(pictures):
        write_image(path, np.full((20, 30, 3), 50 + 10 * number, np.uint8))
    (tmp_path / "broken.png").write_text("no picture")
    inputs = [*pictures[:3], tmp_path / "broken.png", *pictures[3:]]
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, two_processes.__file__, str(out), "2", *map(str, inputs)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    # One of the two met the broken picture: both say so with their exit codes, one in words.
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("broken.png") == 1
    assert "5 pictures and frames" in done.stdout
    poses = read_poses(out / "poses.npz")
    assert poses.source.tolist() == [str(path) for path in pictures]
    np.testing.assert_allclose(poses.keypoints_2d[:, -1, 0], 50 + 10 * np.arange(5), atol=1e-3)
    assert all(int((out / f"looked{rank}.txt").read_text()) >= 2 for rank in (0, 1))
    assert not list(out.glob("*part*"))
