"""The table of exporters: every format, and what is common to all."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.utils.exporters.exported_poses import film
from utils.errors import UserError
from utils.exporters import EXPORTERS, NEED_3D
from utils.pose_file import read_poses
from utils.pose_json import read_pose_file, read_pose_json


@pytest.mark.parametrize("name", EXPORTERS)
def test_each_format_writes_the_files_that_it_names_and_no_others(tmp_path: Path, name: str):
    folder = tmp_path / "new" / "folder"
    paths = EXPORTERS[name](folder, film(frames=2))
    assert paths and sorted(paths) == sorted(folder.iterdir())
    assert all(path.stat().st_size for path in paths)


@pytest.mark.parametrize("name", EXPORTERS)
def test_2d_poses_alone_are_enough_or_it_says_so(tmp_path: Path, name: str):
    flat = replace(film(frames=2), keypoints_3d=None, root_camera=None, skeleton_3d=None)
    if name in NEED_3D:
        with pytest.raises(UserError, match="3D poses"):
            EXPORTERS[name](tmp_path, flat)
        assert not list(tmp_path.iterdir())
    else:
        assert EXPORTERS[name](tmp_path, flat)


@pytest.mark.parametrize("name", EXPORTERS)
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, name: str):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot write"):
        EXPORTERS[name](tmp_path / "file", film(frames=2))


@pytest.mark.skipif(sys.platform == "darwin", reason="its disks take no such names")
@pytest.mark.parametrize("name", EXPORTERS)
def test_names_that_are_no_text_can_be_exported(tmp_path: Path, name: str):
    """A file's name is bytes; Python keeps those that are no UTF-8 as halves of characters."""
    poses = film("caf\udce9.mp4", frames=2)
    for path in EXPORTERS[name](tmp_path, poses):
        if path.suffix in (".csv", ".trc"):
            assert "caf\\udce9" in path.read_text(encoding="utf-8")
        if path.name == "coco.json":
            assert json.loads(path.read_bytes())["images"][0]["file_name"] == "caf\udce9.mp4"
        if path.stem == "poses" and path.suffix in (".npz", ".json"):
            assert read_pose_file(path).source.tolist() == poses.source.tolist()


def test_npz_and_json_are_the_pose_file(tmp_path: Path):
    poses = film()
    for path, read in (("npz", read_poses), ("json", read_pose_json)):
        back = read(EXPORTERS[path](tmp_path, poses)[0])
        for name, values in poses.arrays().items():
            np.testing.assert_array_equal(getattr(back, name), values, err_msg=name)
