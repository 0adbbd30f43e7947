"""Subcommands, options, one-line errors and exit codes, on a small made-up script."""

import io
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal

import pytest
import torch
import tyro

from utils.command_line import (
    Options,
    option_names,
    parse_group,
    parse_options,
    run_script,
)
from utils.errors import UserError


@dataclass
class Common:
    lr: float = 1.0
    """Learning rate."""
    seed: int = 234
    resume: bool = False
    schedule: tuple[int, ...] = ()


@dataclass
class Fit:
    inputs: tyro.conf.Positional[tuple[str, ...]] = ()
    estimates: Annotated[str, tyro.conf.arg(name="2d_estimates", aliases=["--twod"])] = ""
    common: Common = field(default_factory=Common)
    augment_training_data: bool = True
    flip: Annotated[bool, tyro.conf.arg(aliases=["-f"])] = False
    loss: Literal["mse", "cross_entropy"] = "mse"
    kind: Annotated[str, tyro.conf.Suppress] = "line"

    def __post_init__(self) -> None:
        if self.common.seed < 0:
            raise ValueError(f"seed must not be negative, not {self.common.seed}")


@dataclass
class Needy:
    """Needs a folder."""

    data_dir: str


FIT = Options("Fit a line.", Fit)


def parse(*arguments: str) -> Fit:
    return parse_options(FIT, arguments, "toy.py fit")


def run(
    *arguments: str,
    result: int | None = None,
    stop: type[BaseException] | BaseException | None = None,
) -> int:
    def function(options: Fit) -> int | None:
        if isinstance(stop, BaseException):
            raise stop
        if stop is not None:
            raise stop("photo.jpg is not a picture")
        return result

    options = {"fit_line": FIT, "fit_plane": Options("Needs a folder.", Needy)}
    return run_script("toy.py", "Fit things.", options, dict.fromkeys(options, function), arguments)


def test_names_that_are_no_text_are_printed(capsys: pytest.CaptureFixture[str]):
    def tell(_: Fit) -> None:
        print(b"caf\xe9.jpg".decode("utf-8", "surrogateescape"), "caf\u00e9.jpg")

    assert run_script("toy.py", "Fit things.", {"fit": FIT}, {"fit": tell}, ["fit"]) == 0
    assert capsys.readouterr().out == "caf\\udce9.jpg caf\u00e9.jpg\n"


def test_defaults_are_those_of_the_dataclass():
    assert parse() == Fit()


def test_hyphens_underscores_equals_signs_and_aliases_mean_the_same():
    wanted = Fit(estimates="poses.npz", common=Common(lr=0.5))
    for spelling in ("--2d_estimates", "--2d-estimates", "--twod"):
        assert parse(spelling, "poses.npz", "--lr=0.5") == wanted


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (["--flip"], True),
        (["-f"], True),
        (["--flip", "True"], True),
        (["--flip", "true"], True),
        (["--flip=true"], True),
        (["--flip", "False"], False),
        (["--flip=False"], False),
        (["-f", "false"], False),
        (["--flip", "Yes"], True),
        (["--flip", "no"], False),
        (["--flip=ON"], True),
        (["--flip", "off"], False),
    ],
)
def test_true_or_false_options_stand_alone_or_take_a_value(words: list[str], value: bool):
    assert parse(*words).flip is value
    assert parse("a.jpg", *words, "--lr", "2") == Fit(("a.jpg",), "", Common(2.0), True, value)


def test_a_lone_flag_does_not_swallow_what_follows():
    assert parse("--flip", "2", "photo.jpg") == Fit(inputs=("2", "photo.jpg"), flip=True)
    assert parse("--flip", "True", "0") == Fit(inputs=("0",), flip=True)
    assert parse("--resume", "--augment_training_data", "False").augment_training_data is False


def test_negative_numbers_and_lists_are_values():
    assert parse("--lr", "-1.5", "--schedule", "60", "90").common == Common(
        lr=-1.5, schedule=(60, 90)
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--agment_training_data"], "toy.py fit has no option --agment_training_data; "),
        (["--agment_training_data"], "did you mean --augment_training_data?"),
        (["--zzz", "3"], "no option --zzz; see toy.py fit --help"),
        (["-x"], "no option -x"),
        (["--lr", "fast"], "could not convert string to float: 'fast'"),
        (["--lr"], "missing value for argument '--lr'"),
        (["--flip=maybe"], "invalid choice 'maybe'"),
        (["--flip", "0", "photo.jpg"], "write True or False after --flip, before 0"),
        (["-f", "1"], "write True or False after -f, before 1"),
        (["--loss", "l1"], "Expected one of ('mse', 'cross_entropy')"),
        (["--seed", "-1"], "seed must not be negative, not -1"),
        (["--seed", str(2**63)], "--seed must be at most 9223372036854775807"),
        (["--schedule", "3", "9" * 20], "--schedule must be at most 9223372036854775807"),
    ],
)
def test_what_does_not_fit_is_one_line(words: list[str], message: str):
    with pytest.raises(UserError) as caught:
        parse(*words)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value) and "│" not in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_errors_are_one_line_in_any_encoding(encoding: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding))
    with pytest.raises(UserError) as caught:
        parse("--loss", "l1")
    assert str(caught.value) == (
        "invalid choice 'l1' for argument '--loss'. Expected one of ('mse', 'cross_entropy')."
    )


