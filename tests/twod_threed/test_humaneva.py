"""HumanEva: files in the published layout are read, anything else is refused by name."""

import numpy as np
import pytest

from tests.twod_threed.fake_humaneva import (
    CLIPS,
    LENSES,
    metadata_of,
    room_camera,
    seen,
    truth,
    write_2d,
    write_3d,
    write_humaneva,
)
from twod_threed.humaneva import CAMERAS, read_humaneva
from twod_threed.pairs import read_pairs, write_pairs
from utils.errors import UserError
from utils.skeleton_conversion import convert
from utils.skeletons import COCO_17, HUMANEVA_15, MPII_16, skeleton_named

SUBJECTS = tuple(CLIPS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("humaneva")
    for joints in (15, 20):
        write_humaneva(place, joints)
    return place


@pytest.mark.parametrize("joints", [15, 20])
def test_poses_of_every_camera_go_back_to_the_world(folder, joints):
    pairs = read_humaneva(folder, SUBJECTS, joints=joints, skeleton_2d=None)
    assert pairs.skeleton_3d == pairs.skeleton_2d == f"humaneva_{joints}"
    assert pairs.poses_3d.shape[1:] == (joints, 3) and pairs.valid.all()
    expected = truth(joints)
    assert len(pairs) == 3 * sum(sum(clips.values()) for clips in CLIPS.values())
    for clip, name in enumerate(pairs.clip_names):
        subject, take = name.rsplit("/", 1)
        for camera, label in enumerate(CAMERAS):
            rows = (pairs.clip == clip) & (pairs.source_names() == f"{name}/{label}")
            np.testing.assert_allclose(pairs.world_poses(rows), expected[subject][take], atol=0.02)
            known = room_camera(subject.split("/")[1], camera)
            np.testing.assert_allclose(
                pairs.poses_3d[rows], known.to_camera(expected[subject][take]), atol=0.02
            )
            np.testing.assert_array_equal(pairs.frame[rows], np.arange(rows.sum()))


def test_names_rates_and_sizes(folder):
    pairs = read_humaneva(folder, SUBJECTS)
    assert pairs.skeleton_2d == MPII_16.name and pairs.keypoints == "gt"
    assert set(pairs.clip_subjects) == set(SUBJECTS) and set(pairs.clip_sources) == {"humaneva"}
    assert set(pairs.clip_actions) == {"Walking", "Box", "Jog", "WalkTogether"}
    assert "Train/S1/Walking 1 chunk2" in pairs.clip_names
    assert (pairs.frame_rates == 60).all() and (pairs.image_size == [640, 480]).all()


def test_cameras_stand_around_the_room_and_look_into_it(folder):
    pairs = read_humaneva(folder, SUBJECTS)
    for rotation, position in zip(pairs.rotation, pairs.position, strict=True):
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-6)
        right, down, forward = rotation
        assert np.linalg.det(rotation) > 0.99
        assert 3500 < np.linalg.norm(position[:2]) < 4500 and 1300 < position[2] < 1700
        assert down[2] < -0.95 and abs(right[2]) < 0.1
        assert forward @ -position / np.linalg.norm(position) > 0.95


@pytest.mark.parametrize("keypoints", ["gt", "detectron_pt_coco"])
def test_lenses_are_found_from_what_they_saw(folder, keypoints):
    pairs = read_humaneva(folder, SUBJECTS, keypoints)
    for lens, name in zip(pairs.intrinsics, pairs.camera_names, strict=True):
        np.testing.assert_allclose(lens, LENSES[CAMERAS.index(name)], rtol=1e-4)


def test_no_lens_can_be_found_from_unlabelled_clips(tmp_path, folder):
    read_3d = {"Train/S1": {}}
    write_3d(tmp_path, read_3d)
    points = {"Unlabeled/S4": {"Box 2": [np.full((4, 15, 2), 9.0)] * 3}}
    write_2d(tmp_path, "gt", points, metadata_of(15))
    pairs = read_humaneva(tmp_path, ["Unlabeled/S4"])
    width, focal = 640, 320 / np.tan(np.radians(55 / 2))
    np.testing.assert_allclose(pairs.intrinsics[0], [focal, focal, (width - 1) / 2, 239.5])


