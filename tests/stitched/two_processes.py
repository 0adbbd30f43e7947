"""`run.py pose` in two processes; started by test_sharing.py.

Arguments: output folder, number of devices, inputs. Each process writes <folder>/looked<rank>.txt:
how many pictures it looked at.
"""

import os
import sys
from pathlib import Path

import numpy as np

from stacked_hourglass.joints import FoundJoints
from stitched import pose
from stitched.options import FilesOptions, LiftOptions, MachineOptions, PoseOptions


class Brightness:
    """Sees somebody in each picture, whose joints tell how bright it is."""

    skeleton = "mpii_16"

    def __init__(self) -> None:
        self.looked = 0

    def __call__(self, images, boxes, flip=True):
        self.looked += len(images)
        steps = np.linspace((0, 0), (1, 1), 16, dtype=np.float32)
        points = np.stack([image.mean() * steps for image in images])
        return FoundJoints(points, np.ones((len(images), 16), np.float32))


if __name__ == "__main__":
    predictor = Brightness()
    options = PoseOptions(
        tuple(sys.argv[3:]),
        output_dir=sys.argv[1],
        lifting=LiftOptions(lift=False),
        files=FilesOptions(overlay=False),
        machine=MachineOptions(accelerator="cpu", precision="32-true", devices=int(sys.argv[2])),
    )
    code = pose.run(options, lambda *_: predictor)
    rank = os.environ.get("LOCAL_RANK", "0")
    (Path(sys.argv[1]) / f"looked{rank}.txt").write_text(str(predictor.looked))
    sys.exit(code)
