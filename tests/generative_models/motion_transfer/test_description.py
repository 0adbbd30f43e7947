"""What travels with weights comes back; other weights are refused."""

from pathlib import Path

import pytest
import torch

from generative_models.motion_transfer.description import description_from_metadata, load_network
from tests.generative_models.motion_transfer.moving import description
from utils.errors import UserError
from utils.weights import save_weights


def test_a_description_comes_back():
    one = description()
    other = description_from_metadata(one.as_metadata(), "here")
    assert other.architecture == one.architecture and other.frame_rate == 30
    torch.testing.assert_close(other.normaliser.std, one.normaliser.std)
    with pytest.raises(UserError, match="holds a lifter"):
        description_from_metadata({"kind": "lifter"}, "here")
    with pytest.raises(UserError, match="damaged"):
        description_from_metadata(one.as_metadata() | {"mean": [1]}, "here")
    for rate in (0, -30, float("nan"), 1e12):
        with pytest.raises(UserError, match="a frame rate of"):
            description_from_metadata(one.as_metadata() | {"frame_rate": rate}, "here")


def test_foreign_weights_are_refused(tmp_path: Path):
    save_weights(tmp_path / "x.safetensors", {"a": torch.zeros(1)}, {"kind": "lifter"})
    with pytest.raises(UserError, match="not a motion_transfer"):
        load_network(str(tmp_path / "x.safetensors"))


def test_that_none_ships_is_told():
    with pytest.raises(UserError, match="no network of motion transfer ships"):
        load_network("")
