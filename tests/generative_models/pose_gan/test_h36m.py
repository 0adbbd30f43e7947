"""Human3.6M from either file gives the same poses."""

from pathlib import Path

import numpy as np
import pytest

from generative_models.pose_gan.h36m import read_h36m_motion
from tests.generative_models.pose_gan.small_poses import still_poses
from twod_threed.pairs import PosePairs, write_pairs
from utils.errors import UserError
from utils.skeletons import H36M_17, H36M_32, MPII_16

TAKES = (("S1", "Directions"), ("S1", "Posing 1"), ("S8", "Eating"))


@pytest.fixture(scope="module")
def worlds() -> list[np.ndarray]:
    """(T, 17, 3) mm, z up, of each take."""
    clips = [still_poses(6 + n, n) for n in range(len(TAKES))]
    return [np.stack([c[..., 0], -c[..., 2], c[..., 1]], -1) for c in clips]


def write_videopose(folder: Path, worlds: list[np.ndarray]) -> None:
    people: dict[str, dict[str, np.ndarray]] = {}
    for (subject, action), world in zip(TAKES, worlds, strict=True):
        all_joints = np.zeros((len(world), len(H36M_32), 3))
        all_joints[:, H36M_32.indices(*H36M_17.joints)] = world / 1000
        people.setdefault(subject, {})[action] = all_joints
    np.savez(folder / "data_3d_h36m.npz", positions_3d=np.array(people, dtype=object))


def write_prepared(folder: Path, worlds: list[np.ndarray]) -> None:
    """Two cameras see each frame of each take."""
    turns = [np.linalg.qr(np.random.default_rng(n).normal(size=(3, 3)))[0] for n in range(2)]
    parts = [(clip, k) for clip in range(len(TAKES)) for k in range(2)]
    poses = [(worlds[clip] - 700) @ turns[k].T for clip, k in parts]
    count = sum(map(len, poses))
    lengths = [len(part) for part in poses]
    names = [f"{subject}/{action}" for subject, action in TAKES]
    pairs = PosePairs(
        poses_3d=np.concatenate(poses).astype(np.float32),
        valid=np.ones((count, 17), bool),
        poses_2d=np.zeros((count, len(MPII_16), 2), np.float32),
        camera=np.repeat([k for _, k in parts], lengths),
        clip=np.repeat([clip for clip, _ in parts], lengths),
        frame=np.concatenate([np.arange(n) for n in lengths]),
        intrinsics=np.ones((2, 4)),
        distortion=np.zeros((2, 5)),
        image_size=np.ones((2, 2), int),
        rotation=np.stack(turns),
        position=np.full((2, 3), 700.0),
        camera_names=np.array(["a", "b"]),
        clip_names=np.array(names),
        clip_sources=np.array(["h36m"] * len(TAKES)),
        clip_subjects=np.array([subject for subject, _ in TAKES]),
        clip_actions=np.array([action for _, action in TAKES]),
        frame_rates=np.full(len(TAKES), 50.0),
        up=np.array([0.0, 0.0, 1.0]),
    )
    write_pairs(folder / "h36m_gt.npz", pairs)


@pytest.mark.parametrize("write", [write_videopose, write_prepared])
def test_poses_come_back_with_y_up(write, tmp_path: Path, worlds: list[np.ndarray]) -> None:
    write(tmp_path, worlds)
    store = read_h36m_motion(tmp_path)
    assert store.subjects.tolist() == ["S1", "S1", "S8"] and len(store) == 3
    for number, world in enumerate(worlds):
        expected = np.stack([world[..., 0], world[..., 2], -world[..., 1]], -1)
        found = store.clip(number)
        about = [one - one[:, :1] for one in (found, expected)]
        assert np.allclose(*about, atol=0.01)
    heads = store.positions[:, H36M_17.index("head"), 1] - store.positions[:, 0, 1]
    assert (heads > 0).mean() > 0.9


def test_only_the_subjects_asked_for(tmp_path: Path, worlds: list[np.ndarray]) -> None:
    write_videopose(tmp_path, worlds)
    assert read_h36m_motion(tmp_path / "data_3d_h36m.npz", ["S8"]).subjects.tolist() == ["S8"]


def test_damaged_files_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "data_3d_h36m.npz"
    for content in (np.array({"S1": 3}, dtype=object), np.zeros(3)):
        np.savez(path, positions_3d=content)
        with pytest.raises(UserError, match="not as VideoPose3D makes it"):
            read_h36m_motion(path)
    np.savez(path, positions_3d=np.array({"S1": {"A": np.zeros((2, 5, 3))}}, dtype=object))
    with pytest.raises(UserError, match=r"S1 A is not \(frames, 32, 3\)"):
        read_h36m_motion(path)
    prepared = tmp_path / "h36m_gt.npz"
    np.savez(prepared, camera=np.zeros(2, int))
    with pytest.raises(UserError, match="no whole file"):
        read_h36m_motion(prepared)
    prepared.write_bytes(b"nothing")
    with pytest.raises(UserError, match="damaged"):
        read_h36m_motion(prepared)
