import os
import random
import signal
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from utils.checkpoint import (
    TrainingState,
    checkpoint_fn,
    load_fn,
    random_states,
    read_checkpoint,
    read_weights,
    set_random_states,
    write_checkpoint,
)
from utils.errors import UserError


def whole(random: dict[str, Any] | None = None) -> dict[str, Any]:
    """What a checkpoint must have."""
    state = {"step": 0, "random": random or {}, "extra": {}, "metadata": {}}
    weights = {"weights": torch.zeros(300_000)}
    return {"format": 1, "model": weights, "optimizers": {}, "state": state}


def trained(seed: int = 0) -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.randn(5, 3)).square().sum().backward()
    optimizer.step()
    return model, optimizer


def state(**values) -> TrainingState:
    return TrainingState(
        epoch=3,
        step=40,
        best_value=0.5,
        history=[{"epoch": 0, "lr": 0.1}],
        metadata={"kind": "toy"},
        random=random_states(),
        **values,
    )


def test_what_is_saved_comes_back(tmp_path):
    model, optimizer = trained()
    saved = state(extra={"scale": torch.tensor([2.0])})
    checkpoint_fn(model, optimizer, saved, tmp_path, is_best=True)
    assert {path.name for path in tmp_path.iterdir()} == {
        "last.ckpt",
        "best.ckpt",
        "best.safetensors",
    }
    other, other_optimizer = trained(1)
    found = load_fn(other, other_optimizer, tmp_path / "last.ckpt")
    for name, tensor in model.state_dict().items():
        assert tensor.equal(other.state_dict()[name])
    moments = optimizer.state_dict()["state"][0]["exp_avg"]
    assert moments.equal(other_optimizer.state_dict()["state"][0]["exp_avg"])
    assert (found.epoch, found.step, found.best_value) == (3, 40, 0.5)
    assert found.history == saved.history and found.extra["scale"].equal(torch.tensor([2.0]))


def test_last_alone_leaves_best(tmp_path):
    model, optimizer = trained()
    checkpoint_fn(model, optimizer, state(), tmp_path, is_best=False)
    assert [path.name for path in tmp_path.iterdir()] == ["last.ckpt"]


def test_random_states_repeat(tmp_path):
    def draws() -> list[float]:
        return [random.random(), np.random.normal(), float(torch.rand(()))]

    np.random.normal()  # leaves NumPy with a second normal number in store
    path = tmp_path / "a.ckpt"
    write_checkpoint(path, whole(random_states()))
    first = draws()
    draws()
    set_random_states(read_checkpoint(path)["state"]["random"])
    assert draws() == first


def test_read_weights_takes_the_average_and_the_metadata(tmp_path):
    model, optimizer = trained()
    average = {name: tensor * 2 for name, tensor in model.state_dict().items()}
    saved = state(extra={"moving_average": average})
    checkpoint_fn(model, optimizer, saved, tmp_path, is_best=True)
    for source in (tmp_path, tmp_path / "last.ckpt", tmp_path / "best.safetensors"):
        weights, metadata = read_weights(source)
        assert weights["0.weight"].equal(average["0.weight"])
        assert metadata["kind"] == "toy"
    torch.save({"state_dict": nn.DataParallel(model).state_dict()}, tmp_path / "a.pth.tar")
    weights, metadata = read_weights(tmp_path / "a.pth.tar")
    assert weights["0.weight"].equal(model.state_dict()["0.weight"]) and metadata == {}


class Hostile:
    def __reduce__(self):
        return os.system, ("touch executed",)


def test_what_is_no_checkpoint_is_a_user_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model, optimizer = trained()
    checkpoint_fn(model, optimizer, state(), tmp_path, is_best=False)
    whole = (tmp_path / "last.ckpt").read_bytes()
    bad = tmp_path / "bad.ckpt"
    for content in (b"", b"text", whole[: len(whole) // 2], whole[:-30]):
        bad.write_bytes(content)
        with pytest.raises(UserError, match=r"bad\.ckpt"):
            read_checkpoint(bad)
    for content in ({"model": {}}, [1], {"format": 1, "model": Hostile()}):
        torch.save(content, bad)
        with pytest.raises(UserError, match="not a training checkpoint"):
            read_checkpoint(bad)
    assert not (tmp_path / "executed").exists()
    # A dictionary with a list for a key, which torch's reader does not expect.
    with zipfile.ZipFile(bad, "w") as archive:
        archive.writestr("bad/data.pkl", b"\x80\x02}(]K\x01u.")
        archive.writestr("bad/version", "3")
    with pytest.raises(UserError, match="not a training checkpoint"):
        read_checkpoint(bad)
    with pytest.raises(UserError, match="No such file"):
        read_checkpoint(tmp_path / "absent.ckpt")
    (tmp_path / "model.onnx").touch()
    with pytest.raises(UserError, match=r"model\.onnx is for ONNX Runtime"):
        read_weights(tmp_path / "model.onnx")


def test_another_model_or_optimizer_is_a_user_error(tmp_path):
    model, optimizer = trained()
    checkpoint_fn(model, optimizer, state(), tmp_path, is_best=False)
    path = tmp_path / "last.ckpt"
    wider = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5))
    with pytest.raises(UserError, match=r"0\.weight \(\(4, 3\) instead of \(5, 3\)\)"):
        load_fn(wider, torch.optim.Adam(wider.parameters()), path)
    with pytest.raises(UserError, match="optimizers"):
        load_fn(model, {"critic": optimizer}, path)
    with pytest.raises(UserError, match="its optimizer does not fit"):
        load_fn(model, torch.optim.Adam([*model.parameters()][:1]), path)


def save_for_ever(path: Path, report: int) -> None:
    """Write checkpoints, each of another number; a byte to `report` after each."""
    content = read_checkpoint(path)
    while True:
        content["state"]["step"] += 1
        content["model"]["weights"].fill_(content["state"]["step"])
        write_checkpoint(path, content)
        os.write(report, b"x")


def test_killed_50_times_while_writing_a_loadable_checkpoint_remains(tmp_path):
    path = tmp_path / "last.ckpt"
    write_checkpoint(path, whole())
    moments = random.Random(0)
    interrupted = 0
    for _ in range(50):
        before = read_checkpoint(path)["state"]["step"]
        receive, report = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                save_for_ever(path, report)
            finally:
                os._exit(1)
        os.close(report)
        os.read(receive, 1)  # until it has written one
        time.sleep(moments.uniform(0, 0.02))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(receive)
        found = read_checkpoint(path)
        step = found["state"]["step"]
        assert step > before and (found["model"]["weights"] == step).all()
        leftovers = list(tmp_path.glob(".last-*"))
        interrupted += bool(leftovers)
        for leftover in leftovers:
            leftover.unlink()
    # The test is worth something only if writing was interrupted.
    assert interrupted > 2
