"""From joints of a source to Human3.6M's: places by hand, sides, validity, senseless maps."""

import numpy as np
import pytest

from tests.utils.mocap.motion_files import BVH
from utils.errors import UserError
from utils.mocap.amc import read_amc
from utils.mocap.asf import read_asf
from utils.mocap.bvh import read_bvh
from utils.mocap.joint_maps import (
    built_in_map,
    choose_joint_map,
    find_joint_map,
    find_points_map,
    h36m_poses,
    h36m_poses_of_points,
    read_joint_map,
)
from utils.mocap.store import VALIDITY
from utils.skeletons import H36M_17

MAP = """source = "studio"
unit = 10
[joints]
hip = "Hips"
spine = { Hips = 0.25, Chest = 0.75 }
neck_nose = { nose = 1 }
[points]
nose = { joint = "Chest", offset = [0, 0, 50] }
[bones]
Chest_end = { like = "Chest", factor = 2 }
"""


def joint(poses, name):
    return poses[..., H36M_17.index(name), :]


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "a.bvh"
    path.write_text(BVH)
    return read_bvh(path)


def joint_map(tmp_path, text):
    path = tmp_path / "my.toml"
    path.write_text(text)
    return read_joint_map(path)


def test_a_map_adds_up_joints_points_and_bones(tmp_path, clip):
    read = joint_map(tmp_path, MAP + "[joints.head]\nChest_end = 1\n")
    poses = h36m_poses(clip, read, "a.bvh")
    assert read.source == "studio" and poses.dtype == np.float32 and poses.shape == (2, 17, 3)
    # By test_bvh: hips at (1, 2, 3), chest above and then to their right, its front upward.
    np.testing.assert_allclose(joint(poses, "hip"), [[10, 20, 30]] * 2)
    np.testing.assert_allclose(joint(poses, "spine"), [[10, 95, 30], [-65, 20, 30]], atol=1e-4)
    np.testing.assert_allclose(joint(poses, "neck_nose")[0], [10, 120, 80], atol=1e-4)
    # Turned about z by 90 degrees, then about x: z goes to -y and that to x.
    np.testing.assert_allclose(joint(poses, "neck_nose")[1], [-90 + 50, 20, 30], atol=1e-4)
    np.testing.assert_allclose(joint(poses, "head")[0], [10, 320, 30], atol=1e-4)
    names = {name: VALIDITY[flag] for name, flag in zip(H36M_17.joints, read.validity, strict=True)}
    assert names["hip"] == "exact" and names["spine"] == names["head"] == "derived"
    assert names["left_knee"] == "invalid" and np.isnan(joint(poses, "left_knee")).all()


@pytest.mark.parametrize(
    ("up", "expected"), [("y", [1, 2, 3]), ("z", [1, 3, -2]), ("x", [-2, 1, 3])]
)
def test_the_upward_axis_becomes_y_by_a_rotation(tmp_path, clip, up, expected):
    poses = h36m_poses(clip, joint_map(tmp_path, f'up = "{up}"\n[joints]\nhip = "Hips"'), "a")
    np.testing.assert_allclose(joint(poses, "hip")[0], expected)
    # A rotation keeps right-handed triples right-handed.
    places = {f"p{i}": np.eye(3)[i : i + 1] for i in range(3)}
    text = f'up = "{up}"\n[joints]\nhip = "p0"\nspine = "p1"\nhead = "p2"'
    axes = h36m_poses_of_points(places, joint_map(tmp_path, text), "a")[0]
    triple = np.stack([joint(axes, name) for name in ("hip", "spine", "head")])
    assert np.linalg.det(triple) == pytest.approx(1)


def test_frames_are_skipped(tmp_path, clip):
    read = joint_map(tmp_path, MAP.replace("unit", "skip_frames = 1\nunit"))
    whole = h36m_poses(clip, joint_map(tmp_path, MAP), "a")
    np.testing.assert_array_equal(h36m_poses(clip, read, "a"), whole[1:])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("unit = 10", "unit = -1", "unit must be a positive number"),
        ("unit = 10", "unit = 1e39", "unit must be a positive number below 1e+07, not 1e+39"),
        ("unit = 10", "units = 10", "units is not known"),
        ("unit = 10", 'up = "w"', "up must be"),
        ("unit = 10", "skip_frames = -1", "skip_frames must be"),
        ("[joints]", "[joint]", "joint is not known"),
        ("spine =", "back =", "back is not a joint of Human3.6M"),
        ("0.75", "0.5", "weights of spine add up to 0.75"),
        ("0.75", '"a"', "weight of Chest in spine must be a number"),
        ('"Hips"', "3", "hip must be a joint's name"),
        ('hip = "Hips"\n', "", "hip must be among"),
        ("[0, 0, 50]", "[0, 0]", "point nose must be"),
        ("factor = 2", "times = 2", "bone Chest_end must be"),
        ("unit = 10", "unit =", "is not a joint map"),
    ],
)
def test_a_map_that_makes_no_sense_is_refused_by_name(tmp_path, old, new, message):
    assert old in MAP
    with pytest.raises(UserError, match=r"my\.toml") as error:
        joint_map(tmp_path, MAP.replace(old, new, 1))
    assert message in str(error.value)


