"""`eval.py skeleton_to_image`: trained dancers, scored on frames that they have not seen."""

import csv
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from generative_models.skeleton_to_image import metrics
from generative_models.skeleton_to_image.dancer_data import DancerFrames
from generative_models.skeleton_to_image.description import DancerDescription
from generative_models.skeleton_to_image.evaluation_options import (
    SkeletonToImageEvalOptions,
)
from generative_models.skeleton_to_image.inference import Dancer, draw_frames
from generative_models.skeleton_to_image.perceptual_scores import (
    PerceptualScore,
    find_perceptual_scores,
)
from generative_models.skeleton_to_image.training_data import read_frames
from utils.atomic import atomic_path
from utils.comparison import aligned
from utils.option_checks import named_models

FindPoses = Callable[[np.ndarray], np.ndarray]
"""Pictures (N, S, S, 3) uint8 RGB -> joints (N, 13, 2) px, dance_13, NaN missing."""
COLUMNS = ("l1", "psnr", "ssim", "lpips", "fid", "sharpness", "flicker", "pose_error")
Scores = dict[str, dict[str, float]]


def evaluate(options: SkeletonToImageEvalOptions, find_poses: FindPoses | None = None) -> int:
    """Print a table and write results.csv. -> exit code 0.

    find_poses: looks for the person in the made frames; without it `pose_error` is left out. The
    row `real frames` says how far off it is in the real ones.
    """
    perceptual = find_perceptual_scores()
    scores: Scores = {}
    frames_of_size: dict[int, DancerFrames] = {}
    for name, source in named_models(options.models).items():
        dancer = Dancer.load(source, options.accelerator)
        size = dancer.image_size
        if size not in frames_of_size:
            frames_of_size[size] = read_frames(options.data, size).of_part(options.part)
        frames = frames_of_size[size]
        tell_what_differs(name, dancer.description, frames.name, options.data.parts)
        made = draw_frames(dancer, frames, options.batch_size)
        scores[f"{name} ({size} px)"] = score(made, frames, find_poses, perceptual)
    for size, frames in frames_of_size.items():
        scores[f"real frames ({size} px)"] = score(frames.images, frames, find_poses, perceptual)
    print(table(scores))
    write_csv(options.output_dir / "results.csv", scores)
    print(f"also in {options.output_dir / 'results.csv'}")
    return 0


def tell_what_differs(name: str, model: DancerDescription, dancer: str, parts: str) -> None:
    """Says on stderr if a model draws another person than the frames show, or may have trained on
    the frames that score it."""
    if model.dancer != dancer:
        print(f"note: {name} draws {model.dancer}, but is scored on {dancer}", file=sys.stderr)
    elif model.parts and model.parts != parts:
        print(
            f"note: {name} was trained with {model.parts}: it may have seen frames that score it",
            file=sys.stderr,
        )


def score(
    made: np.ndarray,
    frames: DancerFrames,
    find_poses: FindPoses | None = None,
    perceptual: Mapping[str, PerceptualScore] | None = None,
) -> dict[str, float]:
    """Every measure of made pictures (N, S, S, 3) uint8 of these frames."""
    real = frames.images
    scores = {
        "l1": metrics.l1(made, real),
        "psnr": metrics.psnr(made, real),
        "ssim": metrics.ssim(made, real),
        "sharpness": metrics.sharpness_ratio(made, real),
        "flicker": metrics.flicker_ratio(made, real, frames.frame),
        **{name: measure(made, real) for name, measure in (perceptual or {}).items()},
    }
    if find_poses:
        scores["pose_error"] = metrics.pose_error(find_poses(made), frames.keypoints, frames.size)
    return scores


def table(scores: Scores) -> str:
    """All scores as text, a line for each model."""
    columns = [name for name in COLUMNS if any(name in one for one in scores.values())]
    lines = [["", *columns], []]
    for name, one in scores.items():
        lines.append([name, *(f"{one[column]:.4f}" for column in columns)])
    return aligned(lines)


def write_csv(path: Path, scores: Scores) -> None:
    """A line for each model and measure."""
    with atomic_path(path) as temporary, open(temporary, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["model", "measure", "value"])
        for name, one in scores.items():
            writer.writerows([name, measure, f"{value:.6g}"] for measure, value in one.items())
