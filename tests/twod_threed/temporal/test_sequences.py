"""Rows of data sets and pose files as films."""

from dataclasses import replace

import numpy as np
import pytest

from tests.twod_threed.scored_pairs import as_poses, make_pairs
from twod_threed.pairs import PosePairs
from twod_threed.temporal.sequences import (
    films_of,
    frame_rate_of,
    near_each_other,
    numbered,
    of_actions,
    on_every_frame,
    sequences_of,
)
from utils.errors import UserError
from utils.pose_file import concatenate

CLIPS = [
    ("S1", "Walk", "h36m", 4),
    ("S1", "WalkDog", "h36m", 3),
    ("S1", "WalkTogether", "h36m", 2),
    ("S2", "Walk", "h36m", 5),
]


def two_cameras(pairs: PosePairs) -> PosePairs:
    """The same rows seen by a second camera, mixed with the first's."""
    tables = ("intrinsics", "distortion", "image_size", "rotation", "position", "camera_names")
    joined = {name: np.concatenate([getattr(pairs, name)] * 2) for name in tables}
    rows = {
        name: np.repeat(getattr(pairs, name), 2, axis=0)
        for name in ("poses_3d", "valid", "poses_2d", "clip", "frame")
    }
    return replace(pairs, **joined, **rows, camera=np.tile([0, 1], len(pairs)))


def test_each_clip_and_camera_is_a_film_in_order_of_time():
    pairs = two_cameras(make_pairs(CLIPS))
    mixed = pairs.select(np.random.default_rng(0).permutation(len(pairs)))
    films = sequences_of(mixed)
    assert sorted(map(len, films)) == sorted([4, 3, 2, 5] * 2)
    assert sorted(np.concatenate(films)) == list(range(len(pairs)))
    for rows in films:
        assert len(set(mixed.clip[rows])) == len(set(mixed.camera[rows])) == 1
        np.testing.assert_array_equal(mixed.frame[rows], np.arange(len(rows)))


def test_a_film_ends_where_frames_are_left_out():
    pairs = make_pairs([("S1", "Walk", "h36m", 9)])
    kept = pairs.select([0, 1, 2, 5, 6, 8])
    assert [kept.frame[rows].tolist() for rows in sequences_of(kept)] == [[0, 1, 2], [5, 6], [8]]


def test_every_fifth_frame_is_a_film_of_a_fifth_of_the_rate():
    pairs = make_pairs([("S1", "Walk", "h36m", 21)])
    (rows,) = sequences_of(pairs.select(slice(None, None, 5)))
    assert len(rows) == 5
    assert frame_rate_of(pairs.select(slice(None, None, 5)), rows) == 10
    assert frame_rate_of(pairs, sequences_of(pairs)[0]) == 50
    assert np.isnan(frame_rate_of(pairs, np.array([3])))


def test_nothing_has_no_films():
    pairs = make_pairs(CLIPS).select([])
    assert sequences_of(pairs) == [] and films_of(as_poses(pairs, None)) == []


def named(pairs: PosePairs) -> PosePairs:
    """Clips called as HumanEva's are."""
    names = ["S1/Walk 1 chunk0", "S1/WalkDog", "S1/WalkTogether", "S2/Walk 2 chunk1"]
    return replace(pairs, clip_names=np.array(names))


@pytest.mark.parametrize(
    ("wishes", "clips"),
    [
        ((), [0, 1, 2, 3]),
        (("Walk",), [0, 3]),
        (("walk",), [0, 3]),
        (("WalkDog",), [1]),
        (("Walk 1",), [0]),
        (("Walk 2 chunk1", "WalkTogether"), [2, 3]),
    ],
)
def test_actions_are_whole_words(wishes, clips):
    pairs = named(make_pairs(CLIPS))
    assert np.unique(of_actions(pairs, wishes).clip).tolist() == clips


@pytest.mark.parametrize("wish", ["Wal", "Walk 3", "Walk 1 chunk", "Dog"])
def test_an_action_that_nobody_does_is_named(wish):
    with pytest.raises(UserError, match=f"{wish}; there are Walk, WalkDog, WalkTogether"):
        of_actions(named(make_pairs(CLIPS)), ["Walk", wish])


def test_people_and_sources_of_a_pose_file_are_films_of_their_own():
    poses = as_poses(make_pairs(CLIPS), None)
    other = replace(poses.select(slice(0, 4)), person=np.full(4, 7))
    mixed = concatenate([poses, other]).select([17, 0, 16, 1, 3, 15, 2, 14, *range(4, 14)])
    films = films_of(mixed)
    assert len(films) == 5
    for rows in films:
        assert len(set(mixed.source[rows])) == len(set(mixed.person[rows])) == 1
        assert (np.diff(mixed.frame[rows]) > 0).all()


def test_another_camera_is_another_film():
    poses = as_poses(make_pairs([("S1", "Walk", "h36m", 6)]), None)
    sizes = poses.image_size.copy()
    sizes[4:] = 500
    assert [len(rows) for rows in films_of(replace(poses, image_size=sizes))] == [4, 2]
    lens = np.full((6, 4), np.nan)
    lens[3:] = 900
    assert [len(rows) for rows in films_of(replace(poses, intrinsics=lens))] == [3, 3]


def test_a_person_twice_in_a_frame_is_named():
    poses = as_poses(make_pairs([("S1", "Walk", "h36m", 3)]), None)
    with pytest.raises(UserError, match=r"person 0 of S1/Walk/0/cam is there twice in frame 1"):
        films_of(poses.select([0, 1, 1, 2]))


def test_frames_on_a_time_axis():
    numbers, step = numbered(4, np.array([10, 15, 25, 75]))
    assert step == 5 and numbers.tolist() == [0, 1, 3, 13]
    assert [rows.tolist() for rows in near_each_other(numbers, 9)] == [[0, 1, 2, 3]]
    assert [rows.tolist() for rows in near_each_other(numbers, 8)] == [[0, 1, 2], [3]]
    every = on_every_frame(np.array([1.0, 2, 3]), numbers[:3])
    np.testing.assert_array_equal(every, [1, 2, np.nan, 3])
    assert numbered(3, None)[0].tolist() == [0, 1, 2] and numbered(0, None)[0].tolist() == []
    for frames in ([0, 1], [0, 2, 1], [0, 1, 1]):
        with pytest.raises(ValueError, match="rise"):
            numbered(3, np.array(frames))
