"""`run.py skeleton_to_image`: draw a person in the poses of a file, or of a dancer's frames."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from generative_models.skeleton_to_image.inference import SHIPPED, Dancer, fit_poses
from generative_models.skeleton_to_image.options import SkeletonToImageRunOptions, model_name
from generative_models.skeleton_to_image.training_data import read_frames
from utils.atomic import check_not_source
from utils.crops import cut_crop, whole_image_box
from utils.errors import UserError
from utils.frames import film_times, frame_rate
from utils.images import list_images, read_image, write_image
from utils.pose_file import Poses, write_poses
from utils.pose_json import read_pose_file
from utils.pose_sources import rows_of
from utils.skeletons import DANCE_13
from utils.video import VideoWriter

FPS = 25.0
"""Frames a second of a film of one picture."""


@dataclass(frozen=True)
class Asked:
    """What is to be drawn: joints (N, 13, 2) px of the model's own size, NaN where unknown; frame
    (N,) numbers; time (N,) s, from 0 on; and drawn skeletons (N, S, S, 3), of models that take
    them."""

    keypoints: np.ndarray
    frame: np.ndarray
    time: np.ndarray
    skeletons: np.ndarray | None = None


def run(options: SkeletonToImageRunOptions) -> int:
    """Write frames/, video.mp4 and poses.npz. -> exit code 0.

    Raises UserError if the weights are absent or of another model, or there is nothing to draw.
    """
    folder = Path(options.output_dir)
    if options.poses:
        check_not_source(folder / "poses.npz", options.poses)
    dancer = load_dancer(options)
    asked = find_poses(options, dancer)
    size = options.size or dancer.image_size
    if asked.skeletons is None:
        scaled = (asked.keypoints + 0.5) * size / dancer.image_size - 0.5
        drawn = dancer.frames(scaled, size, options.batch_size)
    else:
        scaled = asked.keypoints
        drawn = dancer.frames_of_skeletons(asked.skeletons, size, options.batch_size)
    names = write_frames(folder, drawn, asked.time, size)
    write_poses(folder / "poses.npz", drawn_poses(scaled, asked, names, size))
    print(f"{len(names)} frames of {dancer.description.dancer} by {dancer.description.model}")
    missing = int(np.isnan(scaled).all(axis=(1, 2)).sum()) if asked.skeletons is None else 0
    if missing:
        print(f"{missing} of them have no pose: nobody stands in these")
    print(f"watch {folder / 'video.mp4'}")
    return 0


def load_dancer(options: SkeletonToImageRunOptions) -> Dancer:
    """The model that the options ask for. Raises UserError if it is absent or another."""
    wanted = model_name(options.model) if options.model else None
    source = options.load
    if not source:
        source = f"{options.checkpoint_dir}/skeleton_to_image_{wanted}" if wanted else SHIPPED
    dancer = Dancer.load(source, options.accelerator)
    if wanted and dancer.description.model != wanted:
        raise UserError(f"{source} holds a {dancer.description.model}, not the --model {wanted}")
    return dancer


def find_poses(options: SkeletonToImageRunOptions, dancer: Dancer) -> Asked:
    """What the options ask to draw. Raises UserError if there is nothing."""
    size, fps = dancer.image_size, dancer.description.fps
    if options.skeletons:
        files = list_images(options.skeletons)
        pictures = (read_image(path) for path in files)
        skeletons = np.stack([_square(picture, size) for picture in pictures])
        unknown = np.full((len(files), len(DANCE_13), 2), np.nan, np.float32)
        frame = np.arange(len(files))
        return Asked(unknown, frame, frame / fps, skeletons)
    if options.poses:
        poses = one_person(read_pose_file(options.poses), options.film)
        time = film_times(poses.time, fps)
        return Asked(fit_poses(poses, size), poses.frame, time - time[0])
    frames = read_frames(options.data, size).of_part(options.part)
    time = np.arange(len(frames.frame)) / frames.fps
    return Asked(frames.keypoints, frames.frame, time, frames.skeletons)


def one_person(poses: Poses, film: str = "") -> Poses:
    """The rows of the source `film`, or of the one with most rows, and of the person who is in most
    of them, in time's order.

    Of pictures with one row each, such as a dancer's, all are taken as they stand. Raises UserError
    if there are no rows, or no such film.
    """
    if not len(poses):
        raise UserError("the pose file has no rows")
    if not film:
        sources, counts = np.unique(poses.source, return_counts=True)
        if len(sources) == len(poses):
            return poses
        film = str(sources[counts.argmax()])
    rows = rows_of(poses, film, option="--film")
    people, counts = np.unique(rows.person, return_counts=True)
    chosen = rows.select(rows.person == people[counts.argmax()])
    if len(chosen) < len(poses):
        print(
            f"{len(chosen)} rows of {chosen.source[0]} are taken, "
            f"{len(poses) - len(chosen)} of other people or files left out"
        )
    return chosen


def _square(picture: np.ndarray, size: int) -> np.ndarray:
    height, width = picture.shape[:2]
    box = whole_image_box(width, height)
    box[2] = min(width, height)
    return cut_crop(picture, box, size)


def write_frames(
    folder: Path, drawn: Iterator[np.ndarray], time: np.ndarray, size: int
) -> list[str]:
    """Write frames/000000.png ... and video.mp4; -> the pictures' names, relative to the folder."""
    names = []
    with VideoWriter(folder / "video.mp4", size, size, frame_rate(time, FPS)) as video:
        for image in tqdm(drawn, "frames", len(time), leave=False, disable=None):
            video.write(image, time[len(names)])
            names.append(f"frames/{len(names):06d}.png")
            write_image(folder / names[-1], image)
    return names


def drawn_poses(keypoints: np.ndarray, asked: Asked, names: list[str], size: int) -> Poses:
    """The poses (N, 13, 2) px that were drawn, a row for each picture."""
    count = len(names)
    known = np.asarray(np.isfinite(keypoints).all(axis=-1))
    return Poses(
        source=np.array(names),
        frame=asked.frame,
        time=asked.time,
        person=np.zeros(count, np.int64),
        box=np.tile(whole_image_box(size, size), (count, 1)),
        image_size=np.full((count, 2), size),
        keypoints_2d=np.where(known[..., None], keypoints, np.nan),
        confidence=known.astype(np.float32),
        skeleton_2d=DANCE_13.name,
    )