def test_points_are_those_of_the_file_in_the_skeleton_asked_for(folder):
    raw = read_humaneva(folder, SUBJECTS, "detectron_pt_coco", skeleton_2d=None)
    assert raw.skeleton_2d == COCO_17.name
    mpii = read_humaneva(folder, SUBJECTS, "detectron_pt_coco")
    converted = convert(raw.poses_2d.astype(np.float64), COCO_17, MPII_16).poses
    np.testing.assert_allclose(mpii.poses_2d, converted, atol=1e-3)
    for row in (0, 20, len(raw) - 1):
        seen = raw.camera_of(row).project(raw.poses_3d[row].astype(np.float64))
        ankle, theirs = COCO_17.index("left_ankle"), HUMANEVA_15.index("left_ankle")
        np.testing.assert_allclose(raw.poses_2d[row, ankle], seen[theirs], atol=0.1)


def test_further_frames_in_2d_are_cut_and_fewer_are_named(tmp_path, folder):
    exact, found = (read_humaneva(folder, SUBJECTS, k) for k in ("gt", "detectron_pt_coco"))
    assert len(exact) == len(found)
    world = truth()["Train/S1"]["Box 1 chunk0"]
    write_3d(tmp_path, {"Train/S1": {"Box 1 chunk0": world}})
    short = [np.ones((len(world) - 1, 15, 2))] * 3
    write_2d(tmp_path, "gt", {"Train/S1": {"Box 1 chunk0": short}}, metadata_of(15))
    with pytest.raises(UserError, match=r"Box 1 chunk0 has 6 frames in 2D and 7 in 3D"):
        read_humaneva(tmp_path, ["Train/S1"])


def test_a_clip_that_no_camera_saw_has_no_rows(tmp_path):
    world = truth()["Train/S1"]["Box 1 chunk0"]
    write_3d(tmp_path, {"Train/S1": {"Box 1 chunk0": world, "Box 1 chunk1": world}})
    views = {
        "Box 1 chunk0": [None, None, None],
        "Box 1 chunk1": seen(world, "S1", HUMANEVA_15, HUMANEVA_15),
    }
    write_2d(tmp_path, "gt", {"Train/S1": views}, metadata_of(15))
    pairs = read_humaneva(tmp_path, ["Train/S1"])
    assert len(pairs) == 3 * len(world)


def test_unlabelled_clips_have_2d_alone(tmp_path, folder):
    subjects = ("Unlabeled/S4", "Unlabeled/Train/S1")
    pairs = read_humaneva(folder, subjects, "detectron_pt_coco", skeleton_2d=None)
    assert not pairs.valid.any() and np.isnan(pairs.poses_3d).all()
    names, counts = np.unique(pairs.source_names(), return_counts=True)
    assert dict(zip(names, counts, strict=True)) == {
        "Unlabeled/S4/Box 2/C1": 8,
        "Unlabeled/S4/Box 2/C3": 6,
        **{f"Unlabeled/Train/S1/Walking 1 chunk1/C{n}": 8 for n in (1, 2, 3)},
    }
    np.testing.assert_allclose(pairs.intrinsics[2], LENSES[2], rtol=1e-4)
    write_pairs(tmp_path / "pairs.npz", pairs)
    again = read_pairs(tmp_path / "pairs.npz", skeleton_3d=None)
    np.testing.assert_array_equal(again.poses_2d, pairs.poses_2d)


def test_what_is_not_there_is_named(tmp_path, folder):
    with pytest.raises(UserError, match=r"data_3d_humaneva15\.npz is not there.*mannequin"):
        read_humaneva(tmp_path, SUBJECTS)
    with pytest.raises(UserError, match=r"data_2d_humaneva15_cpn\.npz is not there"):
        read_humaneva(folder, SUBJECTS, "cpn")
    with pytest.raises(UserError, match=r"no subject Train/S9, only Train/S1"):
        read_humaneva(folder, ["Train/S9"])
    with pytest.raises(UserError, match="every subject once"):
        read_humaneva(folder, [])
    write_3d(tmp_path, truth())
    write_2d(tmp_path, "gt", {"Train/S1": {}}, metadata_of(15))
    with pytest.raises(UserError, match=r"data_2d_humaneva15_gt\.npz lacks Train/S1 Walking 1"):
        read_humaneva(tmp_path, ["Train/S1"])


