"""Bar charts as PNG."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from utils.atomic import atomic_path
from utils.plots import COLOURS


def save_bars(
    path: str | Path,
    names: Sequence[str],
    bars: Mapping[str, Sequence[float]],
    *,
    title: str,
    x_label: str,
) -> None:
    """Draw a group of bars for each name, one bar a label, into a PNG 1200 px wide.

    Bars lie, so that long names can be read, and the first name is at the top; a NaN has no bar.
    Raises UserError when the file cannot be written.
    """
    # A figure of its own needs no display and leaves pyplot's global state alone.
    from matplotlib.figure import Figure

    thick = 0.8 / len(bars)
    height = 1.6 + max(0.24 * len(bars), 0.3) * len(names)
    figure = Figure(figsize=(8, height), dpi=150, layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(names))
    for number, (label, values) in enumerate(bars.items()):
        shift = (number - (len(bars) - 1) / 2) * thick
        colour = COLOURS[number % len(COLOURS)]
        drawn = axes.barh(places + shift, values, thick, color=colour, label=label)
        texts = ["" if np.isnan(value) else f"{value:.1f}" for value in values]
        axes.bar_label(drawn, texts, padding=3, fontsize=8, color="0.35")
    axes.set_yticks(places, names, parse_math=False)  # a name with $ is no formula
    axes.invert_yaxis()
    axes.set_title(title, fontsize=14, pad=12)
    axes.set_xlabel(x_label, fontsize=12)
    axes.grid(axis="x", color="0.9")
    axes.set_axisbelow(True)
    axes.margins(x=0.1, y=0.01)
    axes.set_xlim(left=0)
    axes.spines[["top", "right"]].set_visible(False)
    if len(bars) > 1:
        figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=10)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png")
