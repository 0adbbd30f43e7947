"""The four scripts as a user starts them: help, errors of one line, exit codes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPTS = ["train.py", "run.py", "viz.py", "eval.py"]


def start(*words: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    script, *arguments = words
    command = [sys.executable, str(ROOT / script), *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False
    )


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_lists_the_subcommands(script: str):
    done = start(script, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"usage: {script} SUBCOMMAND [options]" in done.stdout
    assert "\n  " in done.stdout.partition("subcommands:")[2]


@pytest.mark.parametrize("words", [("run.py", "pose"), ("train.py", "hourglass_mpii")])
def test_help_of_a_subcommand_needs_nothing_heavy(words: tuple[str, str]):
    code = (
        "import atexit, runpy, sys; sys.argv = sys.argv[1:];"
        "atexit.register(lambda: print('heavy:', {'torch', 'numpy', 'cv2'} & {*sys.modules}));"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    command = [sys.executable, "-c", code, *words, "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--output_dir" in done.stdout or "--checkpoint_dir" in done.stdout
    assert done.stdout.endswith("heavy: set()\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("train.py",), "the subcommand comes first"),
        (("train.py", "hourglas_mpi"), "did you mean hourglass_mpii"),
        (("run.py", "posse"), "did you mean pose?"),
        (("viz.py", "overlay"), "did you mean 2d_overlay?"),
        (("eval.py", "mpii_pckh"), "mpii_PCKh"),
        (("train.py", "hourglass_lsp", "--epoch", "3"), "did you mean --epochs"),
        (("train.py", "hourglass_lsp", "--stacks", "two"), "'two'"),
        (("train.py", "hourglass_lsp", "--resolution", "100"), "--resolution must be a multiple"),
        (("run.py", "pose"), "name a picture"),
        (("run.py", "pose", "no_such_picture.jpg"), "no_such_picture.jpg"),
        (("eval.py", "lsp_PCK"), "--prediction_files"),
    ],
)
def test_errors_of_the_user_are_one_line_and_exit_2(words: tuple[str, ...], message: str):
    done = start(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1, done.stderr
    assert message in done.stderr


def test_an_absent_data_set_is_one_line_that_says_what_to_do(tmp_path: Path):
    done = start("train.py", "hourglass_lsp", "--data_dir", "nowhere", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1, done.stderr
    for part in ("nowhere", "http", "joints.mat", "data/prepare.py", "hourglass_mannequin"):
        assert part in done.stderr


def test_a_reader_that_goes_away_leaves_no_traceback() -> None:
    """`python eval.py --help | head -0`."""
    command = [sys.executable, str(ROOT / "eval.py"), "--help"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141
