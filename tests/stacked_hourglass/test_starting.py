"""Weights of other joints and of fewer features, and what a run that goes on knows of them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import train as train_script
from stacked_hourglass.architecture import Architecture
from stacked_hourglass.description import Description
from stacked_hourglass.model import StackedHourglass
from stacked_hourglass.options import HourglassTrainOptions
from stacked_hourglass.starting import load_start
from utils.options import RunOptions
from utils.skeletons import LSP_14, MPII_16, custom_skeleton, skeleton_named
from utils.weights import save_weights

OLD = Architecture(stacks=1, features=8, visibility=True)
FEW = custom_skeleton(["tail", "left_ankle", "right_ankle"], [], [(1, 2)])
# As many again: a multiple of the joints is not a multiple of the features.
MANY = custom_skeleton([*(f"spot {number}" for number in range(16)), *MPII_16.joints], [], [])


def describe(architecture: Architecture, skeleton: str) -> Description:
    grey = (0.5, 0.5, 0.5)
    return Description(architecture, 64, "mse", "dark", grey, grey, skeleton=skeleton)


def write_weights(path: Path) -> StackedHourglass:
    """A network for MPII's joints whose norms have seen something; its weights go to the path."""
    torch.manual_seed(0)
    model = StackedHourglass(OLD)
    model(torch.randn(4, 3, 64, 64))
    save_weights(path, model.state_dict(), describe(OLD, MPII_16.name).as_metadata())
    return model.eval()


@pytest.mark.parametrize("features", [8, 16, 24])
@pytest.mark.parametrize("skeleton", [LSP_14.name, FEW.name, MANY.name])
def test_joints_of_the_same_name_keep_what_was_known(
    skeleton: str, features: int, tmp_path: Path
) -> None:
    old = write_weights(tmp_path / "old.safetensors")
    joints = skeleton_named(skeleton).joints
    new = StackedHourglass(replace(OLD, features=features, num_classes=len(joints)))
    asked = HourglassTrainOptions(run=RunOptions(load=str(tmp_path / "old.safetensors")))
    assert load_start(new, describe(new.architecture, skeleton), asked).load == ""
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        (maps, seen), (old_maps, old_seen) = new.eval()(images, True), old(images, True)
    assert seen is not None and old_seen is not None
    shared = [joint for joint in joints if joint in MPII_16.joints]
    here, there = (names.index for names in (joints, MPII_16.joints))
    ours, theirs = ([at(joint) for joint in shared] for at in (here, there))
    torch.testing.assert_close(maps[:, :, ours], old_maps[:, :, theirs], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(seen[:, ours], old_seen[:, theirs], atol=1e-4, rtol=1e-4)


def test_a_run_killed_before_its_first_checkpoint_does_not_forget_its_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr("stacked_hourglass.training_data.MANNEQUIN_VALIDATION", 2)
    path = tmp_path / "old.safetensors"
    write_weights(path)
    words = f"hourglass_mannequin --checkpoint_dir {tmp_path}/runs --tb_dir {tmp_path}/tb"
    first = f""" --load {path} --num_classes 14 --stacks 1 --features 16 --resolution 64 --workers 0
        --mannequin_count 2 --train_batch_size 2 --predict_joint_visibility --accelerator cpu
        --epochs 1"""
    assert train_script.main([*words.split(), *first.split()]) == 0
    folder = tmp_path / "runs/hourglass_mannequin_default"
    assert json.loads((folder / "options.json").read_text())["run"]["load"] == str(path)
    for checkpoint in (*folder.glob("best.*"), folder / "last.ckpt"):
        checkpoint.unlink()
    assert train_script.main([*words.split(), "--resume"]) == 2
    assert f"began with --load {path}: give its whole command again" in capsys.readouterr().err
