import os
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from utils import dataset_statistics
from utils.dataset_statistics import cache_key, cached, can_keep, channel_mean_std

images = st.lists(
    st.tuples(st.integers(1, 7), st.integers(1, 7)).flatmap(
        lambda size: arrays(np.uint8, (*size, 3))
    ),
    min_size=1,
    max_size=5,
)


@given(pictures=images)
@settings(max_examples=40, deadline=None)
def test_mean_and_std_are_those_of_all_pixels(pictures):
    pixels = np.concatenate([picture.reshape(-1, 3) for picture in pictures]) / 255
    mean, std = channel_mean_std(iter(pictures))
    np.testing.assert_allclose(mean, pixels.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(std, pixels.std(axis=0), rtol=1e-9, atol=1e-12)
    again = channel_mean_std(reversed(pictures))
    assert (again[0] == mean).all() and (again[1] == std).all()


def test_constant_pictures_have_no_deviation():
    mean, std = channel_mean_std([np.full((50, 50, 3), 200, np.uint8)] * 3)
    assert (mean == 200 / 255).all() and (std == 0).all()


def test_other_arrays_are_refused():
    with pytest.raises(ValueError, match="no images"):
        channel_mean_std([])
    with pytest.raises(ValueError, match="float"):
        channel_mean_std([np.zeros((2, 2, 3))])


def test_key_changes_with_all_it_depends_on(tmp_path):
    files = [tmp_path / "a.jpg", tmp_path / "b.jpg"]
    for file in files:
        file.write_bytes(b"1234")
    base = cache_key("set", files, {"side": 64}, 1)
    assert base == cache_key("set", files[::-1], {"side": 64}, 1) and base.startswith("set-")
    keys = {
        base,
        cache_key("other", files, {"side": 64}, 1),
        cache_key("set", files[:1], {"side": 64}, 1),
        cache_key("set", files, {"side": 65}, 1),
        cache_key("set", files, {"side": 64}, 2),
    }
    stat = files[0].stat()
    files[0].write_bytes(b"12345")
    os.utime(files[0], ns=(stat.st_atime_ns, stat.st_mtime_ns))
    keys.add(cache_key("set", files, {"side": 64}, 1))
    files[0].write_bytes(b"1234")
    os.utime(files[0], ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    keys.add(cache_key("set", files, {"side": 64}, 1))
    assert len(keys) == 7


def test_values_are_computed_once_and_again_when_damaged(tmp_path):
    calls = []

    def compute():
        calls.append(1)
        return {"mean": np.array([0.1, 0.2]), "count": 3}

    for _ in range(2):
        found = cached("a", compute, tmp_path)
        assert found["mean"].tolist() == [0.1, 0.2] and found["count"] == 3
    assert len(calls) == 1
    path = tmp_path / "a.npz"
    whole = path.read_bytes()
    data = whole.index(np.float64(0.1).tobytes())
    flipped = whole[:data] + b"x" + whole[data + 1 :]
    for number, damage in enumerate((b"", b"no zip", whole[:-20], flipped)):
        path.write_bytes(damage)
        assert cached("a", compute, tmp_path)["mean"].tolist() == [0.1, 0.2]
        assert len(calls) == 2 + number and path.read_bytes() == whole


def test_a_cache_that_cannot_be_written_is_told_and_costs_time_alone(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(dataset_statistics, "CACHE", tmp_path / "cache")
    assert can_keep() and not list((tmp_path / "cache").iterdir())
    place = tmp_path / "a file"
    place.touch()
    monkeypatch.setattr(dataset_statistics, "CACHE", place)
    assert not can_keep()
    for _ in range(2):
        assert cached("a", lambda: {"mean": np.ones(1)})["mean"].tolist() == [1]
        told = capsys.readouterr().err
        assert told.startswith(f"cannot write {place / 'a.npz'}: ") and told.count("\n") == 1


def test_objects_in_a_cache_file_are_not_loaded(tmp_path):
    np.savez(tmp_path / "a.npz", mean=np.array([{}], dtype=object))
    assert cached("a", lambda: {"mean": np.ones(1)}, tmp_path)["mean"].tolist() == [1]


def test_many_at_once_get_the_same(tmp_path):
    """All compute, as none knows of the others; whoever is last leaves the same file."""
    start = threading.Barrier(4)

    def compute():
        start.wait()
        return {"mean": np.arange(50_000.0)}

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: cached("a", compute, tmp_path), range(4)))
    assert all((one["mean"] == np.arange(50_000.0)).all() for one in found)
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]
    assert (cached("a", lambda: {}, tmp_path)["mean"] == np.arange(50_000.0)).all()
