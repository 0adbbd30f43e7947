"""Films of 2D poses to 3D: gaps, frame rates, mirrors, sizes, places, memory."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from tests.twod_threed.scored_pairs import standing
from tests.twod_threed.temporal.known_networks import (
    any_model,
    constant_model,
    describe,
    identity_model,
)
from twod_threed.alignment import SIZE_PER_HEIGHT, body_size
from twod_threed.h36m_cameras import camera_ids, published_cameras
from twod_threed.temporal import predictor
from utils.errors import UserError
from utils.skeleton_conversion import convert
from utils.skeletons import COCO_17, H36M_17, HUMANEVA_15, MPII_16, custom_skeleton, skeleton_named

SIZE = np.array([1000, 800])
LENS = np.array([1100.0, 1080.0, 480.0, 420.0])
TO_MM = 2 / SIZE[0] * 1000
"""The identity's answer for a pixel."""


def walk(frames: int, seed: int = 0) -> np.ndarray:
    """(frames, 17, 2) px, moving along straight lines at speeds of their own."""
    rng = np.random.default_rng(seed)
    start, speed = rng.uniform(300, 600, (17, 2)), rng.uniform(-1, 1, (17, 2))
    return start + speed * np.arange(frames)[:, None, None]


def answers(points: np.ndarray) -> np.ndarray:
    """(T, 17, 3) mm that the identity makes of (T, 17, 2) px."""
    flat = (points - points[:, :1]) * TO_MM
    return np.concatenate([flat, np.zeros((*flat.shape[:2], 1))], axis=-1)


def lifted(model, points, **known):
    known = {"image_size": SIZE, "intrinsics": LENS} | known
    return model.lift(points, "h36m_17", **known)


def test_every_frame_gets_its_own_answer():
    points = walk(40)
    for flip in (False, True):
        found = lifted(identity_model(), points, flip=flip)
        np.testing.assert_allclose(found.poses, answers(points), atol=1e-3)
        assert found.root_camera.shape == (40, 3)


def test_short_gaps_are_filled_and_long_ones_are_not():
    points = walk(60)
    spoilt = points.copy()
    spoilt[5:9] = np.nan  # nobody for four frames
    spoilt[20:31] = np.nan  # for eleven
    spoilt[40:45, 3] = np.nan  # one joint
    spoilt[:2] = spoilt[59:] = np.nan  # ends
    found = lifted(identity_model(), spoilt, max_gap=10)
    lost = np.isnan(found.poses).all(axis=(1, 2))
    assert np.flatnonzero(lost).tolist() == [0, 1, *range(20, 31), 59]
    np.testing.assert_array_equal(np.isnan(found.root_camera[:, 0]), lost)
    np.testing.assert_allclose(found.poses[~lost], answers(points)[~lost], atol=1e-3)
    assert not np.isnan(lifted(identity_model(), spoilt, max_gap=11).poses[20:31]).any()


def test_a_joint_that_stays_away_is_the_zero_of_the_normalisation():
    points = walk(20)
    points[:, 5] = np.nan
    found = lifted(identity_model(), points, flip=False)
    middle = np.array([SIZE / 2])
    np.testing.assert_allclose(found.poses[:, 5, :2], (middle - points[:, 0]) * TO_MM, atol=1e-3)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("size", [1, 4, 7, 64])
def test_slices_give_what_one_go_gives(monkeypatch, causal, size):
    model = any_model(describe(causal=causal, widths=(3, 3), trajectory=True))
    points = walk(33) + np.random.default_rng(0).normal(0, 30, (33, 17, 2))
    whole = lifted(model, points)
    monkeypatch.setattr(predictor, "_SLICE", size)
    parts = lifted(model, points)
    np.testing.assert_allclose(parts.poses, whole.poses, atol=1e-2)
    np.testing.assert_allclose(parts.root_camera, whole.root_camera, atol=1e-1)


def test_frames_that_are_no_rows_are_gaps():
    points = walk(60)
    rows = np.array([0, 1, 2, 6, 7, 8, 9, 25, 26, 59])
    found = lifted(any_model(), points[rows], frames=rows, max_gap=10)
    blank = np.full_like(points, np.nan)
    blank[rows] = points[rows]
    same = lifted(any_model(), blank, max_gap=10)
    np.testing.assert_allclose(found.poses, same.poses[rows], atol=1e-3)
    alone = lifted(any_model(), points[59:])
    np.testing.assert_allclose(found.poses[9:], alone.poses, atol=1e-3)


def test_rows_far_apart_take_no_memory():
    found = lifted(identity_model(), walk(3), frames=np.array([0, 1, 10**12]))
    assert np.isfinite(found.poses).all()


@pytest.mark.parametrize("rate", [50.0, 60.0, 12.0, 26.0])
def test_other_frame_rates_come_back_frame_by_frame(rate):
    points = walk(48)
    found = lifted(identity_model(25), points, frame_rate=rate)
    np.testing.assert_allclose(found.poses, answers(points), atol=2e-2)
    assert np.isfinite(found.root_camera).all()


