"""Two commands side by side, each on half of the cores, so that nothing favours either."""

import os
import subprocess
from pathlib import Path


def both(command: list[str], other: list[str], logs: list[Path]) -> None:
    """Run two commands at the same time; what they print goes to `logs`. Exits if one fails."""
    share = str(max(1, (os.cpu_count() or 1) // 2))
    environment = os.environ | {"OMP_NUM_THREADS": share}
    running = []
    for one, log in zip((command, other), logs, strict=True):
        with log.open("w") as file:
            running.append(
                subprocess.Popen(one, stdout=file, stderr=subprocess.STDOUT, env=environment)
            )
    codes = [process.wait() for process in running]
    if any(codes):
        raise SystemExit(f"error: a training failed, see {logs[0]} and {logs[1]}")
