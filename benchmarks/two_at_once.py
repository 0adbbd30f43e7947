"""Trainings side by side, each on half of the cores, so that nothing favours either."""

import os
import shlex
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from utils.processes import core_count

Commands = list[list[str]]
"""Commands that follow each other."""


def train_missing(trainings: dict[Path, list[str]]) -> None:
    """Run trainings, by the folder that each makes, two at a time.

    What they print goes to FOLDER.log, after the command. A training that has ended is not run
    again if it was by the same command.
    """
    left = [run for run, command in trainings.items() if not _has_ended(run, command)]
    for pair in (left[start : start + 2] for start in range(0, len(left), 2)):
        side_by_side([[trainings[run]] for run in pair], [_log_of(run) for run in pair])


def _log_of(run: Path) -> Path:
    return run.with_name(f"{run.name}.log")


def _has_ended(run: Path, command: list[str]) -> bool:
    if not (run / "predictions.npz").is_file() or not _log_of(run).is_file():
        return False
    return _log_of(run).read_text().startswith(f"{shlex.join(command)}\n")


def side_by_side(sides: Sequence[Commands], logs: Sequence[Path]) -> None:
    """Run up to two trainings at the same time; what they print goes to `logs`. Exits if one
    fails."""
    with ThreadPoolExecutor(2) as pool:
        codes = list(pool.map(_in_turn, sides, logs))
    if any(codes):
        raise SystemExit(f"error: a training failed, see {' and '.join(map(str, logs))}")


def _in_turn(commands: Commands, log: Path) -> int:
    """Run commands until one fails. -> exit code of the last that ran."""
    share = str(max(1, core_count() // 2))
    environment = os.environ | {"OMP_NUM_THREADS": share}
    code = 0
    with log.open("w") as file:
        for command in commands:
            print(shlex.join(command), file=file, flush=True)
            done = subprocess.run(
                command, stdout=file, stderr=subprocess.STDOUT, env=environment, check=False
            )
            code = done.returncode
            if code:
                break
    return code
