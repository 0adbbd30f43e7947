"""Options of `run.py export_onnx`. Nothing heavy is imported here."""

from dataclasses import dataclass
from typing import Literal

from utils.errors import UserError


@dataclass
class ExportOnnxOptions:
    """Write an hourglass or a lifter as an ONNX file, which other programs run."""

    load: str = ""
    """Shipped model, run folder, .safetensors, .ckpt or public checkpoint; empty takes the shipped
    model of the kind that --model names (auto: the hourglass)."""
    model: Literal["auto", "hourglass", "lifter"] = "auto"
    """What the weights are; auto reads it off them."""
    output_dir: str = "visualizations/onnx"
    """Where <name of the weights>.onnx goes."""
    statistics: str = ""
    """Human3.6M pairs (data/prepare.py) that a public lifter checkpoint needs."""

    def __post_init__(self) -> None:
        if self.statistics and self.model == "hourglass":
            raise UserError("--statistics is for lifters, and --model is hourglass")
