"""Options of `eval.py temporal_*`. Nothing heavy is imported here, so that --help stays quick."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from twod_threed.temporal.inference_options import Smooth, WeightsOptions
from twod_threed.temporal.options import TemporalDataOptions
from twod_threed.temporal.viz_options import VizOptions, check_rendered
from utils.errors import UserError


@dataclass
class TemporalEvalOptions:
    """Lift whole films and score them: protocols 1, 2 and 3 and the error of the velocity."""

    data: TemporalDataOptions = field(default_factory=TemporalDataOptions)
    weights: WeightsOptions = field(default_factory=WeightsOptions)
    split: Literal["validation", "test"] = "test"
    """Part of the data set."""
    by_subject: bool = False
    """Score every subject by itself."""
    smooth: Smooth = "none"
    """Smooth the 2D joints before lifting, as `run.py temporal_*` does."""
    output_dir: Path = Path("visualizations/temporal_mpjpe")
    """Where results.csv and the plots (PNG) go; with --by_subject a folder for each."""
    seed: int = 234
    """Seed of the cameras and the mannequins."""
    render: bool = False
    """Do not score: render the film that the --viz options choose, as `viz.py temporal_render`."""
    viz: VizOptions = field(default_factory=VizOptions)

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise UserError(f"--seed must not be negative, not {self.seed}")
        check_rendered(self.viz, self.render)
