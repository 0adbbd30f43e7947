"""Single files of Human3.6M's layouts: damage, other structures, detectors' joints."""

import io
import pickle
import zipfile

import cdflib
import h5py
import numpy as np
import pytest

from tests.twod_threed.fake_h36m import (
    COCO,
    SYMMETRY,
    motion,
    slots,
    usual,
    write_cameras_h5,
    write_cdf,
    write_keypoints,
    write_official,
    write_tree,
    write_videopose,
)
from twod_threed.h36m import read_h36m
from twod_threed.h36m_cameras import camera_ids, published_cameras, read_cameras_h5
from twod_threed.h36m_official import read_pose
from utils.errors import UserError
from utils.skeleton_conversion import convert
from utils.skeletons import COCO_17, H36M_17, MPII_16

TAKES = ("Sitting", "Sitting 1")


def read(folder, keypoints="gt", **options):
    return read_h36m(folder, ["S1"], ["Sitting"], keypoints, **options)


@pytest.fixture
def tree(tmp_path):
    return write_tree(tmp_path / "tree", ("S1",), TAKES)


@pytest.fixture
def videopose(tmp_path):
    return write_videopose(tmp_path / "videopose", ("S1",), TAKES)


# --- cameras -----------------------------------------------------------------------------------


def test_cameras_h5_is_the_published_calibration(tmp_path):
    write_cameras_h5(tmp_path / "cameras.h5", ("S1", "S11"))
    for subject in ("S1", "S11"):
        found = read_cameras_h5(tmp_path / "cameras.h5", subject)
        assert tuple(camera.name for camera in found) == camera_ids()
        for ours, theirs in zip(published_cameras(subject), found, strict=True):
            for part in ("rotation", "position", "intrinsics", "radial", "tangential"):
                np.testing.assert_array_equal(getattr(ours, part), getattr(theirs, part))
            assert ours.image_size == theirs.image_size


def test_cameras_stand_around_the_room():
    for subject in ("S1", "S5", "S6", "S7", "S8", "S9", "S11"):
        for camera in published_cameras(subject):
            np.testing.assert_allclose(camera.rotation @ camera.rotation.T, np.eye(3), atol=1e-12)
            assert 1000 < camera.position[2] < 2000, "on a tripod"
            inside = camera.project(camera.to_camera(np.array([0, 0, 900.0])))
            assert (inside > 200).all() and (inside < 800).all(), "the room is in the picture"


@pytest.mark.parametrize("part", ["subject1/camera3", "subject1/camera2/k", "subject1"])
def test_cameras_h5_without_a_part(tree, part):
    with h5py.File(tree / "cameras.h5", "a") as file:
        del file[part]
    with pytest.raises(UserError, match=r"cameras\.h5 lacks subject1"):
        read(tree)


@pytest.mark.parametrize(
    ("part", "value"),
    [("R", np.eye(4)), ("f", [[np.nan], [1.0]]), ("Name", [[52]]), ("k", [b"k"])],
)
def test_cameras_h5_with_something_else(tree, part, value):
    with h5py.File(tree / "cameras.h5", "a") as file:
        del file[f"subject1/camera1/{part}"]
        file[f"subject1/camera1/{part}"] = value
    with pytest.raises(UserError, match=r"cameras\.h5 of 3d-pose-baseline"):
        read(tree)


def test_the_tree_does_without_cameras_h5(tree):
    with_file = read(tree)
    (tree / "cameras.h5").unlink()
    np.testing.assert_array_equal(read(tree).poses_2d, with_file.poses_2d)
    (tree / "cameras.h5").write_bytes(b"nonsense")
    with pytest.raises(UserError, match=r"cameras\.h5"):
        read(tree)


# --- 3d-pose-baseline --------------------------------------------------------------------------


@pytest.mark.parametrize("values", [np.zeros((51, 4)), np.zeros((96, 0)), np.full((96, 2), np.nan)])
def test_h5_of_another_shape(tree, values):
    path = tree / "S1/MyPoses/3D_positions/Sitting 1.h5"
    with h5py.File(path, "w") as file:
        file["3D_positions"] = values
    with pytest.raises(UserError, match=r"Sitting 1\.h5"):
        read(tree)


