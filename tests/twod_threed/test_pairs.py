"""Pairs of poses: their checks, the way to the file and back, joining and choosing."""

from dataclasses import fields, replace

import numpy as np
import pytest

from twod_threed.pairs import PosePairs, join_pairs, read_pairs, write_pairs
from utils.errors import UserError


def some_pairs(clip: str = "a", rows: int = 6, seed: int = 0) -> PosePairs:
    """One clip seen by two cameras; the head is unknown in the first row."""
    rng = np.random.default_rng(seed)
    poses = rng.uniform(-900, 900, (rows, 17, 3)) + np.array([0, 0, 4000])
    poses[0, 10] = np.nan
    points = rng.uniform(0, 900, (rows, 16, 2))
    points[1, 3] = np.nan
    turns = np.linalg.qr(rng.normal(size=(2, 3, 3)))[0]
    return PosePairs(
        poses_3d=poses.astype(np.float32),
        valid=np.asarray(np.isfinite(poses).all(axis=-1)),
        poses_2d=points.astype(np.float32),
        camera=np.repeat([0, 1], rows // 2),
        clip=np.zeros(rows, int),
        frame=np.tile(np.arange(rows // 2) * 5, 2),
        intrinsics=np.array([[1100, 1101, 500, 501], [900, 901, 320, 240.0]]),
        distortion=rng.normal(0, 0.01, (2, 5)),
        image_size=np.array([[1000, 1002], [640, 480]]),
        rotation=turns,
        position=rng.normal(0, 4000, (2, 3)),
        camera_names=np.array(["left one", "right one"]),
        clip_names=np.array([clip]),
        clip_sources=np.array(["made"]),
        clip_subjects=np.array([f"S{seed}"]),
        clip_actions=np.array(["Waiting"]),
        frame_rates=np.array([np.nan]),
        up=np.array([0, 0, 1.0]),
    )


def humaneva_pairs() -> PosePairs:
    """The same with HumanEva's joints."""
    pairs = some_pairs()
    joints = {"poses_3d": pairs.poses_3d[:, :15], "valid": pairs.valid[:, :15]}
    return replace(pairs, **joints, skeleton_3d="humaneva_15")


def assert_same(first: PosePairs, second: PosePairs) -> None:
    for field in fields(first):
        one, other = getattr(first, field.name), getattr(second, field.name)
        np.testing.assert_array_equal(one, other)
        assert isinstance(one, str) or one.dtype == other.dtype


def test_round_trip(tmp_path):
    pairs = replace(some_pairs(), keypoints="cpn")
    write_pairs(tmp_path / "pairs.npz", pairs)
    assert_same(read_pairs(tmp_path / "pairs.npz"), pairs)


def test_other_skeletons_keep_their_name(tmp_path):
    write_pairs(tmp_path / "pairs.npz", humaneva_pairs())
    assert_same(read_pairs(tmp_path / "pairs.npz", "humaneva_15"), humaneva_pairs())
    assert_same(read_pairs(tmp_path / "pairs.npz", None), humaneva_pairs())
    # Who reads pairs without saying so relies on Human3.6M's joints.
    with pytest.raises(UserError, match=r"pairs\.npz has 3D joints of humaneva_15, not of h36m_17"):
        read_pairs(tmp_path / "pairs.npz")


def test_files_written_before_there_were_other_skeletons(tmp_path):
    write_pairs(tmp_path / "pairs.npz", some_pairs())
    damage(tmp_path / "pairs.npz", lambda arrays: arrays.pop("skeleton_3d"))
    assert_same(read_pairs(tmp_path / "pairs.npz"), some_pairs())


def test_rows_know_where_they_are_from():
    pairs = join_pairs([some_pairs("a"), some_pairs("b", seed=1)])
    assert pairs.source_names().tolist() == [
        *(["a/left one"] * 3 + ["a/right one"] * 3 + ["b/left one"] * 3 + ["b/right one"] * 3)
    ]
    assert pairs.subjects.tolist() == ["S0"] * 6 + ["S1"] * 6
    assert set(pairs.sources) == {"made"} and set(pairs.actions) == {"Waiting"}
    np.testing.assert_array_equal(pairs.clip, [0] * 6 + [1] * 6)
    np.testing.assert_array_equal(pairs.camera, [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3])


def test_world_poses_go_back_through_the_camera():
    pairs = join_pairs([some_pairs("a"), some_pairs("b", seed=1)])
    world = pairs.world_poses()
    for row in (0, 4, 8, 11):
        camera = pairs.camera_of(row)
        np.testing.assert_allclose(camera.to_camera(world[row]), pairs.poses_3d[row], atol=1e-2)
        assert camera.name == pairs.source_names()[row].split("/")[1]
    np.testing.assert_array_equal(pairs.world_poses(slice(2, 5)), world[2:5])


def test_cameras_of_the_table_project():
    pairs = some_pairs()
    camera = pairs.camera_of(5)
    k1, k2, k3, p1, p2 = pairs.distortion[1]
    assert camera.radial == (k1, k2, k3) and camera.tangential == (p1, p2)
    assert camera.image_size == (640, 480)
    np.testing.assert_array_equal(camera.intrinsics, pairs.intrinsics[1])


def test_choosing_rows():
    pairs = some_pairs()
    chosen = pairs.select(pairs.frame == 5)
    assert len(chosen) == 2 and chosen.source_names().tolist() == ["a/left one", "a/right one"]
    np.testing.assert_array_equal(pairs.select([4, 1]).poses_2d, pairs.poses_2d[[4, 1]])


def test_joining_what_does_not_belong_together():
    first = some_pairs("a")
    for other in (
        some_pairs("a"),
        replace(some_pairs("b"), up=np.array([0, 1.0, 0])),
        replace(some_pairs("b"), keypoints="cpn"),
        replace(humaneva_pairs(), clip_names=np.array(["b"])),
    ):
        with pytest.raises(ValueError, match=r"joined|same name"):
            join_pairs([first, other])
    with pytest.raises(ValueError, match="no pairs"):
        join_pairs([])


@pytest.mark.parametrize(
    "change",
    [
        {"poses_3d": np.zeros((6, 16, 3), np.float32)},
        {"poses_2d": np.zeros((6, 17, 2), np.float32)},
        {"poses_2d": np.full((6, 16, 2), np.inf, np.float32)},
        {"valid": np.ones((6, 17), bool)},
        {"valid": np.ones((6, 17), int)},
        {"camera": np.full(6, 2)},
        {"clip": np.full(6, -1)},
        {"frame": np.zeros(6)},
        {"frame": np.zeros(5, int)},
        {"intrinsics": np.full((2, 4), np.nan)},
        {"intrinsics": np.zeros((2, 4))},
        {"image_size": np.zeros((2, 2), int)},
        {"camera_names": np.array([1, 2])},
        {"up": np.array([0, 0, 2.0])},
        {"skeleton_2d": "unheard_of"},
        {"skeleton_3d": "unheard_of"},
        {"skeleton_3d": "humaneva_15"},
    ],
)
def test_contradictions_are_refused(change):
    with pytest.raises(ValueError):
        replace(some_pairs(), **change)


def damage(path, change):
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file}
    change(arrays)
    np.savez(path, **arrays)


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays: arrays.pop("rotation"),
        lambda arrays: arrays.pop("format_version"),
        lambda arrays: arrays.update(format_version=np.array(99)),
        lambda arrays: arrays.update(camera=np.full(6, 7)),
        lambda arrays: arrays.update(poses_3d=np.zeros((5, 17, 3), np.float32)),
    ],
)
def test_damaged_files_are_refused_by_name(tmp_path, change):
    path = tmp_path / "pairs.npz"
    write_pairs(path, some_pairs())
    damage(path, change)
    with pytest.raises(UserError, match=r"pairs\.npz"):
        read_pairs(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04nonsense", b"\x93NUMPY nonsense", b"text"])
def test_other_files_are_refused_by_name(tmp_path, content):
    path = tmp_path / "pairs.npz"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"pairs\.npz"):
        read_pairs(path)


def test_a_file_cut_short_a_single_array_and_none(tmp_path):
    path = tmp_path / "pairs.npz"
    write_pairs(path, some_pairs())
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(UserError, match=r"pairs\.npz"):
        read_pairs(path)
    np.save(tmp_path / "single.npy", np.zeros(3))
    with pytest.raises(UserError, match=r"single\.npy"):
        read_pairs(tmp_path / "single.npy")
    with pytest.raises(UserError, match="cannot read"):
        read_pairs(tmp_path / "nowhere.npz")


def test_memory_of_a_million_rows():
    """Bytes of a row, and of a camera should each row have its own: 2 GB hold a million."""
    pairs = some_pairs()
    rows = ("poses_3d", "valid", "poses_2d", "camera", "clip", "frame")
    row = sum(getattr(pairs, name).nbytes for name in rows) / len(pairs)
    tables = ("intrinsics", "distortion", "image_size", "rotation", "position")
    camera = sum(getattr(pairs, name).nbytes for name in tables) / 2
    assert row < 400 and row + camera < 600
