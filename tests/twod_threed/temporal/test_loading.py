"""Networks from run folders, weights files, checkpoints, and VideoPose3D's files."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.twod_threed.temporal import public_videopose
from tests.twod_threed.temporal.known_networks import any_networks, describe, write_networks
from twod_threed.temporal.inference_options import WeightsOptions
from twod_threed.temporal.loading import load_networks
from twod_threed.temporal.predictor import TemporalLiftingModel
from utils.checkpoint import TrainingState, checkpoint_fn
from utils.errors import UserError
from utils.weights import save_weights


def same(one, other) -> bool:
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(
        torch.equal(first[name], second[name]) for name in first
    )


@pytest.mark.parametrize("trajectory", [False, True])
def test_our_files_tell_everything(tmp_path, trajectory):
    description = describe("coco_17", "humaneva_15", causal=True, trajectory=trajectory)
    path = write_networks(tmp_path / "best.safetensors", description)
    for place in (path, tmp_path):
        networks, found = load_networks(str(place))
        assert found == description
        assert same(networks, any_networks(description))


def test_checkpoints_of_a_run(tmp_path):
    description = describe(trajectory=True)
    networks = any_networks(description)
    optimizer = torch.optim.SGD(networks.parameters(), 0.1)
    state = TrainingState(metadata=description.as_metadata())
    checkpoint_fn(networks, optimizer, state, tmp_path, is_best=True)
    for name in ("last.ckpt", "best.ckpt", "best.safetensors"):
        loaded, found = load_networks(str(tmp_path / name))
        assert found == description and same(loaded, networks)


def write_public(path: Path, traj: bool = False, **sizes: Any) -> Path:
    """A public checkpoint of random weights; -> its path."""
    content: dict[str, Any] = {"model_pos": public_videopose.random_state(**sizes), "epoch": 80}
    if traj:
        sizes["joints_out"] = 1
        content["model_traj"] = public_videopose.random_state(**sizes)
    torch.save(content, path)
    return path


@pytest.mark.parametrize(("causal", "traj"), [(False, False), (True, True)])
def test_a_public_checkpoint_lifts_as_the_public_program_does(tmp_path, causal, traj):
    path = write_public(tmp_path / "public.bin", traj=traj, widths=(3, 3))
    model = TemporalLiftingModel.load(str(path), "cpu", "h36m_17", causal)
    assert model.description.frame_rate == 50 and model.description.normalisation == "screen"
    points = np.random.default_rng(0).uniform(100, 900, (20, 17, 2))
    size = np.array([1000, 1002])
    normal = torch.from_numpy((points * 2 - size) / 1000).float()
    front, back = (8, 0) if causal else (4, 4)
    padded = torch.cat([normal[:1].repeat(front, 1, 1), normal, normal[-1:].repeat(back, 1, 1)])
    content = torch.load(path, weights_only=True)

    def public(key):
        found = public_videopose.forward(content[key], padded[None], (3, 3), causal)
        return found[0].numpy() * 1000

    found = model.lift(points, "h36m_17", size, np.array([1100, 1100, 500, 501]), flip=False)
    theirs = public("model_pos")
    np.testing.assert_allclose(found.poses, theirs - theirs[:, :1], atol=0.05)
    trajectory = model.networks.trajectory
    assert (trajectory is not None) == traj
    if trajectory is not None:
        answer = trajectory(padded[None])[0].detach().numpy() * 1000
        np.testing.assert_allclose(answer, public("model_traj"), atol=0.05)


@pytest.mark.parametrize(
    ("joints_in", "joints_out", "told", "names", "rate"),
    [
        (17, 17, "coco_17", ("coco_17", "h36m_17"), 50),
        (16, 17, "", ("mpii_16", "h36m_17"), 50),
        (15, 15, "", ("humaneva_15", "humaneva_15"), 60),
        (17, 15, "coco_17", ("coco_17", "humaneva_15"), 60),
        (20, 20, "", ("humaneva_20", "humaneva_20"), 60),
    ],
)
def test_what_goes_into_a_public_checkpoint(tmp_path, joints_in, joints_out, told, names, rate):
    path = write_public(tmp_path / "a.bin", joints_in=joints_in, joints_out=joints_out)
    found = load_networks(str(path), told)[1]
    assert (found.skeleton_2d, found.skeleton_3d) == names and found.frame_rate == rate


@pytest.mark.parametrize(
    ("joints_in", "joints_out", "told", "message"),
    [
        (17, 17, "", "takes 17 joints and does not say whose: coco_17 or h36m_17.*--skeleton_2d"),
        (17, 17, "mpii_16", "takes 17 joints, but mpii_16 has 16"),
        (9, 17, "", "no skeleton that is known"),
        (17, 9, "coco_17", "gives 9 joints, which no skeleton has"),
    ],
)
def test_public_checkpoints_of_unknown_joints_are_named(
    tmp_path, joints_in, joints_out, told, message
):
    path = write_public(tmp_path / "a.bin", joints_in=joints_in, joints_out=joints_out)
    with pytest.raises(UserError, match=message):
        load_networks(str(path), told)


def test_contradictions_and_other_models_are_named(tmp_path):
    path = str(write_networks(tmp_path / "a.safetensors", describe()))
    with pytest.raises(UserError, match=r"a\.safetensors takes h36m_17, not coco_17"):
        load_networks(path, "coco_17")
    with pytest.raises(UserError, match="is not causal"):
        load_networks(path, causal=True)
    with pytest.raises(UserError, match="is not dense"):
        load_networks(path, dense=True)
    options = WeightsOptions(load=path, architecture="3,3,3", accelerator="cpu")
    with pytest.raises(UserError, match="has filter widths 3,3, not 3,3,3"):
        TemporalLiftingModel.of(options)
    assert TemporalLiftingModel.of(WeightsOptions(load=path, architecture="3,3"))
    with pytest.raises(UserError, match="no weights at"):
        load_networks(str(tmp_path / "nothing.bin"))
    save_weights(tmp_path / "b.safetensors", {"a": torch.zeros(2)}, {"kind": "lifter"})
    with pytest.raises(UserError, match="holds a lifter, not a temporal"):
        load_networks(str(tmp_path / "b.safetensors"))
    (tmp_path / "c.bin").write_bytes(b"nonsense")
    with pytest.raises(UserError, match=r"c\.bin"):
        load_networks(str(tmp_path / "c.bin"))
    torch.save({"model": {"a": torch.zeros(2)}}, tmp_path / "d.bin")
    with pytest.raises(UserError, match=r"d\.bin is no VideoPose3D checkpoint"):
        load_networks(str(tmp_path / "d.bin"))


def test_weights_are_looked_for_in_the_checkpoint_folder_first(tmp_path):
    write_networks(tmp_path / "runs" / "first" / "best.safetensors", describe(widths=(3,)))
    options = WeightsOptions(load="first", checkpoint_dir=str(tmp_path / "runs"))
    assert TemporalLiftingModel.of(options).description.architecture.widths == (3,)
    assert WeightsOptions(load="x.bin", checkpoint_dir=str(tmp_path)).place == "x.bin"


@pytest.mark.parametrize(
    "wrong", [{"max_gap": -1}, {"skeleton_2d": "nobody"}, {"architecture": "3;3"}]
)
def test_wrong_options_are_named(wrong):
    (name,) = wrong
    with pytest.raises(UserError, match=f"--{name}"):
        WeightsOptions(**wrong)
    assert asdict(WeightsOptions())[name] != wrong[name]
