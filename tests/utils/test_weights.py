import json
import os

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from utils import weights
from utils.errors import UserError
from utils.weights import load_into, load_weights, resolve, save_weights, shipped_names


def model(width: int = 4) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.Linear(2, width))


def test_weights_and_metadata_come_back(tmp_path):
    network = model()
    network[0].weight.data = torch.randn(4, 3, 3, 3).to(memory_format=torch.channels_last)
    metadata = {
        "architecture": {"stacks": 2, "widths": [1, 2]},
        "skeleton": "mpii_16",
        "mean": [0.5, 0.25, 0.1],
        "score": 81.5,
        "text": "1",
    }
    save_weights(tmp_path / "a.safetensors", network.state_dict(), metadata)
    found, found_metadata = load_weights(tmp_path / "a.safetensors")
    assert found_metadata == metadata
    other = model()
    load_into(other, found, "a")
    for name, tensor in network.state_dict().items():
        assert tensor.equal(other.state_dict()[name]) and tensor.dtype == found[name].dtype
    with safe_open(tmp_path / "a.safetensors", "pt") as file:
        assert json.loads(file.metadata()["architecture"]) == metadata["architecture"]


def test_half_is_for_all_but_statistics(tmp_path):
    state = model().state_dict()
    state["1.running_var"].fill_(1e6)  # beyond float16
    save_weights(tmp_path / "a.safetensors", state, {}, bits=16)
    with safe_open(tmp_path / "a.safetensors", "pt") as file:
        kinds = {name: file.get_tensor(name).dtype for name in file.keys()}  # noqa: SIM118
    full = {"1.running_mean", "1.running_var"}
    assert {name for name, kind in kinds.items() if kind == torch.float32} == full
    assert kinds["1.num_batches_tracked"] == torch.int64
    found, _ = load_weights(tmp_path / "a.safetensors")
    assert found["0.weight"].dtype == torch.float32
    assert found["0.weight"].equal(state["0.weight"].half().float())
    assert (found["1.running_var"] == 1e6).all()
    state["0.weight"].fill_(1e6)
    with pytest.raises(UserError, match=r"not finite: 0\.weight"):
        save_weights(tmp_path / "a.safetensors", state, {}, bits=16)


def test_eight_bits_keep_weights_to_a_254th_of_the_largest_of_their_filter(tmp_path):
    network = model()
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    state["0.weight"] *= torch.tensor([1.0, 1e-3, 50.0, 0.0])[:, None, None, None]
    save_weights(tmp_path / "a.safetensors", state, {}, bits=8)
    with safe_open(tmp_path / "a.safetensors", "pt") as file:
        assert file.get_tensor("0.weight").dtype == torch.int8
        assert file.get_tensor("0.bias").dtype == torch.float16
    found, _ = load_weights(tmp_path / "a.safetensors")
    load_into(network, found, "a")
    for name in ("0.weight", "2.weight"):
        assert found[name].dtype == torch.float32
        errors = (found[name] - state[name]).abs().flatten(1)
        largest = state[name].abs().flatten(1).amax(1, keepdim=True)
        assert (errors <= largest / 254 * (1 + 1e-5)).all() and errors.max() > 0
    assert found["1.running_var"].equal(state["1.running_var"])
    for broken in (torch.nan, torch.inf):
        state["0.weight"][1, 0, 0, 0] = broken
        with pytest.raises(UserError, match=r"not finite: 0\.weight"):
            save_weights(tmp_path / "b.safetensors", state, {}, bits=8)
        assert not (tmp_path / "b.safetensors").exists()


@pytest.mark.parametrize(
    ("kind", "scales"), [(torch.int64, 2), (torch.float32, 2), (torch.int8, 3)]
)
def test_scales_of_other_weights_are_damage(tmp_path, kind, scales):
    path = tmp_path / "a.safetensors"
    save_file({"w": torch.ones(2, 3, dtype=kind), "w.scales": torch.ones(scales)}, path)
    with pytest.raises(UserError, match=r"damaged: w and its scales do not fit$"):
        load_weights(path)


def test_shared_tensors_can_be_saved(tmp_path):
    tensor = torch.randn(3, 4)
    save_weights(tmp_path / "a.safetensors", {"a": tensor, "b": tensor[1], "c": tensor.T}, {})
    found, _ = load_weights(tmp_path / "a.safetensors")
    assert found["b"].equal(tensor[1]) and found["c"].equal(tensor.T)


def test_bad_files_are_user_errors(tmp_path):
    path = tmp_path / "a.safetensors"
    save_weights(path, model().state_dict(), {"kind": "toy"})
    whole = path.read_bytes()
    for content in (b"", b"text", whole[:50], whole[:-4], b"\xff" * 100):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"a\.safetensors is damaged"):
            load_weights(path)
    save_file({"good": torch.ones(2), "bad": torch.tensor([1.0, torch.nan])}, path)
    with pytest.raises(UserError, match=r"not finite: bad$"):
        load_weights(path)
    with pytest.raises(UserError, match="cannot read"):
        load_weights(tmp_path / "absent.safetensors")


def test_metadata_of_others_stays_text(tmp_path):
    save_file({"a": torch.ones(1)}, tmp_path / "a.safetensors", metadata={"format": "pt"})
    assert load_weights(tmp_path / "a.safetensors")[1] == {"format": "pt"}


def test_keys_that_do_not_match_are_named():
    state = model().state_dict()
    state["extra.weight"] = state.pop("0.bias")
    with pytest.raises(UserError, match=r"a does not fit .* missing: 0\.bias; unknown: extra\.w"):
        load_into(model(), state, "a")
    with pytest.raises(UserError, match=r"0\.bias \(\(5,\) instead of \(4,\)\).* and 5 more"):
        load_into(model(4), model(5).state_dict(), "a")
    before = model()
    kept = {name: tensor.clone() for name, tensor in before.state_dict().items()}
    with pytest.raises(UserError):
        load_into(before, state, "a")
    assert all(tensor.equal(before.state_dict()[name]) for name, tensor in kept.items())


def test_names_and_folders_resolve(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "PRETRAINED", tmp_path / "shipped")
    for path in ("shipped/hourglass.safetensors", "run/last.ckpt", "both/last.ckpt"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    (tmp_path / "both/best.safetensors").touch()
    (tmp_path / "empty").mkdir()
    assert shipped_names() == ["hourglass"]
    assert resolve("hourglass") == tmp_path / "shipped/hourglass.safetensors"
    assert resolve(tmp_path / "run") == tmp_path / "run/last.ckpt"
    assert resolve(tmp_path / "both") == tmp_path / "both/best.safetensors"
    with pytest.raises(UserError, match="shipped models: hourglass"):
        resolve("hourglas")
    with pytest.raises(UserError, match="holds no weights"):
        resolve(tmp_path / "empty")


def test_only_a_folder_with_weights_hides_a_shipped_model(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "PRETRAINED", tmp_path / "shipped")
    monkeypatch.chdir(tmp_path)
    shipped, own = tmp_path / "shipped/lifter.safetensors", tmp_path / "lifter/last.ckpt"
    for path in (shipped, own):
        path.parent.mkdir()
    shipped.touch()
    assert resolve("lifter") == shipped
    own.touch()
    assert resolve("lifter").resolve() == own


@pytest.mark.skipif(os.name != "posix", reason="folder permissions work otherwise there")
def test_unwritable_places_are_user_errors(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot write"):
        save_weights(tmp_path / "file" / "a.safetensors", {}, {})
