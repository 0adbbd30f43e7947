"""Which poses are drawn, how often, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import torch

from generative_models.pose_gan.data import (
    MIN_POSES,
    PoolBatches,
    pool_poses,
    pose_pools,
    read_splits,
)
from generative_models.pose_gan.options import PoseDataOptions
from generative_models.pose_gan.representation import (
    STANDARD_SIZE,
    body_size,
    to_bones,
    to_canonical,
    to_joints,
)
from tests.generative_models.pose_gan.small_poses import (
    SUBJECTS,
    still_poses,
    store_of,
    write_small_store,
)
from utils.errors import UserError
from utils.mocap import write_store
from utils.skeletons import H36M_17

HEAD = H36M_17.index("head")


def test_bodies_and_sets_are_drawn_evenly() -> None:
    clips = [still_poses(count, seed) for seed, count in enumerate((400, 60, 50, 30))]
    pool = pool_poses(store_of(clips))
    assert pool.subjects == SUBJECTS and pool.sources == ("cmu", "cmu", "cmu", "hdm05")
    assert pool.counts.tolist() == [400, 60, 50, 30]
    # A row of bones tells who it is: find out who was drawn.
    first = {tuple(row.flatten().tolist()): n for n, row in enumerate(pool.bones)}
    drawn = pool.draw(20_000, torch.Generator().manual_seed(0))
    rows = np.array([first[tuple(row.flatten().tolist())] for row in drawn])
    person = np.searchsorted(pool.starts.numpy(), rows, side="right") - 1
    share = np.bincount(person) / len(person)
    assert np.allclose(share, [1 / 6, 1 / 6, 1 / 6, 1 / 2], atol=0.015)
    of_last = np.bincount(rows[person == 3] - 510, minlength=30) / (person == 3).sum()
    assert np.allclose(of_last, 1 / 30, atol=0.01)


def test_even_poses_are_canonical_and_of_standard_size() -> None:
    clips = [still_poses(60, seed) for seed in range(4)]
    poses = torch.from_numpy(pool_poses(store_of(clips)).even_poses(60))
    assert torch.allclose(body_size(poses), torch.tensor(STANDARD_SIZE), rtol=1e-4)
    assert torch.allclose(to_canonical(poses)[0] * STANDARD_SIZE, poses, atol=1e-2)
    # y down: heads are above hips in nearly all poses.
    assert (poses[:, HEAD, 1] < 0).float().mean() > 0.9


def test_even_poses_come_evenly_from_sets_people_and_films() -> None:
    """120 poses: 60 a set, 20 a person of cmu, of whom one has but 10."""
    clips = [still_poses(count, seed) for seed, count in enumerate((400, 100, 10, 300))]
    pool = pool_poses(store_of(clips))
    all_poses = (to_joints(pool.bones) * STANDARD_SIZE).numpy()
    found = pool.even_poses(120)
    rows = [int(np.abs(all_poses - pose).max(axis=(1, 2)).argmin()) for pose in found]
    person = np.searchsorted(pool.starts.numpy(), rows, side="right") - 1
    assert np.bincount(person).tolist() == [20, 20, 10, 60]
    assert rows[:20] == np.linspace(0, 399, 20).round().astype(int).tolist()


def test_poses_that_are_not_whole_are_left_out() -> None:
    clips = [still_poses(60, seed) for seed in range(4)]
    clips[1][:, HEAD] = np.nan
    left, right = H36M_17.indices("left_hip", "right_hip")
    clips[0][:10, left] = clips[0][:10, right] + [0, 150, 1]
    pool = pool_poses(store_of(clips))
    assert pool.subjects == ("cmu/01", "cmu/07", "hdm05/bk")
    assert pool.counts.tolist() == [50, 60, 60]
    assert pool.bones.isfinite().all()


def test_bones_do_not_depend_on_where_the_person_is() -> None:
    clip = still_poses(120)
    turned = clip @ np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]], np.float32) * 1.2 + 500
    one, two = (pool_poses(store_of([c], ("cmu/01",))).bones for c in (clip, turned))
    assert torch.allclose(one, two, atol=1e-5)
    canonical, _ = to_canonical(torch.from_numpy(clip * [1, -1, -1]))
    assert torch.allclose(one, to_bones(canonical).float(), atol=1e-5)


def test_too_few_poses_are_refused() -> None:
    with pytest.raises(UserError, match=f"only 99 of 99 poses.*{MIN_POSES}"):
        pool_poses(store_of([still_poses(MIN_POSES - 1)], ("cmu/01",)))


def test_equal_poses_are_refused() -> None:
    same = np.repeat(still_poses(1), 200, axis=0)
    with pytest.raises(UserError, match="all the same"):
        pool_poses(store_of([same], ("cmu/01",)))


def test_poses_without_any_extent_are_refused() -> None:
    with pytest.raises(UserError, match="only 0 of 200"):
        pool_poses(store_of([np.zeros((200, 17, 3), np.float32)], ("cmu/01",)))


def test_splits_are_those_of_the_subjects(tmp_path: Path) -> None:
    data = PoseDataOptions("mocap", data_dir=str(write_small_store(tmp_path)))
    write_store(tmp_path / "mannequin.npz", store_of([still_poses(60, 9)], ("mannequin/0",)))
    stores = read_splits(data, ("train", "val", "test"), 0)
    found = [sorted(set(store.subjects.tolist())) for store in stores]
    assert found == [["cmu/01", "hdm05/bk"], ["cmu/06"], ["cmu/07"]]
    some = PoseDataOptions("mocap", data_dir=str(tmp_path), train_subjects=("hdm05/bk",))
    assert pose_pools(some, ("train",), 0)[0].subjects == ("hdm05/bk",)
    nobody = PoseDataOptions("mocap", data_dir=str(tmp_path), val_subjects=("cmu/99",))
    with pytest.raises(UserError, match=r"validation subject cmu/99 is not in .*cmu/01"):
        read_splits(nobody, ("val",), 0)


def test_mannequins_of_each_split_are_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("utils.dataset_statistics.CACHE", tmp_path)
    monkeypatch.setattr("utils.mannequin.motion_store.STILL_POSES", 3)
    monkeypatch.setattr("utils.mannequin.motion_store.MOVING_POSES", 4)
    monkeypatch.setattr("generative_models.pose_gan.data.HELD_OUT_BODIES", 2)
    data = PoseDataOptions("mannequin", mannequin_count=3)
    stores = read_splits(data, ("train", "val", "test"), 0)
    names = [set(store.subjects.tolist()) for store in stores]
    assert [len(found) for found in names] == [3, 2, 2]
    assert len(set.union(*names)) == 7


@pytest.mark.parametrize("dataset", ["h36m", "mocap"])
def test_absent_data_is_one_error_with_a_way_out(dataset, tmp_path: Path) -> None:
    data = PoseDataOptions(dataset, data_dir=str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match=r"prepare\.py.*3d_pose_gan_mannequin") as raised:
        read_splits(data, ("train",), 0)
    assert "\n" not in str(raised.value)


def test_batches_are_decided_by_their_place() -> None:
    pool = pool_poses(store_of([still_poses(60, seed) for seed in range(4)]))
    batches = PoolBatches(pool, 5, 4, seed=7)
    whole = [batch["bones"] for batch in batches.epoch(2)]
    rest = [batch["bones"] for batch in batches.epoch(2, start=2)]
    assert len(whole) == len(batches) == 4 and whole[0].shape == (5, 15, 3)
    assert all(torch.equal(a, b) for a, b in zip(whole[2:], rest, strict=True))
    others = [PoolBatches(pool, 5, 4, 8), PoolBatches(pool, 5, 4, 7, rank=1)]
    firsts = [next(one.epoch(2))["bones"] for one in others] + [next(batches.epoch(3))["bones"]]
    assert not any(torch.equal(whole[0], first) for first in firsts)
