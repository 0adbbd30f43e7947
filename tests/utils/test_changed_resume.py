"""Runs that go on with other options, from another checkpoint, or without one."""

import os
import shutil
import signal

import pytest

from tests.utils.toy_training import STEPS, at_step, history, train, update_op, validation_loss
from utils.checkpoint import read_checkpoint
from utils.errors import UserError


def test_an_epoch_that_has_fewer_steps_now_than_were_done_ends(tmp_path):
    train(tmp_path, loop={"max_steps": STEPS - 1})
    state = train(tmp_path, run={"resume": True}, loop={"epochs": 2}, batch_size=12)
    assert state.stop_reason == "epochs"
    # The epoch that was under way, and one of as many steps as there are now.
    assert [int(row[1]) for row in history(tmp_path)[1:]] == [STEPS - 1, STEPS - 1 + 40 // 12]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"optimizer": "adam"}, {"optimizer": "amsprop"}),
        ({"optimizer": "adam"}, {"optimizer": "rmsprop"}),
        ({"optimizer": "rmsprop"}, {"optimizer": "rmsprop", "momentum": 0.9}),
    ],
)
def test_another_optimizer_is_refused_before_anything_is_written(tmp_path, before, after):
    train(tmp_path, optim=before, loop={"epochs": 1})
    written = (tmp_path / "runs/toy_default/options.json").read_bytes()
    with pytest.raises(UserError, match="written with another --optimizer or --momentum"):
        train(tmp_path, run={"resume": True}, optim=after, loop={"epochs": 2})
    assert (tmp_path / "runs/toy_default/options.json").read_bytes() == written
    assert train(tmp_path, run={"resume": True}, optim=before, loop={"epochs": 2}).epoch == 2


def test_history_has_the_rate_that_update_op_left(tmp_path):
    def lower(model, optimizer, batch, step, context):
        optimizer.param_groups[0]["lr"] *= 0.5
        return update_op(model, optimizer, batch, step, context)

    level = {"lr_scheduler": "none"}
    train(tmp_path, optim=level, loop={"epochs": 1}, update=lower)
    assert float(history(tmp_path)[1][2]) == 0.005

    def stop(model, batch, context):
        os.kill(os.getpid(), signal.SIGTERM)
        return validation_loss(model, batch, context)

    more = {"run": {"resume": True}, "loop": {"epochs": 2}, "optim": level, "update": lower}
    assert train(tmp_path, **more, validation=stop).stop_reason == "interrupted"
    train(tmp_path, **more)
    assert float(history(tmp_path)[2][2]) == 0.005


def test_an_earlier_checkpoint_of_the_folder_forgets_what_came_after_it(tmp_path):
    folder = tmp_path / "runs/toy_default"
    train(tmp_path, loop={"epochs": 1})
    shutil.copy(folder / "last.ckpt", folder / "epoch_1.ckpt")
    train(tmp_path, run={"resume": True}, loop={"epochs": 3})
    assert read_checkpoint(folder / "best.ckpt")["state"]["step"] > STEPS

    def stop():
        raise KeyboardInterrupt

    again = {"load": str(folder / "epoch_1.ckpt")}
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, run=again, loop={"epochs": 3}, update=at_step(STEPS, stop))
    assert read_checkpoint(folder / "last.ckpt")["state"]["step"] == STEPS
    shutil.copy(folder / "last.ckpt", folder / "epoch_1.ckpt")
    train(tmp_path, run=again, loop={"epochs": 2}, optim={"lr": 1e3})
    # However much worse: the best of the steps that are left.
    assert read_checkpoint(folder / "best.ckpt")["state"]["step"] == 2 * STEPS
