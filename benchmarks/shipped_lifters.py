"""The shipped lifters on films of people who were kept out: frame by frame, and over time.

    python -m benchmarks.shipped_lifters [--data_dir data/mocap] [--temporal NAMES] [--single NAMES]

The films are the test subjects' of `benchmarks.temporal_accuracy`: each clip at 25 frames a second,
seen by two cameras; with exact 2D, and with all of a detector's errors in each frame by itself.
"""

import argparse
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.temporal_accuracy import HEAD, draw_test_views, row
from benchmarks.timing import machine, print_rows
from twod_threed.pairs import read_pairs
from twod_threed.pose_rows import lift_pairs as lift_single
from twod_threed.predictor import LiftingModel
from twod_threed.temporal.evaluation import lift_pairs
from twod_threed.temporal.predictor import TemporalLiftingModel
from utils.mocap.store import join_stores, read_store


def single_poses(model: LiftingModel, folder: Path, films: str) -> np.ndarray:
    """(N, 17, 3) mm, relative to the hip."""
    found = lift_single(model, read_pairs(folder / f"{films}.npz")).keypoints_3d
    assert found is not None
    return found


def temporal_poses(model: TemporalLiftingModel, folder: Path, films: str) -> np.ndarray:
    """(N, 17, 3) mm, relative to the hip."""
    return lift_pairs(model, read_pairs(folder / f"{films}.npz"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data_dir", type=Path, default=Path("data/mocap"), help="motion stores")
    parser.add_argument("--temporal", nargs="*", default=["temporal", "temporal_causal"])
    parser.add_argument("--single", nargs="*", default=["lifter"])
    chosen = parser.parse_args()
    stores = sorted(chosen.data_dir.glob("*.npz"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        draw_test_views(join_stores([read_store(path) for path in stores]), folder)
        ways = {
            one: partial(temporal_poses, TemporalLiftingModel.load(one)) for one in chosen.temporal
        }
        ways |= {one: partial(single_poses, LiftingModel.load(one)) for one in chosen.single}
        rows = [row(one, folder, partial(poses, folder)) for one, poses in ways.items()]
    print(machine())
    print_rows("shipped lifters on test subjects", [HEAD, *rows])


if __name__ == "__main__":
    main()
