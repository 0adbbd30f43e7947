"""Training that starts from a public checkpoint."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.twod_threed.temporal import public_videopose
from tests.twod_threed.temporal.known_networks import describe
from twod_threed.temporal.networks import TemporalNetworks
from twod_threed.temporal.options import TemporalTrainOptions
from twod_threed.temporal.training import start_from
from twod_threed.temporal.videopose_checkpoint import read_videopose
from utils.errors import UserError
from utils.options import RunOptions

SIZES: dict[str, Any] = {"joints_in": 17, "joints_out": 17, "widths": (3, 3), "channels": 12}


def options(folder: Path, name: str) -> TemporalTrainOptions:
    return TemporalTrainOptions(run=RunOptions(checkpoint_dir=str(folder), load=str(folder / name)))


@pytest.mark.parametrize("trajectory", [False, True])
def test_a_public_checkpoint_gives_its_weights(tmp_path: Path, trajectory: bool) -> None:
    content = {"model_pos": public_videopose.random_state(**SIZES)}
    content["model_traj"] = public_videopose.random_state(**{**SIZES, "joints_out": 1})
    torch.save(content, tmp_path / "public.bin")
    # The public file does not say whose 17 joints go in: the data do.
    description = describe("coco_17", trajectory=trajectory)
    model = TemporalNetworks(description)
    run = start_from(model, options(tmp_path, "public.bin"), description)
    assert run.load == ""
    pose, roots = read_videopose(tmp_path / "public.bin")
    assert torch.equal(model.pose.last.weight, pose.last.weight)
    if trajectory:
        assert model.trajectory is not None and roots is not None
        assert torch.equal(model.trajectory.last.weight, roots.last.weight)


def test_a_public_checkpoint_for_other_joints_is_refused(tmp_path: Path) -> None:
    content = {"model_pos": public_videopose.random_state(**SIZES)}
    torch.save(content, tmp_path / "public.bin")
    description = describe("mpii_16")
    with pytest.raises(UserError, match="takes 17 joints, but mpii_16 has 16"):
        start_from(TemporalNetworks(description), options(tmp_path, "public.bin"), description)
