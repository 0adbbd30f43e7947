"""Pictures that LSP's test part shares with what the shipped hourglasses were trained on.

    python -m benchmarks.shared_pictures [--lsp data/lsp] [--lspet data/lspet] [--from 0.93]

Each whole picture becomes 24 x 24 grey values without their mean and of length 1; pairs whose
product is at least `--from` are printed, to be looked at. Pictures of the same moment have 0.96 and
more, those of another moment of the same burst less, and strangers at most 0.9. A picture that was
cut out of another one is not found.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from benchmarks.timing import print_rows
from utils.images import list_images, read_image

SIDE = 24
TEST_FROM = 1000
"""Pictures of LSP from im1001.jpg on are its test part."""


def grey_values(image: np.ndarray) -> np.ndarray:
    """(576,) of a picture (H, W, 3)."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()


def thumbnails(folder: str) -> tuple[list[str], np.ndarray]:
    """Names of a data set's pictures and (N, 576) grey values of mean 0 and length 1."""
    files = list_images(Path(folder) / "images")
    values = np.array([grey_values(read_image(file)) for file in files])
    values -= values.mean(1, keepdims=True)
    return [file.name for file in files], values / np.linalg.norm(values, axis=1, keepdims=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lsp", default="data/lsp", help="folder of LSP")
    parser.add_argument("--lspet", default="data/lspet", help="LSP extended")
    parser.add_argument("--from", dest="least", type=float, default=0.93)
    chosen = parser.parse_args()
    lsp, lsp_values = thumbnails(chosen.lsp)
    lspet, lspet_values = thumbnails(chosen.lspet)
    test, test_values = lsp[TEST_FROM:], lsp_values[TEST_FROM:]
    parts = (
        ("LSP's training part", lsp[:TEST_FROM], lsp_values[:TEST_FROM]),
        ("LSP extended", lspet, lspet_values),
    )
    for name, others, values in parts:
        alike = values @ test_values.T
        pairs = np.argwhere(alike >= chosen.least)
        rows = [(others[i], test[j], f"{alike[i, j]:.3f}") for i, j in pairs]
        largest = f"{len(rows)} pairs, the largest product {alike.max():.3f}"
        print_rows(f"{name}: {largest}", [("there", "test part", "product"), *rows])


if __name__ == "__main__":
    main()
