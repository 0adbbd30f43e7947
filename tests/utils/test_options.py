from dataclasses import dataclass, field, fields

import pytest
import torch
import tyro
from torch import nn

from utils.errors import UserError
from utils.optimizers import make_optimizer
from utils.options import LoopOptions, OptimizerOptions, RunOptions

GROUPS = (RunOptions, LoopOptions, OptimizerOptions)


@dataclass
class Command:
    run: tyro.conf.OmitArgPrefixes[RunOptions] = field(default_factory=RunOptions)
    loop: tyro.conf.OmitArgPrefixes[LoopOptions] = field(default_factory=LoopOptions)
    optim: tyro.conf.OmitArgPrefixes[OptimizerOptions] = field(default_factory=OptimizerOptions)


def parse(*arguments: str) -> Command:
    return tyro.cli(Command, args=arguments, use_underscores=True)


def test_groups_parse_flat_and_their_names_differ():
    names = [one.name for group in GROUPS for one in fields(group)]
    assert len(names) == len(set(names))
    found = parse(
        "--exp", "a", "--max_steps", "7", "--schedule", "3", "5", "--lr_scheduler", "step"
    )
    assert (found.run.exp, found.loop.max_steps, found.optim.schedule) == ("a", 7, (3, 5))


def test_defaults_are_those_of_the_published_programs():
    found = parse()
    assert (found.run.seed, found.run.tb_log_freq, found.loop.workers) == (234, 101, 6)
    assert (found.optim.lr, found.optim.grad_clip) == (2.5e-4, 10.0)


def test_every_option_has_help(capsys):
    with pytest.raises(SystemExit):
        parse("--help")
    text = " ".join(capsys.readouterr().out.replace("│", " ").split())
    for group in GROUPS:
        for one in fields(group):
            at = text.index(f"--{one.name}")
            described = text[at:].split("(default")[0]
            assert len(described.split()) > 3, one.name


@pytest.mark.parametrize(
    ("group", "values", "message"),
    [
        (RunOptions, {"exp": "a/b"}, "--exp"),
        (RunOptions, {"exp": ""}, "--exp"),
        (RunOptions, {"resume": True, "overwrite": True}, "not both"),
        (RunOptions, {"resume": True, "load": "x"}, "not both"),
        (RunOptions, {"tb_log_freq": 0}, "--tb_log_freq"),
        (RunOptions, {"seed": -1}, "--seed"),
        (LoopOptions, {"epochs": 0}, "--epochs"),
        (LoopOptions, {"max_steps": 0}, "--max_steps"),
        (LoopOptions, {"max_minutes": -1.0}, "--max_minutes"),
        (LoopOptions, {"workers": -1}, "--workers"),
        (LoopOptions, {"train_batch_size": 0}, "--train_batch_size"),
        (LoopOptions, {"ema_decay": 1.0}, "--ema_decay"),
        (OptimizerOptions, {"lr": 0.0}, "--lr"),
        (OptimizerOptions, {"lr": float("nan")}, "--lr"),
        (OptimizerOptions, {"momentum": 0.9, "optimizer": "adam"}, "--momentum"),
        (OptimizerOptions, {"schedule": (3,)}, "--schedule"),
        (OptimizerOptions, {"lr_scheduler": "step"}, "--schedule"),
        (OptimizerOptions, {"lr_scheduler": "step", "schedule": (0,)}, "--schedule"),
        (OptimizerOptions, {"grad_clip": 0.0}, "--grad_clip"),
        (OptimizerOptions, {"warmup_steps": -1}, "--warmup_steps"),
    ],
)
def test_values_that_make_no_sense_are_user_errors(group, values, message):
    with pytest.raises(UserError, match=message):
        group(**values)


def test_optimizers_are_those_named():
    parameters = [nn.Parameter(torch.ones(1))]

    def made(**values):
        return make_optimizer(parameters, OptimizerOptions(**values))

    rmsprop = made(momentum=0.5, weight_decay=0.1)
    assert isinstance(rmsprop, torch.optim.RMSprop)
    assert rmsprop.defaults["momentum"] == 0.5 and rmsprop.defaults["weight_decay"] == 0.1
    assert rmsprop.defaults["alpha"] == 0.99 and rmsprop.defaults["lr"] == 2.5e-4
    for optimizer, amsgrad in (("adam", False), ("amsprop", True)):
        found = made(optimizer=optimizer, lr=1e-3)
        assert isinstance(found, torch.optim.Adam) and found.defaults["amsgrad"] == amsgrad
        assert found.defaults["lr"] == 1e-3
    assert made(use_amsprop=True).defaults["amsgrad"]
