import numpy as np
import pytest

from utils.mannequin.angles import ANGLES, HIGH, LOW, NAMES, mirrored, pose_row
from utils.mannequin.body import (
    contact_points,
    forward_kinematics,
    h36m_joints,
    mpii_joints,
    sample_body,
    standing,
)
from utils.mannequin.still_poses import body_overlap, draw_poses, sample_still_poses
from utils.skeletons import H36M_17, MPII_16, Skeleton


@pytest.fixture(scope="module")
def body():
    return sample_body(np.random.default_rng(1))


@pytest.fixture(scope="module")
def poses():
    return draw_poses(np.random.default_rng(2), 4000)


def lengths(joints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    parents, children = np.array(skeleton.bones).T
    return np.linalg.norm(joints[:, parents] - joints[:, children], axis=-1)


def signed_bend(upper: np.ndarray, lower: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Angle in degrees that turns `upper` into `lower` about `axis`, all (N, 3)."""
    turn = (np.cross(upper, lower) * axis).sum(-1)
    return np.degrees(np.arctan2(turn, (upper * lower).sum(-1)))


def test_every_angle_of_drawn_poses_is_within_its_limits(poses):
    assert (poses >= LOW).all() and (poses <= HIGH).all()


def test_drawn_poses_use_most_of_the_range_of_every_joint(poses):
    joints = [n for n in NAMES if n not in ("yaw", "pitch", "roll", "lift")]
    used = np.ptp(poses, axis=0) / (HIGH - LOW)
    assert used[[NAMES.index(n) for n in joints]].min() > 0.6


def test_human36m_bones_never_change_their_length(body, poses):
    found = lengths(h36m_joints(body, forward_kinematics(body, poses)), H36M_17)
    np.testing.assert_allclose(found, np.broadcast_to(found[0], found.shape), rtol=1e-9)


def test_mpii_limbs_never_change_their_length_and_both_sides_are_equal(body, poses):
    joints = mpii_joints(body, forward_kinematics(body, poses))
    for limb in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist")):
        found = []
        for side in ("left", "right"):
            a, b = MPII_16.indices(*(f"{side}_{end}" for end in limb))
            found.append(np.linalg.norm(joints[:, a] - joints[:, b], axis=-1))
        np.testing.assert_allclose(found, np.full_like(found, found[0][0]), rtol=1e-9)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(
    ("upper", "middle", "lower", "angle", "sense"),
    [("hip", "knee", "ankle", "knee_flex", 1), ("shoulder", "elbow", "wrist", "elbow_flex", -1)],
)
def test_hinges_bend_only_the_way_they_may(body, poses, side, upper, middle, lower, angle, sense):
    """Measured from the places of the joints: knees fold back, elbows forward, within limits."""
    posture = forward_kinematics(body, poses)
    origin = {part: posture.frame(f"{side}_{part}")[0] for part in (upper, middle, lower)}
    axis = posture.frame(f"{side}_{upper}")[1][:, :, 0]
    first, second = origin[middle] - origin[upper], origin[lower] - origin[middle]
    bend = sense * signed_bend(first, second, axis)
    limit = ANGLES[f"{side}_{angle}"]
    assert bend.min() > limit.low - 1e-6 and bend.max() < limit.high + 1e-6
    np.testing.assert_allclose(bend, poses[:, NAMES.index(f"{side}_{angle}")], atol=1e-6)


def test_a_mirrored_pose_is_the_mirror_image(body, poses):
    joints = mpii_joints(body, forward_kinematics(body, poses))
    image = mpii_joints(body, forward_kinematics(body, mirrored(poses)))
    expected = joints[:, MPII_16.flip_order] * [-1, 1, 1]
    np.testing.assert_allclose(image, expected, atol=1e-6)
    np.testing.assert_array_equal(mirrored(mirrored(poses)), poses)


def test_a_person_at_rest_stands_upright_with_the_left_on_plus_x(body):
    joints = mpii_joints(body, standing(body, pose_row({})[None]))[0]
    place = dict(zip(MPII_16.joints, joints, strict=True))
    assert place["left_hip"][0] > 0 > place["right_hip"][0]
    assert abs(place["head_top"][1] - body.height) < 0.05 * body.height
    heights = [place[n][1] for n in ("left_ankle", "left_knee", "left_hip", "left_shoulder")]
    assert heights == sorted(heights)
    assert place["left_wrist"][1] < place["left_elbow"][1] < place["left_shoulder"][1]


@pytest.mark.parametrize(
    ("values", "joint", "axis", "sign"),
    [
        ({"left_hip_flex": 60}, "left_knee", 2, 1),
        ({"right_hip_spread": 40}, "right_knee", 0, -1),
        ({"left_shoulder_raise": 90}, "left_elbow", 0, 1),
        ({"right_shoulder_raise": 90, "right_shoulder_direction": 90}, "right_elbow", 2, 1),
        ({"elbow_flex": 90}, "left_wrist", 2, 1),
        ({"knee_flex": 90}, "right_ankle", 2, -1),
        ({"lumbar_flex": 40}, "upper_neck", 2, 1),
        ({"chest_side": 20}, "upper_neck", 0, 1),
        ({"pitch": 90}, "head_top", 2, 1),
        ({"roll": 60}, "head_top", 0, 1),
    ],
)
def test_angles_move_joints_where_their_names_say(body, values, joint, axis, sign):
    rest, moved = (
        mpii_joints(body, forward_kinematics(body, pose_row(v)[None]))[0] for v in ({}, values)
    )
    shift = (moved - rest)[MPII_16.index(joint)]
    assert sign * shift[axis] > 100


def test_raised_arms_reach_over_the_head(body):
    row = pose_row({"shoulder_raise": 170, "clavicle_raise": 20})
    joints = mpii_joints(body, forward_kinematics(body, row[None]))[0]
    head, left, right = MPII_16.indices("head_top", "left_wrist", "right_wrist")
    assert min(joints[left, 1], joints[right, 1]) > joints[head, 1]


def test_the_lowest_skin_is_at_the_height_called_lift(body, poses):
    bottom = contact_points(body, standing(body, poses))[..., 1].min(axis=1)
    np.testing.assert_allclose(bottom, poses[:, NAMES.index("lift")], atol=1e-6)


def test_chosen_poses_collide_less_than_drawn_ones(body):
    drawn = body_overlap(body, standing(body, draw_poses(np.random.default_rng(3), 500)))
    _, posture = sample_still_poses(np.random.default_rng(3), body, 500)
    chosen = body_overlap(body, posture)
    assert np.percentile(chosen, 90) < 0.5 * np.percentile(drawn, 90)


def test_a_hand_inside_the_belly_counts_as_collision(body):
    free = pose_row({"shoulder_raise": 40})
    inside = pose_row(
        {"shoulder_direction": 120, "shoulder_raise": 10, "elbow_flex": 100, "shoulder_twist": 85}
    )
    clear, blocked = body_overlap(body, standing(body, np.stack([free, inside])))
    assert clear == 0 and blocked > 50


def test_bodies_differ_in_height_and_build():
    bodies = [sample_body(np.random.default_rng(i)) for i in range(60)]
    assert np.ptp([b.height for b in bodies]) > 300
    assert np.ptp([b.radii["waist"] / b.height for b in bodies]) > 0.02


@pytest.mark.parametrize("values", [{"knee_flex": -10}, {"elbow_flex": 200}])
def test_a_pose_outside_the_limits_is_refused(values):
    with pytest.raises(ValueError, match="outside the joint limits"):
        pose_row(values)


def test_an_unknown_angle_is_refused():
    with pytest.raises(ValueError):
        pose_row({"tail_flex": 10})
