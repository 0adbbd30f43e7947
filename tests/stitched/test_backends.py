import pytest

from stitched import backends
from stitched.backends import settle_backend
from stitched.options import MachineOptions


def chosen(films: bool, load: str = "", **machine: str) -> str:
    return settle_backend(MachineOptions(**machine), films, load).backend  # pyright: ignore


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        backends, "device_kind", lambda accelerator: accelerator.replace("auto", "cpu")
    )


def test_films_run_in_onnx_runtime_and_pictures_in_torch() -> None:
    assert chosen(films=True) == "onnx" and chosen(films=False) == "torch"
    assert chosen(films=False, load="mine.onnx") == "onnx"


def test_what_is_asked_for_stays() -> None:
    assert chosen(films=True, backend="torch") == "torch"
    assert chosen(films=False, backend="onnx") == "onnx"
    assert chosen(films=True, precision="32-true") == "torch"
    assert chosen(films=True, accelerator="cuda") == "torch"


def test_where_no_file_can_be_kept_torch_runs_films(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "can_keep", lambda: False)
    assert chosen(films=True) == "torch"
    assert chosen(films=True, load="mine.onnx") == chosen(films=True, backend="onnx") == "onnx"


def test_without_the_extra_torch_runs_films(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "find_spec", lambda name: None if name == "onnxscript" else name)
    assert chosen(films=True) == "torch"
