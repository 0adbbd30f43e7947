"""`run.py dance`: poses of one video, drawn as another person."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from generative_models.skeleton_to_image.options import SkeletonToImageRunOptions
from generative_models.skeleton_to_image.running import Asked, drawn_poses, load_dancer, one_person
from generative_models.skeleton_to_image.skeleton_drawing import skeleton_pictures
from stitched.backends import settle_backend
from stitched.dance_options import DanceOptions
from stitched.options import LiftOptions, MachineOptions, VideoOptions
from stitched.pipeline import PosePipeline
from stitched.retargeting import held, retargeted
from utils.atomic import check_not_source
from utils.drawing import contact_sheet, draw_pose, side_by_side
from utils.errors import UserError
from utils.frames import film_times, frame_rate
from utils.images import IMAGE_SUFFIXES
from utils.pose_file import Poses, write_poses
from utils.pose_json import read_pose_file
from utils.skeletons import skeleton_named
from utils.sound import copy_sound
from utils.video import VideoReader, VideoWriter

PANE = 256
"""Least side of a pane of side_by_side.mp4, px."""
FILMS = ["dance.mp4", "side_by_side.mp4"]
POSES = "poses.npz"
FPS = 25.0
"""Frames a second of a source whose poses have no times."""
FindPoses = Callable[[DanceOptions], Poses]
"""-> rows of the source, in the order of time."""


def find_poses(options: DanceOptions) -> Poses:
    """Poses of a source video by our own 2D model, or those of a pose file.

    Raises UserError for a source that is neither, or is not there.
    """
    if not options.is_video:
        poses = one_person(read_pose_file(options.source), options.film)
        poses = replace(poses, time=film_times(poses.time, FPS))
        return poses.select(within(poses.time, options.start, options.end))
    path = Path(options.source)
    if path.is_dir() or path.suffix.lower() in IMAGE_SUFFIXES - {".gif"}:
        raise UserError(f"--source {path} is neither a video nor a pose file")
    video = VideoOptions(start=options.start, end=options.end, smooth=options.smooth)
    machine = MachineOptions(accelerator=options.accelerator)
    machine, lifting = settle_backend(machine, films=True), LiftOptions(lift=False)
    pipeline = PosePipeline(options.load, lifting=lifting, video=video, machine=machine)
    return one_person(pipeline(options.source))


def within(time: np.ndarray, start: float, end: float | None) -> np.ndarray:
    """Which times (N,) s lie from `start` to `end` (None: the last). Raises UserError if none."""
    inside = (time >= start) & (time < (np.inf if end is None else end))
    if not inside.any():
        raise UserError(
            f"the poses have no row between --start {start:g} and --end {end or 'none'}"
        )
    return np.asarray(inside)


def dance(options: DanceOptions, find: FindPoses = find_poses) -> int:
    """Write dance.mp4, side_by_side.mp4, both with the source's sound, and poses.npz. -> exit code.

    Raises UserError if weights or source are absent, would be written over, or nobody is in it.
    """
    folder = Path(options.output_dir)
    for name in (*FILMS, POSES):
        check_not_source(folder / name, options.source)
    dancer = load_dancer(
        SkeletonToImageRunOptions(
            load=options.target,
            model=options.model,
            checkpoint_dir=options.checkpoint_dir,
            accelerator=options.accelerator,
        )
    )
    poses = find(options)
    if not np.isfinite(poses.keypoints_2d).any():
        raise UserError(f"{options.source}: nobody was found in it")
    keypoints = retargeted(poses, dancer, options)
    missing = int(np.isnan(keypoints).all(axis=(1, 2)).sum())
    # A network that draws a person makes a blot of nobody.
    keypoints = held(keypoints)
    size = options.size or dancer.image_size
    keypoints = (keypoints + 0.5) * size / dancer.image_size - 0.5
    drawn = dancer.frames(keypoints.astype(np.float32), size, options.batch_size)
    write_films(folder, drawn, poses, keypoints, size, options)
    asked = Asked(keypoints, np.arange(len(poses)), poses.time - poses.time[0])
    write_poses(folder / POSES, drawn_poses(keypoints, asked, FILMS[:1] * len(poses), size))
    if options.is_video:
        add_sound(folder, options.source, float(poses.time[0]))
    print(f"{len(poses)} frames of {dancer.description.dancer} by {dancer.description.model}")
    if missing:
        print(f"in {missing} of them, where nobody was found, the dancer stays as before")
    print(f"watch {' and '.join(str(folder / name) for name in FILMS)}")
    return 0


def write_films(
    folder: Path,
    drawn: Iterator[np.ndarray],
    poses: Poses,
    keypoints: np.ndarray,
    size: int,
    options: DanceOptions,
) -> None:
    """dance.mp4, and side_by_side.mp4 of source (where it is a video), skeleton and result, each
    frame at the source's time."""
    side, fps = max(size, PANE), frame_rate(poses.time, FPS)
    width = side * (3 if options.is_video else 2)
    with (
        VideoWriter(folder / FILMS[0], size, size, fps) as alone,
        VideoWriter(folder / FILMS[1], width, side, fps) as beside,
    ):
        sources = source_panes(options.source, poses, side) if options.is_video else iter(())
        for row, image in enumerate(tqdm(drawn, "frames", len(poses), leave=False, disable=None)):
            time = float(poses.time[row])
            alone.write(image, time)
            scaled = (keypoints[row] + 0.5) * side / size - 0.5
            skeleton = skeleton_pictures(scaled[None], side)[0]
            result = cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)
            beside.write(side_by_side([*islice(sources, 1), skeleton, result]), time)


def add_sound(folder: Path, source: str, start: float) -> None:
    """Put the source's sound from second `start` on into the films, which stay silent where it
    cannot be read."""
    try:
        for name in FILMS:
            copy_sound(source, folder / name, start)
    except UserError as error:
        print(f"without sound: {error}")


def source_panes(source: str, poses: Poses, side: int) -> Iterator[np.ndarray]:
    """The frames that have a row, with their poses, letterboxed to squares of `side` px."""
    row_of_frame = {int(frame): row for row, frame in enumerate(poses.frame)}
    skeleton = skeleton_named(poses.skeleton_2d)
    with VideoReader(source) as reader:
        for frame in reader:
            row = row_of_frame.get(frame.index)
            if row is not None:
                joints, sure = poses.keypoints_2d[row], poses.confidence[row]
                drawn = draw_pose(frame.image, joints, sure, skeleton)
                yield contact_sheet([drawn], columns=1, size=side)
