"""One table of how fast every stage is on this machine: `make bench`.

    python -m benchmarks [--only film lifter]

"found" is the median of some runs after one to warm up, with the smallest and largest. Where the
limit is a rate, it is that at which this machine multiplies matrices, in the number format that the
command computes in, over what the stage has to multiply; "ratio" says how much of it is reached.
"""

import argparse

from benchmarks.stages import STAGES
from benchmarks.timing import machine, print_rows

HEAD = ("stage", "what", "found", "limit", "ratio")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = {one.__name__.removesuffix("_figures"): one for one in STAGES}
    parser.add_argument("--only", nargs="+", choices=names, default=list(names))
    chosen = parser.parse_args()
    rows = [figure.row() for name in chosen.only for figure in names[name]()]
    print(machine())
    print_rows("Every stage", [HEAD, *rows])


if __name__ == "__main__":
    main()
