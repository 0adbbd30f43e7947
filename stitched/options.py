"""Options of the commands that join stages. Nothing heavy is imported here."""

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from utils.errors import UserError


@dataclass
class PoseOptions:
    """Find one person in pictures, folders, videos or a webcam: 2D pose, drawn and as files."""

    inputs: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="INPUT...")]
    """Pictures, videos, folders of them, quoted patterns ('photos/*.jpg') or webcam numbers (0)."""
    output_dir: str = "visualizations/pose"
    """Where poses.npz, poses.json and the overlay pictures and videos go."""
    load: str = ""
    """Shipped model, run folder, .safetensors, .ckpt or public checkpoint; empty takes the best
    shipped one."""
    min_confidence: float = 0.2
    """Mean confidence of the joints, from 0 to 1, below which nobody is there."""
    flip: bool = True
    """Average each picture with its mirror image: better, and twice the time."""
    overlay: bool = True
    """Draw the poses on copies of the pictures and videos."""
    start: float = 0.0
    """Second of each video to start at."""
    end: float | None = None
    """Second of each video, or of watching a webcam, to end at."""
    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"] = "auto"
    """Kind of device; auto takes a GPU where there is one."""
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = "auto"
    """Number format; auto is bf16 where the device computes in it."""

    def __post_init__(self) -> None:
        if not self.inputs:
            raise UserError("name a picture, a video, a folder or the number of a webcam")
        if not 0 <= self.min_confidence <= 1:
            raise UserError(f"--min_confidence must be from 0 to 1, not {self.min_confidence}")
        if self.start < 0:
            raise UserError(f"--start must not be negative, not {self.start}")
        if self.end is not None and self.end <= self.start:
            raise UserError(f"--end ({self.end}) must be above --start ({self.start})")