def test_a_required_option_is_named_when_absent():
    with pytest.raises(UserError, match=r"^missing from toy.py fit: --data_dir STR$"):
        parse_options(Options("", Needy), [], "toy.py fit")


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_of_what_is_absent_only_the_names_are_told(encoding: str, monkeypatch: pytest.MonkeyPatch):
    @dataclass
    class NeedsTwo:
        folder: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FOLDER")]
        """Folder, searched through, with all files that are needed and a help text long enough
        for several lines."""
        poses: Annotated[str, tyro.conf.arg(aliases=["--twod"])]
        """Poses."""

    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding))
    with pytest.raises(UserError) as caught:
        parse_options(Options("", NeedsTwo), [], "toy.py fit")
    assert str(caught.value) == "missing from toy.py fit: FOLDER; --poses STR"


def test_a_group_is_parsed_whatever_the_others_say():
    words = ["--flip", "--loss", "none", "--lr", "3", "a.jpg", "--schedule", "1", "2"]
    assert parse_group(Common, FIT, words, "toy.py fit") == Common(lr=3.0, schedule=(1, 2))
    with pytest.raises(UserError, match="did you mean --flip"):
        parse_group(Common, FIT, ["--flop"], "toy.py fit")
    with pytest.raises(UserError, match="'fast'"):
        parse_group(Common, FIT, ["--lr", "fast"], "toy.py fit")


def test_recalled_defaults_hold_where_the_command_says_nothing():
    chosen: list[Fit] = []

    def recall(name: str, known: Options, words: Sequence[str]) -> Options:
        assert (name, list(words)) == ("fit_line", ["--lr", "3"])
        return replace(known, defaults=Fit(common=Common(lr=2.0, seed=7)))

    functions = {"fit_line": chosen.append}
    words = ["fit_line", "--lr", "3"]
    assert run_script("toy.py", "Fit.", {"fit_line": FIT}, functions, words, recall) == 0
    assert chosen == [Fit(common=Common(lr=3.0, seed=7))]


def test_two_options_of_one_name_are_refused():
    @dataclass
    class Clash:
        lr: float = 0.1
        common: Common = field(default_factory=Common)

    with pytest.raises(ValueError, match="two options --lr"):
        option_names(Clash)


def test_every_spelling_is_known():
    assert option_names(Fit) == {
        "--2d_estimates": False,
        "--twod": False,
        "--lr": False,
        "--seed": False,
        "--resume": True,
        "--schedule": False,
        "--augment_training_data": True,
        "--flip": True,
        "-f": True,
        "--loss": False,
    }


def test_a_subcommand_may_bring_its_own_defaults():
    own = Options("Fit a plane.", Fit, Fit(common=Common(seed=7), kind="plane"))
    wanted = Fit(common=Common(lr=3.0, seed=7), kind="plane")
    assert parse_options(own, ["--lr", "3"], "toy.py fit") == wanted


def test_what_the_subcommand_fixes_cannot_be_set():
    with pytest.raises(UserError, match="no option --kind"):
        parse("--kind", "circle")


def test_the_overview_lists_each_subcommand_with_one_line(capsys: pytest.CaptureFixture[str]):
    assert run("--help") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  fit_line   Fit a line." in lines
    assert "  fit_plane  Needs a folder." in lines


def test_the_help_of_a_subcommand_lists_every_option(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as stop:
        run("fit_line", "--help")
    assert not stop.value.code
    text = capsys.readouterr().out
    assert all(name in text for name in option_names(Fit))
    assert "Learning rate." in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "the subcommand comes first"),
        (["--lr", "2"], "the subcommand comes first"),
        (["fit_lines"], "did you mean fit_line or fit_plane?"),
        (["paint"], "no subcommand paint; it has fit_line, fit_plane"),
    ],
)
def test_a_wrong_subcommand_is_one_line_and_exit_2(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
):
    assert run(*words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ") and captured.err.count("\n") == 1
    assert message in captured.err


def test_exit_codes(capsys: pytest.CaptureFixture[str]):
    assert run("fit_line") == 0
    assert run("fit_line", result=1) == 1
    assert run("fit_line", stop=KeyboardInterrupt) == 130
    assert run("fit_line", stop=UserError) == 2
    assert capsys.readouterr().err == "stopped\nerror: photo.jpg is not a picture\n"


@pytest.mark.parametrize("fault", [ZeroDivisionError, RuntimeError, OSError])
def test_a_fault_of_ours_keeps_its_traceback(fault: type[Exception]):
    with pytest.raises(fault):
        run("fit_line", stop=fault)


def test_a_file_that_the_system_refuses_is_one_line(capsys: pytest.CaptureFixture[str]):
    def look(_: Fit) -> None:
        os.stat("a" * 300)

    assert run_script("toy.py", "Fit things.", {"fit": FIT}, {"fit": look}, ["fit"]) == 2
    assert capsys.readouterr().err == f"error: cannot use {'a' * 300}: File name too long\n"
    assert run("fit_line", stop=PermissionError(13, "Permission denied", b"a/b")) == 2
    assert capsys.readouterr().err == "error: cannot use a/b: Permission denied\n"


def test_too_little_memory_is_one_line(capsys: pytest.CaptureFixture[str]):
    def ask(_: Fit) -> None:
        torch.empty(2**60, dtype=torch.uint8)

    line = "error: not enough memory{}: a smaller batch or network needs less\n"
    assert run_script("toy.py", "Fit things.", {"fit": FIT}, {"fit": ask}, ["fit"]) == 2
    assert capsys.readouterr().err == line.format(f" for {2**60} bytes more")
    assert run("fit_line", stop=MemoryError()) == 2
    assert capsys.readouterr().err == line.format("")
    of_gpu = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has")
    assert run("fit_line", stop=of_gpu) == 2
    assert capsys.readouterr().err == line.format(" for 20.00 GiB more")


def test_importing_it_does_not_import_tyro():
    code = "import sys, utils.command_line; sys.exit('tyro' in sys.modules)"
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
