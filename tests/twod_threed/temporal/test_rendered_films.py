"""Which film is rendered, by subject, action, camera, source, person; what is said if none is."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.twod_threed.fake_h36m import motion, write_videopose
from tests.twod_threed.fake_humaneva import write_humaneva
from tests.twod_threed.scored_pairs import as_poses, make_pairs
from tests.twod_threed.temporal.render_options import render_options
from tests.twod_threed.temporal.small_films import store
from twod_threed.h36m_cameras import published_cameras
from twod_threed.pairs import write_pairs
from twod_threed.temporal import rendered_films
from twod_threed.temporal.rendered_films import VIRTUAL_CAMERAS, choose_clip, find_film
from twod_threed.temporal.visualization_options import TemporalRenderOptions
from utils.errors import UserError
from utils.mocap.store import write_store
from utils.pose_file import concatenate, write_poses
from utils.pose_json import write_pose_json

CLIPS = [("S1", "Walk", "h36m", 20), ("S2", "Walk", "h36m", 12)]


def options(**chosen: Any) -> TemporalRenderOptions:
    return render_options(**{"viz_output": Path("film.mp4")} | chosen)


def h36m(folder: Path, **chosen: Any) -> TemporalRenderOptions:
    there: dict[str, Any] = {"data_dir": str(folder), "keypoints": "gt", "viz_subject": "S11"}
    return options(**there | chosen)


def test_a_take_of_human36m_before_one_of_its_cameras(tmp_path):
    write_videopose(tmp_path)
    for take, camera in (("Sitting", 2), ("Sitting 1", 0), ("SittingDown 2", 3), ("Photo 1", 1)):
        film = find_film(h36m(tmp_path, viz_action=take, viz_camera=camera))
        seen = published_cameras("S11")[camera]
        assert film.title == f"S11/{take}/{seen.name}" and film.frame_rate == 50
        world = motion("S11", take.replace("Photo", "TakingPhoto"))
        assert film.truth is not None and film.up is not None
        np.testing.assert_allclose(film.truth, seen.to_camera(world), atol=0.1)
        np.testing.assert_allclose(film.up, seen.rotation @ [0, 0, 1])
        # The joints of the file, not those of another skeleton.
        assert film.poses.skeleton_2d == "h36m_17"
        expected = seen.project(seen.to_camera(world))
        np.testing.assert_allclose(film.poses.keypoints_2d, expected, atol=0.1)
        np.testing.assert_array_equal(film.poses.frame, np.arange(len(world)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"viz_subject": ""}, "say whose film with --viz_subject, such as S11"),
        ({"viz_subject": "S2"}, "there is no subject S2; there are S1, S5, S6"),
        ({"viz_action": "Sitting", "viz_camera": 4}, r"no camera 4; there are 0 \(54138969\), 1"),
        ({"viz_action": "Sit"}, "no action Sit; there are Directions, Discussion, Eating"),
        ({"viz_action": ""}, "say which film with --viz_action; there are Directions, Disc"),
        ({"viz_action": "Sitting 2"}, "no action Sitting 2; S11 has Sitting, Sitting 1$"),
        ({"viz_action": "SittingDown 1"}, "no action SittingDown 1; S11 has SittingDown 2"),
        ({"viz_action": "Phoning"}, "Human3.6M is not in .*: none of the actions asked for"),
    ],
)
def test_what_human36m_has_is_said(tmp_path, change, message):
    write_videopose(tmp_path)
    with pytest.raises(UserError, match=message):
        find_film(h36m(tmp_path, **change))


def test_chunks_of_humaneva_and_films_without_truth(tmp_path):
    write_humaneva(tmp_path)
    there = {"dataset": "humaneva15", "data_dir": str(tmp_path)}
    film = find_film(
        options(**there, viz_subject="Validate/S2", viz_action="Walking 1 chunk0", viz_camera=2)
    )
    assert film.title == "Validate/S2/Walking 1 chunk0/C3" and film.frame_rate == 60
    assert film.poses.skeleton_2d == "coco_17" and film.truth_skeleton.name == "humaneva_15"
    assert film.truth is not None and film.truth.shape == (9, 15, 3)
    film = find_film(options(**there, viz_subject="Unlabeled/S4", viz_action="Box 2"))
    assert film.truth is None and len(film.poses) == 8
    with pytest.raises(UserError, match=r"no subject S2, only .*Train/S1.*Validate/S2"):
        find_film(options(**there, viz_subject="S2"))
    with pytest.raises(UserError, match="no action Walk; Validate/S2 has Jog 1 chunk0, WalkTo"):
        find_film(options(**there, viz_subject="Validate/S2", viz_action="Walk"))


def test_motion_is_seen_by_virtual_cameras(tmp_path):
    write_store(tmp_path / "some.npz", store({"cmu/07": 12, "cmu/08": 9}))
    there = {"dataset": "mocap", "data_dir": str(tmp_path)}
    films = [
        find_film(options(**there, viz_subject="cmu/08", viz_camera=camera))
        for camera in range(VIRTUAL_CAMERAS)
    ]
    for film in films:
        assert len(film.poses) == 9 and film.frame_rate == 25
        assert film.truth is not None and film.poses.intrinsics is not None
        fx, fy, cx, cy = film.poses.intrinsics[0]
        hip = film.truth[:, 0]
        flat = hip[:, :2] / hip[:, 2:] * [fx, fy] + [cx, cy]
        pelvis = film.poses.keypoints_2d[:, 6]
        np.testing.assert_allclose(pelvis, flat, atol=60)
    assert np.abs(np.diff([film.poses.keypoints_2d[0] for film in films], axis=0)).min() > 0
    with pytest.raises(UserError, match=r"no camera 4; there are 0 \(camera0\)"):
        find_film(options(**there, viz_subject="cmu/08", viz_camera=VIRTUAL_CAMERAS))
    with pytest.raises(
        UserError, match=r"say whose film with --viz_subject; there are cmu/07, cmu"
    ):
        find_film(options(**there))


def test_pairs_are_films_as_well(tmp_path):
    pairs = make_pairs([*CLIPS, ("S1", "Sit", "h36m", 5)])
    write_pairs(tmp_path / "pairs.npz", pairs.select(np.random.default_rng(0).permutation(37)))
    there = {"dataset": "mocap", "data_dir": str(tmp_path / "pairs.npz"), "viz_subject": "S1"}
    film = find_film(options(**there, viz_action="Walk"))
    np.testing.assert_array_equal(film.truth, pairs.poses_3d[:20])
    np.testing.assert_array_equal(film.poses.frame, np.arange(20))
    with pytest.raises(UserError, match="say which film with --viz_action; S1 has 0, 2"):
        find_film(options(**there))


def test_mannequins_need_no_data(monkeypatch):
    asked = []
    made = store({"mannequin/2000000": 9, "mannequin/2000001": 9})
    monkeypatch.setattr(
        rendered_films, "mannequin_clips", lambda *words: asked.append(words) or made
    )
    film = find_film(options(dataset="mannequin", viz_subject="mannequin/2000001", seed=5))
    assert asked == [(5, 2_000_000, 4, 25.0)]
    assert film.title.startswith("mannequin/mannequin/2000001") and len(film.poses) == 9


@pytest.mark.parametrize(
    ("who", "what", "expected"),
    [
        ("a", "run 1", 0),
        ("a", "walk", 2),
        ("b", "", 3),
        ("", "jump", "say whose film with --viz_subject; there are a, b"),
        ("c", "", "there is no subject c; there are a, b"),
        ("a", "run", "say which film with --viz_action; a has run 1, run 2"),
        ("a", "STROLLING", 2),
        ("b", "Jump", 3),
        ("a", "wal", "there is no action wal; a has run 1, run 2, strolling"),
        ("a", "", "say which film with --viz_action; a has run 1, run 2, strolling"),
    ],
)
def test_clips_are_chosen_by_take_or_by_action(who, what, expected):
    names = np.array(["x/run 1", "x/run 2", "x/strolling", "x/jump"])
    actions = np.array(["run", "run", "walk", "jump"])
    subjects = np.array(["a", "a", "a", "b"])
    if isinstance(expected, int):
        assert choose_clip(names, subjects, actions, who, what) == expected
        return
    with pytest.raises(UserError, match=f"^{expected}$"):
        choose_clip(names, subjects, actions, who, what)


def test_long_lists_are_cut():
    names = np.array([f"take{n}" for n in range(50)])
    same = np.full(50, "a")
    with pytest.raises(UserError, match=r"take0, take1, .*, take29 and 20 more$"):
        choose_clip(names, same, same, "a", "b")


@pytest.fixture
def poses():
    """Two sources; in the first two people, the second one seen in fewer frames."""
    rows = as_poses(make_pairs(CLIPS), None)
    rows.time[:] = rows.frame / 24
    other = replace(rows.select(slice(3, 15)), person=np.full(12, 3))
    other.keypoints_2d[:] += 30
    return concatenate([rows, other])


@pytest.mark.parametrize("suffix", [".npz", ".json"])
def test_one_person_of_a_pose_file(tmp_path, poses, suffix):
    path = tmp_path / f"poses{suffix}"
    (write_poses if suffix == ".npz" else write_pose_json)(path, poses)
    source = str(poses.source[0])
    film = find_film(options(poses=str(path), viz_subject=source))
    assert film.title == Path(source).name and film.truth is None and film.up is None
    assert film.frame_rate == pytest.approx(24)
    np.testing.assert_allclose(film.poses.keypoints_2d, poses.keypoints_2d[:20], atol=0.01)
    film = find_film(options(poses=str(path), viz_subject=source, person=3))
    np.testing.assert_array_equal(film.poses.frame, np.arange(3, 15))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, r"poses.npz: say which source with --viz_subject: S1/Walk/0/cam, S2/Walk/1/cam"),
        ({"viz_subject": "S3"}, "say which source with --viz_subject: S1/Walk/0/cam, S2"),
        ({"viz_subject": "S1/Walk/0/cam", "person": 7}, "has no person 7, only 0, 3"),
    ],
)
def test_what_a_pose_file_has_is_said(tmp_path, poses, change, message):
    write_poses(tmp_path / "poses.npz", poses)
    with pytest.raises(UserError, match=message):
        find_film(options(poses=str(tmp_path / "poses.npz"), **change))


def test_a_pose_file_of_one_source_needs_no_name(tmp_path, poses):
    alone = poses.select(slice(20, 32))
    alone.time[:] = np.nan
    write_poses(tmp_path / "poses.npz", alone)
    film = find_film(options(poses=str(tmp_path / "poses.npz")))
    assert len(film.poses) == 12 and np.isnan(film.frame_rate)
    write_poses(tmp_path / "none.npz", alone.select([]))
    with pytest.raises(UserError, match="has no poses"):
        find_film(options(poses=str(tmp_path / "none.npz")))
