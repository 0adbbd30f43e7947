"""ONNX files: the same numbers as torch for any batch, metadata, the cache, what goes wrong."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from utils import onnx_files
from utils.errors import UserError
from utils.onnx_files import EXAMPLES, OnnxSession, onnx_file, write_onnx

METADATA = {"kind": "sums", "sizes": [1, 2.5], "nested": {"none": None}}


class SumAndProduct(nn.Module):
    """Two inputs, two outputs."""

    def forward(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        return a + b[:, None], a.nan_to_num(0.0) * 2


class OfOneSize(nn.Module):
    """Asks how many rows there are."""

    def forward(self, a: Tensor) -> Tensor:
        return a * 2 if len(a) == EXAMPLES else a


def examples() -> dict[str, Tensor]:
    return {"a": torch.zeros(EXAMPLES, 3), "b": torch.zeros(EXAMPLES)}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("onnx") / "new" / "one.onnx"
    write_onnx(path, SumAndProduct(), examples(), ["sum", "double"], METADATA)
    return path


@pytest.mark.parametrize("batch", [1, EXAMPLES, 5])
def test_any_batch_gives_what_torch_gives(written: Path, batch: int):
    a = torch.randn(batch, 3)
    a[0, 1] = torch.nan
    b = torch.randn(batch)
    found = OnnxSession(written)(a=a.numpy(), b=b.numpy())
    for ours, theirs in zip(found, SumAndProduct()(a, b), strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-6)


def test_what_is_said_of_the_model_comes_back(written: Path):
    assert OnnxSession(written).metadata == METADATA


def test_other_programs_find_named_places_and_a_sound_file(written: Path):
    import onnx

    model = onnx.load(written)
    onnx.checker.check_model(model, full_check=True)
    assert [place.name for place in model.graph.input] == ["a", "b"]
    assert [place.name for place in model.graph.output] == ["sum", "double"]


def test_a_module_that_fixes_its_batch_is_not_written(tmp_path: Path):
    with pytest.raises(ValueError, match="fixes the size of its batch"):
        write_onnx(tmp_path / "x.onnx", OfOneSize(), {"a": torch.zeros(EXAMPLES, 3)}, ["out"], {})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("library", ["onnx", "onnxscript"])
def test_without_the_extra_one_line_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str
):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(UserError, match=rf'needs {library}, .*pip install -c .*"\.\[onnx\]"'):
        write_onnx(tmp_path / "x.onnx", SumAndProduct(), examples(), ["sum", "double"], {})


def test_without_the_runtime_one_line_says_how_to_get_it(
    written: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError, match=r'needs onnxruntime, .*pip install -c .*"\.\[onnx\]"'):
        OnnxSession(written)


def test_files_that_are_no_onnx_files_are_named(tmp_path: Path):
    with pytest.raises(UserError, match=r"cannot read .*absent\.onnx: No such file"):
        OnnxSession(tmp_path / "absent.onnx")
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    with pytest.raises(UserError, match=r"bad\.onnx is damaged"):
        OnnxSession(tmp_path / "bad.onnx")


class Exports:
    """Stands in for an export: remembers what it was asked for, and writes a file."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, name_or_path: str, path: Path) -> None:
        self.asked.append(name_or_path)
        path.parent.mkdir(exist_ok=True)
        path.write_text("exported")


def test_weights_are_exported_once_for_each_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(onnx_files, "CACHE", tmp_path / "cache")
    export, weights, copy = Exports(), tmp_path / "w.safetensors", tmp_path / "copy.safetensors"
    weights.write_bytes(b"one")
    copy.write_bytes(b"one")
    first = onnx_file(str(weights), export)
    assert first.parent == tmp_path / "cache" and first.read_text() == "exported"
    assert onnx_file(str(weights), export) == onnx_file(str(copy), export) == first
    assert export.asked == [str(weights)]
    weights.write_bytes(b"two")
    assert onnx_file(str(weights), export) != first
    assert export.asked == [str(weights)] * 2


def test_an_onnx_file_is_what_it_is(tmp_path: Path):
    export, path = Exports(), tmp_path / "mine.onnx"
    path.write_bytes(b"model")
    assert onnx_file(str(path), export) == path
    with pytest.raises(UserError, match="no weights at"):
        onnx_file(str(tmp_path / "absent"), export)
    assert not export.asked
