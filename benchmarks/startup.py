"""How long `run.py --help` takes: the whole process, from outside.

python -m benchmarks.startup
"""

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks.timing import RUNS, Spread, machine, print_rows, seconds, spread

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 1.5


def command_time(arguments: list[str]) -> Spread:
    """Seconds of a whole command, after one to warm up."""
    command = [sys.executable, *arguments]

    def start() -> None:
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)

    start()
    return spread([seconds(start) for _ in range(RUNS)])


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    rows = [("command", "seconds", f"under {LIMIT} s")]
    for arguments in (["run.py", "--help"], ["train.py", "hourglass_mpii", "--help"]):
        taken = command_time(arguments)
        rows.append((" ".join(arguments), str(taken), "yes" if taken.median < LIMIT else "NO"))
    print(machine())
    print_rows("Start-up", rows)


if __name__ == "__main__":
    main()
