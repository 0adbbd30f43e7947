"""`run.py 3d_pose_gan`: the pose file, and the camera that its 2D joints are seen by."""

from pathlib import Path

import numpy as np
import pytest

from generative_models.pose_gan.gaussian import GaussianModel
from generative_models.pose_gan.inference import PICTURE, rows_of_samples, run
from generative_models.pose_gan.options import SampleOptions
from tests.generative_models.pose_gan.small_poses import still_poses
from utils.cameras import Camera
from utils.pose_file import read_poses
from utils.pose_json import read_pose_json


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("weights") / "simple.safetensors"
    GaussianModel.fit(still_poses(300) * [1, -1, -1]).save(path, "made up")
    return str(path)


def test_poses_are_written_in_both_files(weights: str, tmp_path: Path) -> None:
    options = SampleOptions(load=weights, count=7, seed=5, output_dir=str(tmp_path / "a"))
    assert run(options) == 0
    poses, text = read_poses(tmp_path / "a/poses.npz"), read_pose_json(tmp_path / "a/poses.json")
    assert len(poses) == len(text) == 7 and poses.skeleton_3d == "h36m_17"
    assert poses.keypoints_3d is not None and text.keypoints_3d is not None
    assert np.array_equal(poses.keypoints_3d, text.keypoints_3d)
    assert poses.frame.tolist() == list(range(7)) and set(poses.source) == {"simple.safetensors"}


def test_seed_and_height(weights: str, tmp_path: Path) -> None:
    def made(name: str, **changes: object) -> np.ndarray:
        folder = tmp_path / name
        run(SampleOptions(load=weights, count=50, output_dir=str(folder), **changes))  # pyright: ignore[reportArgumentType]
        found = read_poses(folder / "poses.npz").keypoints_3d
        assert found is not None
        return found

    plain = made("plain", seed=1)
    assert np.array_equal(plain, made("again", seed=1))
    assert not np.array_equal(plain, made("other", seed=2))
    tall = made("tall", seed=1, height=1900.0)
    assert np.allclose(tall, plain * 1900 / 1700, rtol=1e-5, atol=1e-2)


def test_2d_joints_are_what_the_camera_sees() -> None:
    poses = GaussianModel.fit(still_poses(300) * [1, -1, -1]).sample(9, 0)
    rows = rows_of_samples(poses, "x")
    assert rows.root_camera is not None and rows.intrinsics is not None
    camera = Camera(np.eye(3), np.zeros(3), rows.intrinsics[0].astype(float), PICTURE)
    points = camera.project(poses[0] + rows.root_camera[0])
    assert np.allclose(rows.keypoints_2d[0], points, atol=0.01)
    inside = (rows.keypoints_2d > 0) & (rows.keypoints_2d < np.array(PICTURE))
    assert inside.mean() > 0.99
