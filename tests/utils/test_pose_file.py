"""The pose file: round trips, validation, and files that are damaged or hostile."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from utils.errors import UserError
from utils.pose_file import (
    FIELDS,
    FORMAT_VERSION,
    Poses,
    concatenate,
    empty_row,
    read_poses,
    write_poses,
)
from utils.skeletons import SKELETONS, skeleton_named

# The folder is shared between examples; every example overwrites its file.
SAME_FOLDER = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@st.composite
def poses_strategy(draw) -> Poses:
    """Poses of any size, with missing joints, with and without the optional fields."""
    count = draw(st.integers(0, 4))
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    name_2d = draw(st.sampled_from(sorted(SKELETONS)))
    joints = len(skeleton_named(name_2d))
    keypoints = random.normal(200, 300, (count, joints, 2))
    confidence = random.uniform(0, 1, (count, joints))
    missing = random.uniform(size=(count, joints)) < 0.3
    keypoints[missing], confidence[missing] = np.nan, 0
    texts = draw(st.lists(st.text(min_size=1, max_size=8), min_size=count, max_size=count))
    sources = [text.replace("\0", "_") for text in texts]
    poses = Poses(
        source=np.array(sources, dtype=np.str_),
        frame=np.arange(count),
        time=np.where(random.uniform(size=count) < 0.5, np.nan, random.uniform(0, 9, count)),
        person=random.integers(-1, 2**62, count),
        box=random.uniform(1, 500, (count, 3)),
        image_size=random.integers(1, 5000, (count, 2)),
        keypoints_2d=keypoints,
        confidence=confidence,
        skeleton_2d=name_2d,
    )
    if draw(st.booleans()):
        poses = replace(
            poses,
            keypoints_3d=random.normal(0, 500, (count, 17, 3)),
            skeleton_3d="h36m_17",
            intrinsics=random.uniform(1, 2000, (count, 4)),
            root_camera=np.full((count, 3), np.nan),
        )
    if draw(st.booleans()):
        poses = replace(poses, visibility=random.uniform(0, 1, (count, joints)))
    return poses


def assert_same(a: Poses, b: Poses) -> None:
    assert (a.skeleton_2d, a.skeleton_3d) == (b.skeleton_2d, b.skeleton_3d)
    assert a.arrays().keys() == b.arrays().keys()
    for name, values in a.arrays().items():
        np.testing.assert_array_equal(values, b.arrays()[name], err_msg=name)


def two_rows() -> Poses:
    first = empty_row("a.jpg", (640, 480), "lsp_14")
    keypoints = np.arange(28.0).reshape(1, 14, 2)
    second = replace(
        first,
        source=np.array(["clip.mp4"]),
        frame=np.array([7]),
        time=np.array([0.28]),
        box=np.array([[320, 240, 300]]),
        keypoints_2d=keypoints,
        confidence=np.full((1, 14), 0.5),
    )
    return concatenate([first, second])


@SAME_FOLDER
@given(poses=poses_strategy())
def test_round_trip(tmp_path: Path, poses: Poses) -> None:
    path = tmp_path / "poses.npz"
    write_poses(path, poses)
    assert_same(read_poses(path), poses)
    assert list(tmp_path.iterdir()) == [path]


def test_other_tools_can_read_it(tmp_path: Path) -> None:
    """Plain arrays under the names of the documentation, in any suffix's clothes."""
    path = tmp_path / "poses.bin"
    write_poses(path, two_rows())
    with np.load(path, allow_pickle=False) as content:
        assert content["format_version"] == FORMAT_VERSION
        assert content["skeleton_2d"] == "lsp_14"
        assert content["joint_names_2d"][0] == "right_ankle"
        assert content["source"].dtype.kind == "U"
        assert all(content[name].dtype.kind in "iufU" for name in content.files)
        documented = Path("docs/pose_file.md").read_text(encoding="utf-8")
        assert all(f"| `{name}`" in documented for name in [*content.files, *FIELDS])


