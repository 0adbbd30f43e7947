"""`run.py export_onnx`: a network as a file for other programs. docs/exports.md describes it."""

from pathlib import Path

from stacked_hourglass.onnx_export import export_hourglass
from stacked_hourglass.predictor import best_shipped
from stitched.onnx_options import ExportOnnxOptions
from twod_threed.onnx_export import export_lifter
from twod_threed.predictor import SHIPPED
from twod_threed.public_baseline import is_public_baseline
from utils.checkpoint import read_weights
from utils.weights import resolve


def run(options: ExportOnnxOptions) -> None:
    """Write the file and say where. Raises UserError where that cannot be done."""
    kind = options.model
    if kind == "auto":
        kind = _kind(options.load)
    name = options.load or (SHIPPED if kind == "lifter" else best_shipped())
    path = Path(options.output_dir) / f"{_stem(name)}.onnx"
    if kind == "lifter":
        export_lifter(name, path, options.statistics)
    else:
        export_hourglass(name, path)
    print(f"{path}: {kind}, {path.stat().st_size / 1e6:.1f} MB")


def _kind(load: str) -> str:
    """What the weights are: a lifter, or what is to be taken for an hourglass."""
    if not load:
        return "hourglass"
    weights, metadata = read_weights(load)
    is_lifter = metadata.get("kind") == "lifter" if metadata else is_public_baseline(weights)
    return "lifter" if is_lifter else "hourglass"


def _stem(name: str) -> str:
    """Name of the file: that of a run's folder, of a shipped model or of a file of weights."""
    path = Path(name)
    return path.resolve().name if path.is_dir() else resolve(name).stem
