"""`run.py temporal_*`: films of 2D poses, from a pose file or a data set, to 3D."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from twod_threed.pairs import PosePairs
from twod_threed.pose_rows import find_intrinsics, rows_of_pairs, write_lifted
from twod_threed.temporal.films import fixed_films
from twod_threed.temporal.inference_options import FilmOptions, Smooth, TemporalRunOptions
from twod_threed.temporal.predictor import MAX_GAP, TemporalLiftingModel
from twod_threed.temporal.sequences import films_of, near_each_other, numbered
from twod_threed.temporal.smoothing import one_euro, savitzky_golay
from twod_threed.training_data import tell_who_trained
from utils.frames import rise
from utils.pose_file import Poses
from utils.pose_json import read_pose_file
from utils.weights import resolve

_USUAL_RATE = 25.0  # frames per second, for smoothing, where no rate is known


def find_films(options: TemporalRunOptions) -> tuple[Poses, PosePairs | None]:
    """The 2D poses that the options ask for, and the pairs of a data set that they come from.

    Raises UserError if they are absent or damaged.
    """
    if not options.poses:
        pairs = fixed_films(options.data, options.split, options.seed)
        return rows_of_pairs(pairs), pairs
    return read_pose_file(options.poses), None


def rate_of(frames: np.ndarray, times: np.ndarray, fps: float | None) -> float | None:
    """Frames per second by frames (T,) and their times (T,), s; `fps` where they do not tell."""
    known = np.flatnonzero(np.isfinite(times))
    if len(known) > 1:
        first, last = known[0], known[-1]
        if times[last] > times[first]:
            return float((frames[last] - frames[first]) / (times[last] - times[first]))
    return fps


def times_of(frames: np.ndarray, times: np.ndarray, fps: float | None = None) -> np.ndarray:
    """Seconds (T,), rising, of rising frames (T,): `times` (T,) if they are known and rise.

    Otherwise the frames come at the rate that `rate_of` tells, or at a usual one.
    """
    if rise(times):
        return times
    rate = rate_of(frames, times, fps)
    if rate is None:
        places, _ = numbered(len(frames), frames)
        return places / _USUAL_RATE
    return frames / rate


def smoothed(
    points: np.ndarray,
    confidence: np.ndarray,
    frames: np.ndarray,
    times: np.ndarray,
    smooth: Smooth,
    max_gap: int,
) -> np.ndarray:
    """A film (T, J, 2) px with its jitter calmed as --smooth says; NaN stays.

    confidence (T, J) in [0, 1]; frames (T,) and times (T,) s rising. Longer gaps than `max_gap`
    frames begin a new film.
    """
    if smooth == "none":
        return points
    result = points.copy()
    numbers, _ = numbered(len(points), frames)
    for rows in near_each_other(numbers, max_gap):
        if smooth == "one_euro":
            result[rows] = one_euro(points[rows], times[rows], confidence[rows])
        else:
            result[rows] = savitzky_golay(points[rows], times[rows])
    return result


def lift_films(
    model: TemporalLiftingModel,
    poses: Poses,
    options: FilmOptions | None = None,
    flip: bool = True,
    max_gap: int = MAX_GAP,
) -> Poses:
    """Lift the rows of a pose file, each source and person as a film of its own.

    The 2D joints stay as they are: smoothing and filling are for what is lifted. Raises UserError
    if a person is there twice in a frame, or the joints cannot be lifted.
    """
    known = options or FilmOptions()
    intrinsics = find_intrinsics(poses, known.focal, known.fov)
    poses = replace(poses, intrinsics=intrinsics)
    joints = len(model.skeleton_3d)
    found = np.full((len(poses), joints, 3), np.nan, np.float32)
    roots = np.full((len(poses), 3), np.nan, np.float32)
    for rows in films_of(poses):
        frames, points = poses.frame[rows], poses.keypoints_2d[rows]
        rate = rate_of(frames, poses.time[rows], known.fps)
        times = times_of(frames, poses.time[rows], known.fps)
        lifted = model.lift(
            smoothed(points, poses.confidence[rows], frames, times, known.smooth, max_gap),
            poses.skeleton_2d,
            image_size=poses.image_size[rows[0]],
            intrinsics=intrinsics[rows[0]],
            frame_rate=rate,
            height=known.height,
            flip=flip,
            max_gap=max_gap,
            frames=frames,
        )
        found[rows], roots[rows] = lifted.poses, lifted.root_camera
    name = model.skeleton_3d.name
    return replace(poses, keypoints_3d=found, root_camera=roots, skeleton_3d=name)


def run(options: TemporalRunOptions) -> int:
    """Lift the films and write them as poses.npz and poses.json, and beside them the ground truth
    of a data set, which `eval.py` and `viz.py` take. -> exit code 0."""
    resolve(options.weights.place)  # absent weights are told before minutes of reading
    poses, pairs = find_films(options)
    model = TemporalLiftingModel.of(options.weights, poses.skeleton_2d)
    if pairs is not None:
        tell_who_trained(model.description.people, pairs, options.split)
    trained = model.description.frame_rate
    if np.isnan(poses.time).all() and options.film.fps is None and not np.isnan(trained):
        print(f"no times are known: taken for {trained:g} frames per second; --fps says another")
    flip = not options.weights.no_test_time_augmentation
    lifted = lift_films(model, poses, options.film, flip, options.weights.max_gap)
    films = f" in {len(films_of(lifted))} films"
    write_lifted(Path(options.output_dir), lifted, pairs, films)
    return 0