def test_nobody_there() -> None:
    row = empty_row("a.jpg", (640, 480), "mpii_16", frame=3, time=0.12, person=2)
    assert len(row) == 1 and not row.found.any()
    assert np.isnan(row.keypoints_2d).all() and not row.confidence.any() and np.isnan(row.box).all()
    assert (row.frame[0], row.time[0], row.person[0]) == (3, 0.12, 2)
    assert two_rows().found.tolist() == [False, True]


@given(poses_strategy(), st.data())
def test_select_then_concatenate_gives_it_back(poses: Poses, data) -> None:
    cut = data.draw(st.integers(0, len(poses)))
    parts = [poses.select(slice(None, cut)), poses.select(np.arange(cut, len(poses)))]
    assert_same(concatenate(parts), poses)
    mask = np.arange(len(poses)) % 2 == 0
    np.testing.assert_array_equal(poses.select(mask).person, poses.person[mask])
    assert_same(poses.select([]), poses.select(slice(0, 0)))


def test_concatenate_fills_what_a_part_lacks() -> None:
    rows = two_rows()
    deep = replace(rows, keypoints_3d=np.ones((2, 17, 3)), skeleton_3d="h36m_17")
    joined = concatenate([rows, deep])
    assert joined.keypoints_3d is not None and joined.skeleton_3d == "h36m_17"
    assert np.isnan(joined.keypoints_3d[:2]).all() and (joined.keypoints_3d[2:] == 1).all()
    with pytest.raises(ValueError, match="one skeleton"):
        concatenate([rows, empty_row("b.jpg", (1, 1), "mpii_16")])
    with pytest.raises(ValueError, match="one skeleton"):
        concatenate([])


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("keypoints_2d", np.zeros((2, 16, 2)), r"\(2, 16, 2\) where \(2, 14, 2\) is needed"),
        ("keypoints_2d", np.full((2, 14, 2), np.inf), "infinite"),
        ("keypoints_2d", np.full((2, 14, 2), 1e300), "infinite"),
        ("keypoints_2d", np.full((2, 14, 2), np.nan), "confidence must be 0"),
        ("keypoints_2d", np.array([[[np.nan, 1.0]] * 14] * 2), "only one coordinate"),
        ("keypoints_2d", np.zeros((2, 14, 2), complex), "complex128"),
        ("confidence", np.full((2, 14), 1.5), "between 0 and 1"),
        ("confidence", np.full((2, 14), np.nan), "between 0 and 1"),
        ("visibility", np.full((2, 14), -0.1), "visibility"),
        ("box", np.array([[1, 1, -5.0]] * 2), "larger than 0"),
        ("image_size", np.array([[0, 5]] * 2), "larger than 0"),
        ("frame", np.array([0.5, 1.0]), "frame is of type float64"),
        ("frame", np.array([2**64 - 1] * 2, np.uint64), "frame is of type uint64"),
        ("frame", np.array(3), "0 axes"),
        ("source", np.array(["one"]), r"\(2,\) where \(1,\)"),
        ("source", np.array([1, 2]), "source is of type int64"),
        ("source", None, "source"),
        ("skeleton_2d", "octopus", "skeleton_2d: 'octopus' is not one of mpii_16"),
        ("skeleton_3d", "h36m_17", "belong together"),
        ("keypoints_3d", np.zeros((2, 17, 3)), "belong together"),
    ],
)
def test_values_that_are_refused(field: str, value, message: str) -> None:
    rows = two_rows()
    with pytest.raises(ValueError, match=message):
        replace(rows, **{field: value})
    setattr(rows, field, value)
    with pytest.raises(ValueError, match=message):
        write_poses("never_written.npz", rows)
    assert not Path("never_written.npz").exists()


def refused(path: Path) -> str:
    """The one line that reading says; anything but a UserError fails the test."""
    with pytest.raises(UserError) as caught:
        read_poses(path)
    message = str(caught.value)
    assert str(path) in message and "\n" not in message
    return message


