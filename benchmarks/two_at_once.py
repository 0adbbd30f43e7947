"""Trainings side by side, each on half of the cores, so that nothing favours either."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

Commands = list[list[str]]
"""Commands that follow each other."""


def both(one: Commands, other: Commands, logs: list[Path]) -> None:
    """Run two trainings at the same time; what they print goes to `logs`. Exits if one fails."""
    with ThreadPoolExecutor(2) as pool:
        codes = list(pool.map(_in_turn, (one, other), logs))
    if any(codes):
        raise SystemExit(f"error: a training failed, see {logs[0]} and {logs[1]}")


def _in_turn(commands: Commands, log: Path) -> int:
    """Run commands until one fails. -> exit code of the last that ran."""
    share = str(max(1, (os.cpu_count() or 1) // 2))
    environment = os.environ | {"OMP_NUM_THREADS": share}
    code = 0
    with log.open("w") as file:
        for command in commands:
            done = subprocess.run(
                command, stdout=file, stderr=subprocess.STDOUT, env=environment, check=False
            )
            code = done.returncode
            if code:
                break
    return code
