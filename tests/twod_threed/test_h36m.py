"""Human3.6M in its three layouts: what they have in common must come out the same."""

import shutil

import numpy as np
import pytest

from tests.twod_threed.fake_h36m import (
    motion,
    write_official,
    write_tree,
    write_videopose,
)
from twod_threed.h36m import read_h36m
from twod_threed.h36m_cameras import published_cameras
from twod_threed.h36m_takes import ACTIONS, SUBJECTS, Wanted
from utils.errors import UserError
from utils.skeleton_conversion import convert
from utils.skeletons import H36M_17, MPII_16

TWO = ("Sitting", "SittingDown")
WRITERS = {"tree": write_tree, "videopose": write_videopose, "official": write_official}


@pytest.fixture(scope="module")
def layouts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("h36m")
    return {name: write(folder / name) for name, write in WRITERS.items()}


@pytest.mark.parametrize("layout", WRITERS)
def test_rows_are_what_the_cameras_see(layouts, layout):
    pairs = read_h36m(layouts[layout], ["S1"], TWO)
    assert pairs.clip_names.tolist() == ["S1/Sitting", "S1/Sitting 1", "S1/SittingDown 2"]
    assert pairs.clip_actions.tolist() == ["Sitting", "Sitting", "SittingDown"]
    row = 0
    for take in ("Sitting", "Sitting 1", "SittingDown 2"):
        world = motion("S1", take)
        for camera in published_cameras("S1"):
            poses = camera.to_camera(world)
            rows = slice(row, row + len(world))
            np.testing.assert_allclose(pairs.poses_3d[rows], poses, atol=1e-2)
            seen = camera.project(convert(poses, H36M_17, MPII_16).poses)
            np.testing.assert_allclose(pairs.poses_2d[rows], seen, atol=1e-2)
            assert set(pairs.source_names()[rows]) == {f"S1/{take}/{camera.name}"}
            assert pairs.frame[rows].tolist() == list(range(len(world)))
            np.testing.assert_allclose(pairs.world_poses(rows), world, atol=1e-2)
            row += len(world)
    assert row == len(pairs) and pairs.valid.all() and pairs.skeleton_2d == "mpii_16"


def test_all_layouts_agree(layouts):
    first, *others = (read_h36m(layouts[name], ["S1"], TWO) for name in WRITERS)
    for other in others:
        assert other.source_names().tolist() == first.source_names().tolist()
        np.testing.assert_allclose(other.poses_3d, first.poses_3d, atol=1e-2)
        np.testing.assert_allclose(other.poses_2d, first.poses_2d, atol=1e-2)


def test_left_and_right_are_the_persons(layouts):
    """Who is seen from behind has the right hand on the right of the picture."""
    pairs = read_h36m(layouts["tree"], ["S1"], TWO)
    cameras = published_cameras("S1")
    behind = [camera.name for camera in cameras if camera.position[1] < 0]  # all face +y
    assert 0 < len(behind) < 4
    left, right = MPII_16.indices("left_wrist", "right_wrist")
    rightward = pairs.poses_2d[:, right, 0] > pairs.poses_2d[:, left, 0]
    np.testing.assert_array_equal(rightward, np.isin(pairs.camera_names[pairs.camera], behind))
    assert (pairs.poses_2d[:, MPII_16.index("head_top"), 1] < pairs.poses_2d[:, left, 1]).all()


def test_actions_are_whole_words_under_one_name():
    sitting = Wanted(actions=["Sitting"])
    assert sitting.take("Sitting 1") == "Sitting 1" and sitting.take("Sitting_1") == "Sitting 1"
    assert sitting.take("SittingDown 1") is None and sitting.take("_ALL") is None
    walk = Wanted(actions=["WalkDog", "Photo"])
    assert walk.take("WalkingDog 1") == "WalkDog 1" and walk.take("TakingPhoto") == "Photo"
    assert walk.take("Walking") is None and walk.take("WalkTogether") is None
    assert len(ACTIONS) == 15 and len(SUBJECTS) == 7


@pytest.mark.parametrize("names", [{"subjects": ["S2"]}, {"actions": ["Sit"]}, {"actions": []}])
def test_names_that_do_not_exist_are_refused(names):
    with pytest.raises(UserError, match=r"Human3\.6M"):
        Wanted(**names)


