"""`run.py pose` with the weights that ship, on real pictures."""

import numpy as np
import scipy.io

from stitched import pose
from stitched.options import PoseOptions, VideoOptions
from utils.pose_file import read_poses
from utils.skeleton_conversion import convert
from utils.skeletons import LSP_14, MPII_16


def test_sports_pictures_of_the_validation_set(real_data, tmp_path):
    numbers = range(901, 921)
    names = [str(real_data / "lsp" / "images" / f"im{number:04d}.jpg") for number in numbers]
    assert pose.run(PoseOptions(tuple(names), str(tmp_path))) == 0
    poses = read_poses(tmp_path / "poses.npz")
    assert poses.source.tolist() == names
    assert poses.found.mean() >= 0.9
    found = convert(poses.keypoints_2d, MPII_16, LSP_14).poses
    joints = scipy.io.loadmat(real_data / "lsp" / "joints.mat")["joints"]
    truth = joints[:2, :, 900:920].transpose(2, 1, 0) - 1
    left_shoulder, right_hip = LSP_14.indices("left_shoulder", "right_hip")
    torso = np.linalg.norm(truth[:, left_shoulder] - truth[:, right_hip], axis=-1)
    right = np.linalg.norm(found - truth, axis=-1) <= 0.2 * torso[:, None]
    assert right.mean() > 0.55


def test_man_in_a_large_frame_is_followed(real_data, tmp_path):
    clip = str(real_data / "videos" / "karate1.mp4")
    options = PoseOptions((clip,), str(tmp_path), video=VideoOptions(start=2.0, end=3.0))
    assert pose.run(options) == 0
    poses = read_poses(tmp_path / "poses.npz")
    assert poses.frame.tolist() == list(range(50, 75))
    assert poses.found.mean() >= 0.9
    # He stands right of the middle and fills half of the height of 640 x 360 px.
    assert (poses.box[:, 2] < 360).mean() >= 0.9
    head = np.nanmedian(poses.keypoints_2d[:, poses.joint_names_2d.index("head_top")], axis=0)
    assert 240 < head[0] < 340 and 10 < head[1] < 120
