"""Lifters on what an hourglass finds in mannequin clips, beside the same with exact 2D joints.

    python -m benchmarks.lifter_on_detections [--load lifter] [--hourglass lightweight]
    python -m benchmarks.lifter_on_detections --load temporal lifter --fps 25 --frames 100

The hourglass sees the box around the person in each frame by itself; cameras are those that filmed
the clips. Temporal lifters look at the whole clip.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.timing import machine, print_rows
from stacked_hourglass.predictor import Predictor
from twod_threed.predictor import LiftingModel
from twod_threed.temporal.predictor import TemporalLiftingModel
from utils import pose_metrics
from utils.cameras import Camera
from utils.checkpoint import read_weights
from utils.mannequin import MannequinOptions, render_clip
from utils.skeletons import H36M_17, MPII_16

SIZE, SEED = 384, 900


Lift = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""2D joints (T, 16, 2) px and the camera's fx, fy, cx, cy -> poses (T, 17, 3) mm."""
MEASURES = ("MPJPE", "P-MPJPE", "N-MPJPE", "velocity")


@dataclass(frozen=True)
class Clip:
    """T frames: `exact` and `found` (T, 16, 2) px, `truth` (T, 17, 3) mm relative to the hip."""

    exact: np.ndarray
    found: np.ndarray
    truth: np.ndarray
    camera: Camera


def read_clip(seed: int, frames: int, fps: float, hourglass: Predictor) -> Clip:
    """A rendered clip and what the hourglass finds in it."""
    samples = list(render_clip(seed, frames, fps, MannequinOptions(SIZE, SIZE, cropped=False)))
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


def lifting(name: str, fps: float) -> Lift:
    """How the lifter of this name, of single frames or temporal, makes poses of a clip's joints."""
    if read_weights(name)[1]["kind"] == "temporal":
        temporal = TemporalLiftingModel.load(name)
        return lambda points, lens: (
            temporal.lift(points, MPII_16.name, intrinsics=lens, frame_rate=fps).poses
        )
    single = LiftingModel.load(name)
    return lambda points, lens: single.lift(points, MPII_16.name, intrinsics=lens).poses


def errors(lift: Lift, points: np.ndarray, clip: Clip) -> list[float]:
    """MPJPE, P-MPJPE and N-MPJPE, mm, and velocity error, mm a frame."""
    poses = lift(points, clip.camera.intrinsics)
    valid = np.ones(poses.shape[:2], bool)
    measures = (
        pose_metrics.joint_errors,
        pose_metrics.aligned_errors,
        pose_metrics.scaled_errors,
    )
    means = [float(measure(poses, clip.truth, valid).mean()) for measure in measures]
    one_clip, frame = np.zeros(len(poses)), np.arange(len(poses))
    velocity = pose_metrics.velocity_errors(poses, clip.truth, one_clip, frame)
    return [*means, float(np.nanmean(velocity))]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--load", nargs="+", default=["lifter"])
    parser.add_argument("--hourglass", default="lightweight")
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--frames", type=int, default=50)
    parser.add_argument("--fps", type=float, default=5.0)
    chosen = parser.parse_args()
    hourglass = Predictor.load(chosen.hourglass)
    seeds = range(SEED, SEED + chosen.clips)
    clips = [read_clip(seed, chosen.frames, chosen.fps, hourglass) for seed in seeds]
    rows = [("lifter", "2D joints", *(f"{name}, mm" for name in MEASURES))]
    for name in chosen.load:
        lift = lifting(name, chosen.fps)
        for kind in ("exact", "found"):
            scores = np.mean([errors(lift, getattr(clip, kind), clip) for clip in clips], axis=0)
            rows.append((name, kind, *(f"{score:.1f}" for score in scores)))
    print(machine())
    print_rows(
        f"{chosen.clips} mannequin clips of {chosen.frames} frames, {chosen.fps:g} a second, "
        f"2D by {chosen.hourglass}",
        rows,
    )


if __name__ == "__main__":
    main()
