import os
import random
import signal
import subprocess
import sys
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from utils.batches import LoadedBatches, MemoryBatches, Order, Plan, workers_must_live
from utils.errors import UserError


class Numbers:
    """Each sample: its index, and a random number from each global generator."""

    def __init__(self, count: int, bad: int = -1) -> None:
        self.count, self.bad = count, bad

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int):
        if index == self.bad:
            raise UserError(f"cannot read picture {index}")
        return {
            "index": index,
            "draws": np.array([random.random(), np.random.rand(), float(torch.rand(()))]),
        }


def steps(plan: Plan, epoch: int = 0, start: int = 0) -> list[list[int]]:
    return [indices.tolist() for _, indices in plan.epoch(epoch, start)]


@given(
    count=st.integers(1, 60),
    batch=st.integers(1, 9),
    world=st.integers(1, 4),
    epoch=st.integers(0, 3),
)
@settings(max_examples=60, deadline=None)
def test_validation_sees_every_sample_once(count, batch, world, epoch):
    order = Order([count], 0, shuffle=False)
    plans = [Plan(order, batch, False, rank, world) for rank in range(world)]
    found = [steps(plan, epoch) for plan in plans]
    assert sorted(i for one in found for step in one for i in step) == list(range(count))
    assert [len(plan) for plan in plans] == [len(one) for one in found]
    assert all(found_here for one in found for found_here in one)


@given(count=st.integers(4, 60), batch=st.integers(1, 9), world=st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_processes_train_equal_steps_that_join_to_those_of_one(count, batch, world):
    order = Order([count], 3, shuffle=True)
    found = [steps(Plan(order, batch, True, rank, world)) for rank in range(world)]
    assert len({len(one) for one in found}) == 1 and found[0]
    joined = [list(chain.from_iterable(parts)) for parts in zip(*found, strict=True)]
    assert joined == steps(Plan(order, batch * world, True))


def test_epochs_differ_and_repeat():
    plan = Plan(Order([50], 7, shuffle=True), 8, True)
    assert steps(plan, 0) == steps(plan, 0) != steps(plan, 1)
    assert steps(plan, 1, start=4) == steps(plan, 1)[4:]
    assert steps(plan, 1, start=6) == []
    assert steps(Plan(Order([50], 8, shuffle=True), 8, True), 0) != steps(plan, 0)


def test_few_samples_make_one_small_batch():
    assert steps(Plan(Order([3], 0, shuffle=False), 8, True)) == [[0, 1, 2]]
    with pytest.raises(UserError, match="too few for 4 processes"):
        Plan(Order([3], 0, shuffle=True), 8, True, 0, 4)
    with pytest.raises(UserError, match="no samples"):
        Order([5, 0], 0, shuffle=True)


def test_mixing_keeps_shares_and_sees_every_sample_equally_often():
    order = Order([10, 40], 5, shuffle=True, weights=[1, 1])
    assert len(order) == 50
    epochs = [order.epoch(epoch) for epoch in range(8)]
    assert all((epoch < 10).sum() == 25 and len(epoch) == 50 for epoch in epochs)
    counts = np.bincount(np.concatenate(epochs), minlength=50)
    # 8 epochs take 200 from each: 20 rounds of the small set, 5 of the large one.
    assert (counts[:10] == 20).all() and (counts[10:] == 5).all()
    assert np.bincount(epochs[0], minlength=50)[:10].tolist().count(2) == 5
    # Shuffled together, not one set after the other.
    assert 0 < (epochs[0][:25] < 10).sum() < 25


def test_a_data_set_with_weight_zero_is_left_out():
    order = Order([4, 6], 0, shuffle=True, weights=[0, 2], length=9)
    assert len(order) == 9 and order.epoch(0).min() >= 4
    with pytest.raises(UserError, match="a weight for each of 2"):
        Order([4, 6], 0, shuffle=True, weights=[1])


def test_memory_batches_index_every_tensor_alike():
    tensors = {"a": torch.arange(20), "b": torch.arange(20)[:, None] * 10.0}
    batches = MemoryBatches(tensors, Plan(Order([20], 0, shuffle=True), 6, True))
    found = list(batches.epoch(2))
    assert len(found) == len(batches) == 3
    for batch, indices in zip(found, steps(batches.plan, 2), strict=True):
        assert batch["a"].tolist() == indices
        assert batch["b"][:, 0].tolist() == [10.0 * i for i in indices]
    with pytest.raises(ValueError, match="20 samples"):
        MemoryBatches({"a": torch.arange(19)}, batches.plan)


def test_samples_are_random_by_place_whatever_the_workers():
    plan = Plan(Order([20], 0, shuffle=True), 6, True)
    here = list(LoadedBatches(Numbers(20), plan, workers=0).epoch(1))
    loaded = LoadedBatches(Numbers(20), plan, workers=2)
    for start in (0, 2):  # the same workers serve several epochs
        there = list(loaded.epoch(1, start))
        assert len(there) == 3 - start
        for one, other in zip(here[start:], there, strict=True):
            assert one["index"].equal(other["index"]) and one["draws"].equal(other["draws"])
    draws = torch.cat([batch["draws"] for batch in here])
    assert len(draws.flatten().unique()) == draws.numel()
    other_epoch = torch.cat([batch["draws"] for batch in loaded.epoch(2)])
    assert not set(draws.flatten().tolist()) & set(other_epoch.flatten().tolist())


@pytest.mark.parametrize("workers", [0, 1])
def test_a_user_error_in_a_sample_stays_one_line(workers):
    batches = LoadedBatches(Numbers(9, bad=7), Plan(Order([9], 0, False), 3, True), workers)
    with pytest.raises(UserError, match=r"^cannot read picture 7$"):
        list(batches.epoch(0))


class Deadly(Numbers):
    """Its last sample ends the process that loads it."""

    def __getitem__(self, index: int):
        if index == self.count - 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__getitem__(index)


def lose_a_worker() -> None:
    """Print what is told of it."""
    batches = LoadedBatches(Deadly(9), Plan(Order([9], 0, False), 3, True), workers=1)
    try:
        with workers_must_live():
            list(batches.epoch(0))
    except UserError as error:
        print(error, flush=True)
    os._exit(0)


def test_a_killed_worker_is_told_in_one_line():
    # In a process of its own: torch may tell of the same death again, wherever that one then is.
    code = "from tests.utils.test_batches import lose_a_worker; lose_a_worker()"
    root = Path(__file__).parents[2]
    told = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    # The second telling may come before the line has its end.
    assert len(told.stdout.splitlines()) == 1
    assert "killed, perhaps because memory was full" in told.stdout


@pytest.mark.parametrize("error", [ConnectionResetError, ConnectionRefusedError, EOFError])
def test_a_batch_whose_worker_is_gone_is_told_in_one_line(monkeypatch, error):
    class Lost:
        def __iter__(self):
            raise error("Connection reset by peer")

    batches = LoadedBatches(Numbers(9), Plan(Order([9], 0, False), 3, True), workers=0)
    monkeypatch.setattr(batches, "loader", Lost())
    with pytest.raises(UserError, match=r"^a process that loads data was killed, perhaps"):
        list(batches.epoch(0))


def test_other_errors_of_a_run_pass():
    with pytest.raises(RuntimeError, match="another"), workers_must_live():
        raise RuntimeError("another")
