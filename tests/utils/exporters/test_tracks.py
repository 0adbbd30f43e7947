"""People over time: who, where, when, and under which name of a file."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.utils.exporters.exported_poses import film, points_3d, roots, upright
from utils.errors import UserError
from utils.exporters.tracks import tracks_of
from utils.pose_file import concatenate
from utils.skeletons import H36M_17


def test_positions_are_upright_and_from_the_camera():
    poses = film()
    (track,) = tracks_of(poses, "X")
    assert (track.source, track.person, track.skeleton) == ("clips/dance.mp4", 0, "h36m_17")
    np.testing.assert_allclose(track.positions, upright(poses))
    np.testing.assert_allclose(track.times, poses.time)
    assert track.rate == pytest.approx(25)
    head, ankle = (track.positions[0, H36M_17.index(j)] for j in ("head", "left_ankle"))
    assert head[1] > ankle[1] + 500


def test_without_a_place_positions_are_from_the_hip():
    poses = replace(film(), root_camera=None)
    nowhere = replace(film(), root_camera=np.full((12, 3), np.nan))
    for one in (poses, nowhere):
        (track,) = tracks_of(one, "X")
        np.testing.assert_allclose(track.positions, points_3d(poses) * [1, -1, -1])


def test_a_frame_whose_place_is_unknown_is_missing():
    poses = film()
    roots(poses)[3] = np.nan
    (track,) = tracks_of(poses, "X")
    assert np.isnan(track.positions).all(axis=(1, 2)).tolist() == [i == 3 for i in range(12)]


def test_everybody_has_all_frames_of_the_source():
    """The second person is there from frame 4 to 7; rows come in any order."""
    both = concatenate([film(person=7).select(slice(4, 8)), film().select(slice(None, None, -1))])
    second, first = sorted(tracks_of(both, "X"), key=lambda track: -track.person)
    assert (first.person, second.person) == (0, 7)
    for track in (first, second):
        assert track.frames.tolist() == list(range(12))
    np.testing.assert_allclose(first.positions, upright(film()))
    there = np.isfinite(second.positions).all(axis=(1, 2))
    assert np.flatnonzero(there).tolist() == [4, 5, 6, 7]
    np.testing.assert_allclose(second.positions[there], upright(film(person=7))[4:8])


def test_names_of_files_are_never_the_same():
    names = ["a/clip.mp4", "b/clip.avi", "CLIP_2.mp4", "c/clip.mp4"]
    tracks = tracks_of(concatenate([film(name, 2) for name in names]), "X")
    paths = [track.path(Path("out"), ".bvh").as_posix() for track in tracks]
    assert [track.source for track in tracks] == names
    assert paths == [f"out/{n}_person0.bvh" for n in ("clip", "clip_2", "CLIP_2_2", "clip_3")]


def test_the_rate_is_the_mean_without_gaps_and_25_where_there_are_no_times():
    poses = film(frames=3)
    (track,) = tracks_of(replace(poses, time=np.array([0, 0.1, 0.22])), "X")
    assert track.rate == pytest.approx(2 / 0.22)
    (track,) = tracks_of(replace(film(frames=4), time=np.array([0, 0.1, 0.2, 5])), "X")
    assert track.rate == pytest.approx(10)
    (track,) = tracks_of(replace(poses, time=np.full(3, np.nan)), "X")
    assert track.rate == 25
    np.testing.assert_allclose(track.times, [0, 0.04, 0.08])
    (track,) = tracks_of(poses.select([0]), "X")
    assert track.rate == 25 and track.times == [1.5]


def test_people_who_are_never_seen_have_no_track():
    nobody = film(person=1)
    points_3d(nobody)[:] = np.nan
    assert [track.person for track in tracks_of(concatenate([film(), nobody]), "X")] == [0]
    assert tracks_of(nobody, "X") == []


def test_errors_say_what_is_wrong():
    poses = film()
    with pytest.raises(UserError, match="BVH files hold 3D poses"):
        tracks_of(replace(poses, keypoints_3d=None, skeleton_3d=None), "BVH")
    with pytest.raises(UserError, match=r"person 0 of clips/dance.mp4 is there twice in frame 0"):
        tracks_of(concatenate([poses, poses]), "TRC")
