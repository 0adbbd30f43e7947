"""`eval.py temporal_*`: whole films are lifted and scored, as the paper's final figures are.

Protocol 1 is MPJPE, protocol 2 P-MPJPE, protocol 3 N-MPJPE, and MPJVE the error of the velocity
(Pavllo et al. 2019, section 6.1), all relative to the hip. Every frame of an action weighs the
same, and then every action; for motion, every data set.
"""

from pathlib import Path

import numpy as np

from twod_threed.evaluation_report import (
    Grouping,
    ModelScores,
    group_scores,
    tables,
    write_report,
)
from twod_threed.h36m_takes import ACTIONS
from twod_threed.measures import pose_measures
from twod_threed.pairs import PosePairs
from twod_threed.temporal.evaluation_options import TemporalEvalOptions
from twod_threed.temporal.films import fixed_films
from twod_threed.temporal.inference import smoothed, times_of
from twod_threed.temporal.inference_options import Smooth
from twod_threed.temporal.options import FIXED_FILMS
from twod_threed.temporal.predictor import MAX_GAP, TemporalLiftingModel
from twod_threed.temporal.sequences import frame_rate_of, sequences_of
from twod_threed.temporal.visualization import temporal_render
from twod_threed.temporal.visualization_options import render_options
from twod_threed.training_data import tell_who_trained
from utils import pose_metrics
from utils.errors import UserError
from utils.option_checks import refuse_given
from utils.skeletons import skeleton_named
from utils.weights import resolve

# More actions than these would make a table that nobody reads.
_MOST_ACTIONS = 20


def evaluate(options: TemporalEvalOptions) -> int:
    """Lift the films asked for, print their errors, write tables and plots, or render one of them.

    -> exit code 0. Raises UserError for weights or data that are absent or do not fit each other.
    """
    if options.render:
        refuse_given(options, ("split", "by_subject", "smooth"), "with --render")
        return temporal_render(
            render_options(options.data, options.weights, options.viz, options.seed)
        )
    resolve(options.weights.place)  # absent weights are told before minutes of reading
    pairs = fixed_films(options.data, options.split, options.seed)
    model = TemporalLiftingModel.of(options.weights, pairs.skeleton_2d)
    tell_who_trained(model.description.people, pairs, options.split)
    score_and_report(
        model,
        pairs,
        Path(options.weights.place).name,
        options.output_dir,
        by_subject=options.by_subject,
        flip=not options.weights.no_test_time_augmentation,
        max_gap=options.weights.max_gap,
        smooth=options.smooth,
    )
    return 0


def score_and_report(
    model: TemporalLiftingModel,
    pairs: PosePairs,
    name: str,
    folder: Path,
    by_subject: bool = False,
    flip: bool = True,
    max_gap: int = MAX_GAP,
    smooth: Smooth = "none",
) -> list[ModelScores]:
    """The full procedure: lift and score films, print the tables, write them and plots to a folder.

    -> the scores, one for each subject with `by_subject`. Raises UserError if model and films do
    not fit each other, or nothing is labelled.
    """
    pairs = labelled(pairs)
    predictions = lift_pairs(model, pairs, flip, max_gap, smooth)
    groups = {"": np.arange(len(pairs))}
    if by_subject:
        groups = {one: np.flatnonzero(pairs.subjects == one) for one in np.unique(pairs.subjects)}
    scores = []
    for subject, rows in groups.items():
        scores.append(score_films(name, Path(name), predictions[rows], pairs.select(rows)))
        print(f"{subject}\n{tables(scores[-1:])}".strip(), end="\n\n")
        place = folder / subject.replace("/", "_")
        files = write_report(scores[-1:], place)
        print(f"wrote {', '.join(path.name for path in files)} to {place}\n")
    return scores


def labelled(pairs: PosePairs) -> PosePairs:
    """The rows that have something to be scored against. Raises UserError if there are none."""
    kept = pairs.select(np.flatnonzero(pairs.valid.any(axis=1)))
    if len(kept) == 0:
        raise UserError("these films have no 3D poses to score against")
    root = skeleton_named(pairs.skeleton_3d).root
    lost = int(np.isnan(kept.poses_3d[:, root]).any(axis=-1).sum())
    if lost:
        raise UserError(f"{lost} poses have no hip, from which all is measured")
    return kept


def lift_pairs(
    model: TemporalLiftingModel,
    pairs: PosePairs,
    flip: bool = True,
    max_gap: int = MAX_GAP,
    smooth: Smooth = "none",
) -> np.ndarray:
    """(N, J3, 3) float32 mm, relative to the hip: each camera's sight of each clip as one film.

    Raises UserError if the model gives other joints than the pairs have.
    """
    if model.skeleton_3d.name != pairs.skeleton_3d:
        raise UserError(
            f"the network gives {model.skeleton_3d.name} poses, these films have "
            f"{pairs.skeleton_3d}: they cannot be compared"
        )
    poses = np.full(pairs.poses_3d.shape, np.nan, np.float32)
    for rows in sequences_of(pairs):
        camera, points = pairs.camera[rows[0]], pairs.poses_2d[rows]
        rate = frame_rate_of(pairs, rows)
        frames = np.arange(len(rows))
        times = times_of(frames, frames / rate)
        sure = np.ones(points.shape[:2], np.float32)
        poses[rows] = model.lift(
            smoothed(points, sure, frames, times, smooth, max_gap),
            pairs.skeleton_2d,
            image_size=pairs.image_size[camera],
            intrinsics=pairs.intrinsics[camera],
            frame_rate=rate,
            flip=flip,
            max_gap=max_gap,
        ).poses
    return poses


def score_films(name: str, source: Path, predictions: np.ndarray, pairs: PosePairs) -> ModelScores:
    """Scores of predictions (N, J3, 3) mm, relative to the hip, for the rows of `pairs`.

    The model's mean is over actions for films (Human3.6M, HumanEva), else over data sets.
    """
    skeleton = skeleton_named(pairs.skeleton_3d)
    truth = pose_metrics.hip_relative(pairs.poses_3d, skeleton.root)
    film, frame = np.zeros(len(pairs), np.int64), np.zeros(len(pairs), np.int64)
    for number, rows in enumerate(sequences_of(pairs)):
        film[rows], frame[rows] = number, np.arange(len(rows))
    measures = pose_measures(predictions, truth, pairs.valid, film, frame)
    curves = pose_metrics.pck_curve(measures["MPJPE"], measures["missing"] / 100)
    groups = tuple(group_scores(one, measures, curves) for one in _groupings(pairs))
    return ModelScores(name, source, skeleton.joints, groups)


def _groupings(pairs: PosePairs) -> tuple[Grouping, ...]:
    by_action = Grouping.of("action", pairs.actions, order=ACTIONS)
    if set(np.unique(pairs.sources)) <= set(FIXED_FILMS):
        return (by_action,)
    by_source = Grouping.of("source", pairs.sources)
    several = 1 < len(by_action.names) <= _MOST_ACTIONS
    return (by_source, by_action) if several else (by_source,)
