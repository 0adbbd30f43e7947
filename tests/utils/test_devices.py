"""What computes, and in which number format."""

import pytest
import torch
from torch import nn

from utils.devices import device_kind, has_bf16, in_float32, need_compiler, pick_precision
from utils.errors import UserError


def test_precision_is_bf16_only_where_the_device_has_it(monkeypatch):
    for amx, avx512, expected in [
        (False, False, "32-true"),
        (True, False, "bf16-mixed"),
        (False, True, "bf16-mixed"),
    ]:
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda amx=amx: amx)
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda avx512=avx512: avx512)
        assert pick_precision("auto", "cpu") == expected
    assert pick_precision("16-mixed", "cpu") == "16-mixed"
    assert not has_bf16("mps")


def test_device_kind_names_the_machines_device(monkeypatch):
    assert device_kind("cpu") == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device_kind("auto") == device_kind("gpu") == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert device_kind("auto") == device_kind("gpu") == "mps"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert device_kind("auto") == "cpu"


def test_compiling_for_a_cpu_needs_a_compiler(monkeypatch):
    from torch._inductor import config

    monkeypatch.setattr(config.cpp, "cxx", ("a-compiler-that-is-nowhere",))
    need_compiler("cuda")
    with pytest.raises(UserError, match="--compile needs a C\\+\\+ compiler"):
        need_compiler("cpu")


@pytest.mark.parametrize("accelerator", ["cuda", "mps", "gpu"])
def test_a_device_that_is_absent_is_one_line(accelerator, monkeypatch):
    for module in (torch.cuda, torch.backends.mps):
        monkeypatch.setattr(module, "is_available", lambda: False)
    with pytest.raises(UserError, match=f"no {accelerator} here; --accelerator auto"):
        device_kind(accelerator)


def test_a_layer_in_float32_under_autocast():
    layer = nn.Linear(8, 3)
    x = torch.randn(5, 8)
    exact = layer(x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer(x).dtype == torch.bfloat16
        kept = in_float32(layer, x)
    assert kept.equal(exact) and in_float32(layer, x).equal(exact)
