"""The built-in data as a table: rendered once, the same each time, validation apart."""

import numpy as np
import pytest

from stacked_hourglass import mannequin_people as module
from stacked_hourglass.mannequin_people import VALIDATION_SEED, mannequin_people
from utils import dataset_statistics, processes
from utils.errors import UserError
from utils.mannequin import render_mpii


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache."""
    monkeypatch.setattr(dataset_statistics, "CACHE", tmp_path)
    return tmp_path


def test_rows_are_the_rendered_pictures(cache):
    table = mannequin_people(2, 1, seed=5)
    assert table.split.tolist() == ["train", "train", "val"] and table.name == "mannequin"
    image, keypoints, visibility, box = render_mpii(5, 1)
    np.testing.assert_allclose(table.box[1], box, rtol=1e-6)
    inside = ((keypoints >= -0.5) & (keypoints <= 255.5)).all(axis=-1)
    np.testing.assert_array_equal(np.isfinite(table.keypoints[1, :, 0]), inside)
    np.testing.assert_allclose(table.keypoints[1][inside], keypoints[inside], rtol=1e-5)
    np.testing.assert_array_equal(table.visibility[1][inside], visibility[inside])
    shown = table.read_picture(1)
    assert shown.size == (256, 256)
    assert np.abs(shown.image.astype(int) - image).mean() < 6
    validating = render_mpii(5 + VALIDATION_SEED, 0)[1]
    known = np.isfinite(table.keypoints[2, :, 0])
    np.testing.assert_allclose(table.keypoints[2][known], validating[known], rtol=1e-5)


def test_rendered_once(cache, monkeypatch):
    first = mannequin_people(0, 2, seed=1)
    assert len(list(cache.glob("*.pack"))) == 1 and first.split.tolist() == ["val", "val"]
    names = {first.picture_name(row) for row in range(2)}
    assert len(names) == 2
    monkeypatch.setattr(module.mannequin, "render_mpii", None)
    again = mannequin_people(0, 2, seed=1)
    np.testing.assert_array_equal(again.keypoints, first.keypoints)
    with pytest.raises(TypeError):  # other numbers are other pictures: they must be rendered
        mannequin_people(0, 2, seed=2)


def test_processes_render_the_same(cache, monkeypatch, capsys):
    alone = mannequin_people(2, 0, seed=3)
    assert capsys.readouterr().out == "", "a few are no wait"
    for file in cache.iterdir():
        file.unlink()
    monkeypatch.setattr(module, "WORTH_PROCESSES", 1)
    monkeypatch.setattr(processes, "core_count", lambda: 1)
    together = mannequin_people(2, 0, seed=3)
    (path,) = cache.iterdir()
    told = f"renders 2 mannequins (train), once: {path} keeps them\n"
    assert capsys.readouterr().out == told
    mannequin_people(2, 0, seed=3)
    assert capsys.readouterr().out == ""
    np.testing.assert_array_equal(alone.keypoints, together.keypoints)
    np.testing.assert_array_equal(alone.read_picture(1).image, together.read_picture(1).image)


@pytest.mark.parametrize("counts", [(0, 0), (-1, 5)])
def test_nobody_is_an_error(counts):
    with pytest.raises(UserError, match="mannequins to train on"):
        mannequin_people(*counts, seed=0)
