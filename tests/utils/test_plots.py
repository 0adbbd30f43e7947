"""Line charts: every label stands in the legend as it is."""

import numpy as np
from matplotlib.figure import Figure

from utils.images import read_image
from utils.plots import save_curves


def test_the_legend_shows_every_label_as_it_is(tmp_path, monkeypatch):
    shown = []

    def save(figure, *arguments, **settings):
        shown.extend(text.get_text() for text in figure.axes[0].get_legend().get_texts())
        original(figure, *arguments, **settings)

    original = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", save)
    labels = ["plain", "_hidden", r"$\foo$", "5 $"]
    curves = {label: np.arange(3.0) for label in labels}
    texts = {"title": "Scores", "x_label": "px", "y_label": "%", "legend_title": "Model"}
    path = tmp_path / "curves.png"
    save_curves(path, np.arange(3), curves, **texts, y_limits=(0, 2), marks=[1])
    assert shown == labels
    assert read_image(path).shape == (900, 1200, 3)
