"""The motion store: parts, way to the file and back, damage, who belongs to a split."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utils.errors import UserError
from utils.mannequin.motion_store import mannequin_store
from utils.mocap import (
    VALIDITY,
    join_stores,
    make_store,
    of_people,
    read_store,
    read_stores,
    resample,
    write_store,
)
from utils.mocap.store import folder_of_store, in_split
from utils.skeletons import H36M_17

HEAD = H36M_17.index("head")


def small_store(lengths=(4, 3), rate=100.0, seed=0):
    """Clips of random joints within a metre of the hip; the second lacks the head."""
    rng = np.random.default_rng(seed)
    clips, flags = [], []
    for c, length in enumerate(lengths):
        clip = rng.uniform(-1000, 1000, (length, 17, 3)) + rng.uniform(-5000, 5000, (length, 1, 3))
        flag = rng.integers(0, 2, 17).astype(np.uint8)
        if c == 1:
            flag[HEAD] = VALIDITY.index("invalid")
            clip[:, HEAD] = np.nan
        clips.append(clip)
        flags.append(flag)
    names = [f"c{c}" for c in range(len(lengths))]
    subjects = [f"cmu/{c:02d}" for c in range(len(lengths))]
    return make_store(
        clips, names, ["cmu"] * len(names), subjects, names, [rate] * len(names), flags
    )


def test_clips_frames_and_validity():
    store = small_store()
    assert len(store) == 2 and store.starts.tolist() == [0, 4, 7]
    assert store.clip_of_frame().tolist() == [0] * 4 + [1] * 3
    assert store.clip(1).shape == (3, 17, 3)
    valid = store.valid_of_frame()
    assert valid.shape == (7, 17) and valid[:4].all() and (~valid).sum() == 3
    assert not valid[4:, HEAD].any()


def test_select_and_join_undo_each_other():
    store = small_store((4, 3, 5))
    chosen = store.select(store.subjects != "cmu/01")
    assert chosen.names.tolist() == ["c0", "c2"]
    np.testing.assert_array_equal(chosen.clip(1), store.clip(2))
    parts = [store.select(np.arange(3) == c) for c in range(3)]
    joined = join_stores(parts)
    np.testing.assert_array_equal(joined.positions, store.positions)
    np.testing.assert_array_equal(joined.starts, store.starts)
    assert len(store.select(np.zeros(3, bool))) == 0
    with pytest.raises(ValueError, match="mask"):
        store.select(np.ones(2, bool))


def test_resample_changes_rate_and_length_of_every_clip():
    store = resample(small_store((5, 3)), 50.0)
    assert store.frame_rates.tolist() == [50.0, 50.0] and store.lengths().tolist() == [3, 2]
    np.testing.assert_array_equal(store.clip(0), small_store((5, 3)).clip(0)[::2])
    assert not store.valid_of_frame()[3:, HEAD].any()


@settings(max_examples=25)
@given(st.lists(st.integers(1, 30), min_size=2, max_size=5), st.integers(0, 99))
def test_the_file_gives_back_what_was_stored(tmp_path_factory, lengths, seed):
    path = tmp_path_factory.getbasetemp() / "store.npz"
    store = small_store(lengths, seed=seed)
    write_store(path, store)
    found = read_store(path)
    # Half a step of 0.1 mm, and what float32 leaves of metres.
    np.testing.assert_allclose(found.positions, store.positions, atol=0.051)
    hip = H36M_17.index("hip")
    np.testing.assert_array_equal(found.positions[:, hip], store.positions[:, hip])
    for name in ("starts", "names", "sources", "subjects", "actions", "frame_rates", "validity"):
        np.testing.assert_array_equal(getattr(found, name), getattr(store, name))


def test_an_empty_store_is_a_store(tmp_path):
    store = small_store()
    write_store(tmp_path / "a.npz", store.select(np.zeros(2, bool)))
    assert len(read_store(tmp_path / "a.npz")) == 0


def test_joints_out_of_reach_are_refused(tmp_path):
    store = small_store()
    store.positions[5, 3] += 5000
    with pytest.raises(UserError, match=r"c1: a joint is more than 3\.3 m from the hip"):
        write_store(tmp_path / "a.npz", store)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("starts", lambda a: a[:-1], "starts"),
        ("starts", lambda a: a[::-1].copy(), "starts"),
        ("hips", lambda a: a[:-1], "joint_changes"),
        ("hips", lambda a: a * np.nan, "positions must be numbers"),
        ("joint_changes", lambda a: a[:, :16], "joint_changes"),
        ("joint_changes", lambda a: a.astype(np.float32), "joint_changes holds float32"),
        ("frame_rates", lambda a: a * 0, "frame rates"),
        ("frame_rates", lambda a: a * np.nan, "frame rates"),
        ("validity", lambda a: a + 3, "validity"),
        ("validity", lambda a: a[:, 1:], "positions|validity|shape|index"),
        ("names", lambda a: a[:1], "sources must have shape"),
        ("names", lambda a: a[[1, 1]], "two clips are called cmu/c1; `python data/prepare.py"),
        ("format_version", lambda a: a + 1, "format version 2"),
        ("hips", None, "it lacks 'hips'"),
    ],
)
def test_a_store_that_does_not_fit_itself_is_refused_by_name(tmp_path, name, change, message):
    path = tmp_path / "a.npz"
    write_store(path, small_store())
    with np.load(path, allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}
    if change is None:
        del arrays[name]
    else:
        arrays[name] = change(arrays[name])
    np.savez(path, **arrays)
    with pytest.raises(UserError, match=message) as error:
        read_store(path)
    assert str(path) in str(error.value)


def test_damaged_and_absent_files_are_refused_by_name(tmp_path):
    path = tmp_path / "a.npz"
    with pytest.raises(UserError, match=r"a\.npz is not there; `python data/prepare\.py mocap"):
        read_store(path)
    write_store(path, small_store())
    content = path.read_bytes()
    for length in (0, 10, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(UserError, match=r"a\.npz is damaged"):
            read_store(path)
    np.save(path.with_suffix(".npy"), np.zeros(3))
    with pytest.raises(UserError, match="single array"):
        read_store(path.with_suffix(".npy"))


def test_parts_that_do_not_fit_are_programming_errors():
    with pytest.raises(ValueError, match="positions must be numbers"):
        make_store([np.zeros((2, 17, 3))], ["a"], ["b"], ["c"], ["d"], [1.0], [np.full(17, 2)])
    clip = np.zeros((2, 17, 3))
    clip[:, 0] = np.nan
    flags = np.zeros(17)
    flags[0] = 2
    with pytest.raises(ValueError, match="hip must be valid"):
        make_store([clip], ["a"], ["b"], ["c"], ["d"], [1.0], [flags])


def test_a_store_tells_the_folder_it_was_made_from(tmp_path):
    write_store(tmp_path / "a.npz", small_store(), "/data/cmu")
    write_store(tmp_path / "b.npz", small_store())
    assert folder_of_store(tmp_path / "a.npz") == "/data/cmu"
    assert folder_of_store(tmp_path / "b.npz") == ""


def test_stores_of_several_files_are_one(tmp_path):
    store = small_store()
    other = replace(store, sources=np.array(["lab"] * 2))
    second = store.select(np.array([False, True]))
    files = [tmp_path / "a.npz", tmp_path / "b.npz", tmp_path / "c.npz"]
    for file, one in zip(files, (store, other, second), strict=True):
        write_store(file, one)
    joined = read_stores(files[:2])
    assert joined.full_names() == ["cmu/c0", "cmu/c1", "lab/c0", "lab/c1"]
    told = r"a\.npz and .*c\.npz both have a clip cmu/c1: .* --source"
    with pytest.raises(UserError, match=told):
        read_stores(files)
    with pytest.raises(ValueError, match="two clips are called cmu/c1"):
        join_stores([store, second])


def test_a_misspelt_subject_is_refused_in_every_split():
    there = np.array(["cmu/01", "cmu/06", "cmu/07"])
    usual = {"train": (), "val": ("cmu/06",), "test": ("cmu/07",)}
    for part, full in (("train", "training"), ("val", "validation"), ("test", "test")):
        named = usual | {part: ("cmu/1",)}
        data = SimpleNamespace(**{f"{key}_subjects": value for key, value in named.items()})
        for split in usual:
            with pytest.raises(UserError, match=f"the {full} subject cmu/1 is not .*cmu/01"):
                in_split(there, data, split)


def test_mannequins_beside_people_are_left_out_and_alone_they_stay(tmp_path, monkeypatch):
    monkeypatch.setattr("utils.dataset_statistics.CACHE", tmp_path / "cache")
    people, mannequins = small_store(), mannequin_store(0, 0, 1)
    kept = of_people(join_stores([mannequins, people]))
    assert kept.full_names() == people.full_names() and len(kept.positions) == 7
    assert len(of_people(mannequins)) == len(mannequins) == 2
