"""poses.json says what poses.npz says, in strict JSON."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from utils.errors import UserError
from utils.pose_file import Poses, concatenate, empty_row, write_poses
from utils.pose_json import read_pose_file, read_pose_json, write_pose_json

SAME_FOLDER = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=32)


@st.composite
def poses_strategy(draw) -> Poses:
    """Any finite float32 coordinates, some joints missing, odd file names."""
    rows = []
    for _ in range(draw(st.integers(0, 3))):
        row = empty_row(draw(st.text(min_size=1)).replace("\0", "_"), (640, 480), "dance_13")
        joint = draw(st.integers(0, 12))
        row.keypoints_2d[0, joint] = draw(FLOATS), draw(FLOATS)
        row.confidence[0, joint] = draw(st.floats(0, 1, width=32))
        row.time[0] = draw(st.floats(0, 1e9) | st.just(float("nan")))
        row.person[0] = draw(st.integers(-(2**63), 2**63 - 1))
        rows.append(row)
    poses = concatenate(rows) if rows else empty_row("a", (1, 1), "dance_13").select([])
    if draw(st.booleans()):
        count = len(poses)
        poses = replace(
            poses,
            keypoints_3d=np.full((count, 17, 3), draw(FLOATS)),
            skeleton_3d="h36m_17",
            root_camera=np.full((count, 3), np.nan),
            visibility=np.ones((count, 13)),
        )
    return poses


def assert_same(a: Poses, b: Poses) -> None:
    assert (a.skeleton_2d, a.skeleton_3d) == (b.skeleton_2d, b.skeleton_3d)
    assert a.arrays().keys() == b.arrays().keys()
    for name, values in a.arrays().items():
        np.testing.assert_array_equal(values, b.arrays()[name], err_msg=name)


@SAME_FOLDER
@given(poses=poses_strategy())
def test_round_trip_is_exact(tmp_path: Path, poses: Poses) -> None:
    path = tmp_path / "poses.json"
    write_pose_json(path, poses)
    assert_same(read_pose_json(path), poses)


def strict(text: str):
    def refuse(token: str) -> None:
        raise AssertionError(f"{token} is not JSON")

    return json.loads(text, parse_constant=refuse)


def test_is_strict_short_and_one_row_a_line(tmp_path: Path) -> None:
    seen = empty_row("b.jpg", (640, 480), "dance_13", frame=1)
    seen.keypoints_2d[0, 0] = 0.1, 312.4
    seen.confidence[0, 0] = 0.93
    path = tmp_path / "poses.json"
    write_pose_json(path, concatenate([empty_row("a.jpg", (640, 480), "dance_13"), seen]))
    text = path.read_text(encoding="ascii")
    content = strict(text)
    assert content["joint_names_2d"][0] == "nose" and content["skeleton_3d"] is None
    first, second = content["poses"]
    assert first["keypoints_2d"][0] == [None, None] and first["confidence"][0] == 0
    assert first["box"] == [None] * 3 and first["time"] is None
    assert second["keypoints_2d"][0] == [0.1, 312.4] and second["confidence"][0] == 0.93
    lines = [line.rstrip(",") for line in text.splitlines() if '"source":' in line]
    assert [strict(line) for line in lines] == content["poses"]


def test_long_files_are_written_whole(tmp_path: Path) -> None:
    """More rows than are turned into text at a time."""
    row = empty_row("clip.mp4", (64, 48), "dance_13")
    poses = row.select(np.zeros(2501, int))
    poses.frame[:] = np.arange(2501)
    path = tmp_path / "poses.json"
    write_pose_json(path, poses)
    assert [pose["frame"] for pose in strict(path.read_text())["poses"]] == list(range(2501))
    assert_same(read_pose_json(path), poses)


def refused(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        read_pose_json(path)
    message = str(caught.value)
    assert str(path) in message and "\n" not in message
    return message


ROW = {"source": "a", "frame": 0, "time": None, "person": 0, "box": [1, 1, 1]}
HEAD = {
    "format_version": 1,
    "skeleton_2d": "dance_13",
    "skeleton_3d": None,
    "fields": [*ROW, "image_size", "keypoints_2d", "confidence"],
}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "readable"),
        ("[1, 2]", "readable"),
        ("{", "readable"),
        ('{"format_version": NaN}', "NaN is not JSON"),
        ('{"format_version": 2}', "newer than the 1 known here"),
        ('{"format_version": true}', "format_version is True"),
        ('{"poses": []}', "it has no format_version"),
        (json.dumps(HEAD), "it has no joint_names_2d"),
        (json.dumps(HEAD | {"joint_names_2d": ["nose"]}), "not those of dance_13"),
        (json.dumps(HEAD | {"skeleton_2d": ["x"], "joint_names_2d": []}), "readable"),
        ("[" * 100_000, "readable"),
    ],
)
def test_malformed_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "poses.json"
    path.write_text(text)
    assert message in refused(path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("confidence", [2] * 13),
        ("confidence", "high"),
        ("keypoints_2d", [[1, 2]] * 12),
        ("keypoints_2d", [[1, 2], [3]]),
        ("keypoints_2d", {"nose": [1, 2]}),
        ("frame", 1.5),
        ("frame", 10**30),
        ("frame", None),
        ("time", 10**400),
        ("source", 5),
        ("image_size", [0, 0]),
    ],
)
def test_wrong_values_are_one_line(tmp_path: Path, field: str, value) -> None:
    path = tmp_path / "poses.json"
    write_pose_json(path, empty_row("a.jpg", (640, 480), "dance_13"))
    content = strict(path.read_text())
    content["poses"][0][field] = value
    path.write_text(json.dumps(content))
    refused(path)
    del content["poses"][0][field]
    path.write_text(json.dumps(content))
    assert f"it has no {field}" in refused(path)
    content["fields"].remove(field)
    path.write_text(json.dumps(content))
    assert f"it has no {field}" in refused(path)


def test_absent_and_undecodable_files(tmp_path: Path) -> None:
    assert "No such file" in refused(tmp_path / "poses.json")
    path = tmp_path / "poses.json"
    path.write_bytes(b'{"format_version": "\xff"}')
    refused(path)


@SAME_FOLDER
@given(cut=st.floats(0, 0.99))
def test_truncated_files_are_refused(tmp_path: Path, cut: float) -> None:
    path = tmp_path / "poses.json"
    write_pose_json(path, empty_row("a.jpg", (640, 480), "dance_13"))
    text = path.read_text().rstrip()
    path.write_text(text[: int(cut * len(text))])
    refused(path)


def test_the_name_tells_the_kind_of_file(tmp_path):
    poses = empty_row("a.jpg", (640, 480), "dance_13")
    write_poses(tmp_path / "poses.npz", poses)
    write_pose_json(tmp_path / "poses.JSON", poses)
    for name in ("poses.npz", "poses.JSON"):
        assert read_pose_file(tmp_path / name).source.tolist() == ["a.jpg"]
    with pytest.raises(UserError, match="is a folder; a pose file is wanted"):
        read_pose_file(tmp_path)
