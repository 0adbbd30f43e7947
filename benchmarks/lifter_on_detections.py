"""The lifter on what an hourglass finds in mannequin clips, beside the same with exact 2D joints.

    python -m benchmarks.lifter_on_detections [--load lifter] [--hourglass lightweight] [--clips 12]

The hourglass sees the box around the person; cameras are those that filmed the clips.
"""

import argparse
from dataclasses import dataclass

import numpy as np

from benchmarks.timing import machine, print_rows
from stacked_hourglass.predictor import Predictor
from twod_threed.predictor import LiftingModel
from utils import pose_metrics
from utils.cameras import Camera
from utils.mannequin import MannequinOptions, render_clip
from utils.skeletons import H36M_17, MPII_16

FRAMES, FPS, SIZE, SEED = 50, 5.0, 384, 900


@dataclass(frozen=True)
class Clip:
    """T frames: `exact` and `found` (T, 16, 2) px, `truth` (T, 17, 3) mm relative to the hip."""

    exact: np.ndarray
    found: np.ndarray
    truth: np.ndarray
    camera: Camera


def read_clip(seed: int, hourglass: Predictor) -> Clip:
    """A rendered clip and what the hourglass finds in it."""
    samples = list(render_clip(seed, FRAMES, FPS, MannequinOptions(SIZE, SIZE, cropped=False)))
    people = [sample.people[0] for sample in samples]
    images = [sample.image for sample in samples]
    found = hourglass(images, np.stack([person.box for person in people])).keypoints
    poses = np.stack([person.keypoints_3d_h36m for person in people])
    return Clip(
        np.stack([person.keypoints_2d_mpii for person in people]),
        found,
        pose_metrics.hip_relative(poses, H36M_17.root),
        samples[0].camera,
    )


def errors(lifter: LiftingModel, points: np.ndarray, clip: Clip) -> list[float]:
    """MPJPE, P-MPJPE and N-MPJPE, mm."""
    poses = lifter.lift(points, MPII_16.name, intrinsics=clip.camera.intrinsics).poses
    measures = (
        pose_metrics.joint_errors,
        pose_metrics.aligned_errors,
        pose_metrics.scaled_errors,
    )
    valid = np.ones(poses.shape[:2], bool)
    return [float(measure(poses, clip.truth, valid).mean()) for measure in measures]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--load", default="lifter")
    parser.add_argument("--hourglass", default="lightweight")
    parser.add_argument("--clips", type=int, default=12)
    chosen = parser.parse_args()
    hourglass, lifter = Predictor.load(chosen.hourglass), LiftingModel.load(chosen.load)
    clips = [read_clip(SEED + number, hourglass) for number in range(chosen.clips)]
    rows: list[tuple[str, ...]] = [("2D joints", "MPJPE, mm", "P-MPJPE, mm", "N-MPJPE, mm")]
    for name in ("exact", "found"):
        scores = np.mean([errors(lifter, getattr(clip, name), clip) for clip in clips], axis=0)
        rows.append((name, *(f"{score:.1f}" for score in scores)))
    print(machine())
    print_rows(f"{chosen.load} on {chosen.clips} mannequin clips, 2D by {chosen.hourglass}", rows)


if __name__ == "__main__":
    main()
