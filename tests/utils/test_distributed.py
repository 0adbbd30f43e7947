import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric

from tests.utils import two_processes
from utils.checkpoint import read_checkpoint
from utils.distributed import global_mean, start_fabric
from utils.errors import UserError
from utils.options import LoopOptions

ROOT = Path(__file__).parents[2]
LAUNCHERS = {
    "fabric": ([sys.executable], 2),
    "torchrun": (
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"],
        1,
    ),
}


@pytest.fixture(scope="module")
def single(tmp_path_factory):
    """The same training in this process, on the joined batches."""
    folder = tmp_path_factory.mktemp("single")
    return folder, two_processes.train(folder, 1)[1]


@pytest.fixture(scope="module", params=list(LAUNCHERS))
def double(request, tmp_path_factory):
    """Folder and the reports of two processes."""
    folder = tmp_path_factory.mktemp("double")
    launcher, devices = LAUNCHERS[request.param]
    done = subprocess.run(
        [*launcher, two_processes.__file__, str(folder), str(devices)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return folder, [json.loads((folder / f"rank{rank}.json").read_text()) for rank in (0, 1)]


def test_steps_equal_those_of_one_process_on_the_joined_batch(single, double):
    contents = [
        read_checkpoint(folder / "rank0/runs/toy_default/last.ckpt")["model"]
        for folder in (single[0], double[0])
    ]
    start = two_processes.make_model().state_dict()
    for name, weights in contents[0].items():
        torch.testing.assert_close(contents[1][name], weights, rtol=0, atol=1e-6)
    assert not torch.allclose(contents[0]["4.weight"], start["4.weight"], atol=1e-3)


def test_losses_and_metrics_are_those_of_all_samples(single, double):
    history = single[1].history
    for report in double[1]:
        assert report["world_size"] == 2
        assert report["losses"] == pytest.approx([r["train_loss"] for r in history], rel=1e-5)
        expected = [row["validation_error"] for row in history]
        assert report["validation"] == pytest.approx(expected, rel=1e-5)


def test_only_the_first_process_writes(double):
    folder, _ = double
    assert (folder / "rank0/runs/toy_default/best.safetensors").exists()
    assert list((folder / "rank0/logs/toy_default").iterdir())
    assert not (folder / "rank1").exists()


def test_an_error_ends_all_processes_and_the_first_reports_it(double):
    first, second = (report["again"] for report in double[1])
    assert first[0] == "UserError" and "already holds a run" in first[1]
    assert second == ["SystemExit", "2"]
    first, second = (report["failed"] for report in double[1])
    assert first[0] == "UserError" and "step 3 (loss nan)" in first[1]
    assert second == ["SystemExit", "2"]


def test_a_signal_to_one_process_stops_all_at_the_same_step(double):
    first, second = (report["stopped"] for report in double[1])
    assert first == second and first[0] == "interrupted" and 4 <= first[1] < 27


def test_global_mean_of_nothing_is_zero_with_a_gradient():
    fabric = Fabric(accelerator="cpu", devices=1)
    total = torch.zeros((), requires_grad=True)
    mean = global_mean(total * 1, torch.tensor(0), fabric)
    mean.backward()
    assert mean.item() == 0 and total.grad is not None and total.grad.isfinite()


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has what the test asks for")
def test_a_device_that_is_absent_is_one_line():
    with pytest.raises(UserError, match=r"cannot use these devices: [^\n]+$"):
        start_fabric(LoopOptions(accelerator="cuda"), 0)


def test_float16_needs_a_gpu():
    with pytest.raises(UserError, match="16-mixed needs a GPU"):
        start_fabric(LoopOptions(accelerator="cpu", precision="16-mixed"), 0)


def test_parts_that_take_turns_get_the_strategy_that_allows_it(monkeypatch):
    asked = []

    class Stop(Exception):
        pass

    def fabric(**options):
        asked.append(options["strategy"])
        raise Stop

    monkeypatch.setattr("utils.distributed.Fabric", fabric)
    two = LoopOptions(devices=2, accelerator="cpu")
    for loop, takes_turns in ((two, True), (two, False), (LoopOptions(accelerator="cpu"), True)):
        with pytest.raises(Stop):
            start_fabric(loop, 0, takes_turns)
    assert asked == ["ddp_find_unused_parameters_true", "auto", "auto"]
    with pytest.raises(UserError, match="need --strategy ddp_find_unused_parameters_true"):
        start_fabric(LoopOptions(devices=2, accelerator="cpu", strategy="ddp"), 0, True)


def test_torchrun_and_options_may_not_contradict(monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "x")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setenv("WORLD_SIZE", "4")
    with pytest.raises(UserError, match="2 processes on each of 2 machines"):
        start_fabric(LoopOptions(devices=3), 0)