def test_a_film_of_twice_the_rate_is_lifted_as_one_of_the_trained():
    """Every other frame of 50 a second is what a network of 25 would have seen."""
    rng = np.random.default_rng(3)
    times = np.arange(81) / 50
    waves = rng.uniform(-90, 90, (17, 2))[None] * np.sin(12 * times + 1)[:, None, None]
    points = walk(1) + waves
    model = any_model(describe(frame_rate=25, widths=(3, 3)))
    slow = lifted(model, points[::2], frame_rate=25)
    fast = lifted(model, points, frame_rate=50)
    np.testing.assert_allclose(fast.poses[::2], slow.poses, atol=0.05)
    np.testing.assert_allclose(fast.root_camera[::2], slow.root_camera, rtol=1e-3)
    ignored = lifted(model, points, frame_rate=25)
    assert np.abs(ignored.poses[::2] - slow.poses).max() > 1
    # Every other frame taken from 50 a second is known to be 25.
    known = lifted(model, points[::2], frame_rate=50, frames=np.arange(0, 81, 2))
    np.testing.assert_allclose(known.poses, slow.poses, atol=1e-3)


def test_gaps_at_another_rate_are_no_longer_than_they_were():
    points = walk(120)
    points[50:65] = np.nan
    found = lifted(identity_model(25), points, frame_rate=60, max_gap=10)
    lost = np.isnan(found.poses).any(axis=(1, 2))
    assert np.flatnonzero(lost).tolist() == list(range(50, 65))


def mirrored(points: np.ndarray, skeleton) -> np.ndarray:
    """The film in a mirror: x from the other edge, left and right exchanged."""
    turned = points[:, list(skeleton.flip_order)].copy()
    turned[..., 0] = SIZE[0] - turned[..., 0]
    return turned


@pytest.mark.parametrize(
    ("normalisation", "skeleton_2d", "skeleton_3d", "trajectory"),
    [
        ("screen", "h36m_17", "h36m_17", True),
        ("screen", "coco_17", "humaneva_15", False),
        ("view", "mpii_16", "h36m_17", False),
    ],
)
def test_a_mirrored_film_gives_mirrored_poses(normalisation, skeleton_2d, skeleton_3d, trajectory):
    description = describe(skeleton_2d, skeleton_3d, normalisation, trajectory=trajectory)
    model, skeleton = any_model(description), skeleton_named(skeleton_2d)
    points = np.random.default_rng(0).uniform(200, 700, (30, len(skeleton), 2))
    other = LENS.copy()
    other[2] = SIZE[0] - other[2]

    def both(flip):
        one = model.lift(points, skeleton_2d, SIZE, LENS, flip=flip)
        two = model.lift(mirrored(points, skeleton), skeleton_2d, SIZE, other, flip=flip)
        back = two.poses[:, list(model.skeleton_3d.flip_order)] * [-1, 1, 1]
        return one, back, two.root_camera * [-1, 1, 1]

    one, back, root = both(flip=True)
    np.testing.assert_allclose(back, one.poses, atol=0.05)
    if trajectory:
        np.testing.assert_allclose(root, one.root_camera, atol=0.05)
    one, back, _ = both(flip=False)
    assert np.abs(back - one.poses).max() > 5


