"""Bar charts: the file, and bars as long as their values."""

import numpy as np

from utils.bar_charts import save_bars
from utils.images import read_image


def bar_lengths(image: np.ndarray, colour: tuple[int, int, int]) -> list[int]:
    """Length in px of each bar of the colour, from the top; patches of a legend are too short."""
    same = (image == colour).all(axis=-1)
    first = same.argmax(axis=1)
    lengths = [int((~row[x:]).argmax()) for row, x in zip(same, first, strict=True)]
    edges = np.flatnonzero(np.diff(np.greater(lengths, 100).astype(int), prepend=0, append=0))
    return [lengths[(a + b) // 2] for a, b in zip(edges[::2], edges[1::2], strict=True)]


def test_bars_are_as_long_as_their_values(tmp_path):
    path = tmp_path / "bars.png"
    bars = {"one": [40.0, 20.0, np.nan], "two": [10.0, 30.0, 20.0]}
    save_bars(path, ["hip", r"left $\knee$", "head"], bars, title="Errors", x_label="mm")
    image = read_image(path)
    assert image.shape[1] == 1200
    blue, red = bar_lengths(image, (0, 114, 178)), bar_lengths(image, (213, 94, 0))
    np.testing.assert_allclose(np.array(blue) / blue[0], [1, 0.5], atol=0.01)
    np.testing.assert_allclose(np.array(red) / blue[0], [0.25, 0.75, 0.5], atol=0.01)
