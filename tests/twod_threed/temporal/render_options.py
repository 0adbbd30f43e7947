"""Options of rendering, flat as they are on the command line."""

from typing import Any

from twod_threed.temporal.visualization_options import TemporalRenderOptions
from twod_threed.temporal.viz_options import VizOptions


def render_options(**chosen: Any) -> TemporalRenderOptions:
    """Options by name; those that begin with viz_ belong to `VizOptions`."""
    viz = {name: chosen.pop(name) for name in list(chosen) if name.startswith("viz_")}
    return TemporalRenderOptions(**chosen, viz=VizOptions(**viz))
