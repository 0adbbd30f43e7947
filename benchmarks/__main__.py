"""Everything that can be measured on this machine: `python -m benchmarks [--peer FOLDER]`."""

import subprocess
import sys

BENCHMARKS = ("startup", "data_speed", "lifter_speed", "temporal_speed", "hourglass_speed")


def main() -> int:
    """Run each benchmark in a process of its own; arguments go to the last one."""
    given = {BENCHMARKS[-1]: sys.argv[1:]}
    commands = [[f"benchmarks.{name}", *given.get(name, [])] for name in BENCHMARKS]
    return max(subprocess.run([sys.executable, "-m", *command]).returncode for command in commands)


if __name__ == "__main__":
    sys.exit(main())