def test_another_number_of_joints_is_named(tmp_path):
    write_humaneva(tmp_path)
    write_3d(tmp_path, truth(20))
    with pytest.raises(UserError, match=r"Walking 1 chunk0 has 20 joints, not the 15"):
        read_humaneva(tmp_path, SUBJECTS)
    write_3d(tmp_path, truth())
    points = {
        s: {n: [np.zeros((c, 20, 2))] * 3 for n, c in clips.items()} for s, clips in CLIPS.items()
    }
    write_2d(tmp_path, "gt", points, metadata_of(15))
    with pytest.raises(UserError, match=r"shape \(7, 20, 2\), not \(frames, 15, 2\)"):
        read_humaneva(tmp_path, SUBJECTS)


class Other:
    """Something a file may hold that no reader makes."""


@pytest.mark.parametrize(
    "positions",
    [
        Other(),
        [1, 2],
        {"Train/S1": [1]},
        {"Train/S1": {3: np.zeros((2, 15, 3))}},
        {"Train/S9": {"Box 1 chunk0": np.zeros((2, 15, 3))}},
        {"Train/S1": {"Box 1 chunk0": Other()}},
        {"Train/S1": {"Box 1 chunk0": np.zeros((2, 15, 2))}},
        {"Train/S1": {"Box 1 chunk0": np.zeros((2, 45))}},
        {"Train/S1": {"Box 1 chunk0": np.full((2, 15, 3), np.nan)}},
        {"Train/S1": {"Box 1 chunk0": np.zeros((0, 15, 3))}},
    ],
)
def test_3d_files_of_another_structure_are_refused_by_name(tmp_path, positions):
    write_humaneva(tmp_path)
    np.savez(tmp_path / "data_3d_humaneva15.npz", positions_3d=np.array(positions, object))
    with pytest.raises(UserError, match=r"data_3d_humaneva15\.npz"):
        read_humaneva(tmp_path, SUBJECTS)


@pytest.mark.parametrize(
    "views",
    [
        [np.zeros((12, 15, 2))] * 2,
        np.zeros((3, 12, 15, 2)),
        [Other()] * 3,
        [np.zeros((12, 15))] * 3,
        [np.full((12, 15, 2), np.inf)] * 3,
    ],
)
def test_2d_files_of_another_structure_are_refused_by_name(tmp_path, views):
    world = truth()["Train/S1"]["Walking 1 chunk0"]
    write_3d(tmp_path, {"Train/S1": {"Walking 1 chunk0": world}})
    write_2d(tmp_path, "gt", {"Train/S1": {"Walking 1 chunk0": views}}, metadata_of(15))
    with pytest.raises(UserError, match=r"data_2d_humaneva15_gt\.npz: Train/S1 Walking 1 chunk0"):
        read_humaneva(tmp_path, ["Train/S1"])


@pytest.mark.parametrize("name", ["data_3d_humaneva15.npz", "data_2d_humaneva15_gt.npz"])
def test_damaged_files_are_refused_by_name(tmp_path, name):
    write_humaneva(tmp_path)
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(UserError, match=name.replace(".", r"\.")):
        read_humaneva(tmp_path, SUBJECTS)
    np.savez(path, something=np.zeros(3))
    with pytest.raises(UserError, match=name.replace(".", r"\.")):
        read_humaneva(tmp_path, SUBJECTS)


def test_points_against_the_poses_are_refused(tmp_path):
    """Mirrored pictures would make a lens of negative focal length."""
    write_humaneva(tmp_path)
    own = skeleton_named("humaneva_15")
    points = {}
    for subject, clips in truth().items():
        for name, world in clips.items():
            cameras = [room_camera(subject.split("/")[1], n) for n in range(3)]
            views = [640 - camera.project(camera.to_camera(world)) for camera in cameras]
            points.setdefault(subject, {})[name] = views
    assert len(own) == 15
    write_2d(tmp_path, "gt", points, metadata_of(15))
    with pytest.raises(UserError, match="do not fit"):
        read_humaneva(tmp_path, SUBJECTS)
