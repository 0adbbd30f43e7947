"""Trainings side by side, each on half of the cores, so that nothing favours either."""

import os
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from utils.processes import core_count

Commands = list[list[str]]
"""Commands that follow each other."""


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
            done = subprocess.run(
                command, stdout=file, stderr=subprocess.STDOUT, env=environment, check=False
            )
            code = done.returncode
            if code:
                break
    return code
