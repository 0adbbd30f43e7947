from pathlib import Path

import numpy as np
import pytest
import torch

from tests.twod_threed.small_poses import poses_3d
from twod_threed.alignment import body_size
from twod_threed.data import Bodies, MotionBatches, PairBatches, measure_bodies
from twod_threed.options import DataOptions
from twod_threed.pairs import write_pairs
from twod_threed.training_data import bodies_of_pairs, fixed_pairs, read_motion
from twod_threed.views import project_mpii, stored_views
from utils.batches import Order, Plan
from utils.errors import UserError
from utils.mannequin.motion_store import mannequin_store
from utils.mocap.store import MotionStore, in_split, make_store, write_store
from utils.skeletons import H36M_17


def store(lengths: dict[str, int]) -> MotionStore:
    """A clip of so many frames for each subject, y up; bodies of growing size."""
    clips = []
    for number, length in enumerate(lengths.values()):
        poses = poses_3d(length, number).numpy()
        clips.append((poses - poses[:, :1]) * [1, -1, -1] * (1 + 0.2 * number))
    names = list(lengths)
    return make_store(
        clips,
        names=names,
        sources=[name.split("/")[0] for name in names],
        subjects=names,
        actions=["stand"] * len(names),
        frame_rates=[50.0] * len(names),
        validity=[np.zeros(17, np.uint8)] * len(names),
    )


def bodies_of(one: MotionStore) -> Bodies:
    """Who moves in a store."""
    known, clip = one.valid_of_frame(), one.clip_of_frame()
    return measure_bodies(one.positions, known, one.subjects, clip)


def motion_batches(lengths: dict[str, int], size: int, steps: int, seed: int = 1) -> MotionBatches:
    one = store(lengths)
    bodies = bodies_of(one)
    return MotionBatches(one, bodies, size, steps, seed)


def test_sets_and_their_bodies_are_drawn_evenly_however_many_frames_they_have() -> None:
    batches = motion_batches({"a/1": 5, "b/1": 400, "b/2": 40}, 3000, 1)
    (batch,) = batches.epoch(0)
    sizes, counts = batch["size"].unique(return_counts=True)  # bodies grow in this order
    assert len(sizes) == 3
    assert np.allclose(counts / 3000, [0.5, 0.25, 0.25], atol=0.03)


def test_a_batch_is_a_stored_pose_seen_by_its_camera() -> None:
    batches = motion_batches({"a/1": 30, "b/1": 40}, 50, 2)
    batch = next(batches.epoch(0))
    poses, points = batch["poses_3d"], batch["poses_2d"]
    assert torch.allclose(project_mpii(poses, batch["intrinsics"]), points)
    assert poses[..., 2].min() > 0 and points.isfinite().all()
    # A camera turns and moves: distances within the pose are those of some stored frame.
    stored = torch.cdist(batches.positions, batches.positions).flatten(1)
    seen = torch.cdist(poses, poses).flatten(1)
    assert torch.cdist(seen, stored, p=torch.inf).amin(1).max() < 1.0
    # The head of somebody who stands is above the feet, along "up".
    upright = poses[:, H36M_17.index("head")] - poses[:, H36M_17.index("left_ankle")]
    assert ((upright * batch["up"]).sum(-1) > 800).all()


def test_epochs_and_steps_differ_and_can_be_entered_anywhere() -> None:
    lengths = {"a/1": 30, "b/1": 40}
    whole = [b["poses_2d"] for b in motion_batches(lengths, 8, 3).epoch(1)]
    late = [b["poses_2d"] for b in motion_batches(lengths, 8, 3).epoch(1, 2)]
    assert len(whole) == 3 and torch.equal(whole[2], late[0])
    assert not torch.equal(whole[0], whole[1])
    assert not torch.equal(whole[0], next(motion_batches(lengths, 8, 3).epoch(0))["poses_2d"])
    assert not torch.equal(whole[0], next(motion_batches(lengths, 8, 3, 2).epoch(1))["poses_2d"])


def test_invalid_joints_are_absent_everywhere() -> None:
    one = store({"a/1": 10})
    head = H36M_17.index("head")
    one.positions[:, head] = np.nan
    validity = one.validity.copy()
    validity[:, head] = 2
    one = MotionStore(**{**vars(one), "validity": validity})
    batch = next(MotionBatches(one, bodies_of(one), 6, 1, 0).epoch(0))
    assert not batch["valid"][:, head].any() and int(batch["valid"].sum()) == 6 * 16
    assert batch["poses_2d"].isnan().any() and batch["size"].isfinite().all()


