"""Who trains, validates and tests, on which frames of which actions."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.twod_threed.fake_h36m import write_videopose
from tests.twod_threed.fake_humaneva import write_humaneva
from tests.twod_threed.temporal.small_films import films, store
from twod_threed.alignment import body_size
from twod_threed.pairs import PosePairs, write_pairs
from twod_threed.temporal.films import (
    bodies_of,
    film_rate,
    fixed_films,
    members,
    read_source,
    validation_films,
)
from twod_threed.temporal.mannequin_clips import mannequin_clips
from twod_threed.temporal.options import TemporalDataOptions
from utils.errors import UserError
from utils.mannequin.motion_store import mannequin_store
from utils.mocap.store import MotionStore, write_store
from utils.skeletons import H36M_17

CLIPS = {"cmu/01": 60, "cmu/02": 50, "cmu/06": 40, "cmu/07": 30}


@pytest.fixture
def mocap(tmp_path: Path) -> TemporalDataOptions:
    """Motion of four subjects, at 50 frames per second."""
    write_store(tmp_path / "store/one.npz", store(CLIPS, 50.0))
    return TemporalDataOptions("mocap", str(tmp_path / "store"))


@pytest.fixture
def h36m(tmp_path: Path) -> TemporalDataOptions:
    folder = write_videopose(tmp_path / "h36m", ("S1", "S9", "S11"), ("Walking", "Walking 1"))
    one = TemporalDataOptions("h36m", str(folder), keypoints="gt", actions=("Walking",))
    return replace(one, subjects_train=("S1",))


def test_subjects_have_one_part_each() -> None:
    there = np.array(["cmu/01", "cmu/02", "cmu/06", "cmu/07"])
    data = TemporalDataOptions("mocap")
    assert members(there, data, "train").tolist() == [True, True, False, False]
    assert members(there, data, "train", ["cmu/02"]).tolist() == [True, False, False, False]
    assert members(there, data, "unlabeled", ["cmu/02"]).tolist() == [False, True, False, False]
    assert members(there, data, "validation").tolist() == [False, False, True, False]
    assert members(there, data, "test").tolist() == [False, False, False, True]
    named = TemporalDataOptions("mocap", subjects_train=("cmu/02",))
    assert members(there, named, "train").tolist() == [False, True, False, False]
    with pytest.raises(UserError, match="none of the --subjects_validation is in the data"):
        members(np.array(["me/1"]), data, "validation")
    misspelt = TemporalDataOptions("mocap", subjects_test=("cmu/7",))
    with pytest.raises(UserError, match=r"the test subject cmu/7 is not in the data; .*cmu/07"):
        members(there, misspelt, "train")
    with pytest.raises(UserError, match=r"the unlabelled subject cmu/2 is not .*cmu/02"):
        members(there, data, "train", ["cmu/2"])


def test_motion_is_brought_to_the_frame_rate(mocap: TemporalDataOptions) -> None:
    found = read_source(mocap, "train", 0)
    assert isinstance(found, MotionStore)
    assert found.lengths().tolist() == [30, 25] and set(found.frame_rates) == {25.0}
    slow = read_source(replace(mocap, downsample=5), "train", 0)
    assert isinstance(slow, MotionStore) and set(slow.frame_rates) == {5.0}
    assert np.array_equal(slow.clip(0), found.clip(0)[::5])


def test_still_poses_of_mannequins_are_no_film(
    mocap: TemporalDataOptions, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("utils.dataset_statistics.CACHE", tmp_path / "cache")
    write_store(tmp_path / "store/two.npz", mannequin_store(0, 0, 2))
    found = read_source(mocap, "train", 0)
    assert isinstance(found, MotionStore)
    assert found.actions[found.sources == "mannequin"].tolist() == ["moving", "moving"]


def test_actions_of_motion_are_whole_words(mocap: TemporalDataOptions) -> None:
    # cmu/01 and cmu/06 "walk", cmu/02 and cmu/07 "walk dog".
    for wish, names in (("walk", ["cmu/01", "cmu/02"]), ("Walk Dog", ["cmu/02"])):
        found = read_source(replace(mocap, actions=(wish,)), "train", 0)
        assert isinstance(found, MotionStore) and found.names.tolist() == names
    with pytest.raises(UserError, match="no clip is of the action wal; there are walk, walk dog"):
        read_source(replace(mocap, actions=("wal",)), "train", 0)


def test_fixed_films_of_motion_repeat_and_keep_to_the_field_of_view(
    mocap: TemporalDataOptions,
) -> None:
    narrow = replace(mocap, field_of_view=(50.0, 50.0))
    one, again = (fixed_films(narrow, "test", 3) for _ in range(2))
    assert np.array_equal(one.poses_2d, again.poses_2d) and len(one) == 15
    longer = one.image_size.max(1) / 2 / one.intrinsics[:, 0]
    assert np.allclose(np.degrees(np.arctan(longer)) * 2, 50.0, atol=1e-3)
    assert not np.array_equal(one.poses_2d, fixed_films(narrow, "test", 4).poses_2d)


def test_the_middle_of_each_clip_validates(mocap: TemporalDataOptions) -> None:
    whole = validation_films(mocap, 0)
    assert set(whole.subjects) == {"cmu/06"} and len(whole) == 20
    part = validation_films(replace(mocap, validation_frames=10), 0)
    assert part.frame.tolist() == list(range(5, 15))
    assert np.array_equal(part.poses_2d, whole.poses_2d[5:15])


def test_human36m_validates_on_its_test_subjects_unless_told(h36m: TemporalDataOptions) -> None:
    assert set(validation_films(h36m, 0).subjects) == {"S9", "S11"}
    told = replace(h36m, subjects_validation=("S9",), subjects_test=("S11",))
    assert set(validation_films(told, 0).subjects) == {"S9"}
    assert set(fixed_films(told, "test", 0).subjects) == {"S11"}


def test_joints_are_the_files_own_or_mpii(h36m: TemporalDataOptions) -> None:
    assert fixed_films(h36m, "train", 0).skeleton_2d == H36M_17.name
    assert fixed_films(replace(h36m, input_joints="mpii_16"), "train", 0).skeleton_2d == "mpii_16"


def test_joints_stay_the_films_own_where_a_prepared_file_lies_beside(
    h36m: TemporalDataOptions,
) -> None:
    converted = fixed_films(replace(h36m, input_joints="mpii_16"), "train", 0)
    write_pairs(Path(h36m.data_dir) / "h36m_gt.npz", converted)
    assert fixed_films(h36m, "train", 0).skeleton_2d == H36M_17.name
    for name in ("data_3d_h36m.npz", *(p.name for p in Path(h36m.data_dir).glob("data_2d*"))):
        (Path(h36m.data_dir) / name).unlink(missing_ok=True)
    assert fixed_films(h36m, "train", 0).skeleton_2d == "mpii_16"


def test_takes_are_chosen_by_whole_words(h36m: TemporalDataOptions) -> None:
    both = fixed_films(h36m, "train", 0)
    assert set(both.clip_names[both.clip]) == {"S1/Walking", "S1/Walking 1"}
    second = fixed_films(replace(h36m, actions=("Walking 1",)), "train", 0)
    assert set(second.clip_names[second.clip]) == {"S1/Walking 1"}
    with pytest.raises(UserError, match="Walk"):
        fixed_films(replace(h36m, actions=("Walk",)), "train", 0)


def test_fewer_frames_make_a_slower_film(h36m: TemporalDataOptions) -> None:
    whole, half = (fixed_films(replace(h36m, downsample=n), "train", 0) for n in (1, 2))
    assert np.array_equal(half.poses_2d, whole.poses_2d[whole.frame % 2 == 0])
    assert film_rate(whole) == 50 and film_rate(half) == 25


@pytest.mark.parametrize("joints", [15, 20])
def test_humaneva_has_its_own_joints(tmp_path: Path, joints: int) -> None:
    folder = write_humaneva(tmp_path, joints)
    data = TemporalDataOptions(
        "humaneva",
        str(folder),
        keypoints="gt",
        humaneva_joints=joints,  # pyright: ignore[reportArgumentType]
        subjects_train=("Train/S1",),
        subjects_test=("Validate/S2",),
        actions=("Walking",),
    )
    found = fixed_films(data, "train", 0)
    assert found.poses_3d.shape[1:] == (joints, 3) and film_rate(found) == 60
    assert set(found.actions) == {"Walking"}
    # Bodies are measured by the bones that Human3.6M has.
    assert 2000 < bodies_of(found).standard_size < 4500


def test_a_file_of_pairs_is_films_of_its_own_rate(tmp_path: Path) -> None:
    pairs = films((6, 5, 4))
    write_pairs(tmp_path / "pairs.npz", pairs)
    data = TemporalDataOptions(
        "mocap",
        str(tmp_path / "pairs.npz"),
        subjects_validation=("S2",),
        subjects_test=("S3",),
    )
    found = read_source(data, "train", 0)
    assert isinstance(found, PosePairs) and set(found.subjects) == {"S1"}
    assert film_rate(found) == 50
    with pytest.raises(UserError, match=r"different frame rates \(25, 50\)"):
        film_rate(replace(pairs, frame_rates=np.array([50.0, 25.0, 50.0])))
    assert math.isnan(film_rate(replace(pairs, frame_rates=np.full(3, np.nan))))


def test_bodies_are_measured_by_subject() -> None:
    pairs = films((4, 3))
    found = bodies_of(pairs)
    sizes = body_size(torch.from_numpy(pairs.poses_3d)).numpy()
    assert found.names.tolist() == ["S1", "S2"]
    assert found.size == pytest.approx([np.median(sizes[:4][1:3]), sizes[5]], rel=0.05)


def test_mannequins_move_at_the_frame_rate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("utils.dataset_statistics.CACHE", tmp_path)
    monkeypatch.setattr("twod_threed.temporal.mannequin_clips.SECONDS", 2.0)
    fast, slow = (mannequin_clips(5, 2, 2, rate) for rate in (50.0, 10.0))
    assert fast.lengths().tolist() == [100, 100] and slow.lengths().tolist() == [20, 20]
    assert np.allclose(fast.clip(1)[::5], slow.clip(1), atol=1e-3)
    assert fast.subjects.tolist() == ["mannequin/2", "mannequin/3"]
    assert np.array_equal(mannequin_clips(5, 3, 1, 10.0).clip(0), slow.clip(1))
    steps = np.linalg.norm(np.diff(fast.clip(0), axis=0), axis=-1)
    assert 0 < steps.max() < 400 and (fast.positions[:, H36M_17.index("head"), 1] > 0).all()
