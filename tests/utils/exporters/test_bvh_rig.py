"""The figure's turns: rest pose, hinges, axes, no jumps."""

import numpy as np
from scipy.spatial.transform import Rotation

from tests.utils.exporters.exported_poses import film, upright
from utils.exporters.bvh_rig import NODES, STRAIGHT, pose_figure
from utils.skeletons import H36M_17

# A T-pose that looks along z: lengths in any unit.
_T_POSE = {
    "hip": (0, 0, 0),
    "spine": (0, 2, 0),
    "thorax": (0, 4, 0),
    "neck_nose": (0, 5, 0),
    "head": (0, 6, 0),
    **{f"{side}_{joint}": (s * x, y, 0) for side, s in (("left", 1), ("right", -1))
       for joint, x, y in (("hip", 1, 0), ("knee", 1, -4), ("ankle", 1, -8),
                           ("shoulder", 2, 4), ("elbow", 5, 4), ("wrist", 8, 4))},
}  # fmt: skip


def t_pose() -> np.ndarray:
    """(1, 17, 3)."""
    return np.array([[_T_POSE[joint] for joint in H36M_17.joints]], float)


def bent(joint: str, moved: str, angle: float, axis: tuple[float, float, float]) -> np.ndarray:
    """The T-pose with the bone from `joint` to `moved` turned about `axis`, degrees."""
    pose = t_pose()
    middle, end = H36M_17.indices(joint, moved)
    turn = Rotation.from_rotvec(np.radians(angle) * np.array(axis))
    pose[0, end] = pose[0, middle] + turn.apply(pose[0, end] - pose[0, middle])
    return pose


def test_the_rest_pose_needs_no_turn():
    figure = pose_figure(t_pose())
    for node in NODES:
        np.testing.assert_allclose(figure.turns[node.name][0], np.eye(3), atol=1e-12)
    assert figure.offsets["left_knee"].tolist() == [0, -4, 0]
    assert figure.offsets["right_wrist"].tolist() == [-3, 0, 0]
    assert not figure.offsets["left_collar"].any()


def test_knees_and_elbows_are_hinges():
    """Heels go back, forearms forward: about one axis, with nothing left for hip or shoulder."""
    cases = [
        ("left_knee", "left_ankle", (1, 0, 0)),
        ("right_knee", "right_ankle", (1, 0, 0)),
        ("left_elbow", "left_wrist", (0, -1, 0)),
        ("right_elbow", "right_wrist", (0, 1, 0)),
    ]
    for joint, end, axis in cases:
        for angle in (10, 60, 130):
            turns = pose_figure(bent(joint, end, angle, axis)).turns
            vector = Rotation.from_matrix(turns[joint][0]).as_rotvec(degrees=True)
            np.testing.assert_allclose(vector, angle * np.array(axis), atol=1e-6)
            others = [turns[node.name][0] for node in NODES if node.name != joint]
            np.testing.assert_allclose(others, np.broadcast_to(np.eye(3), (22, 3, 3)), atol=1e-9)


def test_the_upper_arm_turns_until_the_elbow_is_a_hinge():
    """A forearm that points up: the shoulder takes up the twist, the elbow bends about -y."""
    for angle in (40, 90):
        turns = pose_figure(bent("left_elbow", "left_wrist", angle, (0, 0, 1))).turns
        twist = Rotation.from_matrix(turns["left_shoulder"][0]).as_rotvec()
        # About the arm itself, by a right angle less what the fallback holds back.
        held = np.arctan2(STRAIGHT, np.sin(np.radians(angle)))
        np.testing.assert_allclose(np.abs(twist), [np.pi / 2 - held, 0, 0], atol=1e-9)


def test_a_straight_limb_takes_the_smallest_turn():
    """An arm that hangs: the shoulder turns by 90 degrees about z, and not about itself."""
    pose = t_pose()
    shoulder, elbow, wrist = H36M_17.indices("left_shoulder", "left_elbow", "left_wrist")
    pose[0, elbow] = pose[0, shoulder] - (0, 3, 0)
    pose[0, wrist] = pose[0, shoulder] - (0, 6, 0)
    turns = pose_figure(pose).turns
    vector = Rotation.from_matrix(turns["left_shoulder"][0]).as_rotvec(degrees=True)
    np.testing.assert_allclose(vector, [0, 0, -90], atol=1e-9)
    np.testing.assert_allclose(turns["left_elbow"][0], np.eye(3), atol=1e-12)


def test_a_turned_body_turns_the_pelvis_alone():
    turn = Rotation.from_euler("YXZ", (70, -35, 20), degrees=True)
    figure = pose_figure(turn.apply(t_pose()[0])[None] + (5, 6, 7))
    np.testing.assert_allclose(figure.turns["hip"][0], turn.as_matrix(), atol=1e-12)
    np.testing.assert_allclose(figure.root, [[5, 6, 7]])
    for node in NODES[1:]:
        np.testing.assert_allclose(figure.turns[node.name][0], np.eye(3), atol=1e-12)


def test_turned_shoulders_turn_the_chest():
    pose = t_pose()
    upper = H36M_17.indices(
        *(
            f"{side}_{joint}"
            for side in ("left", "right")
            for joint in ("shoulder", "elbow", "wrist")
        )
    )
    turn = Rotation.from_euler("Y", 30, degrees=True)
    pose[0, upper] = turn.apply(pose[0, upper])
    turns = pose_figure(pose).turns
    np.testing.assert_allclose(turns["spine"][0], turn.as_matrix(), atol=1e-12)
    np.testing.assert_allclose(turns["left_collar"][0], np.eye(3), atol=1e-12)


def test_all_turns_are_rotations_even_of_degenerate_poses():
    poses = np.concatenate([t_pose(), np.zeros((1, 17, 3)), -t_pose(), np.full((1, 17, 3), np.nan)])
    poses[0, H36M_17.index("left_knee")] = (1, 4, 0)  # the thigh straight up: half a turn
    figure = pose_figure(poses)
    for turn in figure.turns.values():
        np.testing.assert_allclose(turn @ turn.swapaxes(1, 2) - np.eye(3), 0, atol=1e-9)
        np.testing.assert_allclose(np.linalg.det(turn), 1, atol=1e-9)


def test_motion_has_no_jumps():
    """25 frames a second of a person who moves: no bone turns by more than 30 degrees a frame."""
    figure = pose_figure(upright(film(frames=100)))
    for name, turns in figure.turns.items():
        steps = Rotation.from_matrix(turns[1:] @ turns[:-1].swapaxes(1, 2)).magnitude()
        assert np.degrees(steps.max()) < 30, name
