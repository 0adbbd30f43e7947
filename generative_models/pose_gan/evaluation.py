"""The command that scores models of poses: `eval.py 3d_pose_gan`.

Every model makes up poses, which are compared with those of people that no model has seen. What
real people reach is the floor: training poses against the same held-out ones, or, for what is said
of single poses (lengths, angles, symmetry, distance to training poses), the held-out ones
themselves.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from generative_models.pose_gan import anatomy, metrics
from generative_models.pose_gan.data import pose_pools
from generative_models.pose_gan.evaluation_options import EvalPoseGanOptions
from generative_models.pose_gan.gaussian import GaussianModel
from generative_models.pose_gan.predictor import Sampler, load_sampler
from utils.atomic import atomic_path
from utils.checkpoint import read_weights
from utils.comparison import aligned
from utils.skeletons import H36M_17
from utils.subjects import tell_if_trained

MEASURES = {
    "Frechet distance, joints": "m2, low",
    "Frechet distance, bone directions": "low",
    "MMD2, joints": "1e-3, low",
    "MMD2, bone directions": "1e-3, low",
    "precision": "%, high",
    "recall": "%, high",
    "coverage": "%, high",
    "bone lengths of real people": "%, high",
    "joint angles of real people": "%, high",
    "both": "%, high",
    "left unlike right": "%, like real",
    "nearest training pose, median": "mm, like real",
    "nearest training pose, closest 1 %": "mm, like real",
}
"""Every measure: its unit, and what is good."""
NEAREST_AMONG = 50_000
"""Training poses in which the nearest are looked for."""

_FEATURES = {"joints": metrics.joint_features, "bone directions": metrics.direction_features}
# Distances of features are root sums of squares over sixteen joints, m; these are mm per joint.
_MM_A_JOINT = 1000 / np.sqrt(len(H36M_17) - 1)


@dataclass(frozen=True)
class Yardstick:
    """What poses are held against."""

    held_out: np.ndarray
    """(N, 17, 3) mm"""
    lengths: anatomy.Ranges
    angles: anatomy.Ranges
    """of training and held-out poses together"""
    training: np.ndarray
    """(M, 48) joint features to find the nearest in"""

    @classmethod
    def of(cls, train: np.ndarray, held_out: np.ndarray, among: np.ndarray) -> "Yardstick":
        """Of poses (N, 17, 3) mm: those that train, those held out, those to find the nearest
        in."""
        people = np.concatenate([train, held_out])
        lengths, angles = anatomy.length_ranges(people), anatomy.angle_ranges(people)
        return cls(held_out, lengths, angles, metrics.joint_features(among))


def run(options: EvalPoseGanOptions) -> int:
    """`evaluate` as a command. -> exit code 0. Raises UserError."""
    evaluate(options)
    return 0


def people_of(place: str) -> Sequence[str]:
    """Who trained weights, where they tell. Raises UserError if there are none."""
    return read_weights(place)[1].get("people", ())


def evaluate(
    options: EvalPoseGanOptions,
    load: Callable[[str], Sampler] = load_sampler,
    trained_by: Callable[[str], Sequence[str]] = people_of,
) -> dict[str, dict[str, float]]:
    """Print and write every measure of real poses, a Gaussian and each model. -> model ->
    measure -> value. Raises UserError."""
    samplers = {name: load(place) for name, place in options.named.items()}
    training, other = pose_pools(options.data, ("train", options.split), options.seed)
    for name, place in options.named.items():
        tell_if_trained(trained_by(place), other.subjects, name)
    train, held_out = training.even_poses(options.count), other.even_poses(options.count)
    among = training.even_poses(NEAREST_AMONG)
    yardstick = Yardstick.of(train, held_out, among)
    samplers["Gaussian"] = GaussianModel.fit(among)
    scores = {"real": between(train, yardstick) | of_single_poses(held_out, yardstick)}
    for name, sampler in samplers.items():
        poses = sampler.sample(options.count, options.seed)
        scores[name] = between(poses, yardstick) | of_single_poses(poses, yardstick)
    print(
        f"{len(held_out)} held-out poses of {', '.join(other.subjects)}; real: {len(train)} "
        f"training poses of {len(training.subjects)} people against them\n"
    )
    print(table(scores))
    write_csv(options.output_dir / "results.csv", scores)
    print(f"\nwrote results.csv to {options.output_dir}")
    return scores


def between(poses: np.ndarray, yardstick: Yardstick) -> dict[str, float]:
    """What sets are compared by: poses (N, 17, 3) mm against the held-out ones."""
    scores: dict[str, float] = {}
    for name, features in _FEATURES.items():
        made, real = features(poses), features(yardstick.held_out)
        scale = metrics.kernel_scale(real)
        scores[f"Frechet distance, {name}"] = metrics.frechet_distance(made, real)
        scores[f"MMD2, {name}"] = 1000 * metrics.mmd_squared(made, real, scale)
    made, real = metrics.joint_features(poses), metrics.joint_features(yardstick.held_out)
    overlap = metrics.support(real, made)
    scores["precision"] = 100 * overlap.precision
    scores["recall"] = 100 * overlap.recall
    scores["coverage"] = 100 * overlap.coverage
    return scores


def of_single_poses(poses: np.ndarray, yardstick: Yardstick) -> dict[str, float]:
    """What each of poses (N, 17, 3) mm is asked for itself."""
    lengths = yardstick.lengths.holds(anatomy.bone_lengths(poses))
    angles = yardstick.angles.holds(anatomy.joint_angles(poses))
    distances, _ = metrics.nearest(metrics.joint_features(poses), yardstick.training)
    return {
        "bone lengths of real people": 100 * float(lengths.mean()),
        "joint angles of real people": 100 * float(angles.mean()),
        "both": 100 * float((lengths & angles).mean()),
        "left unlike right": float(anatomy.asymmetry(poses).mean()),
        "nearest training pose, median": _MM_A_JOINT * float(np.median(distances)),
        "nearest training pose, closest 1 %": _MM_A_JOINT * float(np.quantile(distances, 0.01)),
    }


def table(scores: Mapping[str, Mapping[str, float]]) -> str:
    """A line for each measure, a column for each model."""
    lines = [("", "", *scores), ()]
    for measure, unit in MEASURES.items():
        values = (f"{_digits(scores[name][measure])}" for name in scores)
        lines.append((measure, unit, *values))
    return aligned(lines)


def write_csv(path: Path, scores: Mapping[str, Mapping[str, float]]) -> None:
    """A line for every number: model, measure, unit, value. Raises UserError."""
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["model", "measure", "unit", "value"])
        for name, found in scores.items():
            for measure, unit in MEASURES.items():
                writer.writerow([name, measure, unit.rpartition(", ")[0], f"{found[measure]:.6g}"])


def _digits(value: float) -> str:
    return f"{value:.4f}" if abs(value) < 1 else f"{value:.2f}"
