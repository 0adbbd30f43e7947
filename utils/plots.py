"""Line charts as PNG."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from utils.atomic import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe & Ito's colours, which stay apart for colour-blind readers; then line styles tell on.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_LINE_STYLES = ("-", "--", "-.", ":")


def save_curves(
    path: str | Path,
    x: np.ndarray,
    curves: Mapping[str, np.ndarray],
    *,
    title: str,
    x_label: str,
    y_label: str,
    y_limits: tuple[float, float],
    marks: Sequence[float] = (),
    legend_title: str = "",
) -> None:
    """Draw curves over x (T,), one (T,) array per label, into a 1200 x 900 PNG.

    The legend shows the labels in the order given; `marks` are x positions with a thin vertical
    line. Raises UserError when the file cannot be written.
    """
    # A figure of its own needs no display and leaves pyplot's global state alone.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 6), dpi=150, layout="constrained")
    axes = figure.subplots()
    for mark in marks:
        axes.axvline(mark, color="0.6", linewidth=1, linestyle=(0, (4, 4)), zorder=1)
    for number, y in enumerate(curves.values()):
        colour = COLOURS[number % len(COLOURS)]
        style = _LINE_STYLES[number // len(COLOURS) % len(_LINE_STYLES)]
        axes.plot(
            x, y, color=colour, linestyle=style, linewidth=2.2, label=str(number), clip_on=False
        )
    axes.set(xlim=(x[0], x[-1]), ylim=y_limits)
    axes.set_title(title, fontsize=15, pad=12)
    axes.set_xlabel(x_label, fontsize=12)
    axes.set_ylabel(y_label, fontsize=12)
    axes.grid(color="0.9")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    _add_legend(axes, list(curves), legend_title)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png")


def _add_legend(axes: "Axes", labels: Sequence[str], title: str) -> None:
    """The labels as they are: matplotlib would hide those that begin with `_`, and read those with
    `$` as formulas."""
    legend = axes.legend(title=title, framealpha=0.9, edgecolor="none", fontsize=11)
    for text, label in zip(legend.get_texts(), labels, strict=True):
        text.set(text=label, parse_math=False)
