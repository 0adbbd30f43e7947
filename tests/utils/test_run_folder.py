import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.utils.toy_training import train
from utils.errors import UserError
from utils.options import LoopOptions, OptimizerOptions, RunOptions, TrainingOptions
from utils.run_folder import Start, find_start, open_folder, write_history


def options(tmp_path: Path, **values) -> RunOptions:
    return RunOptions(checkpoint_dir=str(tmp_path), tb_dir=str(tmp_path / "logs"), **values)


def begin(tmp_path: Path, name: str = "toy_default", **values) -> Start:
    run = options(tmp_path, **values)
    start = find_start(run, name)
    open_folder(
        start, tmp_path / "logs" / name, TrainingOptions(run, LoopOptions(), OptimizerOptions())
    )
    return start


def fill(folder: Path, *names: str) -> None:
    for name in names or ("last.ckpt", "best.ckpt", "best.safetensors", "history.csv", "mine.txt"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{folder.name} {name}")


def test_a_new_run_writes_its_options(tmp_path):
    start = begin(tmp_path, exp="default")
    assert start == Start(tmp_path / "toy_default", None, "")
    written = json.loads((start.folder / "options.json").read_text())
    assert written["run"]["exp"] == "default" and written["loop"]["epochs"] == 50


def test_a_used_folder_is_refused_resumed_or_overwritten(tmp_path):
    folder = begin(tmp_path).folder
    fill(folder)
    fill(folder, ".last-abc.ckpt")
    fill(folder, "epoch_3.ckpt", "training_curves_mpjpe.png")
    fill(tmp_path / "logs/toy_default", "events.out.tfevents.1", "notes.txt")
    with pytest.raises(UserError, match="already holds a run"):
        find_start(options(tmp_path), "toy_default")
    start = begin(tmp_path, resume=True)
    assert start.checkpoint == folder / "last.ckpt"
    assert (folder / "last.ckpt").exists() and len(
        [*(tmp_path / "logs/toy_default").iterdir()]
    ) == 2
    assert (folder / "epoch_3.ckpt").exists()
    assert not (folder / ".last-abc.ckpt").exists()
    assert begin(tmp_path, overwrite=True).checkpoint is None
    assert {path.name for path in folder.iterdir()} == {"options.json", "mine.txt"}
    assert [path.name for path in (tmp_path / "logs/toy_default").iterdir()] == ["notes.txt"]


def test_logs_of_a_run_in_another_place_stay(tmp_path):
    fill(tmp_path / "logs/toy_default", "events.out.tfevents.1")
    begin(tmp_path)
    assert (tmp_path / "logs/toy_default/events.out.tfevents.1").exists()


@pytest.mark.parametrize("ended", [["best.safetensors"], ["history.csv", "predictions.npz"]])
def test_a_finished_run_without_its_last_checkpoint_is_not_begun_again(tmp_path, ended):
    folder = begin(tmp_path).folder
    fill(folder, *ended)
    with pytest.raises(UserError, match=r"has no last.ckpt to go on from: --load .* --overwrite"):
        begin(tmp_path, resume=True)
    assert all((folder / name).exists() for name in ended)
    # One that was killed while it wrote its first checkpoint begins again.
    (folder / "predictions.npz").unlink(missing_ok=True)
    fill(folder, "history.csv", "best.safetensors")
    assert begin(tmp_path, resume=True).checkpoint is None


def test_resume_needs_a_run_but_not_yet_a_checkpoint(tmp_path):
    with pytest.raises(UserError, match="no run to resume"):
        find_start(options(tmp_path, resume=True), "toy_default")
    begin(tmp_path)
    assert begin(tmp_path, resume=True).checkpoint is None


def test_load_tells_runs_from_weights(tmp_path):
    fill(tmp_path / "other")
    other = tmp_path / "other"
    for load in (other, other / "last.ckpt"):
        assert find_start(options(tmp_path, load=str(load)), "x").checkpoint == other / "last.ckpt"
    (other / "file.pth.tar").touch()
    for load in (str(other / "best.safetensors"), "lightweight", str(other / "file.pth.tar")):
        assert find_start(options(tmp_path, load=load), "x") == Start(tmp_path / "x", None, load)
    (tmp_path / "empty").mkdir()
    for load in ("empty", "absent.ckpt"):
        with pytest.raises(UserError, match=r"there is no|holds no weights"):
            find_start(options(tmp_path, load=str(tmp_path / load)), "x")
    with pytest.raises(UserError, match=r"no weights at misspelt: .*shipped models: .*lightweight"):
        find_start(options(tmp_path, load="misspelt"), "x")


def test_an_empty_folder_does_not_hide_a_shipped_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lightweight").mkdir()
    assert find_start(options(tmp_path, load="lightweight"), "x").weights == "lightweight"


def test_a_run_continued_elsewhere_takes_its_best_weights_along(tmp_path):
    fill(tmp_path / "other")
    start = begin(tmp_path, load=str(tmp_path / "other"))
    found = {path.name: path.read_text() for path in start.folder.glob("best.*")}
    expected = {name: f"other {name}" for name in ("best.ckpt", "best.safetensors")}
    assert found == expected


def test_overwrite_does_not_remove_what_load_reads(tmp_path):
    folder = begin(tmp_path).folder
    fill(folder)
    for load in (folder, folder / "last.ckpt", folder / "best.safetensors"):
        with pytest.raises(UserError, match="--overwrite would remove"):
            find_start(options(tmp_path, load=str(load), overwrite=True), "toy_default")
    assert find_start(options(tmp_path, load=str(folder)), "toy_default").checkpoint is not None
    with pytest.raises(UserError, match="already holds"):
        find_start(options(tmp_path, load=str(folder / "best.safetensors")), "toy_default")


@pytest.mark.parametrize("name", ["checkpoint_dir", "tb_dir"])
@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_file_in_place_of_a_folder_is_told_before_anything_is_written(tmp_path, name, place):
    (tmp_path / "file").write_text("mine")
    options = RunOptions()
    setattr(options, name, str(tmp_path / place))
    with pytest.raises(UserError, match=f"--{name} .*file is a file, not a folder"):
        find_start(options, "model_default")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_history_has_every_column_and_exact_numbers(tmp_path):
    rows = [{"epoch": 0, "a": 0.1 + 0.2, "seconds": 1.5}, {"epoch": 1, "b": 2.0, "seconds": 2.5}]
    write_history(tmp_path, rows)
    lines = (tmp_path / "history.csv").read_text().splitlines()
    assert lines == ["epoch,a,b,seconds", "0,0.30000000000000004,,1.5", "1,,2.0,2.5"]


def test_two_processes_never_share_a_folder(tmp_path):
    """The second is refused, also with --overwrite and --resume; when the first ends, it may."""
    folder = tmp_path / "runs/toy_default"
    holds = "import sys; from utils.run_folder import alone_in; from pathlib import Path\n"
    holds += "with alone_in(Path(sys.argv[1])): print('has it', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", holds, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None and first.stdout.readline() == b"has it\n"
        for run in ({}, {"overwrite": True}):
            with pytest.raises(UserError, match=r"another process is training in .*toy_default"):
                train(tmp_path, run=run)
        assert not folder.exists(), "nothing was written"
        first.kill()
    assert train(tmp_path, loop={"epochs": 1}).stop_reason == "epochs"
