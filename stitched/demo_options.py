"""Options of the demo. Nothing heavy is imported here."""

from dataclasses import dataclass

from utils.errors import UserError


@dataclass
class DemoOptions:
    """Show on a rendered clip what the pose command does, and how far off it is."""

    output_dir: str = "visualizations/demo"
    """Where the clip, the overlay and the pose files go."""
    load: str = ""
    """Weights, as for run.py pose; empty takes the best shipped model."""
    frames: int = 100
    """Length of the clip; 25 frames are a second."""
    size: int = 512
    """Width and height of the clip in pixels."""
    seed: int = 0
    """Another seed renders another person, motion and place."""

    def __post_init__(self) -> None:
        if self.frames < 2:
            raise UserError(f"--frames must be at least 2, not {self.frames}")
        if self.size < 64:
            raise UserError(f"--size must be at least 64, not {self.size}")
        if self.seed < 0:
            raise UserError(f"--seed must not be negative, not {self.seed}")