def test_h5_without_its_key_or_cut_short(tree):
    path = tree / "S1/MyPoses/3D_positions/Sitting.h5"
    content = path.read_bytes()
    with h5py.File(path, "w") as file:
        file["positions"] = np.zeros((96, 2))
    with pytest.raises(UserError, match=r"Sitting\.h5 lacks the key 3D_positions"):
        read(tree)
    path.write_bytes(content[:900])
    with pytest.raises(UserError, match=r"Sitting\.h5 is not a readable h5 file"):
        read(tree)


# --- official ----------------------------------------------------------------------------------


def test_cdf_compressed_as_a_whole(tmp_path):
    path, pose = tmp_path / "a.cdf", np.arange(384.0).reshape(4, 96)
    file = cdflib.cdfwrite.CDF(path, cdf_spec={"Compressed": 6})
    variable = {"Variable": "Pose", "Data_Type": 45, "Num_Elements": 1, "Rec_Vary": True}
    file.write_var({**variable, "Dim_Sizes": [4, 96]}, var_data=pose[None])
    file.close()
    np.testing.assert_array_equal(read_pose(path), pose)
    data = path.read_bytes()
    for damaged in (data[:60], data[:4] + b"\0\0\0\1" + data[8:]):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=r"a\.cdf is no readable CDF"):
            read_pose(path)


def test_a_cdf_that_points_beyond_its_end(tmp_path):
    path = tmp_path / "a.cdf"
    write_cdf(path, np.zeros((4, 96)))
    data = path.read_bytes()
    path.write_bytes(data[:20] + b"\xdf" + data[21:])
    with pytest.raises(UserError, match="announces more than it holds"):
        read_pose(path)


def test_damaged_cdf(tmp_path):
    folder = write_official(tmp_path / "official", ("S1",), TAKES)
    path = folder / "S1/MyPoseFeatures/D3_Positions/Sitting.cdf"
    content = path.read_bytes()
    path.write_bytes(content[:300])
    with pytest.raises(UserError, match=r"Sitting\.cdf is no readable CDF"):
        read(folder)
    path.unlink()
    write_cdf(path, slots(motion("S1", "Sitting")).reshape(-1, 96), "Other")
    with pytest.raises(UserError, match=r"Sitting\.cdf is no readable CDF file with a Pose"):
        read(folder)
    path.unlink()
    write_cdf(path, np.zeros((4, 51)))
    with pytest.raises(UserError, match=r"Sitting\.cdf has frames of shape"):
        read(folder)


# --- VideoPose3D -------------------------------------------------------------------------------


def detections(joints, more_frames=2):
    """Points of each take and camera, (T + 2, J, 2) px."""
    rng = np.random.default_rng(0)
    return {
        "S1": {
            usual(take): [
                rng.uniform(0, 1000, (len(motion("S1", take)) + more_frames, joints, 2)).astype("f")
                for _ in range(4)
            ]
            for take in TAKES
        }
    }


def test_joints_of_coco_become_those_of_mpii(videopose):
    points = detections(17)
    metadata = {"layout_name": "coco", "num_joints": 17, "keypoints_symmetry": COCO}
    write_keypoints(videopose, "detectron_pt_coco", points, metadata)
    pairs = read(videopose, "detectron_pt_coco")
    assert pairs.skeleton_2d == "mpii_16" and pairs.keypoints == "detectron_pt_coco"
    rows = pairs.source_names() == "S1/Sitting 1/58860488"
    found = points["S1"]["Sitting 1"][2][: rows.sum()]
    np.testing.assert_allclose(
        pairs.poses_2d[rows], convert(found, COCO_17, MPII_16).poses, atol=1e-3
    )
    np.testing.assert_array_equal(pairs.poses_3d, read(videopose).poses_3d)
    own = read(videopose, "detectron_pt_coco", skeleton_2d=None)
    assert own.skeleton_2d == "coco_17"
    np.testing.assert_array_equal(own.poses_2d[rows], found)


@pytest.mark.parametrize(
    ("joints", "symmetry", "skeleton"),
    [(17, SYMMETRY, "h36m_17"), (16, [[3, 4, 5, 13, 14, 15], [0, 1, 2, 10, 11, 12]], "mpii_16")],
)
def test_files_without_a_layout_name_say_it_by_their_sides(videopose, joints, symmetry, skeleton):
    metadata = {"num_joints": joints, "keypoints_symmetry": symmetry}
    write_keypoints(videopose, "mine", detections(joints), metadata)
    assert read(videopose, "mine", skeleton_2d=None).skeleton_2d == skeleton
    assert read(videopose, "mine").skeleton_2d == "mpii_16"


