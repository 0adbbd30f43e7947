"""What the size of a hourglass costs: pictures a second in training and in use.

    python -m benchmarks.size_speed

Networks of random weights, a step of training on a batch of 16 and pictures one by one, from that
of `lightweight` on, one thing changed at a time; at the end `lightweight` in float32.
"""

import argparse
from dataclasses import replace

from benchmarks.hourglass_speed import our_inference, our_step
from benchmarks.timing import machine, print_rows, rate
from stacked_hourglass.architecture import Architecture
from utils.devices import device_kind, pick_precision

BATCH = 16
LIGHTWEIGHT = Architecture(stacks=2, features=128)
SIZES = {
    "`lightweight`: 2 stacks, 128 features, 128 px": (LIGHTWEIGHT, 128),
    "1 stack": (replace(LIGHTWEIGHT, stacks=1), 128),
    "64 features": (replace(LIGHTWEIGHT, features=64), 128),
    "256 features": (replace(LIGHTWEIGHT, features=256), 128),
    "64 px": (LIGHTWEIGHT, 64),
    "256 px": (LIGHTWEIGHT, 256),
}


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    device = device_kind()
    precision = pick_precision("auto", device)
    rows: list[tuple[str, ...]] = [("size", "trained, pictures/s", "found, pictures/s")]
    networks = [(name, *size, precision) for name, size in SIZES.items()]
    for name, shape, resolution, digits in [*networks, ("float32", LIGHTWEIGHT, 128, "32-true")]:
        step = our_step(shape, digits, device, resolution, BATCH)
        use = our_inference(shape, digits, device, 1, resolution)
        rows.append((name, str(rate(step, BATCH)), str(rate(use, 1, 30))))
    print(machine())
    print_rows(f"Sizes, {precision}", rows)


if __name__ == "__main__":
    main()
