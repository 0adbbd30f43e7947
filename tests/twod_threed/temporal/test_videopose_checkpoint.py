from pathlib import Path

import numpy as np
import pytest
import torch

from tests.twod_threed.temporal.public_videopose import (
    State,
    forward,
    random_state,
    save_checkpoint,
)
from twod_threed.temporal.videopose_checkpoint import is_videopose, read_videopose
from utils.errors import UserError
from utils.foreign_files import read_foreign
from utils.restricted_pickle import Placeholder


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("widths", [(3, 3, 3), (3, 5), (3,), (3, 3, 3, 3)])
@torch.no_grad()
def test_outputs_equal_the_public_network(
    tmp_path: Path, widths: tuple[int, ...], causal: bool
) -> None:
    state = random_state(widths, joints_in=16)
    path = save_checkpoint(tmp_path / "epoch_80.bin", state)
    pose, trajectory = read_videopose(path, causal)
    assert trajectory is None and not pose.training
    one = pose.architecture
    assert (one.joints_in, one.joints_out, one.widths, one.channels) == (16, 17, widths, 12)
    assert (one.causal, one.dense) == (causal, False)
    points = torch.randn(2, one.receptive_field + 5, 16, 2)
    wanted = forward(state, points, widths, causal)
    assert torch.allclose(pose(points), wanted, atol=1e-5)
    window = points[:, : one.receptive_field]
    assert torch.allclose(pose.forward_single(window), wanted[:, 0], atol=1e-5)


@torch.no_grad()
def test_dense_networks(tmp_path: Path) -> None:
    state = random_state((3, 3, 5), joints_out=15, dense=True)
    pose, _ = read_videopose(save_checkpoint(tmp_path / "dense.bin", state), dense=True)
    assert pose.architecture.widths == (3, 3, 5) and pose.architecture.joints_out == 15
    points = torch.randn(1, 50, 17, 2)
    assert torch.allclose(pose(points), forward(state, points, (3, 3, 5), dense=True), atol=1e-5)


@torch.no_grad()
def test_trajectory_network_and_names_of_several_gpus(tmp_path: Path) -> None:
    pose_state, root_state = random_state(), random_state(joints_out=1)
    pose_state = {f"module.{name}": value for name, value in pose_state.items()}
    pose, trajectory = read_videopose(save_checkpoint(tmp_path / "a.bin", pose_state, root_state))
    assert trajectory is not None and pose.architecture.joints_out == 17
    points = torch.randn(1, 30, 17, 2)
    wanted = forward(root_state, points, (3, 3, 3))
    assert wanted.shape == (1, 4, 1, 3)
    assert torch.allclose(trajectory(points), wanted, atol=1e-5)


def test_objects_in_the_file_are_inert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_checkpoint(tmp_path / "a.bin", random_state(), random_state(joints_out=1))

    def called(*_: object) -> None:
        raise AssertionError("the file's generator was made")

    monkeypatch.setattr(np.random, "RandomState", called)
    content = read_foreign(path)
    assert isinstance(content["random_state"], Placeholder)
    assert content["epoch"] == 80 and is_videopose(content["model_pos"])
    assert read_videopose(path)[1] is not None


def test_files_without_counters_or_trajectory_key(tmp_path: Path) -> None:
    state = {k: v for k, v in random_state().items() if not k.endswith("num_batches_tracked")}
    path = tmp_path / "old.bin"
    torch.save({"epoch": 1, "model_pos": state}, path, _use_new_zipfile_serialization=False)
    pose, trajectory = read_videopose(path)
    assert trajectory is None and pose.state_dict()["first.norm.num_batches_tracked"] == 0


def changed(**values: torch.Tensor | None) -> State:
    """A state with weights replaced or, by None, left out; "__" stands for a dot."""
    new = {name.replace("__", "."): value for name, value in values.items()}
    state: dict[str, torch.Tensor | None] = {**random_state(), **new}
    return {name: value for name, value in state.items() if value is not None}


WRONG = [
    (changed(layers_conv__2__weight=torch.zeros(12, 9, 3)), r"layers_conv\.2\.weight is \(12, 9"),
    (changed(shrink__weight=torch.zeros(51, 9, 1)), r"shrink\.weight is .*, not \(channels, 12,"),
    (changed(expand_conv__weight=torch.zeros(12, 34)), r"expand_conv\.weight is \(12, 34\), not"),
    (changed(shrink__weight=None), r"lacks shrink\.weight"),
    (changed(extra__weight=torch.zeros(2)), r"it has extra\.weight"),
    (changed(layers_bn__1__weight=torch.zeros(5)), r"blocks\.0\.second\.norm\.weight \(\(5,\)"),
    (changed(layers_conv__3__weight=None), r"missing: blocks\.1\.second\.weight"),
    (random_state(coordinates=3), "51 numbers a frame to 51: not x and y"),
    ({}, "holds no weights"),
]


@pytest.mark.parametrize(("state", "message"), WRONG)
def test_what_does_not_fit_is_named(tmp_path: Path, state: State, message: str) -> None:
    path = save_checkpoint(tmp_path / "a.bin", state)
    with pytest.raises(UserError, match=message) as caught:
        read_videopose(path)
    assert "a.bin (model_pos)" in str(caught.value) and "\n" not in str(caught.value)


def test_other_files_and_trajectories_of_others_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    torch.save({"state_dict": random_state()}, path)
    with pytest.raises(UserError, match="it has no model_pos"):
        read_videopose(path)
    save_checkpoint(path, random_state(), random_state(joints_in=16, joints_out=1))
    with pytest.raises(UserError, match=r"model_traj\) takes 16 joints to 1, not 17 to 1"):
        read_videopose(path)
    save_checkpoint(path, random_state((3, 3)), random_state((3, 4)))
    with pytest.raises(UserError, match=r"widths must be odd"):
        read_videopose(path)


def test_only_the_public_names_are_recognised() -> None:
    assert is_videopose(random_state())
    assert not is_videopose({"first.weight": torch.zeros(1)})
