"""Lifted poses of a video: files that have none are refused."""

from dataclasses import replace

import pytest

from stitched.visualization.sources import read_rows
from tests.stitched.visualization.people import walk
from utils.errors import UserError
from utils.pose_file import write_poses


def test_files_without_3d_or_rows_are_refused(tmp_path):
    flat = replace(walk(2), keypoints_3d=None, skeleton_3d=None)
    write_poses(tmp_path / "flat.npz", flat)
    with pytest.raises(UserError, match=r"flat.npz has no 3D poses of clip.mp4: lift them"):
        read_rows(tmp_path / "flat.npz", "clip.mp4")
    write_poses(tmp_path / "empty.npz", flat.select([]))
    with pytest.raises(UserError, match=r"empty.npz has no poses"):
        read_rows(tmp_path / "empty.npz", "clip.mp4")
