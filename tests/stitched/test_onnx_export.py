"""`run.py export_onnx`: what is exported, under which name, and what is refused."""

from pathlib import Path

import pytest

from stitched import onnx_export
from stitched.onnx_export import run
from stitched.onnx_options import ExportOnnxOptions
from tests.stacked_hourglass.test_onnx_backend import weights as hourglass_weights
from tests.twod_threed.test_onnx_backend import PLAIN
from tests.twod_threed.test_onnx_backend import weights as lifter_weights
from utils.errors import UserError

Asked = list[tuple[str, str, str]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Kind, weights and file of each export, none of which is made."""
    found: Asked = []

    def export(kind: str):
        def write(name: str, path: Path, *_: str) -> None:
            found.append((kind, name, path.name))
            path.write_bytes(bytes(1_500_000))

        return write

    monkeypatch.setattr(onnx_export, "export_hourglass", export("hourglass"))
    monkeypatch.setattr(onnx_export, "export_lifter", export("lifter"))
    return found


def test_weights_say_what_they_are(
    asked: Asked, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """A run's folder of an hourglass, and a lifter, both with the model left to be found."""
    folder = tmp_path / "hourglass_lsp_mine"
    folder.mkdir()
    Path(hourglass_weights(tmp_path)).rename(folder / "best.safetensors")
    lifter = lifter_weights(tmp_path, PLAIN)
    for name in (str(folder), lifter):
        run(ExportOnnxOptions(load=name, output_dir=str(tmp_path)))
    assert asked == [
        ("hourglass", str(folder), "hourglass_lsp_mine.onnx"),
        ("lifter", lifter, "w.onnx"),
    ]
    assert capsys.readouterr().out.splitlines() == [
        f"{tmp_path / 'hourglass_lsp_mine.onnx'}: hourglass, 1.5 MB",
        f"{tmp_path / 'w.onnx'}: lifter, 1.5 MB",
    ]


def test_without_weights_the_shipped_ones_are_taken(asked: Asked, tmp_path: Path):
    run(ExportOnnxOptions(output_dir=str(tmp_path)))
    run(ExportOnnxOptions(model="lifter", output_dir=str(tmp_path)))
    best = onnx_export.best_shipped()
    assert asked == [("hourglass", best, f"{best}.onnx"), ("lifter", "lifter", "lifter.onnx")]


def test_a_model_that_the_weights_are_not_is_an_error(tmp_path: Path):
    name = lifter_weights(tmp_path, PLAIN)
    with pytest.raises(UserError, match="holds a lifter, not a stacked_hourglass"):
        run(ExportOnnxOptions(load=name, model="hourglass", output_dir=str(tmp_path / "out")))
    with pytest.raises(UserError, match="no weights at"):
        run(ExportOnnxOptions(load=str(tmp_path / "absent"), output_dir=str(tmp_path / "out")))
    assert not (tmp_path / "out").exists()


def test_statistics_are_for_lifters():
    with pytest.raises(UserError, match="--statistics is for lifters"):
        ExportOnnxOptions(model="hourglass", statistics="pairs.npz")
