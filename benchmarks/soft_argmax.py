"""How far the soft-argmax is off, by temperature and window, on peaks whose place is known.

    python -m benchmarks.soft_argmax [--sigma 2] [--size 64]

Gaussian peaks of height 1 on an otherwise empty map, anywhere at least 6 px from its border; the
mean distance from the true place in heatmap px. The network's input has four px for each.
"""

import argparse

import torch
from torch import Tensor

from benchmarks.timing import print_rows
from stacked_hourglass.targets import make_heatmaps
from stitched.network.soft_argmax import SoftArgmax2D, Window

TEMPERATURES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)
WINDOWS: tuple[Window, ...] = ("none", "uniform", "parzen")
MARGIN, PEAKS = 6.0, 2000


def peaks(sigma: float, size: int, count: int = PEAKS) -> tuple[Tensor, Tensor]:
    """Places (1, count, 2) and their maps (1, count, size, size), always the same."""
    generator = torch.Generator().manual_seed(0)
    inside = size - 1 - 2 * MARGIN
    places = MARGIN + inside * torch.rand(1, count, 2, generator=generator)
    return places, make_heatmaps(places, size, size, sigma)


def mean_error(places: Tensor, maps: Tensor, temperature: float, window: Window) -> float:
    """Mean distance of the soft-argmax from the places, heatmap px."""
    with torch.no_grad():
        found = SoftArgmax2D(temperature, window=window)(maps)
    return float((found - places).norm(dim=-1).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sigma", type=float, default=2.0, help="width of the peaks, heatmap px")
    parser.add_argument("--size", type=int, default=64, help="side of the maps, px")
    chosen = parser.parse_args()
    places, maps = peaks(chosen.sigma, chosen.size)
    rows: list[tuple[str, ...]] = [("temperature", *WINDOWS)]
    for temperature in TEMPERATURES:
        errors = (mean_error(places, maps, temperature, window) for window in WINDOWS)
        rows.append((f"{temperature:g}", *(f"{error:.4f}" for error in errors)))
    nearest = float((places.round() - places).norm(dim=-1).mean())
    size = f"{chosen.size} x {chosen.size}"
    print_rows(f"mean error, heatmap px, sigma {chosen.sigma:g}, {size}", rows)
    print(f"\nthe nearest cell: {nearest:.4f}")


if __name__ == "__main__":
    main()
