"""Options of scoring and of drawing trained dancers. Nothing heavy is imported here."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from generative_models.skeleton_to_image.options import DancerOptions
from utils.errors import UserError, need
from utils.option_checks import at_least_one


@dataclass
class SkeletonToImageEvalOptions:
    """Score trained dancers on frames that they have not seen."""

    models: tuple[str, ...] = ("dancer",)
    """What to compare, each as name=path or path: shipped models, run folders, .safetensors or
    .ckpt."""
    data: DancerOptions = field(default_factory=DancerOptions)
    part: Literal["val", "test"] = "test"
    """Part of the dancer's frames."""
    pose_load: str = ""
    """2D model that looks for the person in the made frames: how far what it finds is from what was
    to be drawn is scored too. Empty leaves that out; best is the best that ships."""
    output_dir: Path = Path("visualizations/skeleton_to_image_eval")
    """Where results.csv goes."""
    batch_size: int = 16
    """Frames at a time."""
    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"] = "auto"
    """Kind of device; auto takes a GPU where there is one."""

    def __post_init__(self) -> None:
        need(bool(self.models), "--models: name at least one model")
        at_least_one(batch_size=self.batch_size)


@dataclass
class SkeletonToImageVizOptions:
    """Draw what trained dancers make beside the real frames."""

    models: tuple[str, ...] = ("dancer",)
    """What to draw, each as name=path or path."""
    data: DancerOptions = field(default_factory=DancerOptions)
    part: Literal["train", "val", "test"] = "test"
    """Part of the dancer's frames."""
    count: int = 8
    """Rows of the contact sheet, evenly spaced in time."""
    size: int = 192
    """Side of a picture in sheet and video, px."""
    output_dir: Path = Path("visualizations/skeleton_to_image_sheet")
    """Where sheet.png and side_by_side.mp4 go."""
    batch_size: int = 16
    """Frames at a time."""
    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"] = "auto"
    """Kind of device; auto takes a GPU where there is one."""

    def __post_init__(self) -> None:
        need(bool(self.models), "--models: name at least one model")
        if min(self.count, self.batch_size) < 1:
            raise UserError("--count and --batch_size must be at least 1")
        if not 16 <= self.size <= 1024:
            raise UserError(f"--size must lie in 16 to 1024, not {self.size}")
