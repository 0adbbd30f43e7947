"""The ONNX backend beside torch: `python -m benchmarks.onnx_speed`.

The shipped networks, whole calls: crops of eight pictures to joints, one 2D pose to 3D.
"""

import argparse
from collections.abc import Callable

import numpy as np

from benchmarks.timing import machine, paired_rates, print_rows
from stacked_hourglass.onnx_backend import load_onnx_predictor
from stacked_hourglass.predictor import Predictor
from twod_threed.onnx_backend import OnnxLiftingModel, load_onnx_lifter
from twod_threed.predictor import LiftingModel
from utils.mannequin import render_sample
from utils.skeletons import MPII_16

PICTURES = 8
REPEATS = 100
"""Poses lifted one after another in each run."""


def _row(
    name: str, onnx: Callable[[], object], torch: Callable[[], object], count: int
) -> tuple[str, ...]:
    ours, theirs, ratio = paired_rates(onnx, torch, count)
    return (name, str(ours), str(theirs), f"{ratio}x")


def hourglass_rows(name: str) -> list[tuple[str, ...]]:
    """A shipped hourglass at batches of 1 and PICTURES, without mirroring."""
    onnx, torch = load_onnx_predictor(name), Predictor.load(name, "cpu", "32-true")
    samples = [render_sample(0, index) for index in range(PICTURES)]
    images = [sample.image for sample in samples]
    boxes = np.stack([sample.people[0].box for sample in samples])

    def one_by_one(predictor: Callable) -> None:
        for image, box in zip(images, boxes, strict=True):
            predictor([image], box[None], flip=False)

    return [
        _row(
            f"`{name}`, batch 1, pictures",
            lambda: one_by_one(onnx),
            lambda: one_by_one(torch),
            PICTURES,
        ),
        _row(
            f"`{name}`, batch {PICTURES}, pictures",
            lambda: onnx(images, boxes, flip=False),
            lambda: torch(images, boxes, flip=False),
            PICTURES,
        ),
    ]


def lifter_row() -> tuple[str, ...]:
    """The shipped lifter, one pose at a time."""
    onnx, torch = load_onnx_lifter(), LiftingModel.load(accelerator="cpu")
    pose = np.random.default_rng(0).uniform(0, 500, (1, len(MPII_16), 2))
    lens = np.array([800, 800, 250, 250])

    def many(model: LiftingModel | OnnxLiftingModel) -> None:
        for _ in range(REPEATS):
            model.lift(pose, MPII_16.name, intrinsics=lens)

    return _row("`lifter`, one pose alone", lambda: many(onnx), lambda: many(torch), REPEATS)


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    print(machine())
    head = ("a second", "onnxruntime", "torch", "ratio")
    print_rows("ONNX", [head, *hourglass_rows("lightweight"), lifter_row()])


if __name__ == "__main__":
    main()
