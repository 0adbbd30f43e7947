"""The lifter in onnxruntime: what torch lifts, in pixels and millimetres."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.twod_threed.small_poses import lenses, poses_3d
from twod_threed import onnx_backend
from twod_threed.description import LifterDescription
from twod_threed.model import Lifter, LifterArchitecture
from twod_threed.normalisation import measure_statistics
from twod_threed.onnx_backend import OnnxLiftingModel, load_onnx_lifter
from twod_threed.predictor import LiftingModel
from twod_threed.views import project_mpii
from utils import onnx_files
from utils.errors import UserError
from utils.skeleton_conversion import convert
from utils.skeletons import COCO_17, H36M_17, MPII_16
from utils.weights import save_weights

Pair = tuple[OnnxLiftingModel, LiftingModel]
COUNT = 7
PLAIN = LifterDescription(LifterArchitecture(linear_size=16, num_stage=1), 3300.0)


def seen() -> np.ndarray:
    """(COUNT, 16, 2) px: one without a wrist, one of whom there is nothing."""
    points = project_mpii(poses_3d(COUNT), lenses(COUNT)).float().numpy()
    points[1, MPII_16.index("left_wrist")] = np.nan
    points[4] = np.nan
    return points


def by_statistics() -> LifterDescription:
    """Dataset normalisation, the hip left out of the answer as in the public programs."""
    poses = poses_3d(40, seed=1)
    measured = measure_statistics(project_mpii(poses, lenses(40)), poses - poses[:, :1])
    rows = measured.mean_3d[1:], measured.std_3d[1:]
    return LifterDescription(
        LifterArchitecture(joints_out=16, linear_size=16, num_stage=1),
        3300.0,
        replace(measured, mean_3d=rows[0], std_3d=rows[1]),
        joints_3d=H36M_17.joints[1:],
    )


def weights(folder: Path, description: LifterDescription) -> str:
    """A file of weights whose batch norms do something."""
    torch.manual_seed(0)
    lifter = Lifter(description.architecture)
    for name, values in lifter.named_buffers():
        if name.endswith(("running_mean", "running_var")):
            values.uniform_(0.5, 1.5)
    path = folder / "w.safetensors"
    save_weights(path, lifter.state_dict(), description.as_metadata())
    return str(path)


@pytest.fixture(scope="module", params=["instance", "dataset"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Both loaded from the same weights, which the first exports, as they are not in its cache."""
    folder = tmp_path_factory.mktemp("lifter")
    name = weights(folder, PLAIN if request.param == "instance" else by_statistics())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnx_files, "CACHE", folder / "cache")
        onnx = load_onnx_lifter(name)
        (kept,) = (folder / "cache").iterdir()
        patch.setattr(onnx_backend, "export_lifter", None)
        assert load_onnx_lifter(name).description == onnx.description
    assert load_onnx_lifter(str(kept)).description == onnx.description
    return onnx, LiftingModel.load(name, "cpu")


def check(both: Pair, points: np.ndarray, skeleton: str = "mpii_16", **how: Any) -> None:
    """Both lift alike: to a thousandth of a millimetre in a metre."""
    onnx, ours = (model.lift(points, skeleton, **how) for model in both)
    assert onnx.poses.dtype == ours.poses.dtype and onnx.root_camera.dtype == ours.poses.dtype
    np.testing.assert_allclose(onnx.poses, ours.poses, rtol=1e-5, atol=1e-2)
    # Depth is a quotient of small differences.
    np.testing.assert_allclose(onnx.root_camera, ours.root_camera, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("how", [{}, {"height": 1500.0}, {"video": True}, {"batch_size": 3}])
def test_lifts_as_torch_does(both: Pair, how: dict[str, Any]):
    check(both, seen(), intrinsics=lenses(COUNT).numpy(), **how)


@pytest.mark.parametrize("rows", [slice(0, 0), slice(0, 1), slice(4, 5)])
def test_nobody_one_person_and_one_who_is_not_seen(both: Pair, rows: slice):
    check(both, seen()[rows], image_size=np.array([960, 1040]))
    check(both, seen()[rows], image_size=np.array([960, 1040]), video=True)


def test_other_skeletons_are_converted(both: Pair):
    coco = convert(seen(), MPII_16, COCO_17).poses
    check(both, coco, "coco_17", image_size=np.array([960, 1040]))


def test_what_cannot_be_lifted_is_said_as_by_torch(both: Pair):
    with pytest.raises(ValueError, match="the camera is unknown"):
        both[0].lift(seen(), "mpii_16")
    assert both[0].description == both[1].description


def test_the_file_alone_is_enough_for_other_programs(both: Pair):
    """Pixels and cameras in, millimetres out, with nothing of ours around it."""
    poses, roots = both[0].session(keypoints=seen(), intrinsics=lenses(COUNT).float().numpy())
    lifted = both[1].lift(seen(), "mpii_16", intrinsics=lenses(COUNT).numpy())
    np.testing.assert_allclose(poses, lifted.poses, rtol=1e-5, atol=1e-2)
    np.testing.assert_allclose(roots, lifted.root_camera, rtol=1e-3, atol=1e-2)


def test_weights_of_another_kind_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(onnx_files, "CACHE", tmp_path / "cache")
    save_weights(tmp_path / "w.safetensors", {"w": torch.zeros(2)}, {"kind": "stacked_hourglass"})
    with pytest.raises(UserError, match="holds a stacked_hourglass"):
        load_onnx_lifter(str(tmp_path / "w.safetensors"))
