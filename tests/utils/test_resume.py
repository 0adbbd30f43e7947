"""What a run that goes on takes from its options.json, and what from the command."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import options
from utils.command_line import option_names, parse_options
from utils.errors import UserError
from utils.resume import recall_options
from utils.run_folder import write_options

LSP = "hourglass_lsp"
CHANGED = ["--lr", "3e-05", "--epochs", "7", "--wd", "0.5", "--max_steps", "11", "--tb_dir", "a b"]
CHANGED += ["--lr_scheduler", "step", "--schedule", "2", "4"]
CHANGED += ["--use_amsprop", "--overwrite", "--no_grad_clipping"]


def parse(name: str, words: list[str]) -> Any:
    return parse_options(options.TRAIN[name], words, name)


def begin(folder: Path, name: str, words: list[str]) -> Any:
    """The options of a run that has written them, and a checkpoint."""
    began = parse(name, ["--exp", "x", "--checkpoint_dir", str(folder), *words])
    run = folder / f"{name}_x"
    run.mkdir()
    write_options(run / "options.json", began)
    (run / "last.ckpt").touch()
    return began


def resume(folder: Path, name: str, *words: str) -> Any:
    """The options of the command that goes on with it."""
    words = ("--exp", "x", "--checkpoint_dir", str(folder), "--resume", *words)
    known = recall_options(name, options.TRAIN[name], words)
    return parse_options(known, words, name)


def change(folder: Path, **values: object) -> Path:
    """Put values into the group `optim` of the file of LSP's run, or drop them if None."""
    path = folder / f"{LSP}_x/options.json"
    content = json.loads(path.read_text())
    content["optim"] |= values
    content["optim"] = {k: v for k, v in content["optim"].items() if v is not None}
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize("name", options.TRAIN)
def test_every_training_command_goes_on_with_its_own_options(name: str, tmp_path: Path):
    began = begin(tmp_path, name, CHANGED)
    assert began.optim.optimizer == "amsprop" and began.run.tb_dir == "a b"
    wanted = replace(began, run=replace(began.run, overwrite=False, resume=True))
    assert resume(tmp_path, name) == wanted


def test_the_command_comes_first(tmp_path: Path):
    began = begin(tmp_path, LSP, CHANGED)
    words = ["--weight_decay", "0.1", "--optimizer", "adam", "--no_grad_clipping", "False"]
    chosen = resume(tmp_path, LSP, *words, "--max_steps", "None", "--schedule", "9")
    assert (chosen.optim.weight_decay, chosen.optim.optimizer) == (0.1, "adam")
    assert (chosen.optim.no_grad_clipping, chosen.optim.schedule) == (False, (9,))
    assert chosen.loop == replace(began.loop, max_steps=None) and chosen.data == began.data


def test_nothing_is_recalled_without_resume(tmp_path: Path):
    begin(tmp_path, LSP, CHANGED)
    words = ["--exp", "x", "--checkpoint_dir", str(tmp_path)]
    assert recall_options(LSP, options.TRAIN[LSP], words) is options.TRAIN[LSP]


def test_a_moved_run_goes_on_where_it_lies_now(tmp_path: Path):
    (tmp_path / "old").mkdir()
    begin(tmp_path / "old", LSP, CHANGED)
    (tmp_path / "old").rename(tmp_path / "new")
    chosen = resume(tmp_path / "new", LSP)
    assert chosen.run.checkpoint_dir == str(tmp_path / "new") and chosen.loop.epochs == 7


def test_files_of_other_versions(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    began = begin(tmp_path, LSP, CHANGED)
    change(tmp_path, nesterov=True, grad_clip=None)
    chosen = resume(tmp_path, LSP)
    assert chosen.optim == replace(began.optim, grad_clip=10.0)
    (line,) = capsys.readouterr().err.splitlines()
    assert "options.json: --nesterov is unknown" in line


def test_without_the_file_the_command_is_all_there_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    begin(tmp_path, LSP, CHANGED)
    (tmp_path / f"{LSP}_x/options.json").unlink()
    assert resume(tmp_path, LSP).loop.epochs == 200
    assert "has no options.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "holds no options"),
        ('{"optim": {"optimizer": "sgd"}}', "invalid choice 'sgd'"),
        ('{"network": {"stacks": null}}', "--stacks"),
        ('{"loop": {"epochs": -1}}', "--epochs must be above 0"),
    ],
)
def test_files_that_do_not_fit_are_named(text: str, message: str, tmp_path: Path):
    begin(tmp_path, LSP, [])
    path = tmp_path / f"{LSP}_x/options.json"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        resume(tmp_path, LSP)
    assert str(path) in str(caught.value) and message in str(caught.value)
    assert "mend or remove it" in str(caught.value) and "\n" not in str(caught.value)


def test_weights_that_a_run_began_with_are_not_forgotten(tmp_path: Path):
    begin(tmp_path, LSP, ["--load", "lightweight"])
    assert resume(tmp_path, LSP).run.load == ""
    (tmp_path / f"{LSP}_x/last.ckpt").unlink()
    with pytest.raises(UserError, match=r"no checkpoint yet.*--load lightweight: .*--overwrite"):
        resume(tmp_path, LSP)


def leaves(groups: dict[str, Any]) -> Iterator[str]:
    """Names of the options in all groups and groups of groups."""
    for name, value in groups.items():
        if isinstance(value, dict):
            yield from leaves(value)
        else:
            yield name


@pytest.mark.parametrize("name", options.TRAIN)
def test_all_that_is_written_is_an_option_of_that_name(name: str, tmp_path: Path):
    begin(tmp_path, name, [])
    content = json.loads((tmp_path / f"{name}_x/options.json").read_text())
    written = {f"--{option}" for option in leaves(content)}
    # Fixed by the subcommand; says where to begin, as --load does.
    beside = {"--dataset", "--subcommand", "--resume_file"}
    assert written - beside <= set(option_names(options.TRAIN[name].kind))