def seen(poses: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(T, 17, 2) px of one pose (17, 3) at places (T, 3), mm."""
    points = poses + places[:, None]
    return points[..., :2] / points[..., 2:] * LENS[:2] + LENS[2:]


def path(frames: int) -> np.ndarray:
    """(frames, 3) mm: a walk that smoothing leaves alone, growing depth and turning steadily."""
    depth = 3000 * 1.01 ** np.arange(frames)
    return np.linspace([-0.3, 0.03, 1], [0.2, -0.04, 1], frames) * depth[:, None]


def test_places_of_the_hip_follow_from_what_is_seen():
    places = path(80)
    pose = standing()
    pose[:, 2] = np.linspace(-200, 300, 17)
    pose -= pose[:1]
    found = lifted(constant_model(pose), seen(pose, places), flip=False)
    np.testing.assert_allclose(found.poses, np.broadcast_to(pose, (80, 17, 3)), atol=1e-2)
    np.testing.assert_allclose(found.root_camera, places, atol=1)


def test_places_are_the_trajectory_networks_where_there_is_one():
    root = np.array([120.0, -340.0, 4200.0])
    found = lifted(constant_model(standing(), root), walk(9), flip=False)
    np.testing.assert_allclose(found.root_camera, np.tile(root, (9, 1)), rtol=1e-5)
    middle = lifted(constant_model(standing(), root), walk(9), flip=True)
    np.testing.assert_allclose(middle.root_camera, np.tile([0, -340, 4200], (9, 1)), atol=0.05)


def test_who_is_taller_is_larger_and_further_away():
    places = path(30)
    points, model = seen(standing(), places), constant_model(standing())
    size = float(body_size(torch.from_numpy(standing()[None]))[0])
    same = lifted(model, points, height=size / SIZE_PER_HEIGHT, flip=False)
    np.testing.assert_allclose(same.root_camera, places, atol=1)
    tall = lifted(model, points, height=1.2 * size / SIZE_PER_HEIGHT, flip=False)
    np.testing.assert_allclose(tall.poses, 1.2 * same.poses, rtol=1e-4, atol=1e-2)
    np.testing.assert_allclose(tall.root_camera, 1.2 * same.root_camera, rtol=1e-4)


def test_real_people_stand_where_the_annotation_says(real_data):
    """Real 2D and 3D of Human3.6M: only the place is left to be found, through a bent lens."""
    with np.load(real_data / "h36m_sample/poses.npz", allow_pickle=False) as sample:
        arrays = {name: sample[name] for name in sample}
    for name, points, poses in zip(*(arrays[n] for n in ("imgname", "part", "S")), strict=True):
        subject, camera_id = name.split("/")[0], name.split(".")[1].split("/")[0]
        camera = published_cameras(subject)[camera_ids().index(camera_id)]
        places = poses[:, :3] * 1000
        model = constant_model(places - places[:1])
        found = model.lift(
            points[None, :, :2], "h36m_17", camera.image_size, camera.intrinsics, flip=False
        )
        np.testing.assert_allclose(found.root_camera[0], places[0], atol=60)


def test_other_skeletons_are_converted_by_name():
    rng = np.random.default_rng(1)
    points = rng.uniform(200, 700, (10, 17, 2))
    model = any_model(describe("mpii_16", normalisation="view"))
    theirs = convert(points, COCO_17, MPII_16).poses
    one, two = model.lift(points, "coco_17", SIZE), model.lift(theirs, "mpii_16", SIZE)
    np.testing.assert_allclose(one.poses, two.poses, atol=0.01)


def test_humaneva_poses_have_their_own_joints():
    model = any_model(describe("humaneva_15", "humaneva_15", frame_rate=60))
    points = np.random.default_rng(1).uniform(200, 400, (10, 15, 2))
    found = model.lift(points, "humaneva_15", np.array([640, 480]), frame_rate=60, height=1700)
    assert found.poses.shape == (10, 15, 3)
    np.testing.assert_array_equal(found.poses[:, HUMANEVA_15.index("pelvis")], 0)
    body = convert(found.poses, HUMANEVA_15, H36M_17).poses
    median = float(body_size(torch.from_numpy(body)).nanmedian())
    assert median == pytest.approx(SIZE_PER_HEIGHT * 1700, rel=1e-4)


def test_a_network_of_own_joints_refuses_what_has_no_hips():
    model = any_model()
    skeleton = custom_skeleton(["nose", "left_ear"], [(0, 1)], [])
    with pytest.raises(UserError, match="custom joints cannot be lifted: they have no hips"):
        model.lift(np.zeros((3, 2, 2)), skeleton.name, SIZE)


def test_no_frames_and_nobody():
    empty = lifted(any_model(), np.zeros((0, 17, 2)), height=1700)
    assert empty.poses.shape == (0, 17, 3) and empty.root_camera.shape == (0, 3)
    nobody = lifted(any_model(), np.full((5, 17, 2), np.nan), height=1700, frame_rate=50)
    assert np.isnan(nobody.poses).all() and np.isnan(nobody.root_camera).all()


def test_what_must_be_known_of_the_camera():
    with pytest.raises(ValueError, match="image_size"):
        any_model().lift(walk(3), "h36m_17", intrinsics=LENS)
    with pytest.raises(ValueError, match="image_size"):
        any_model().lift(walk(3), "h36m_17")
    view = any_model(describe(normalisation="view"))
    one = view.lift(walk(3), "h36m_17", intrinsics=LENS).poses
    np.testing.assert_array_equal(one, view.lift(walk(3), "h36m_17", SIZE, LENS).poses)


_HOUR = """
import json, resource
import numpy as np
import torch
torch.set_num_threads(1)
from tests.twod_threed.temporal.known_networks import any_model, describe
model = any_model(describe(widths=(3, 3, 3), channels=64, normalisation="view"))
rng = np.random.default_rng(0)
def peak(frames):
    film = rng.uniform(200, 700, (frames, 17, 2)).astype(np.float32)
    size, lens = np.array([1000, 1000]), np.array([1100.0, 1100, 500, 500])
    found = model.lift(film, "h36m_17", size, lens, frame_rate=25)
    assert np.isfinite(found.poses).all()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([peak(9000), peak(90000)]))
"""


def test_an_hour_takes_little_memory():
    """An hour of 25 frames a second needs under 2.2 kB a frame beyond what six minutes need.

    The 2D joints as they are made here are 0.4 kB, the answers 0.2, and the rest are copies.
    """
    done = subprocess.run([sys.executable, "-c", _HOUR], capture_output=True, text=True, check=True)
    few, many = json.loads(done.stdout)
    assert (many - few) / 81_000 < 2.2
