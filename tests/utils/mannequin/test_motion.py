import numpy as np
import pytest

from utils.mannequin.angles import HIGH, LOW, NAMES
from utils.mannequin.body import contact_points, h36m_joints, mpii_joints, sample_body
from utils.mannequin.motion import ACTIVITIES, MAX_LIFT_RATE, MAX_RATE, sample_motion
from utils.skeletons import H36M_17

FINE = np.arange(0, 3, 1 / 400)


def motion_of(activity: str, seed: int = 0, **options):
    rng = np.random.default_rng(seed)
    return sample_motion(rng, sample_body(rng), 3.0, activity, **options)


@pytest.mark.parametrize("activity", ACTIVITIES)
def test_angles_stay_within_limits_and_speed_limits(activity):
    rows = motion_of(activity).rows(FINE)
    assert (rows >= LOW).all() and (rows <= HIGH).all()
    rate = np.abs(np.diff(rows, axis=0)) * 400
    lift = NAMES.index("lift")
    assert rate[:, lift].max() <= MAX_LIFT_RATE * (1 + 1e-6)
    assert np.delete(rate, lift, axis=1).max() <= MAX_RATE * (1 + 1e-6)
    assert rate.max() > 5


@pytest.mark.parametrize("activity", ACTIVITIES)
def test_joints_move_without_jumps_and_bones_keep_their_length(activity):
    motion = motion_of(activity, seed=1)
    joints = h36m_joints(motion.body, motion.posture(FINE))
    speed = np.linalg.norm(np.diff(joints, axis=0), axis=-1) * 400 / 1000
    assert speed.max() < 40
    parents, children = np.array(H36M_17.bones).T
    bones = np.linalg.norm(joints[:, parents] - joints[:, children], axis=-1)
    np.testing.assert_allclose(bones, np.broadcast_to(bones[0], bones.shape), rtol=1e-9)


def test_the_frame_rate_only_chooses_the_moments():
    motion = motion_of("dance")
    slow = motion.posture(np.arange(10) / 10).origins
    fast = motion.posture(np.arange(100) / 100).origins
    np.testing.assert_allclose(fast[::10], slow, atol=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_walkers_get_on_and_runners_are_faster(seed):
    distance = {
        name: np.hypot(*motion_of(name, seed, straight=True).path[-1]) / 3000
        for name in ("walk", "run")
    }
    assert 0.3 < distance["walk"] < 2.2
    assert distance["run"] > 1.3 * distance["walk"]


def test_what_carries_the_weight_does_not_slide():
    motion = motion_of("walk", straight=True)
    points = contact_points(motion.body, motion.posture(FINE))
    speed = np.linalg.norm(np.diff(points[..., [0, 2]], axis=0), axis=-1) * 400
    lowest = points[:-1, :, 1].argmin(axis=1)
    weight_bearing = speed[np.arange(len(speed)), lowest]
    pelvis = np.linalg.norm(np.diff(motion.posture(FINE).origins[:, 0], axis=0), axis=-1) * 400
    assert np.median(weight_bearing) < 0.25 * np.median(pelvis)


def test_placing_a_motion_turns_and_moves_it_as_a_whole():
    motion = motion_of("run")
    times = np.arange(0, 2, 0.1)
    before = mpii_joints(motion.body, motion.posture(times))
    after = mpii_joints(motion.body, motion.placed(90.0, np.array([500.0, -200.0])).posture(times))
    turned = before @ np.array([[0, 0, -1.0], [0, 1, 0], [1, 0, 0]])
    np.testing.assert_allclose(after, turned + np.array([500.0, 0, -200.0]), atol=1e-6)


def test_an_unknown_activity_is_an_error():
    with pytest.raises(KeyError):
        motion_of("swim")