GOOD = {"layout_name": "h36m", "num_joints": 17, "keypoints_symmetry": SYMMETRY}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"layout_name": "own"}, "unknown order"),
        ({"layout_name": "coco"}, "no coco skeleton"),
        ({"num_joints": 14}, "no h36m skeleton"),
        ({"keypoints_symmetry": SYMMETRY[::-1]}, "no h36m skeleton"),
        ({"keypoints_symmetry": None}, "keypoints_symmetry"),
    ],
)
def test_metadata_that_contradict(videopose, change, said):
    write_keypoints(videopose, "mine", detections(17), GOOD | change)
    with pytest.raises(UserError, match=said):
        read(videopose, "mine")


def test_detections_that_do_not_fit(videopose):
    endless = detections(17)
    endless["S1"]["Sitting"][1][0, 5] = np.inf
    for points, said in (
        (endless, "joints that no picture has"),
        (detections(17, more_frames=-1), "frames in 2D and"),
        (detections(16), "has shape"),
        ({"S5": {}}, "no takes of S1"),
        ({"S1": {"Sitting": detections(17)["S1"]["Sitting"]}}, "no four cameras for S1 Sitting 1"),
        ({"S1": dict.fromkeys(TAKES, (np.zeros((9, 17, 2)),) * 3)}, "no four cameras"),
        ({"S1": dict.fromkeys(TAKES, tuple("abcd"))}, "no array"),
    ):
        write_keypoints(videopose, "mine", points, GOOD)
        with pytest.raises(UserError, match=said):
            read(videopose, "mine")
    with pytest.raises(UserError, match="there are joints of mine"):
        read(videopose, "cpn_ft_h36m_dbb")


@pytest.mark.parametrize(
    "positions",
    [
        {"S1": {"Sitting": np.zeros((4, 17, 3), np.float32)}},
        {"S1": {"Sitting": np.zeros((4, 32, 2), np.float32)}},
        {"S1": {"Sitting": np.zeros((0, 32, 3), np.float32)}},
        {"S1": {"Sitting": np.full((4, 32, 3), np.nan, np.float32)}},
        {"S1": {"Sitting": "a text"}},
        {"S1": np.zeros((4, 32, 3))},
        {1: {}},
        np.zeros((4, 32, 3)),
    ],
)
def test_npz_of_another_structure(videopose, positions):
    np.savez(videopose / "data_3d_h36m.npz", positions_3d=positions)
    with pytest.raises(UserError, match=r"data_3d_h36m\.npz"):
        read(videopose)


def test_npz_of_other_keys_or_damaged(videopose):
    path = videopose / "data_3d_h36m.npz"
    content = path.read_bytes()
    np.savez(path, positions=1)
    with pytest.raises(UserError, match="positions_3d is no dictionary"):
        read(videopose)
    for damaged in (content[:200], b"", b"PK\x03\x04nonsense"):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=r"data_3d_h36m\.npz"):
            read(videopose)


class Importer:
    """Unpickled, it would write a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("inside", [False, True])
def test_a_pickle_that_would_call_something_is_refused(videopose, tmp_path, inside):
    trace = tmp_path / "trace"
    value = {"S1": {"Sitting": Importer(trace)}} if inside else Importer(trace)
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        buffer, {"descr": "|O", "fortran_order": False, "shape": ()}
    )
    array = np.empty((), object)
    array[()] = value
    with zipfile.ZipFile(videopose / "data_3d_h36m.npz", "w") as archive:
        archive.writestr("positions_3d.npy", buffer.getvalue() + pickle.dumps(array))
    with pytest.raises(UserError, match=r"data_3d_h36m\.npz"):
        read(videopose)
    assert not trace.exists()


def test_joints_are_chosen_from_the_32_by_name(videopose):
    camera = published_cameras("S1")[0]
    pairs = read(videopose)
    np.testing.assert_allclose(
        pairs.poses_3d[: len(motion("S1", "Sitting"))],
        camera.to_camera(motion("S1", "Sitting")),
        atol=1e-2,
    )
    assert pairs.poses_3d.shape[1] == len(H36M_17)
