"""Everything that can be measured on this machine: `python -m benchmarks [--peer FOLDER]`."""

import subprocess
import sys

BENCHMARKS = ("startup", "data_speed", "lifter_speed", "hourglass_speed")


def main() -> int:
    """Run each benchmark in a process of its own; arguments go to the last one."""
    codes = [
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *arguments]).returncode
        for name, arguments in zip(BENCHMARKS, ([], [], [], sys.argv[1:]), strict=True)
    ]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
