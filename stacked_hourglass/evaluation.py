"""The commands that score 2D poses: `eval.py mpii_PCKh`, `lsp_PCK`, `eva_PCK` and `custom_PCK`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stacked_hourglass.custom import read_custom
from stacked_hourglass.custom_predictions import in_order, person_lengths, read_custom_predictions
from stacked_hourglass.evaluation_files import (
    SCORED,
    GroundTruth,
    find_mpii_ground_truth,
    read_lsp_ground_truth,
    read_lsp_predictions,
    read_mpii_ground_truth,
    read_mpii_predictions,
    scored,
)
from stacked_hourglass.evaluation_options import (
    EvalCustomOptions,
    EvalEvaOptions,
    EvalLspOptions,
    EvalMpiiOptions,
)
from stacked_hourglass.evaluation_report import Metric, ModelScores, table, write_report
from stacked_hourglass.humaneva import read_humaneva
from stacked_hourglass.pck import normalised_distances, torso_lengths
from stacked_hourglass.sources import AbsentError
from utils.comparison import present_models
from utils.errors import UserError
from utils.pose_json import read_pose_file
from utils.skeleton_conversion import convert
from utils.skeletons import MPII_16, skeleton_named

PCKH = Metric("PCKh", 0.5, "head sizes")
PCK = Metric("PCK", 0.2, "torso lengths")


def evaluate_mpii_pckh(options: EvalMpiiOptions) -> None:
    """Print PCKh@0.5 of every prediction file and write tables and curves. Raises UserError."""
    _report(score_mpii(options), PCKH, options.output_dir)


def evaluate_lsp_pck(options: EvalLspOptions) -> None:
    """Print PCK@0.2 of the torso of every prediction file and write tables and curves.

    Raises UserError.
    """
    _report(score_lsp(options), PCK, options.output_dir)


def score_mpii(options: EvalMpiiOptions) -> list[ModelScores]:
    """PCKh of every prediction file, in their order.

    Raises UserError for files that are absent or do not fit the ground truth.
    """
    names = present_models(options.prediction_files, options.model_names)
    truth = read_mpii_ground_truth(find_mpii_ground_truth(options.ground_truth, options.data_dir))
    return [
        _scores(name, path, read_mpii_predictions(path, truth), truth)
        for name, path in zip(names, options.prediction_files, strict=True)
    ]


def score_lsp(options: EvalLspOptions) -> list[ModelScores]:
    """PCK of the torso of every prediction file, in their order.

    A picture without a prediction counts as wrong, and is told. Raises UserError for files that
    are absent or do not fit the ground truth.
    """
    names = present_models(options.prediction_files, options.model_names)
    truth = read_lsp_ground_truth(options.data_dir, options.split)
    models = []
    for name, path in zip(names, options.prediction_files, strict=True):
        predictions, absent = read_lsp_predictions(path, truth)
        if absent:
            print(f"{path}: {absent} of {len(predictions)} pictures are not in it: counted wrong")
        models.append(_scores(name, path, predictions, truth))
    return models


def evaluate_eva_pck(options: EvalEvaOptions) -> None:
    """Print PCK@0.2 of the torso of every prediction file and its mean distances in px, and write
    tables and curves. Raises UserError."""
    _report(score_eva(options), PCK, options.output_dir)


def score_eva(options: EvalEvaOptions) -> list[ModelScores]:
    """PCK of the torso of every prediction file, in their order; mean distances are printed.

    Who is not in a file counts as wrong, and is told. Raises UserError for files that are absent or
    do not fit the pictures.
    """
    names = present_models(options.prediction_files, options.model_names)
    try:
        people = read_humaneva(options.data_dir).of_split(options.split)
    except AbsentError as error:
        raise UserError(error.and_prepare) from error
    joints = convert(people.keypoints, MPII_16, SCORED).poses
    lengths = torso_lengths(joints, SCORED)
    truth = GroundTruth(joints[lengths > 0], lengths[lengths > 0], ())
    models = []
    for name, path in zip(names, options.prediction_files, strict=True):
        poses = read_pose_file(path)
        found = scored(poses.keypoints_2d, poses.skeleton_2d)
        predictions, absent = in_order(poses, found, people.rows(lengths > 0), path)
        if absent:
            print(f"{path}: {absent} of {len(predictions)} pictures are not in it: counted wrong")
        away = np.linalg.norm(predictions - truth.joints, axis=-1)
        if np.isfinite(away).any():
            print(f"{name}: {np.nanmean(away):.2f} px away on average, where a joint was found")
        models.append(_scores(name, path, predictions, truth))
    return models


def evaluate_custom_pck(options: EvalCustomOptions) -> None:
    """Print PCK of every prediction file and write tables and curves. Raises UserError."""
    unit = "sides of the box" if options.length_joints is None else "lengths"
    metric = Metric("PCK", options.threshold, unit)
    _report(score_custom(options), metric, options.output_dir)


def score_custom(options: EvalCustomOptions) -> list[ModelScores]:
    """PCK of every prediction file, in their order.

    Who is not in a file counts as wrong, and is told. Raises UserError for files that are absent or
    do not fit the annotations.
    """
    names = present_models(options.prediction_files, options.model_names)
    table = read_custom(options.data_dir, options.custom).of_split(options.split)
    lengths = person_lengths(table, options.length_joints)
    table, lengths = table.rows(lengths > 0), lengths[lengths > 0]
    models = []
    for name, path in zip(names, options.prediction_files, strict=True):
        predictions, absent = read_custom_predictions(path, table)
        if absent:
            print(f"{path}: {absent} of {len(table)} annotations are not in it: counted wrong")
        distances = normalised_distances(predictions, table.keypoints, lengths)
        models.append(ModelScores(name, path, distances, skeleton_named(table.skeleton)))
    return models


def _scores(name: str, path: Path, predictions: np.ndarray, truth: GroundTruth) -> ModelScores:
    distances = normalised_distances(predictions, truth.joints, truth.lengths)
    return ModelScores(name, path, distances, SCORED)


def _report(models: Sequence[ModelScores], metric: Metric, output_dir: Path) -> None:
    print(table(models, metric))
    files = write_report(models, metric, output_dir)
    print(f"\nwrote {', '.join(path.name for path in files)} to {output_dir}")
