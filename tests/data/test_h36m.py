"""Human3.6M in any layout -> one file, through the function behind the preparing command."""

from typing import Any

import numpy as np
import pytest

from data.h36m import H36mOptions, prepare_h36m
from tests.twod_threed.fake_h36m import write_official, write_tree, write_videopose
from twod_threed.h36m import read_h36m
from twod_threed.h36m_takes import ACTIONS
from utils.errors import UserError

ACTION = ("Sitting", "Directions")
WRITERS = {"tree": write_tree, "videopose": write_videopose, "official": write_official}


@pytest.mark.parametrize("layout", WRITERS)
def test_a_prepared_folder_reads_like_the_download(tmp_path, capsys, layout):
    folder = WRITERS[layout](tmp_path / "h36m", ("S1",))
    plain = read_h36m(folder, ["S1"], ACTION)
    options = H36mOptions(folder, subjects=("S1",), actions=ACTION)
    assert prepare_h36m(options) == 0
    printed = capsys.readouterr().out
    assert "S1: 3 takes" in printed and "h36m_gt.npz" in printed
    for place in (folder, folder / "h36m_gt.npz"):
        prepared = read_h36m(place, ["S1"], ACTION)
        np.testing.assert_array_equal(prepared.poses_2d, plain.poses_2d)
        np.testing.assert_array_equal(prepared.source_names(), plain.source_names())
    fewer = read_h36m(folder, ["S1"], ["Sitting"], every=2)
    assert set(fewer.actions) == {"Sitting"} and (fewer.frame % 2 == 0).all()
    assert prepare_h36m(options) == 0, "again, from the download and not from its own file"


def test_what_is_left_out_is_said(tmp_path, capsys):
    actions = ("Directions", "Sitting")
    takes = ("Directions", "Directions 1", "Sitting")
    folder = write_official(tmp_path / "official", ("S11",), takes)
    output = tmp_path / "out/pairs.npz"
    prepare_h36m(H36mOptions(folder, output, ("S11",), actions))
    assert "S11 Directions is left out" in capsys.readouterr().out
    assert "S11/Directions" not in read_h36m(output, ["S11"], actions).clip_names
    tree = write_tree(tmp_path / "tree", ("S11",), takes)
    prepare_h36m(H36mOptions(tree, output, ("S11",), actions))
    assert "left out" not in capsys.readouterr().out


def test_prepared_files_have_the_joints_they_were_prepared_with(tmp_path):
    folder = write_official(tmp_path, ("S1",), ("Sitting",))
    some: dict[str, Any] = {"subjects": ("S1",), "actions": ("Sitting",)}
    prepare_h36m(H36mOptions(folder, keypoints="d2_positions", every=2, **some))
    path = folder / "h36m_d2_positions.npz"
    assert read_h36m(path, keypoints="d2_positions", **some).keypoints == "d2_positions"
    with pytest.raises(UserError, match=r"prepared with 2D joints d2_positions as mpii_16, not gt"):
        read_h36m(path, **some)
    with pytest.raises(UserError, match="S1 lacks Eating"):
        read_h36m(path, ["S1"], ["Eating", "Sitting"], "d2_positions")
    whole = read_h36m(folder, **some)
    assert set(whole.frame) == {0, 1, 2, 3}, "other joints are read from the download"


def test_absence_and_bad_options(tmp_path):
    with pytest.raises(UserError, match=r"Human3\.6M is not in"):
        prepare_h36m(H36mOptions(tmp_path))
    with pytest.raises(UserError, match="--every"):
        H36mOptions(every=0)
    assert H36mOptions().actions == ACTIONS
