"""From 2D to 3D in `run.py pose`, with small lifters that know nothing."""

import numpy as np
import pytest
import torch

from stitched import lifting
from stitched.lifting import ONE_BY_ONE, SINGLE, TEMPORAL, PoseLifter
from stitched.options import LiftOptions, MachineOptions
from tests.twod_threed.temporal.known_networks import describe, write_networks
from twod_threed.description import LifterDescription
from twod_threed.model import Lifter, LifterArchitecture
from twod_threed.predictor import LiftingModel
from utils.errors import UserError
from utils.images import read_image
from utils.pose_file import read_poses
from utils.video import VideoReader
from utils.weights import save_weights


@pytest.fixture
def lifter(tmp_path):
    """Weights of a small lifter of single poses; their path."""
    torch.manual_seed(0)
    one = LifterDescription(LifterArchitecture(linear_size=16, num_stage=1), 3300.0)
    path = tmp_path / "lifter.safetensors"
    save_weights(path, Lifter(one.architecture).state_dict(), one.as_metadata())
    return str(path)


def test_picture_gets_a_3d_pose_and_a_drawing_of_it(run_pose, photo, lifter, out):
    assert run_pose(photo[0], lift=True, lifter=lifter, focal=700.0, export="npz,trc") == 0
    poses = read_poses(out / "poses.npz")
    assert poses.keypoints_3d is not None and poses.intrinsics is not None
    model = LiftingModel.load(lifter, "cpu")
    expected = model.lift(poses.keypoints_2d, "mpii_16", intrinsics=poses.intrinsics)
    np.testing.assert_allclose(poses.keypoints_3d, expected.poses, atol=1e-2)
    np.testing.assert_allclose(poses.intrinsics[0, :2], 700.0)
    assert poses.root_camera is not None and np.isfinite(poses.root_camera).all()
    assert poses.skeleton_3d == "h36m_17"
    assert read_image(out / "photo_3d.png").shape[1] > 320
    assert len(list(out.glob("*.trc"))) == 1


def test_video_is_lifted_where_somebody_is_and_drawn(run_pose, clip, tmp_path, out):
    temporal = write_networks(tmp_path / "small.safetensors", describe("mpii_16"))
    assert run_pose(clip[0], lift=True, lifter=str(temporal), export="npz,bvh") == 0
    poses = read_poses(out / "poses.npz")
    assert poses.keypoints_3d is not None
    lifted = ~np.isnan(poses.keypoints_3d).all(axis=(1, 2))
    assert lifted.tolist() == poses.found.tolist() == [5 <= i < 25 for i in range(30)]
    with VideoReader(out / "clip_3d.mp4") as film:
        assert len(list(film)) == 30
    assert len(list(out.glob("*.bvh"))) == 1


def test_who_is_away_for_some_frames_has_no_3d_pose_there(run_pose, clip, tmp_path, out):
    assert run_pose(clip[0]) == 0
    poses = read_poses(out / "poses.npz")
    poses.keypoints_2d[10:13], poses.confidence[10:13] = np.nan, 0
    for weights in ("mpii_16", SINGLE):
        name = weights
        if weights != SINGLE:
            name = str(write_networks(tmp_path / "small.safetensors", describe(weights)))
        lifted = PoseLifter(LiftOptions(lifter=name), MachineOptions()).video(poses)
        assert lifted.keypoints_3d is not None and lifted.root_camera is not None
        is_lifted = ~np.isnan(lifted.keypoints_3d).all(axis=(1, 2))
        assert is_lifted.tolist() == poses.found.tolist()
        assert np.isnan(lifted.root_camera[~poses.found]).all()


def test_without_temporal_weights_one_line_says_so(monkeypatch):
    told = []
    one = PoseLifter(LiftOptions(), MachineOptions(), told.append)
    monkeypatch.setattr(lifting, "shipped_names", lambda: [SINGLE])
    assert [one._for_videos(), one._for_videos()] == [SINGLE, SINGLE]
    assert told == [ONE_BY_ONE] and "\n" not in ONE_BY_ONE
    monkeypatch.setattr(lifting, "shipped_names", lambda: [SINGLE, TEMPORAL])
    assert one._for_videos() == TEMPORAL and len(told) == 1


def test_lifter_that_is_not_there_stops_before_anything_is_looked_at(run_pose, clip, predictor):
    with pytest.raises(UserError, match="nowhere"):
        run_pose(clip[0], lift=True, lifter="nowhere")
    assert predictor.batches == []


def test_3d_files_need_3d(run_pose, photo):
    with pytest.raises(UserError, match="--export bvh holds 3D poses"):
        run_pose(photo[0], export="bvh")
