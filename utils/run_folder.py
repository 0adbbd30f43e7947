"""The folder of a run: who may write into it, what a run starts from, its options and history."""

import csv
import dataclasses
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from utils.atomic import atomic_path
from utils.errors import UserError, need
from utils.options import RunOptions

FILES = (
    "options.json",
    "last.ckpt",
    "best.ckpt",
    "best.safetensors",
    "history.csv",
    "predictions.npz",
)
KEPT = ("epoch_*.ckpt", "training_curves_*.png")
"""What some runs keep beside these."""
_LOGS = "events.out.tfevents.*"


@dataclass(frozen=True)
class Start:
    """Where a run writes, and what it starts from: a checkpoint to go on with, weights, nothing."""

    folder: Path
    checkpoint: Path | None
    weights: str


def run_folder(run: RunOptions, run_name: str) -> Path:
    """Folder of the run `run_name` (<subcommand>_<exp>)."""
    return Path(run.checkpoint_dir) / run_name


def _loaded_checkpoint(load: str) -> Path | None:
    """The checkpoint that --load means if it continues a run, else None."""
    path = Path(load)
    if path.is_dir() and _is_used(path):
        path = path / "last.ckpt"
    if path.suffix != ".ckpt":
        return None
    if not path.is_file():
        raise UserError(f"--load {load}: there is no {path}")
    return path


def find_start(run: RunOptions, run_name: str) -> Start:
    """What a run starts from. Changes nothing.

    Raises UserError if a run of this name exists and is neither resumed nor overwritten, if there
    is none to resume, if there are no weights to load, or if a file is where a folder should be.
    """
    _need_folders(run)
    folder = run_folder(run, run_name)
    used = _is_used(folder)
    if run.resume:
        need(used, f"there is no run to resume in {folder}")
        return Start(folder, _last_checkpoint(folder), "")
    checkpoint = _loaded_checkpoint(run.load) if run.load else None
    if run.load and not checkpoint:
        # Here, because it loads torch, which --help does without.
        from utils.weights import resolve

        resolve(run.load)
    own = bool(run.load) and folder.resolve() in (checkpoint or Path(run.load)).resolve().parents
    if own and run.overwrite:
        raise UserError(
            f"--overwrite would remove what --load {run.load} reads; give another --exp"
        )
    if used and not run.overwrite and not (own and checkpoint):
        raise UserError(
            f"{folder} already holds a run: --resume goes on with it, --overwrite replaces it, "
            f"--exp NAME starts another"
        )
    return Start(folder, checkpoint, "" if checkpoint else run.load)


def _is_used(folder: Path) -> bool:
    return any((folder / name).exists() for name in FILES) or bool(_kept(folder))


def _kept(folder: Path) -> list[Path]:
    return [path for pattern in KEPT for path in folder.glob(pattern)]


def _last_checkpoint(folder: Path) -> Path | None:
    """last.ckpt; None of a run killed before its first, which starts again. Raises UserError where
    a run has ended of which it was removed."""
    if (folder / "last.ckpt").is_file():
        return folder / "last.ckpt"
    has = {name: (folder / name).exists() for name in FILES}
    # A killed run leaves best weights only after its history.
    ended = has["predictions.npz"] or (has["best.safetensors"] and not has["history.csv"])
    need(
        not ended,
        f"{folder} has no last.ckpt to go on from: --load {folder / 'best.safetensors'} --exp NAME "
        "starts from its weights, --overwrite replaces it",
    )
    return None


def _need_folders(run: RunOptions) -> None:
    for name, place in (("checkpoint_dir", run.checkpoint_dir), ("tb_dir", run.tb_dir)):
        for folder in (Path(place), *Path(place).parents):
            if folder.exists() and not folder.is_dir():
                raise UserError(f"--{name} {place}: {folder} is a file, not a folder")


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Nobody else writes into the run's folder meanwhile.

    The lock lies beside the folder, and ends with the process, however that ends. Raises UserError
    if another process has it, or the place cannot be written.
    """
    lock = FileLock(folder.with_name(f".{folder.name}.lock"))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UserError(
            f"another process is training in {folder}: wait for it, or start a run of your own "
            "with --exp NAME"
        ) from error
    except OSError as error:
        raise UserError(f"cannot write {folder}: {error.strerror or error}") from error
    try:
        yield
    finally:
        lock.release()


def open_folder(start: Start, log_folder: Path, options: Any) -> None:
    """Make the folder ready for the run to write: options.json, and nothing of an earlier run.

    A run continued in another folder takes its best weights along.
    """
    folder, checkpoint = start.folder, start.checkpoint
    continues = checkpoint is not None and checkpoint.resolve().parent == folder.resolve()
    old_logs = [*log_folder.glob(_LOGS)] if _is_used(folder) and not continues else []
    old_kept = [] if continues else _kept(folder)
    for old in (*old_logs, *old_kept):
        old.unlink(missing_ok=True)
    for name in FILES:
        if not continues:
            (folder / name).unlink(missing_ok=True)
        stem, suffix = name.split(".")
        for leftover in folder.glob(f".{stem}-*.{suffix}"):  # of a run killed while writing
            leftover.unlink(missing_ok=True)
    if checkpoint is not None and continues and checkpoint.name != "last.ckpt":
        # So that a run killed before its next checkpoint goes on from this one, not a later one.
        with atomic_path(folder / "last.ckpt") as temporary:
            shutil.copyfile(checkpoint, temporary)
    if checkpoint is not None and not continues:
        for best in checkpoint.parent.glob("best.*"):
            with atomic_path(folder / best.name) as temporary:
                shutil.copyfile(best, temporary)
    write_options(folder / "options.json", options)


def write_options(path: Path, options: Any) -> None:
    """Write an options dataclass as JSON."""
    with atomic_path(path) as temporary:
        text = json.dumps(dataclasses.asdict(options), indent=2, default=str)
        temporary.write_text(text + "\n", encoding="utf-8")


def write_history(folder: Path, rows: list[dict[str, float]]) -> None:
    """Write history.csv: a row per epoch, a column for every name in any row ("" where absent)."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    columns.sort(key=lambda name: name == "seconds")
    with (
        atomic_path(folder / "history.csv") as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