def altered(path: Path, **changes) -> Path:
    """A pose file whose members are replaced, or left out where the change is None."""
    write_poses(path, two_rows())
    with np.load(path) as content:
        arrays = {name: content[name] for name in content.files} | changes
    kept = {name: values for name, values in arrays.items() if values is not None}
    with open(path, "wb") as file:
        np.savez(file, allow_pickle=True, **kept)
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format_version": np.array(2)}, "newer than the 1 known here: update"),
        ({"format_version": None}, "it has no format_version"),
        ({"format_version": np.array("new")}, "format_version is 'new'"),
        ({"format_version": np.array([1, 1])}, "format_version has shape"),
        ({"confidence": None}, "it has no confidence"),
        ({"skeleton_2d": None}, "it has no skeleton_2d"),
        ({"skeleton_2d": np.array("mpii_16")}, "joint names are not those of mpii_16"),
        ({"joint_names_2d": np.array(["tail"] * 14)}, "joint names are not those of lsp_14"),
        ({"joint_names_2d": np.array(3)}, "readable"),
        ({"keypoints_3d": np.zeros((2, 17, 3))}, "belong together"),
        ({"box": np.array([{"a": 1}, None], dtype=object)}, "allow_pickle=False"),
        ({"source": np.array(["a", "b"], dtype=object)}, "allow_pickle=False"),
        ({"time": np.array([b"a", b"b"])}, "time is of type"),
        ({"person": np.zeros(2, [("x", int)])}, "person is of type"),
    ],
)
def test_wrong_content_is_one_line(tmp_path: Path, changes: dict, message: str) -> None:
    assert message in refused(altered(tmp_path / "poses.npz", **changes))


def test_unknown_fields_are_left_unread(tmp_path: Path) -> None:
    evil = np.array([object()], dtype=object)
    evil[0] = {"never": "loaded"}
    assert_same(read_poses(altered(tmp_path / "poses.npz", later_addition=evil)), two_rows())


def test_files_that_are_not_pose_files(tmp_path: Path) -> None:
    path = tmp_path / "poses.npz"
    assert "No such file" in refused(path)
    assert "is a folder; a pose file is wanted" in refused(tmp_path)
    path.write_bytes(b"")
    refused(path)
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    assert "it is no .npz file" in refused(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("format_version.npy", b"\x93NUMPY\x01\x00\xff\xff{'descr'")
    refused(path)


def test_array_that_claims_to_be_enormous(tmp_path: Path) -> None:
    path = altered(tmp_path / "poses.npz")
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": (10**14, 14, 2)}
    )
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["keypoints_2d.npy"] = header.getvalue() + b"\0" * 64
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    refused(path)


@SAME_FOLDER
@given(data=st.binary(max_size=300), prefix=st.sampled_from([b"", b"PK\x03\x04", b"\x93NUMPY"]))
def test_random_bytes_are_refused(tmp_path: Path, data: bytes, prefix: bytes) -> None:
    path = tmp_path / "poses.npz"
    path.write_bytes(prefix + data)
    refused(path)


@SAME_FOLDER
@given(cut=st.floats(0, 1, exclude_max=True))
def test_truncated_files_are_refused(tmp_path: Path, cut: float) -> None:
    path = tmp_path / "poses.npz"
    write_poses(path, two_rows())
    data = path.read_bytes()
    path.write_bytes(data[: int(cut * len(data))])
    refused(path)


@SAME_FOLDER
@given(place=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255))
def test_a_changed_byte_is_refused_or_harmless(tmp_path: Path, place: float, value: int) -> None:
    path = tmp_path / "poses.npz"
    write_poses(path, two_rows())
    data = bytearray(path.read_bytes())
    data[int(place * len(data))] = value
    path.write_bytes(data)
    try:
        assert_same(read_poses(path), two_rows())
    except UserError as error:
        assert "\n" not in str(error)


def test_unwritable_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="cannot write"):
        write_poses(tmp_path / "file" / "poses.npz", two_rows())
