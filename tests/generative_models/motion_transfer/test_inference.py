"""`run.py motion_transfer`, method by method."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from generative_models.motion_transfer.inference import run
from generative_models.motion_transfer.options import (
    Method,
    TransferEvalOptions,
    TransferRunOptions,
    TransferWeightsOptions,
)
from generative_models.motion_transfer.predictor import LearnedRetargeter
from generative_models.motion_transfer.retarget import retarget_bones, retarget_scale
from tests.generative_models.motion_transfer.moving import CLIP, pose_file
from utils.errors import UserError
from utils.pose_file import read_poses, write_poses
from utils.pose_json import read_pose_json


def test_run_writes_poses_by_each_method(tmp_path: Path, weights: TransferWeightsOptions):
    source, target = pose_file(CLIP), pose_file(1.5 * CLIP, (1920, 1080))
    for name, poses in (("source", source), ("target", target)):
        write_poses(tmp_path / f"{name}.npz", poses)
    files = (str(tmp_path / "source.npz"), str(tmp_path / "target.npz"))
    network = LearnedRetargeter.load(weights.load, "cpu")
    ways = {"scale": retarget_scale, "bones": retarget_bones, "learned": network}
    for method in get_args(Method):
        given = weights if method == "learned" else TransferWeightsOptions(accelerator="cpu")
        options = TransferRunOptions(*files, weights=given, method=method, output_dir=tmp_path)
        assert run(options) == 0
        found, wanted = read_poses(tmp_path / "poses.npz"), ways[method](source, target)
        np.testing.assert_allclose(found.keypoints_2d, wanted.keypoints_2d, atol=1e-3)
        assert found.image_size[0].tolist() == [1920, 1080]
        assert len(read_pose_json(tmp_path / "poses.json")) == 40


def test_a_network_that_would_not_be_used_is_refused(weights: TransferWeightsOptions):
    with pytest.raises(UserError, match="--load is for the network, not for bones"):
        TransferRunOptions("a.npz", "b.npz", weights=weights)
    with pytest.raises(UserError, match="--load is for the network, not for bones scale"):
        TransferEvalOptions(weights=weights, methods=("bones", "scale"))


def test_neither_source_nor_target_is_written_over(tmp_path: Path) -> None:
    write_poses(tmp_path / "poses.npz", pose_file(CLIP))
    write_poses(tmp_path / "other.npz", pose_file(CLIP))
    before = (tmp_path / "poses.npz").read_bytes()
    files = [str(tmp_path / name) for name in ("poses.npz", "other.npz")]
    for source, target in (files, files[::-1]):
        with pytest.raises(UserError, match="it is read for this"):
            run(TransferRunOptions(source, target, method="bones", output_dir=tmp_path))
    assert (tmp_path / "poses.npz").read_bytes() == before
