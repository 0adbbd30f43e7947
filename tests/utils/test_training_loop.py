import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tensorboardX.proto import event_pb2
from torch import nn

from tests.utils import toy_training
from tests.utils.toy_training import STEPS, at_step, history, same_runs, train, update_op
from utils.checkpoint import read_checkpoint
from utils.errors import UserError
from utils.optimizers import lr_factor
from utils.options import OptimizerOptions

Event = event_pb2.Event  # pyright: ignore[reportAttributeAccessIssue]

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """A run of four epochs that nothing interrupts."""
    folder = tmp_path_factory.mktemp("whole")
    assert train(folder).stop_reason == "epochs"
    return folder


def killed(folder: Path, step: int, number: int = signal.SIGKILL, **arguments):
    """Train in a process of its own that gets a signal before `step`; the process when it ended."""
    arguments |= {"folder": str(folder), "kill_at": step, "signal": number}
    return subprocess.run(
        [sys.executable, toy_training.__file__, json.dumps(arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        start_new_session=True,
    )


def interrupt(number=signal.SIGTERM):
    return lambda: os.kill(os.getpid(), number)


def test_history_has_a_row_for_each_epoch(whole):
    rows = history(whole)
    columns = ["epoch", "step", "lr", "train_loss", "validation_mse", "validation_worst"]
    assert rows[0] == columns
    assert [(int(row[0]), int(row[1])) for row in rows[1:]] == [
        (epoch, STEPS * (epoch + 1)) for epoch in range(4)
    ]


def test_resumed_after_sigkill_in_the_third_epoch_is_the_same(whole, tmp_path):
    assert killed(tmp_path, 2 * STEPS + 3).returncode == -signal.SIGKILL
    assert len(history(tmp_path)) == 3
    # More workers than before: neither their number nor the main process' generators matter.
    train(tmp_path, run={"resume": True}, workers=2)
    assert same_runs(whole, tmp_path)


def test_resumed_from_a_checkpoint_within_an_epoch_is_the_same(whole, tmp_path):
    done = killed(tmp_path, 2 * STEPS + 3, loop={"checkpoint_minutes": 1e-9})
    assert done.returncode == -signal.SIGKILL
    state = read_checkpoint(tmp_path / "runs/toy_default/last.ckpt")["state"]
    assert (state["epoch"], state["step_in_epoch"]) == (2, 3)
    train(tmp_path, run={"resume": True})
    assert same_runs(whole, tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_leaves_a_checkpoint_at_that_step(whole, tmp_path, number):
    usual = signal.getsignal(number)
    state = train(tmp_path, update=at_step(STEPS + 1, interrupt(number)))
    assert (state.stop_reason, state.step, state.step_in_epoch) == ("interrupted", STEPS + 2, 2)
    assert signal.getsignal(number) is usual
    train(tmp_path, run={"resume": True})
    assert same_runs(whole, tmp_path)


def test_signal_to_the_group_spares_the_loading_processes(whole, tmp_path):
    done = killed(tmp_path, STEPS + 1, signal.SIGTERM, workers=2)
    assert done.returncode == 0 and done.stdout.splitlines()[-1] == "interrupted", done.stderr
    train(tmp_path, run={"resume": True})
    assert same_runs(whole, tmp_path)


def test_signal_in_validation_repeats_only_the_validation(whole, tmp_path):
    def validation_loss(model, batch, context):
        if not history_exists() and context.step == 2:
            interrupt()()
        return toy_training.validation_loss(model, batch, context)

    def history_exists() -> bool:
        return (tmp_path / "runs/toy_default/history.csv").exists()

    state = train(tmp_path, validation=validation_loss)
    assert (state.stop_reason, state.step, state.epoch) == ("interrupted", STEPS, 0)
    train(tmp_path, run={"resume": True})
    assert same_runs(whole, tmp_path)


def test_max_steps_stops_there_with_weights_and_can_go_on(whole, tmp_path):
    constant = {"lr_scheduler": "none"}  # a cosine would end at --max_steps
    whole = tmp_path / "whole"
    train(whole, optim=constant)
    state = train(tmp_path, loop={"max_steps": STEPS + 2}, optim=constant)
    assert (state.stop_reason, state.step) == ("steps", STEPS + 2)
    assert len(history(tmp_path)) == 3
    assert (tmp_path / "runs/toy_default/best.safetensors").exists()
    train(tmp_path, run={"resume": True}, optim=constant)
    assert history(whole) == history(tmp_path)


def test_max_minutes_stops_early_with_weights(tmp_path):
    state = train(tmp_path, loop={"max_minutes": 1e-9})
    assert (state.stop_reason, state.step) == ("time", 1)
    assert (tmp_path / "runs/toy_default/best.safetensors").exists()


FALLING = {"lr_scheduler": "cosine", "lr": 1.0, "warmup_steps": 0}


def rates_at_one_step_a_second(monkeypatch):
    """A list that gets the learning rate of each step, and the update_op that puts it there."""
    rates: list[float] = []
    monkeypatch.setattr("utils.stopping.time.monotonic", lambda: float(len(rates)))

    def update(model, optimizer, batch, step, context):
        rates.append(optimizer.param_groups[0]["lr"])
        return update_op(model, optimizer, batch, step, context)

    return rates, update


def test_the_cosine_ends_when_max_minutes_do(tmp_path, monkeypatch):
    rates, update = rates_at_one_step_a_second(monkeypatch)
    loop = {"max_minutes": 0.5, "epochs": 100}
    assert train(tmp_path, loop=loop, optim=FALLING, update=update).stop_reason == "time"
    assert rates[0] == 1 and rates[-1] < 0.02
    assert (np.diff(rates) <= 0).all()


def test_the_cosine_of_max_minutes_goes_on_where_it_was(tmp_path, monkeypatch):
    rates, update = rates_at_one_step_a_second(monkeypatch)
    loop = {"max_minutes": 0.5, "epochs": 100}
    train(tmp_path, loop=loop, optim=FALLING, update=at_step(20, interrupt(), update))
    assert 0.2 < rates[-1] < 0.4
    again = {"run": {"resume": True}, "optim": FALLING, "update": update}
    assert train(tmp_path, loop=loop, **again).stop_reason == "time"
    ended = len(rates)
    assert rates[-1] < 0.02 and ended > 45 and (np.diff(rates) <= 0).all()
    train(tmp_path, loop=loop, **again)  # the time was over, so it begins anew
    assert rates[ended] > 0.9 and (np.diff(rates[ended:]) <= 0).all()


def test_early_stopping_waits_for_its_patience(tmp_path):
    values = iter([3.0, 1.0, 2.0, 2.0, 0.5])

    def validation_loss(model, batch, context):
        return {"value": (next(values) if context.step == 0 else 0.0, context.step == 0)}

    state = train(
        tmp_path,
        loop={"epochs": 9, "early_stop_patience": 2},
        validation=validation_loss,
    )
    assert (state.stop_reason, state.epoch, state.best_value) == ("patience", 4, 1.0)
    best = read_checkpoint(tmp_path / "runs/toy_default/best.ckpt")
    assert best["state"]["epoch"] == 2


def test_validation_is_divided_once_over_all_batches(whole):
    # 40 samples in batches of 7 end with a batch of 5: a mean of batch means would be wrong.
    weights = load_file(whole / "runs/toy_default/best.safetensors")
    model = toy_training.make_model().eval()
    model.load_state_dict(weights)
    y = torch.stack([toy_training.Points()[i]["y"] for i in range(toy_training.SAMPLES)])
    with torch.no_grad():
        expected = (model(y.repeat(1, 2)) - y).square().mean()
    best = min(float(row[4]) for row in history(whole)[1:])
    assert best == pytest.approx(float(expected), rel=1e-6)


def test_best_weights_are_the_moving_average(whole):
    run = whole / "runs/toy_default"
    average = load_file(run / "best.safetensors")
    content = read_checkpoint(run / "best.ckpt")
    assert average["0.weight"].equal(content["state"]["extra"]["moving_average"]["0.weight"])
    assert not average["0.weight"].equal(content["model"]["0.weight"])


def test_a_loss_that_is_not_finite_stops_and_keeps_the_checkpoint(tmp_path):
    def broken(model, optimizer, batch, step, context):
        losses = update_op(model, optimizer, batch, step, context)
        return losses | {"other": torch.tensor(torch.nan if step == STEPS + 1 else 1.0)}

    with pytest.raises(UserError, match=rf"step {STEPS + 1} \(loss [\d.]+, other nan\)"):
        train(tmp_path, update=broken)
    content = read_checkpoint(tmp_path / "runs/toy_default/last.ckpt")
    assert content["state"]["step"] == STEPS


def test_weights_or_validation_that_are_not_finite_are_not_saved(tmp_path):
    def spoil(model, optimizer, batch, step, context):
        losses = update_op(model, optimizer, batch, step, context)
        if step == STEPS + 1:
            model.state_dict()["4.bias"].fill_(torch.inf)
        return losses

    with pytest.raises(UserError, match="no finite value"):
        train(tmp_path, loop={"max_steps": STEPS + 2, "ema_decay": 0.0}, update=spoil)
    constant: dict[str, Any] = {"validation": lambda *_: {"value": (1.0, 1)}}
    with pytest.raises(UserError, match="weights are not finite"):
        train(tmp_path / "b", loop={"max_steps": STEPS + 2}, update=spoil, **constant)
    for folder in (tmp_path, tmp_path / "b"):
        content = read_checkpoint(folder / "runs/toy_default/last.ckpt")
        assert content["state"]["step"] == STEPS


def test_a_run_is_not_overwritten_unasked(tmp_path):
    short: dict[str, Any] = {"loop": {"epochs": 1}}
    train(tmp_path, **short)
    before = (tmp_path / "runs/toy_default/last.ckpt").read_bytes()
    with pytest.raises(UserError, match="already holds a run"):
        train(tmp_path, **short)
    with pytest.raises(UserError, match="does not fit this model"):
        train(tmp_path, run={"resume": True}, width=8, **short)
    assert (tmp_path / "runs/toy_default/last.ckpt").read_bytes() == before
    train(tmp_path, run={"overwrite": True, "seed": 1}, **short)
    assert (tmp_path / "runs/toy_default/last.ckpt").read_bytes() != before


def test_load_continues_a_checkpoint_in_a_new_folder(whole, tmp_path):
    train(tmp_path, loop={"max_steps": STEPS}, optim={"lr_scheduler": "none"})
    first = str(tmp_path / "runs/toy_default")
    arguments: dict[str, Any] = {"loop": {"epochs": 2}, "optim": {"lr_scheduler": "none"}}
    state = train(tmp_path, run={"load": first, "exp": "second"}, **arguments)
    assert state.step == 2 * STEPS and len(history(tmp_path, "toy_second")) == 3
    assert (tmp_path / "runs/toy_second/best.safetensors").exists()
    # Loading its own folder is to resume.
    state = train(tmp_path, run={"load": first}, **arguments)
    assert state.step == 2 * STEPS
    assert history(tmp_path, "toy_second") == history(tmp_path)


def test_a_finished_run_of_which_only_the_last_checkpoint_is_there(whole, tmp_path):
    lone = tmp_path / "last.ckpt"
    lone.write_bytes((whole / "runs/toy_default/last.ckpt").read_bytes())
    assert train(tmp_path, run={"load": str(lone)}).stop_reason == "epochs"
    last = read_checkpoint(lone)["state"]["extra"]["moving_average"]
    best = load_file(tmp_path / "runs/toy_default/best.safetensors")
    assert best.keys() == last.keys() and all(best[key].equal(last[key]) for key in best)
    assert history(tmp_path) == history(whole)


def test_load_of_weights_starts_fresh(whole, tmp_path):
    weights = whole / "runs/toy_default/best.safetensors"
    seen = {}

    def look(model, optimizer, batch, step, context):
        seen.setdefault("weight", model.state_dict()["0.weight"].clone())
        return update_op(model, optimizer, batch, step, context)

    state = train(tmp_path, run={"load": str(weights)}, loop={"epochs": 1}, update=look)
    assert state.step == STEPS and len(state.history) == 1
    assert seen["weight"].equal(load_file(weights)["0.weight"])


def test_resume_takes_the_learning_rate_of_the_options(tmp_path):
    train(tmp_path, loop={"epochs": 1}, optim={"lr_scheduler": "none", "warmup_steps": 0})
    optim = {"lr_scheduler": "none", "warmup_steps": 0, "lr": 1e-5}
    state = train(tmp_path, run={"resume": True}, loop={"epochs": 2}, optim=optim)
    assert [row["lr"] for row in state.history] == [1e-2, 1e-5]


def test_two_optimizers_are_clipped_scheduled_and_restored(tmp_path):
    def make_optimizer_fn(model, options):
        return {
            "first": torch.optim.SGD(model[0].parameters(), lr=1.0, momentum=0.9),
            "last": torch.optim.SGD(model[4].parameters(), lr=0.1),
        }

    norms = []

    def update(model, optimizer, batch, step, context):
        loss = (model(batch["x"]) - batch["y"]).square().mean()
        for one in optimizer.values():
            one.zero_grad()
        context.backward(loss)
        for one in optimizer.values():
            context.clip(model, one)
            weights = [p.grad for group in one.param_groups for p in group["params"]]
            norms.append(float(nn.utils.get_total_norm(weights)))
            one.step()
        return {"loss": loss}

    arguments: dict[str, Any] = {"update": update, "make_optimizer_fn": make_optimizer_fn}
    optim = {"grad_clip": 0.01}
    train(tmp_path / "a", optim=optim, **arguments)
    assert max(norms) == pytest.approx(0.01, rel=1e-3)
    interrupted: dict[str, Any] = arguments | {"update": at_step(STEPS, interrupt(), update)}
    train(tmp_path / "b", optim=optim, **interrupted)
    train(tmp_path / "b", run={"resume": True}, optim=optim, **arguments)
    assert same_runs(tmp_path / "a", tmp_path / "b")
    content = read_checkpoint(tmp_path / "a/runs/toy_default/last.ckpt")
    rates = [one["param_groups"][0]["lr"] for one in content["optimizers"].values()]
    assert rates[0] == pytest.approx(10 * rates[1])


def test_clipping_can_be_off(tmp_path):
    norms = []

    def update(model, optimizer, batch, step, context):
        losses = update_op(model, optimizer, batch, step, context)
        norms.append(float(nn.utils.get_total_norm([p.grad for p in model.parameters()])))
        return losses

    for off in (False, True):
        optim = {"grad_clip": 1e-3, "no_grad_clipping": off}
        run = {"exp": str(off)}
        train(tmp_path, run=run, loop={"max_steps": 1}, optim=optim, update=update)
    assert norms[0] == pytest.approx(1e-3, rel=1e-3) and norms[1] > 0.1


def test_learning_rate_follows_the_schedule():
    def rates(steps: int, **options) -> np.ndarray:
        optim = OptimizerOptions(**options)
        return np.array([lr_factor(step, optim, steps, 10) for step in range(steps)])

    assert (rates(20) == 1).all()
    cosine = rates(44, lr_scheduler="cosine", warmup_steps=4)
    assert cosine[:4] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert cosine[4] == 1 and cosine[24] == pytest.approx(0.5) and cosine[-1] < 0.002
    assert (np.diff(cosine[4:]) < 0).all()
    optim = OptimizerOptions(lr_scheduler="cosine")
    late = [lr_factor(5, optim, 20, 10, share) for share in (0.0, 0.5, 1.1)]
    assert late == pytest.approx([lr_factor(5, optim, 20, 10), 0.5, 0.0])
    steps = rates(40, lr_scheduler="step", schedule=(1, 3), gamma=0.5)
    assert steps.tolist() == [1.0] * 10 + [0.5] * 20 + [0.25] * 10


def scalars(folder: Path) -> dict[str, list[int]]:
    """Steps by tag in TensorBoard files, whose records are length, checksum, event, checksum."""
    found: dict[str, list[int]] = {}
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        while data:
            size = int.from_bytes(data[:8], "little")
            event = Event.FromString(data[12 : 12 + size])
            for value in event.summary.value:
                found.setdefault(value.tag, []).append(event.step)
            data = data[16 + size :]
    return found


def test_tensorboard_gets_records_every_so_many_steps(tmp_path):
    train(tmp_path, run={"tb_log_freq": 5}, loop={"epochs": 2})
    found = scalars(tmp_path / "logs/toy_default")
    every = ["data/iter/loss", "optimizer/lr", "model/update_magnitude", "model/update_ratio"]
    every += ["model/parameter_magnitude", "model/gradient_magnitude"]
    assert all(found[tag] == [0, 5, 10] for tag in every)
    assert found["data/epoch/validation/mse"] == [STEPS, 2 * STEPS]


def test_options_are_written(whole):
    written = json.loads((whole / "runs/toy_default/options.json").read_text())
    assert written["loop"]["ema_decay"] == 0.9 and written["run"]["seed"] == 234


def test_compiled_model_saves_ordinary_keys(tmp_path, monkeypatch):
    compiled = []

    def compile_model(model, **_):
        compiled.append(model)
        return original(model, backend="eager")  # needs no C++ compiler

    original = torch.compile
    monkeypatch.setattr(torch, "compile", compile_model)
    monkeypatch.setattr("utils.training_loop.need_compiler", lambda kind: None)
    train(tmp_path, loop={"max_steps": 2, "compile": True})
    assert compiled
    assert "0.weight" in load_file(tmp_path / "runs/toy_default/best.safetensors")
