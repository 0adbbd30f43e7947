"""Real Human3.6M: four annotated poses and the calibration of every camera."""

import json

import numpy as np

from twod_threed.h36m_cameras import camera_ids, published_cameras
from twod_threed.h36m_takes import SUBJECTS
from utils.skeletons import H36M_17


def test_the_calibration_that_ships_is_the_published_one(real_data):
    published = json.loads((real_data / "h36m_sample/cameras.json").read_text())
    for subject in SUBJECTS:
        for camera in published_cameras(subject):
            theirs = {
                name: np.array(value, float).ravel() if isinstance(value, list) else value
                for name, value in published[f"{subject}/{camera.name}"].items()
            }
            turn = theirs["R"].reshape(3, 3).T  # stored transposed
            np.testing.assert_allclose(camera.rotation, turn, atol=1e-12)
            np.testing.assert_allclose(camera.position, theirs["T"] * 1000, atol=1e-6)
            np.testing.assert_array_equal(camera.intrinsics, [*theirs["f"], *theirs["c"]])
            np.testing.assert_array_equal(camera.radial, theirs["k"])
            np.testing.assert_array_equal(camera.tangential, theirs["p"])
            assert camera.image_size == (theirs["w"], theirs["h"])


def test_projections_are_the_annotations(real_data):
    """Their 2D is their 3D, projected through the camera that the picture's name tells."""
    with np.load(real_data / "h36m_sample/poses.npz", allow_pickle=False) as sample:
        arrays = {name: sample[name] for name in sample}
    for name, points, poses in zip(*(arrays[n] for n in ("imgname", "part", "S")), strict=True):
        subject, camera_id = name.split("/")[0], name.split(".")[1].split("/")[0]
        camera = published_cameras(subject)[camera_ids().index(camera_id)]
        seen = camera.project(poses[:, :3] * 1000)
        np.testing.assert_allclose(seen, points[:, :2], atol=0.01)


def test_the_order_of_joints_is_theirs(real_data):
    with np.load(real_data / "h36m_sample/poses.npz", allow_pickle=False) as sample:
        poses = sample["S"][..., :3] * 1000
    for one, other, low, high in (
        ("right_hip", "right_knee", 400, 500),
        ("left_knee", "left_ankle", 400, 500),
        ("left_elbow", "left_wrist", 220, 280),
        ("right_hip", "left_hip", 230, 300),
        ("neck_nose", "head", 110, 120),
    ):
        first, second = H36M_17.indices(one, other)
        length = np.linalg.norm(poses[:, first] - poses[:, second], axis=-1)
        assert (length > low).all() and (length < high).all(), (one, other, length)