def test_joints_that_a_file_lacks_are_named(tmp_path, clip):
    with pytest.raises(UserError, match=r"a\.bvh has no Head, which"):
        h36m_poses(
            clip, joint_map(tmp_path, MAP.replace('joint = "Chest"', 'joint = "Head"')), "a.bvh"
        )
    with pytest.raises(UserError, match="holds no rotations"):
        h36m_poses_of_points({"Hips": np.zeros((1, 3))}, joint_map(tmp_path, MAP), "a.npz")


def test_maps_are_found_by_name_file_and_joints(tmp_path):
    assert choose_joint_map("cmu") is built_in_map("cmu")
    assert find_points_map("uiprmd", "x") is built_in_map("uiprmd_points")
    for name in ("cmu", "hdm05", "bandai"):
        assert find_joint_map(built_in_map(name).needs(), "x") is built_in_map(name)
    with pytest.raises(UserError, match=r"give --joint_map for its joints: Hips Chest"):
        find_joint_map(["Hips", "Chest"], "x")
    with pytest.raises(UserError, match="one of bandai, "):
        choose_joint_map("nobody")
    with pytest.raises(UserError, match="give --joint_map"):
        find_points_map("nobody", "x")


def test_each_source_says_which_joints_it_does_not_have():
    def invalid(name):
        flags = built_in_map(name).validity == VALIDITY.index("invalid")
        return {joint for joint, flag in zip(H36M_17.joints, flags, strict=True) if flag}

    for name in ("reactidle_points", "bandai_points", "bandai"):
        assert invalid(name) == {"neck_nose", "head"}
    for name in ("cmu", "hdm05", "uiprmd_points"):
        assert not invalid(name)


def check_person(poses):
    """Human3.6M-17 (T, 17, 3), y up: sides, up and front are the body's own."""
    left, right = (joint(poses, f"{side}_hip") for side in ("left", "right"))
    up = joint(poses, "thorax") - joint(poses, "hip")
    forward = np.cross(left - right, up)

    def ahead(part, of):
        return (((joint(poses, part) - joint(poses, of)) * forward).sum(-1) > 0).mean()

    assert (up[:, 1] > 0).mean() > 0.5
    assert ahead("neck_nose", "thorax") > 0.9, "the nose is in front, so left is left"
    for side in ("left", "right"):
        # Knees bend so that they come before the line from hip to ankle.
        knee = joint(poses, f"{side}_knee")
        middle = (joint(poses, f"{side}_hip") + joint(poses, f"{side}_ankle")) / 2
        assert (((knee - middle) * forward).sum(-1) > 0).mean() > 0.7
    trunk = (joint(poses, "left_shoulder") + joint(poses, "right_shoulder")) / 2 - joint(
        poses, "hip"
    )
    length = (trunk**2).sum(-1)
    # Human3.6M's own heights on the sample poses, as in utils/skeleton_conversion.py.
    for name, height in {"spine": 0.52, "thorax": 1.12, "neck_nose": 1.24, "head": 1.45}.items():
        found = ((joint(poses, name) - joint(poses, "hip")) * trunk).sum(-1) / length
        assert np.median(found) == pytest.approx(height, abs=0.09), name


def test_people_of_cmu_are_whole(cmu_clip):
    motion = read_bvh(cmu_clip)
    poses = h36m_poses(motion, find_joint_map(motion.armature.names, "x"), "x")
    assert len(poses) == motion.frame_count - 1, "the T-pose is no motion"
    check_person(poses)
    forearm = np.linalg.norm(joint(poses, "left_wrist") - joint(poses, "left_elbow"), axis=-1)
    upper_arm = np.linalg.norm(joint(poses, "left_shoulder") - joint(poses, "left_elbow"), axis=-1)
    assert 0.8 < np.median(forearm / upper_arm) < 1.1, "the lost part of the forearm is back"


def test_people_of_hdm05_are_whole(hdm05_clip):
    asf, amc = hdm05_clip
    motion = read_amc(amc, read_asf(asf), 120.0)
    check_person(h36m_poses(motion, find_joint_map(motion.armature.names, "x"), "x"))


def test_people_of_uiprmd_are_whole(real_data):
    with np.load(real_data / "mocap/packed/uiprmd_50hz.npz", allow_pickle=False) as file:
        clip = file["m02_s01_e01"].astype(float)
    places = dict(zip(H36M_17.joints, clip.swapaxes(0, 1), strict=True))
    check_person(h36m_poses_of_points(places, built_in_map("uiprmd_points"), "x"))
