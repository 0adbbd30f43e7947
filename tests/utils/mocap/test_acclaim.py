"""ASF/AMC: against closed forms, a second implementation, and damage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.utils.mocap.motion_files import AMC, ASF, slow_acclaim
from utils.errors import UserError
from utils.mocap.amc import read_amc
from utils.mocap.asf import read_asf
from utils.mocap.kinematics import forward_kinematics

INCH = 25.4


@pytest.fixture
def files(tmp_path):
    (tmp_path / "a.asf").write_text(ASF)
    (tmp_path / "a.amc").write_text(AMC)
    return tmp_path / "a.asf", tmp_path / "a.amc"


def places(files, frame_rate=120.0):
    return forward_kinematics(read_amc(files[1], read_asf(files[0]), frame_rate)).places


def test_a_tiny_skeleton_stands_where_it_must(files):
    found = places(files)
    # A length of 0.45 is an inch. The rest pose, then the back bent to the left, the arm as well.
    np.testing.assert_allclose(found["root"] / INCH, [[0, 0, 0], [1, 0, 0]], atol=1e-12)
    np.testing.assert_allclose(found["back"] / INCH, [[0, 2, 0], [-1, 0, 0]], atol=1e-12)
    np.testing.assert_allclose(found["arm"] / INCH, [[1, 2, 0], [-2, 0, 0]], atol=1e-12)
    np.testing.assert_allclose(found["hand"] / INCH, [[2, 2, 0], [-3, 0, 0]], atol=1e-12)


def test_the_order_of_the_roots_values_and_radians_are_taken_from_the_files(files):
    expected = places(files)
    files[0].write_text(ASF.replace("TX TY TZ RX RY RZ", "TZ RX TX TY RZ RY"))
    files[1].write_text(
        AMC.replace("root 0.45 0 0 0 0 0", "root 0 0 0.45 0 0 0")
        .replace(":DEGREES", ":RADIANS")
        .replace(" 90", f" {np.pi / 2!r}")
    )
    for name, place in places(files).items():
        np.testing.assert_allclose(place, expected[name], atol=1e-9)


def test_a_bone_turns_about_its_own_axes(files):
    # The forearm's x axis points along the world's y after its `axis` turn about z.
    files[0].write_text(ASF.replace("dof rz", "dof rx"))
    np.testing.assert_allclose(
        (places(files)["arm"] - places(files)["back"])[1] / INCH, [0, 0, -1], atol=1e-12
    )


def test_a_real_clip_equals_a_slow_reading_and_keeps_its_bones(hdm05_clip):
    asf, amc = hdm05_clip
    skeleton = read_asf(asf)
    motion = read_amc(amc, skeleton, 120.0)
    found = forward_kinematics(motion).places
    for frame in (0, motion.frame_count - 1):
        slow = slow_acclaim(asf, amc, frame)
        assert slow.keys() == found.keys()
        for name, place in slow.items():
            # Directions are written with six digits, and are made unit length.
            np.testing.assert_allclose(found[name][frame], place, atol=1e-3)
    names, parents = skeleton.armature.names, skeleton.armature.parents
    for name, parent in zip(names[1:], parents[1:], strict=True):
        assert np.ptp(np.linalg.norm(found[name] - found[names[parent]], axis=-1)) < 1e-3


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("arm 0", "leg 0", "line 7: the skeleton has no bone 'leg'"),
        ("arm 90", "leg 90", "line 11: 'leg' where the first frame has 'arm'"),
        ("arm 90", "arm 90 1", "line 11: 2 values for 'arm', which has 1"),
        ("back 0 0 0", "back 0 0", "line 6: 2 values for 'back', which has 3"),
        ("arm 90", "arm nan", "line 11: 'nan' is not a number"),
        ("arm 90", "arm x", "line 11: 'x' is not a number"),
        ("arm 90\n", "", "ends within frame 2"),
        ("arm 0\n", "", "first frame lacks arm"),
        ("arm 0\n", "arm 0\narm 0\n", "line 8: 'arm' comes twice"),
        ("\n2\n", "\n3\n", "line 8: frame '3' where 2"),
        ("\n1\n", "\n", "line 4: the number of a frame expected"),
        (AMC[AMC.index("1\nroot") :], "", "no frames"),
    ],
)
def test_damaged_motion_is_named_with_file_and_line(files, old, new, message):
    assert old in AMC
    files[1].write_text(AMC.replace(old, new, 1))
    with pytest.raises(UserError) as error:
        places(files)
    assert str(files[1]) in str(error.value) and message in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (":bonedata", ":bones", "no :bonedata"),
        (ASF[ASF.index(":hierarchy") :], "", "no :hierarchy"),
        ("TX TY", "TX TX", "order must name"),
        ("length 0.9", "length nan", "1 numbers expected, not 'nan'"),
        ("length 0.45\n  angle", "length 0\n  angle", "a unit of length of 0"),
        ("direction 0 1 0", "direction 0 2 0", "a direction of length 2"),
        ("axis 0 0 90 XYZ", "axis 0 0 90 XYY", "an axis order of 'XYY'"),
        ("dof rz", "dof tz", "only rx, ry and rz are read"),
        ("name arm", "name back", "a bone with the name 'back'"),
        ("    back arm\n", "    back arm leg\n", "leg is not in :bonedata"),
        ("    arm hand\n", "", "hand is not joined to the root"),
        ("    arm hand\n", "    arm hand back\n", "back has two places"),
        ("  end\n:hierarchy", ":hierarchy", "ends too early"),
    ],
)
def test_damaged_skeletons_are_named(files, old, new, message):
    assert old in ASF
    files[0].write_text(ASF.replace(old, new, 1))
    with pytest.raises(UserError) as error:
        places(files)
    assert str(files[0]) in str(error.value) and message in str(error.value)


@settings(max_examples=25)
@given(st.binary(max_size=100), st.integers(0, 1000), st.integers(0, 40))
def test_arbitrary_bytes_give_user_errors_only(tmp_path_factory, noise, place, skipped):
    folder = tmp_path_factory.getbasetemp()
    whole = {"noise.asf": ASF.encode(), "noise.amc": AMC.encode()}
    for name, content in whole.items():
        cut = content[:place] + noise + content[place + skipped :]
        for data in (noise, cut, content[:place]):
            for other in whole:
                (folder / other).write_bytes(data if other == name else whole[other])
            try:
                found = places((folder / "noise.asf", folder / "noise.amc"))
            except UserError as error:
                assert "noise" in str(error) and "\n" not in str(error)
            else:
                assert all(np.isfinite(place).all() for place in found.values())
