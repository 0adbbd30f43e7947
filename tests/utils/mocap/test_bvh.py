"""BVH: against closed forms, scipy, a second implementation, and damage."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from tests.utils.mocap.motion_files import BVH, slow_bvh
from utils.errors import UserError
from utils.mocap.bvh import read_bvh
from utils.mocap.kinematics import forward_kinematics, rotation_matrices

ORDERS = ["".join(order) for n in (1, 2, 3) for order in itertools.permutations("XYZ", n)]


@pytest.fixture
def bvh(tmp_path):
    path = tmp_path / "a.bvh"
    path.write_text(BVH)
    return path


@pytest.mark.parametrize("order", ORDERS)
def test_rotations_are_those_of_scipy_in_every_order(order):
    angles = np.random.default_rng(0).uniform(-200, 200, (5, len(order)))
    expected = Rotation.from_euler(order, angles, degrees=True).as_matrix()
    np.testing.assert_allclose(rotation_matrices(np.radians(angles), order), expected, atol=1e-14)


def test_a_tiny_skeleton_stands_where_it_must(bvh):
    motion = read_bvh(bvh)
    assert motion.armature.names == ("Hips", "Chest", "Chest_end")
    assert motion.frame_count == 2 and motion.frame_rate == 120.0
    places = forward_kinematics(motion).places
    np.testing.assert_allclose(places["Hips"], [[1, 2, 3]] * 2)
    # Turned by 90 degrees about z: up becomes -x. Then about x: up becomes forward.
    np.testing.assert_allclose(places["Chest"], [[1, 12, 3], [-9, 2, 3]], atol=1e-12)
    np.testing.assert_allclose(places["Chest_end"], [[1, 17, 3], [-9, 2, 8]], atol=1e-12)


def test_positions_of_a_joint_replace_its_offset(bvh):
    text = BVH.replace("CHANNELS 3 Yrotation", "CHANNELS 6 Xposition Yposition Zposition Yrotation")
    text = text.replace(" 0 0 0\n1 2 3 90 0 0 ", " 0 20 0 0 0 0\n1 2 3 90 0 0 0 20 0 ")
    bvh.write_text(text)
    places = forward_kinematics(read_bvh(bvh)).places
    np.testing.assert_allclose(places["Chest"], [[1, 22, 3], [-19, 2, 3]], atol=1e-12)


def test_a_real_clip_equals_a_slow_reading_and_keeps_its_bones(cmu_clip):
    motion = read_bvh(cmu_clip)
    places = forward_kinematics(motion).places
    for frame in (0, 1, motion.frame_count // 2, motion.frame_count - 1):
        slow = slow_bvh(cmu_clip, frame)
        assert slow.keys() == places.keys()
        for name, place in slow.items():
            np.testing.assert_allclose(places[name][frame], place, atol=1e-9)
    names, parents = motion.armature.names, motion.armature.parents
    for name, parent in zip(names[1:], parents[1:], strict=True):
        lengths = np.linalg.norm(places[name] - places[names[parent]], axis=-1) * 56.444
        assert np.ptp(lengths) < 1e-3


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("HIERARCHY", "", "no HIERARCHY"),
        ("MOTION", "", "no MOTION"),
        ("Frames: 2", "Frames: 3", "announces 3 frames and has 2"),
        ("Frames: 2", "Frames: 0", "line 17: 0 frames"),
        ("Frames: 2", "Frames: two", "line 17: 'Frames: <number>' expected"),
        (".0083333", "0", "line 18: a frame time"),
        ("1 2 3 90 0 0 0 90 0", "1 2 3 90 0 0 0 90", "line 20: 8 numbers"),
        ("1 2 3 90 0 0 0 90 0", "1 2 3 nan 0 0 0 90 0", "line 20: 'nan' is not a number"),
        ("1 2 3 90 0 0 0 90 0", "1 2 3 x 0 0 0 90 0", "line 20: 'x' is not a number"),
        ("1 2 3 90 0 0 0 90 0", "1 2 3 inf 0 0 0 90 0", "line 20: 'inf' is not a number"),
        ("CHANNELS 3", "CHANNELS 2", "line 9: 'Zrotation' is not expected"),
        ("CHANNELS 3 Y", "CHANNELS 3 W", "line 9: channel 'Wrotation'"),
        ("CHANNELS 3 Yrotation X", "CHANNELS 3 Zrotation X", "line 9: a channel comes twice"),
        ("OFFSET 0 10 0", "OFFSET 0 nan 0", "line 8: 'nan' is not a number"),
        ("    OFFSET 0 10 0\n", "", "Chest has no OFFSET"),
        ("JOINT Chest", "JOINT Hips", "a second Hips"),
        ("}\nMOTION", "MOTION", "Hips is not closed"),
        ("JOINT", "ROOT", "only that, is the ROOT"),
    ],
)
def test_damage_is_named_with_file_and_line(bvh, old, new, message):
    assert old in BVH
    bvh.write_text(BVH.replace(old, new, 1))
    with pytest.raises(UserError) as error:
        read_bvh(bvh)
    assert str(bvh) in str(error.value) and message in str(error.value)


@pytest.mark.parametrize(
    ("written", "encoding", "name"),
    [
        ("Hüfte", "utf-8", "Hüfte"),
        ("Hüfte", "latin-1", "Hüfte"),
        ("Hüfte", "utf-8-sig", "Hüfte"),
        # One of its bytes ends a line in Latin-1, another is a blank there.
        ("頭\u00a0à", "utf-8", "頭\u00a0à"),
        ("Left \tArm", "utf-8", "Left_Arm"),
        ("Left Arm {", "utf-8", "Left_Arm"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_names_of_any_letters_and_words(bvh, written, encoding, name, end):
    text = BVH.replace("Chest", written).replace("{\n  {", "{")
    bvh.write_bytes(text.replace("\n", end).encode(encoding))
    assert read_bvh(bvh).armature.names == ("Hips", name, f"{name}_end")


def test_a_file_cut_anywhere_before_its_last_number_is_refused(bvh):
    for length in range(0, len(BVH.rstrip()) - 1, 3):
        bvh.write_text(BVH[:length])
        with pytest.raises(UserError, match=r"a\.bvh"):
            read_bvh(bvh)


def test_a_file_that_is_not_there_is_a_user_error(tmp_path):
    with pytest.raises(UserError, match="cannot read"):
        read_bvh(tmp_path / "none.bvh")


@settings(max_examples=40)
@given(st.binary(max_size=200), st.integers(0, len(BVH)), st.integers(0, 40))
def test_arbitrary_bytes_give_user_errors_only(tmp_path_factory, noise, place, skipped):
    path = tmp_path_factory.getbasetemp() / "noise.bvh"
    content = BVH.encode()
    for data in (noise, content[:place] + noise + content[place + skipped :]):
        path.write_bytes(data)
        try:
            places = forward_kinematics(read_bvh(path)).places
        except UserError as error:
            assert "noise.bvh" in str(error) and "\n" not in str(error)
        else:
            assert all(np.isfinite(place).all() for place in places.values())
