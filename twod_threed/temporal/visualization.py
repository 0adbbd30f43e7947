"""`viz.py temporal_render`: a film of the 2D input, the reconstruction and the truth."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from twod_threed.temporal.global_motion import camera_joints
from twod_threed.temporal.inference import lift_films
from twod_threed.temporal.predictor import SHIPPED, TemporalLiftingModel
from twod_threed.temporal.rendered_films import Film, find_film
from twod_threed.temporal.rendering import make_scene, render
from twod_threed.temporal.visualization_options import TemporalRenderOptions
from utils.atomic import atomic_path, check_not_source
from utils.errors import UserError
from utils.option_checks import refuse_given
from utils.pose_file import Poses
from utils.skeletons import skeleton_named
from utils.video import VideoReader


def temporal_render(options: TemporalRenderOptions) -> int:
    """Render or export what the options ask for. -> exit code 0.

    Raises UserError for data, weights or a video that are absent or do not fit each other.
    """
    if options.viz.viz_video is not None and options.viz.viz_output is not None:
        check_not_source(options.viz.viz_output, options.viz.viz_video)
    film = find_film(options)
    rate = _frame_rate(film, options)
    lifted = _lifted(film, rate, options)
    if options.viz.viz_export is not None:
        export_joints(options.viz.viz_export, lifted, rate)
        print(f"exported {len(lifted)} frames: {options.viz.viz_export}")
    if options.viz.viz_output is not None:
        _render(film, lifted, rate, options, options.viz.viz_output)
    return 0


def _frame_rate(film: Film, options: TemporalRenderOptions) -> float:
    """Frames per second of the film: its own, or what --fps or the video say."""
    if np.isfinite(film.frame_rate):
        return film.frame_rate
    if options.film.fps is not None:
        return options.film.fps
    if options.viz.viz_video is None:
        raise UserError(
            f"{film.title} does not say its frame rate: viz.py temporal_render takes it as --fps"
        )
    with VideoReader(options.viz.viz_video) as video:
        return video.fps


def _lifted(film: Film, rate: float, options: TemporalRenderOptions) -> Poses:
    """The film's poses with 3D: its own, if it has any and no model is named."""
    poses, weights = film.poses, options.weights
    if poses.keypoints_3d is not None and poses.root_camera is not None and not weights.load:
        where = "to 3D poses that are there, unless --load names what lifts anew"
        refuse_given(options.film, ("smooth", "focal", "fov", "height"), where)
        refuse_given(weights, ("causal", "dense", "no_test_time_augmentation"), where)
        return poses
    weights = replace(weights, load=weights.load or SHIPPED)
    model = TemporalLiftingModel.of(weights, poses.skeleton_2d)
    flip = not weights.no_test_time_augmentation
    return lift_films(model, poses, replace(options.film, fps=rate), flip, weights.max_gap)


def _render(
    film: Film, lifted: Poses, rate: float, options: TemporalRenderOptions, path: Path
) -> None:
    scene = make_scene(film, lifted, not options.viz.viz_no_ground_truth)
    limit = None if options.viz.viz_limit < 0 else options.viz.viz_limit
    rows = range(len(lifted))[:: options.viz.viz_downsample][:limit]
    count = render(
        scene,
        rows,
        path,
        rate,
        100 * options.viz.viz_size,
        options.viz.viz_bitrate,
        options.viz.viz_video,
        options.viz.viz_skip,
    )
    short = f"; {options.viz.viz_video} has no more" if count < len(rows) else ""
    print(f"rendered {count} frames of {film.title}: {path}{short}")


def export_joints(path: Path, lifted: Poses, frame_rate: float) -> None:
    """Write 3D joints (T, J, 3) in the camera frame, mm, NaN unknown, by the suffix of `path`.

    .npy: that array; .npz: `joints_camera`, that array; `joint_names` (J,); `frame` (T,) and the
    `frame_rate` of these numbers, per second. Both hold plain arrays, which need no unpickling.
    """
    assert lifted.keypoints_3d is not None and lifted.root_camera is not None
    joints = camera_joints(lifted.keypoints_3d, lifted.root_camera)
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        if path.suffix.lower() == ".npy":
            np.save(file, joints, allow_pickle=False)
            return
        np.savez(
            file,
            allow_pickle=False,
            joints_camera=joints,
            joint_names=np.array(skeleton_named(lifted.skeleton_3d or "").joints),
            frame=lifted.frame,
            frame_rate=np.array(frame_rate),
        )