def test_the_damaged_take_goes_where_videopose_drops_it(layouts):
    for name, takes in (("tree", 1), ("videopose", 0), ("official", 0)):
        pairs = read_h36m(layouts[name], ["S1"], ["Directions"])
        assert pairs.clip_names.tolist() == ["S1/Directions"]
        if takes:
            assert read_h36m(layouts[name], ["S11"], ["Directions"])
        else:
            with pytest.raises(UserError, match="none of the actions"):
                read_h36m(layouts[name], ["S11"], ["Directions"])


def test_every_nth_frame_keeps_its_number(layouts):
    whole = read_h36m(layouts["tree"], ["S1"], ["Sitting"])
    third = read_h36m(layouts["tree"], ["S1"], ["Sitting"], every=3)
    assert set(third.frame) == {0, 3} and set(whole.frame) == {0, 1, 2, 3}
    np.testing.assert_array_equal(third.poses_3d, whole.poses_3d[whole.frame % 3 == 0])


def test_fourteen_joints_leave_three_out_of_what_counts(layouts):
    pairs = read_h36m(layouts["tree"], ["S1"], ["Sitting"], joints=14)
    out = {joint for joint, valid in zip(H36M_17.joints, pairs.valid[0], strict=True) if not valid}
    assert out == {"hip", "spine", "neck_nose"} and (pairs.valid == pairs.valid[0]).all()
    assert np.isfinite(pairs.poses_3d).all(), "the hip is still needed, to be relative to"


def test_projections_in_other_joints(layouts):
    pairs = read_h36m(layouts["tree"], ["S1"], ["Sitting"], skeleton_2d=None)
    assert pairs.skeleton_2d == "h36m_17"
    camera = pairs.camera_of(0)
    np.testing.assert_allclose(pairs.poses_2d[0], camera.project(pairs.poses_3d[0]), atol=1e-3)


@pytest.mark.parametrize("options", [{"every": 0}, {"joints": 16}])
def test_impossible_options(layouts, options):
    with pytest.raises(UserError, match=r"Human3\.6M"):
        read_h36m(layouts["tree"], **options)


def test_absence_says_what_to_do(tmp_path):
    with pytest.raises(UserError) as caught:
        read_h36m(tmp_path / "nowhere")
    text = str(caught.value)
    for part in (
        *("nowhere", "vision.imar.ro/human3.6m", "data_3d_h36m.npz", "D3_Positions"),
        *("python data/prepare.py h36m --data_dir", "2d3d_mannequin"),
    ):
        assert part in text
    assert "\n" not in text


@pytest.mark.parametrize("layout", WRITERS)
def test_absent_people_and_actions_are_named(layouts, layout):
    with pytest.raises(UserError, match="S9"):
        read_h36m(layouts[layout], ["S1", "S9"], TWO)
    with pytest.raises(UserError, match="S1 lacks Eating"):
        read_h36m(layouts[layout], ["S1"], [*TWO, "Eating"])


@pytest.mark.parametrize("layout", ["tree", "official"])
def test_joints_of_a_detector_that_is_not_there(layouts, layout):
    with pytest.raises(UserError, match="cpn"):
        read_h36m(layouts[layout], ["S1"], TWO, keypoints="cpn")


def test_official_2d_joints(layouts, tmp_path):
    given = read_h36m(layouts["official"], ["S1"], TWO, "d2_positions", skeleton_2d=None)
    projected = read_h36m(layouts["official"], ["S1"], TWO, skeleton_2d=None)
    np.testing.assert_allclose(given.poses_2d, projected.poses_2d, atol=1e-2)
    assert given.keypoints == "d2_positions" and projected.keypoints == "gt"
    folder = tmp_path / "lacks"
    shutil.copytree(layouts["official"], folder)
    (folder / "S1/MyPoseFeatures/D2_Positions/Sitting 1.55011271.cdf").unlink()
    with pytest.raises(UserError, match=r"Sitting 1\.55011271\.cdf is not there"):
        read_h36m(folder, ["S1"], TWO, "d2_positions")