def test_bodies_are_measured_by_subject_and_count_once() -> None:
    poses = torch.cat([poses_3d(9, 1), 2 * poses_3d(3, 1)]).numpy()
    # Two clips of y, one of x, and one of somebody who is not there.
    names, clip = np.array(["y", "x", "nobody", "y"]), np.array([1] * 9 + [0, 3, 3])
    bodies = measure_bodies(poses, np.ones((12, 17), bool), names, clip)
    assert bodies.names.tolist() == ["x", "y"]
    first = float(body_size(poses_3d(9, 1)).median())
    second = 2 * float(body_size(poses_3d(3, 1)).median())
    assert np.allclose(bodies.size, [first, second])
    assert bodies.standard_size == pytest.approx((first + second) / 2)
    three = Bodies(np.array(list("abc")), np.zeros(0, int), np.array([1000.0, 3000.0, 3100.0]))
    assert three.standard_size == 3000
    with pytest.raises(UserError, match="x has no bone"):
        measure_bodies(poses, np.zeros((12, 17), bool), names, clip)


def test_pair_batches_are_the_rows_of_the_pairs() -> None:
    pairs = stored_views(store({"a/1": 6, "b/1": 5}), seed=3)
    bodies = bodies_of_pairs(pairs)
    plan = Plan(Order([11], 0, shuffle=True), 4, drop_last=False)
    batches = list(PairBatches(pairs, bodies, plan).epoch(0))
    assert [len(batch["size"]) for batch in batches] == [4, 4, 3]
    rows = plan.order.epoch(0)
    assert np.array_equal(torch.cat([b["poses_2d"] for b in batches]), pairs.poses_2d[rows])
    assert np.allclose(torch.cat([b["size"] for b in batches]), bodies.size[bodies.subject[rows]])
    lenses = pairs.intrinsics[pairs.camera[rows]]
    assert np.allclose(torch.cat([b["intrinsics"] for b in batches]), lenses)
    up = pairs.rotation[pairs.camera[rows]] @ pairs.up
    assert np.allclose(torch.cat([b["up"] for b in batches]), up, atol=1e-6)


def test_splits_are_by_subject() -> None:
    there = np.array(["cmu/01", "cmu/06", "cmu/07", "cmu/01"])
    data = DataOptions("mocap")
    assert in_split(there, data, "train").tolist() == [True, False, False, True]
    assert in_split(there, data, "val").tolist() == [False, True, False, False]
    assert in_split(there, data, "test").tolist() == [False, False, True, False]
    data = DataOptions("mocap", train_subjects=("cmu/07",), test_subjects=("cmu/01",))
    assert in_split(there, data, "train").tolist() == [False, False, True, False]
    with pytest.raises(UserError, match="none of the --val_subjects is in the data"):
        in_split(np.array(["cmu/01", "cmu/07"]), data, "val")
    with pytest.raises(UserError, match="in more than one"):
        DataOptions("mocap", train_subjects=("cmu/06",))


def test_motion_is_read_from_stores_folders_and_pairs(tmp_path: Path) -> None:
    write_store(tmp_path / "one.npz", store({"cmu/01": 6, "cmu/06": 8}))
    write_store(tmp_path / "two.npz", store({"cmu/07": 5}))
    both = read_motion(str(tmp_path))
    assert both.subjects.tolist() == ["cmu/01", "cmu/06", "cmu/07"]
    data = DataOptions("mocap", str(tmp_path), validation_poses=4)
    pairs = fixed_pairs(data, "val", 0)
    assert set(pairs.subjects) == {"cmu/06"} and len(pairs) == 4
    file = tmp_path / "views" / "pairs.npz"
    file.parent.mkdir()
    write_pairs(file, pairs)
    assert len(fixed_pairs(DataOptions("mocap", str(file)), "val", 0)) == 4
    with pytest.raises(UserError, match=r"no motion capture in .*nowhere, which does not exist"):
        read_motion(str(tmp_path / "nowhere"))


def test_mannequins_repeat_and_stand_upright(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr("utils.dataset_statistics.CACHE", tmp_path)
    monkeypatch.setattr("utils.mannequin.motion_store.STILL_POSES", 3)
    monkeypatch.setattr("utils.mannequin.motion_store.MOVING_POSES", 4)
    first = mannequin_store(5, 2, 2)
    assert first.lengths().tolist() == [3, 4, 3, 4]
    assert first.subjects.tolist() == ["mannequin/2"] * 2 + ["mannequin/3"] * 2
    assert np.array_equal(first.positions, mannequin_store(5, 2, 2).positions)
    other = mannequin_store(5, 3, 1)
    assert np.array_equal(other.clip(0), first.clip(2))
    assert (first.positions[:, H36M_17.index("head"), 1] > 0).all()
