"""Cameras at rest: where they stand, where people are put, what is seen and what is cut."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.twod_threed.small_poses import poses_3d
from tests.twod_threed.temporal.small_films import films, store
from twod_threed.pairs import PosePairs, write_pairs
from twod_threed.temporal import camera_rig
from twod_threed.temporal.camera_rig import HIP_HEIGHT, PICTURE, in_the_room, rig, seen_at_rest
from twod_threed.temporal.films import film_rate, fixed_films, read_source, validation_films
from twod_threed.temporal.options import TemporalDataOptions
from twod_threed.temporal.sequences import frame_rate_of, sequences_of
from utils.cameras import Camera
from utils.errors import UserError
from utils.mocap.store import VALIDITY, MotionStore, make_store, write_store
from utils.skeleton_conversion import convert
from utils.skeletons import H36M_17, MPII_16

FIELD_OF_VIEW = (55.0, 55.0)
HEAD = H36M_17.index("head")


def person() -> np.ndarray:
    """(17, 3) mm, y up, the hip in the origin."""
    pose = poses_3d(1)[0].numpy()
    return (pose - pose[H36M_17.root]) * [1, -1, -1]


def moving(places: np.ndarray, head: bool = True) -> MotionStore:
    """One clip: somebody stiff whose hip is at `places` (T, 3) mm."""
    clip = person() + places[:, None]
    flags = np.zeros(17, np.uint8)
    if not head:
        clip[:, HEAD], flags[HEAD] = np.nan, VALIDITY.index("invalid")
    return make_store([clip], ["walk"], ["cmu"], ["cmu/01"], ["walk"], [25.0], [flags])


def along_x(x: list[float] | np.ndarray) -> np.ndarray:
    """Places (T, 3) mm at these x."""
    return np.stack([np.asarray(x, float), np.zeros(len(x)), np.zeros(len(x))], axis=1)


def camera(number: int) -> Camera:
    views = rig(4, FIELD_OF_VIEW)
    tables = (views.rotation, views.position, views.intrinsics)
    rotation, position, lens = (one[number].numpy().astype(np.float64) for one in tables)
    return Camera(rotation, position, lens, (PICTURE, PICTURE))


# --- the cameras ----------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 3, 4, 8])
def test_cameras_stand_around_the_room_and_look_at_hips_without_roll(count: int) -> None:
    views = rig(count, (40.0, 60.0))
    east, height, north = views.position.double().numpy().T
    away = np.hypot(east, north)
    assert (away >= 5000).all() and (away <= 6000).all()
    assert (height >= 1200).all() and (height <= 1800).all()
    apart = np.diff(np.unwrap(np.arctan2(east, north)))
    assert np.allclose(np.degrees(apart), 360 / count, atol=20.01)
    middle = views.to_camera(views.position.new_tensor([[[0, HIP_HEIGHT, 0]]])).numpy()[:, 0]
    assert np.allclose(middle[:, :2], 0, atol=0.01) and (middle[:, 2] > 5000).all()
    # Level cameras have the vertical in the middle column of their pictures.
    assert np.allclose(views.rotation[:, 0, 1], 0, atol=1e-6)
    assert (views.rotation[:, 1, 1] < -0.9).all()
    degrees = 2 * np.degrees(np.arctan(PICTURE / 2 / views.intrinsics[:, 0].numpy()))
    assert (degrees >= 40).all() and (degrees <= 60).all()
    assert (views.image_size == PICTURE).all() and (views.intrinsics[:, 2:] == 499.5).all()


def test_cameras_are_the_same_for_all_clips_parts_and_seeds(tmp_path: Path) -> None:
    write_store(tmp_path / "one.npz", store({"cmu/01": 60, "cmu/02": 50, "cmu/06": 9, "cmu/07": 8}))
    data = TemporalDataOptions("mocap", str(tmp_path), cameras_at_rest=4)
    train = fixed_films(data, "train", 1, ("cmu/02",))
    others, again = (fixed_films(data, "unlabeled", seed, ("cmu/02",)) for seed in (1, 2))
    test, validation = fixed_films(data, "test", 3), validation_films(data, 4)
    assert set(others.subjects) == {"cmu/02"} and set(test.subjects) == {"cmu/07"}
    for table in ("rotation", "position", "intrinsics", "image_size", "camera_names"):
        known = getattr(train, table)
        assert len(known) == 4
        assert all((getattr(one, table) == known).all() for one in (others, test, validation))
    assert np.array_equal(others.poses_2d, again.poses_2d)
    both = seen_at_rest(store({"cmu/01": 60, "cmu/02": 50}), 4, (40.0, 80.0))
    assert len(both.position) == 4 and len(both) == 4 * 110
    # Files hold joints to 0.05 mm.
    np.testing.assert_allclose(both.poses_2d[both.clip == 0], train.poses_2d, atol=0.1)


# --- the room -------------------------------------------------------------------------------------


@pytest.mark.parametrize("head", [True, False])
def test_clips_stand_on_the_floor_in_the_middle_of_the_room(head: bool) -> None:
    places = along_x([700, 900, 1100, 1300]) + np.array([0, 5000, -400])
    moved = in_the_room(moving(places, head).clip(0))
    # Nobody is turned; the lowest joint comes to height 0.
    expected = person() + along_x([-300, -100, 100, 300])[:, None] - [0, person()[:, 1].min(), 0]
    if not head:
        expected[:, HEAD] = np.nan
    assert moved.dtype == np.float32
    np.testing.assert_allclose(moved, expected, atol=0.01)


def test_jumps_and_wrong_frames_leave_the_floor_where_it_is() -> None:
    places = np.zeros((100, 3))
    places[20:40, 1], places[70, 1] = 400, -300
    moved = in_the_room(moving(places).clip(0))
    assert moved[0, :, 1].min() == pytest.approx(0, abs=0.01)
    assert moved[30, :, 1].min() == pytest.approx(400, abs=0.01)


# --- what is seen ---------------------------------------------------------------------------------


def test_poses_and_cameras_give_the_2d_joints_and_the_room() -> None:
    motion = store({"cmu/01": 30, "hdm05/bd": 20})
    pairs = seen_at_rest(motion, 4, FIELD_OF_VIEW)
    assert len(pairs) == 4 * 50 and pairs.valid.all() and pairs.up.tolist() == [0, 1, 0]
    assert pairs.clip_names.tolist() == ["cmu/cmu/01", "hdm05/hdm05/bd"]
    assert pairs.clip_subjects.tolist() == ["cmu/01", "hdm05/bd"]
    world = pairs.world_poses()
    for clip in range(2):
        for number in range(4):
            rows = (pairs.clip == clip) & (pairs.camera == number)
            np.testing.assert_allclose(world[rows], in_the_room(motion.clip(clip)), atol=0.02)
    points = convert(pairs.poses_3d.astype(np.float64), H36M_17, MPII_16).poses
    for row in range(0, len(pairs), 7):
        seen = pairs.camera_of(row).project(points[row])
        np.testing.assert_allclose(pairs.poses_2d[row], seen, atol=0.01)


def test_joints_that_are_not_known_are_not_seen_and_cut_nothing() -> None:
    pairs = seen_at_rest(moving(along_x(np.zeros(5)), head=False), 4, FIELD_OF_VIEW)
    assert len(pairs) == 20 and not pairs.valid[:, HEAD].any() and pairs.valid.sum() == 20 * 16
    unseen = np.isnan(pairs.poses_2d[..., 0])
    assert unseen[:, MPII_16.index("head_top")].all() and unseen.sum() == 20


def expected_rows(motion: MotionStore, nearest: float) -> list[tuple[int, int]]:
    """(camera, frame) of all that is shown, and not for one frame alone."""
    joints = convert(in_the_room(motion.clip(0)).astype(float), H36M_17, MPII_16).poses
    found = []
    for number in range(4):
        seen = camera(number).to_camera(joints)
        pixels = camera(number).project(seen)
        inside = ((pixels >= -0.5) & (pixels <= PICTURE - 0.5)).all((1, 2))
        shown = np.pad(inside & (seen[..., 2] >= nearest).all(1), 1)
        kept = shown[1:-1] & (shown[:-2] | shown[2:])
        found += [(number, int(frame)) for frame in np.flatnonzero(kept)]
    return found


@pytest.mark.parametrize("nearest", [1000.0, 5000.0])
def test_frames_outside_the_picture_or_too_near_are_left_out(
    monkeypatch: pytest.MonkeyPatch, nearest: float
) -> None:
    monkeypatch.setattr(camera_rig, "NEAREST", nearest)
    motion = moving(along_x(9000 * np.sin(np.linspace(0, 4 * np.pi, 97))))
    pairs = seen_at_rest(motion, 4, FIELD_OF_VIEW)
    rows = [(int(c), int(f)) for c, f in zip(pairs.camera, pairs.frame, strict=True)]
    assert rows == expected_rows(motion, nearest) and 20 < len(rows) < 4 * 97
    assert (pairs.poses_2d >= -0.5).all() and (pairs.poses_2d <= PICTURE - 0.5).all()
    assert (pairs.poses_3d[..., 2] >= nearest - 300).all()


def away_and_back() -> PosePairs:
    """In the picture in frames 0 to 19, 40 to 59 and, alone, 70; far to both sides between."""
    x = np.zeros(80)
    x[20:40], x[60:80] = 50_000, -50_000
    x[70] = 0
    x[20:40] -= x.sum() / 20
    return seen_at_rest(moving(along_x(x)), 4, FIELD_OF_VIEW)


def test_films_are_cut_where_frames_are_left_out() -> None:
    pairs = away_and_back()
    parts = sequences_of(pairs)
    frames = [pairs.frame[rows].tolist() for rows in parts]
    assert frames == [[*range(20)], [*range(40, 60)]] * 4
    assert [int(pairs.camera[rows[0]]) for rows in parts] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert film_rate(pairs) == 25


def test_cut_films_that_validate_keep_their_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twod_threed.temporal.films.fixed_films", lambda *_: away_and_back())
    data = TemporalDataOptions("mocap", cameras_at_rest=4, validation_frames=4)
    pairs = validation_films(data, 0)
    assert {frame_rate_of(pairs, rows) for rows in sequences_of(pairs)} == {25.0}
    assert pairs.frame.tolist() == [9, 10, 49, 50] * 4


# --- what is refused ------------------------------------------------------------------------------


def test_nobody_in_the_picture_is_told() -> None:
    far = moving(along_x([-90_000, 90_000]))
    with pytest.raises(UserError, match="nobody stays in the picture of --cameras_at_rest"):
        seen_at_rest(far, 4, FIELD_OF_VIEW)
    with pytest.raises(UserError, match="no motion"):
        seen_at_rest(make_store([], [], [], [], [], [], []), 4, FIELD_OF_VIEW)


def test_pairs_have_their_own_cameras(tmp_path: Path) -> None:
    write_pairs(tmp_path / "pairs.npz", films((6, 5)))
    data = TemporalDataOptions("mocap", str(tmp_path / "pairs.npz"), subjects_train=("S1",))
    assert isinstance(read_source(data, "train", 0), PosePairs)
    with pytest.raises(UserError, match=r"pairs.npz has cameras of its own"):
        read_source(replace(data, cameras_at_rest=4), "train", 0)
