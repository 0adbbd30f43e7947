"""The commands that score 3D poses: `eval.py h36m_mpjpe` and `eval.py mocap_mpjpe`.

Poses are compared relative to their hips, in the camera frame, mm. Human3.6M's mean is that of the
literature: every pose of an action weighs the same, and then every action; for motion capture,
every data set. What a lost pose costs is said in `utils/pose_metrics.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from twod_threed.evaluation_options import EvalH36mOptions, EvalMocapOptions
from twod_threed.evaluation_report import (
    Grouping,
    ModelScores,
    group_scores,
    tables,
    write_report,
)
from twod_threed.h36m import NOT_OF_14, read_h36m
from twod_threed.h36m_takes import ACTIONS
from twod_threed.matching import read_predictions
from twod_threed.measures import pose_measures
from twod_threed.pairs import PosePairs, read_pairs
from utils import pose_metrics
from utils.comparison import present_models
from utils.errors import UserError
from utils.skeletons import H36M_17
from utils.subjects import TEST_SUBJECTS

# More actions than these would make a table that nobody reads.
_MOST_ACTIONS = 20
TESTED = TEST_SUBJECTS["h36m"]
_HIP = H36M_17.index("hip")


@dataclass(frozen=True)
class Truth:
    """N poses to score against, and how they are grouped.

    The unweighted mean over the groups of the first grouping is the model's score.
    """

    file: Path
    pairs: PosePairs
    groupings: tuple[Grouping, ...]
    scored: tuple[str, ...]
    """names of the joints that count"""


def evaluate_h36m_mpjpe(options: EvalH36mOptions) -> None:
    """Print the errors of every prediction file by action and joint; write tables and plots.

    Raises UserError.
    """
    _report(score_h36m(options), options.output_dir)


def evaluate_mocap_mpjpe(options: EvalMocapOptions) -> None:
    """Print the errors of every prediction file by data set and joint; write tables and plots.

    Raises UserError.
    """
    _report(score_mocap(options), options.output_dir)


def score_h36m(options: EvalH36mOptions) -> list[ModelScores]:
    """Scores of every prediction file, in their order.

    Raises UserError for files that are absent or do not fit the ground truth.
    """
    names = present_models(options.prediction_files, options.model_names)
    pairs = _h36m_pairs(options)
    by_action = Grouping.of("action", pairs.actions, order=options.actions or ACTIONS)
    truth = _truth(options.ground_truth, pairs, (by_action,), options.joints)
    return [score(*model, truth) for model in zip(names, options.prediction_files, strict=True)]


def score_mocap(options: EvalMocapOptions) -> list[ModelScores]:
    """Scores of every prediction file, in their order.

    Raises UserError for files that are absent or do not fit the ground truth.
    """
    names = present_models(options.prediction_files, options.model_names)
    pairs = read_pairs(options.ground_truth)
    if options.subjects:
        pairs = pairs.select(
            _named(options.subjects, pairs.subjects, "subject", options.ground_truth)
        )
    groupings = (Grouping.of("source", pairs.sources),)
    if len(np.unique(pairs.actions)) <= _MOST_ACTIONS:
        groupings = (*groupings, Grouping.of("action", pairs.actions))
    truth = _truth(options.ground_truth, pairs, groupings, options.joints)
    return [score(*model, truth) for model in zip(names, options.prediction_files, strict=True)]


def _h36m_pairs(options: EvalH36mOptions) -> PosePairs:
    """Poses of the people and actions asked for: of a folder, all of them must be there; a file,
    such as `run.py 2d3d_h36m` writes, may hold other people, whatever its 2D joints are."""
    file = options.ground_truth
    if not file.is_file():
        return read_h36m(
            file, options.subjects or TESTED, options.actions or ACTIONS, every=options.every
        )
    pairs = read_pairs(file)
    there = np.unique(pairs.subjects).tolist()
    subjects = options.subjects or [name for name in TESTED if name in there] or there
    chosen = _named(subjects, pairs.subjects, "subject", file)
    if options.actions:
        chosen &= _named(options.actions, pairs.actions, "action", file)
    return pairs.select(chosen & (pairs.frame % options.every == 0))


def _named(names: Sequence[str], of_pose: np.ndarray, kind: str, file: Path) -> np.ndarray:
    """Which poses (N,) bool are of the people or actions named, of which each must be there."""
    for name in names:
        if name not in of_pose:
            there = ", ".join(np.unique(of_pose).tolist())
            raise UserError(f"{file} has no {kind} {name}, only {there}")
    return np.isin(of_pose, names)


def _truth(file: Path, pairs: PosePairs, groupings: tuple[Grouping, ...], joints: int) -> Truth:
    if len(pairs) == 0:
        raise UserError(f"{file} has no poses to score")
    lost = int(np.isnan(pairs.poses_3d[:, _HIP]).any(axis=-1).sum())
    if lost:
        raise UserError(f"{file}: {lost} poses have no hip, from which all is measured")
    scored = [name for name in H36M_17.joints if joints == 17 or name not in NOT_OF_14]
    return Truth(file, pairs, groupings, tuple(scored))


def score(name: str, path: Path, truth: Truth) -> ModelScores:
    """Scores of one prediction file. Raises UserError if it does not fit the ground truth."""
    poses, others = read_predictions(path, truth.pairs)
    if others:
        print(f"{path}: {others} of its {others + len(poses)} poses are not scored")
    joints = H36M_17.indices(*truth.scored)
    predictions = pose_metrics.hip_relative(poses, _HIP)[:, joints]
    target = pose_metrics.hip_relative(truth.pairs.poses_3d, _HIP)[:, joints]
    pairs = truth.pairs
    views = pairs.clip * len(pairs.camera_names) + pairs.camera
    measures = pose_measures(predictions, target, pairs.valid[:, joints], views, pairs.frame)
    curves = pose_metrics.pck_curve(measures["MPJPE"], measures["missing"] / 100)
    return ModelScores(
        name,
        path,
        truth.scored,
        tuple(group_scores(grouping, measures, curves) for grouping in truth.groupings),
    )


def _report(models: list[ModelScores], output_dir: Path) -> None:
    print(tables(models))
    files = write_report(models, output_dir)
    print(f"\nwrote {', '.join(path.name for path in files)} to {output_dir}")
