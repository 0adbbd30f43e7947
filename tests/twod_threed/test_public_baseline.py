from pathlib import Path

import numpy as np
import pytest
import torch

from tests.twod_threed.public_lifter import forward, random_state
from tests.twod_threed.test_data import store
from twod_threed.pairs import PosePairs, write_pairs
from twod_threed.predictor import LiftingModel, load_lifter
from twod_threed.public_baseline import JOINTS_2D, JOINTS_3D, measure_public_statistics
from twod_threed.views import stored_views
from utils.cameras import project
from utils.errors import UserError
from utils.skeletons import H36M_17


def pairs() -> PosePairs:
    return stored_views(store({"S1": 20, "S5": 25}), seed=4)


def checkpoint(folder: Path, prefix: str = "", **sizes: int) -> Path:
    state = {prefix + name: value for name, value in random_state(**sizes).items()}
    path = folder / "ckpt_best.pth.tar"
    torch.save({"epoch": 3, "err": 40.0, "state_dict": state}, path)
    return path


@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize(("size", "stages"), [(24, 2), (16, 1)])
def test_outputs_equal_the_public_network(
    tmp_path: Path, prefix: str, size: int, stages: int
) -> None:
    some = pairs()
    write_pairs(tmp_path / "h36m.npz", some)
    path = checkpoint(tmp_path, prefix, size=size, stages=stages)
    model = LiftingModel.load(str(path), "cpu", str(tmp_path / "h36m.npz"))
    intrinsics = some.intrinsics[some.camera]
    points = project(some.poses_3d.astype(np.float64), intrinsics)
    lifted = model.lift(points, "h36m_17", intrinsics=intrinsics)

    # The same by hand: normalise, the public network, back to mm.
    inputs = points[:, H36M_17.indices(*JOINTS_2D)].reshape(len(some), -1)
    truth = some.poses_3d - some.poses_3d[:, :1]
    targets = truth[:, H36M_17.indices(*JOINTS_3D)].reshape(len(some), -1)
    normal = torch.from_numpy((inputs - inputs.mean(0)) / inputs.std(0)).float()
    outputs = forward(random_state(size=size, stages=stages), normal, stages).numpy()
    wanted = (outputs * targets.std(0) + targets.mean(0)).reshape(len(some), 16, 3)
    found = lifted.poses[:, H36M_17.indices(*JOINTS_3D)]
    assert np.allclose(found, wanted, atol=0.05)
    assert (lifted.poses[:, H36M_17.index("hip")] == 0).all()


def test_statistics_are_of_the_projected_joints() -> None:
    some = pairs()
    statistics, size = measure_public_statistics(some, "some")
    points = project(some.poses_3d.astype(np.float64), some.intrinsics[some.camera])
    points = points[:, H36M_17.indices(*JOINTS_2D)]
    assert np.allclose(statistics.mean_2d, points.mean(0), rtol=1e-5)
    assert np.shape(statistics.std_3d) == (16, 3) and 2000 < size < 5000


def test_statistics_are_of_the_people_who_trained_alone() -> None:
    lengths = {"S1": 20, "S5": 25, "S9": 30}
    found = measure_public_statistics(stored_views(store(lengths), seed=4), "all")
    assert found == measure_public_statistics(pairs(), "two")
    with pytest.raises(UserError, match="mine has no pairs of S1, S5, S6, S7, S8"):
        measure_public_statistics(stored_views(store({"S9": 20}), seed=4), "mine")


def test_what_cannot_be_used_is_one_clear_error(tmp_path: Path) -> None:
    path = checkpoint(tmp_path)
    with pytest.raises(UserError, match=r"--statistics"):
        load_lifter(str(path))
    state = random_state() | {"extra.weight": torch.zeros(2)}
    torch.save({"state_dict": state}, path)
    with pytest.raises(UserError, match=r"no public lifter: it has extra\.weight"):
        load_lifter(str(path))
    path = checkpoint(tmp_path, outputs=51)
    with pytest.raises(UserError, match="32 numbers to 51"):
        load_lifter(str(path))
    state = random_state()
    del state["w2.weight"]
    torch.save({"state_dict": state}, path)
    with pytest.raises(UserError, match=r"lacks 'last\.weight'"):
        load_lifter(str(path))
