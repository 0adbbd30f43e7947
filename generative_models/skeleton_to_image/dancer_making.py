"""A dancer's folder from a video of one person: cut pictures, and the joints in each.

Every picture is named after its frame, and its row in the pose file names the picture: a frame in
which nobody is found is left out of both, so that no later pair can shift.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from tqdm import tqdm

from generative_models.skeleton_to_image.dancer_readers import (
    POSES,
    landmarks_to_pixels,
    read_landmarks,
)
from utils.crops import cut_crop, image_to_crop
from utils.dataset_statistics import cache_key, cached
from utils.errors import UserError
from utils.frames import Frame
from utils.images import write_image
from utils.pose_file import Poses, write_poses
from utils.skeletons import DANCE_13, skeleton_named
from utils.video import VideoReader

CACHE_VERSION = 1
IMAGES = "images"

FindPose = Callable[[Frame], np.ndarray]
"""A frame of the video -> joints (J, 2) px of it, NaN missing; all NaN where nobody is."""
Crop = Literal["follow", "fixed", "none"]


@dataclass(frozen=True)
class Cutting:
    """How frames become pictures.

    width: px of the whole frame after scaling, None as it is. crop: "follow" the person from frame
    to frame, one "fixed" square for all, or "none". padding: side of the square over the person's
    largest extent. What lies outside the frame is black.
    """

    width: int | None = 512
    crop: Crop = "follow"
    padding: float = 1.25


@dataclass(frozen=True)
class VideoPoses:
    """Joints of sampled frames: frame (M,), time (M,) s, keypoints (M, J, 2) px of the frame, NaN
    missing, of the skeleton named."""

    frame: np.ndarray
    time: np.ndarray
    keypoints: np.ndarray
    skeleton: str

    @property
    def found(self) -> np.ndarray:
        """(M,) whether somebody is there."""
        return np.asarray(np.isfinite(self.keypoints).all(axis=-1).any(axis=-1))


@dataclass(frozen=True)
class PoseFinder:
    """What finds poses, and what decides what it finds: files (weights) and settings that JSON can
    hold. make() gives a `FindPose` for one video."""

    skeleton: str
    make: Callable[[], FindPose]
    files: list[Path] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)


def find_poses(
    video: Path, every: int, finder: PoseFinder, cache: Path | None = None
) -> VideoPoses:
    """Look at every `every`-th frame of a video, unless that has been done before.

    What was found is cached by the content of the video, by `every` and by what decides what the
    finder finds. cache: folder, by default .cache.
    """
    options = {"video": _content(video), "every": every, "skeleton": finder.skeleton}
    key = cache_key("dancer_poses", finder.files, options | finder.settings, CACHE_VERSION)
    arrays = cached(key, lambda: _look(video, every, finder), cache)
    return VideoPoses(arrays["frame"], arrays["time"], arrays["keypoints"], finder.skeleton)


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error


def _look(video: Path, every: int, finder: PoseFinder) -> dict[str, np.ndarray]:
    find_pose = finder.make()
    frame, time, keypoints = [], [], []
    for one in _sampled(video, every):
        frame.append(one.index)
        time.append(one.time)
        keypoints.append(find_pose(one))
    shape = (-1, len(skeleton_named(finder.skeleton)), 2)
    return {
        "frame": np.array(frame),
        "time": np.array(time),
        "keypoints": np.array(keypoints, np.float32).reshape(shape),
    }


def _sampled(video: Path, every: int) -> Iterator[Frame]:
    with VideoReader(video) as reader:
        total = reader.frame_count
        for frame in tqdm(reader, "frames", total, leave=False, disable=None):
            if frame.index % every == 0:
                yield frame
        if reader.damage:
            print(reader.damage)


def given_poses(video: Path, every: int, landmarks: Path) -> VideoPoses:
    """The joints that a file of BlazePose landmarks gives for every `every`-th frame.

    Raises UserError if the file cannot be read.
    """
    numbers, parts = read_landmarks(landmarks)
    row_of_frame = {int(number): row for row, number in enumerate(numbers)}
    frame, time, keypoints = [], [], []
    for one in _sampled(video, every):
        frame.append(one.index)
        time.append(one.time)
        row = row_of_frame.get(one.index)
        size = (one.image.shape[1], one.image.shape[0])
        nobody = np.full((len(DANCE_13), 2), np.nan)
        keypoints.append(nobody if row is None else landmarks_to_pixels(parts[row], size))
    joints = np.array(keypoints, np.float32).reshape(-1, len(DANCE_13), 2)
    return VideoPoses(np.array(frame), np.array(time), joints, DANCE_13.name)


def windows(keypoints: np.ndarray, crop: Crop, padding: float) -> np.ndarray:
    """Boxes (M, 3) px (utils.crops), all of one side, around people (M, J, 2), NaN ignored.

    The side is `padding` times the largest extent: of any one person with "follow", of all
    together with "fixed". Every pose needs at least one joint.
    """
    low, high = np.nanmin(keypoints, axis=1), np.nanmax(keypoints, axis=1)
    if crop == "fixed":
        low = np.broadcast_to(low.min(axis=0), low.shape)
        high = np.broadcast_to(high.max(axis=0), high.shape)
    side = max(float((high - low).max()) * padding, 1.0)
    return np.concatenate([(low + high) / 2, np.full((len(keypoints), 1), side)], axis=1)


def cut(image: np.ndarray, window: np.ndarray | None, scale: float) -> np.ndarray:
    """The part of a frame (H, W, 3) in a box (3,) px, or all of it, scaled; black outside."""
    if window is not None:
        return cut_crop(image, window, _side(window, scale))
    height, width = (max(round(length * scale), 1) for length in image.shape[:2])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(image, (width, height), interpolation=method)


def _side(window: np.ndarray, scale: float) -> int:
    return max(round(float(window[2]) * scale), 1)


def cut_points(keypoints: np.ndarray, window: np.ndarray | None, scale: float) -> np.ndarray:
    """Where points (J, 2) px of a frame are in what `cut` makes of it."""
    if window is not None:
        return image_to_crop(keypoints, window, _side(window, scale))
    return (keypoints + 0.5) * scale - 0.5


def write_dancer(video: Path, poses: VideoPoses, cutting: Cutting, folder: Path) -> Poses:
    """Write images/ and poses.npz of the frames in which somebody was found; -> the rows.

    Raises UserError if these are fewer than two.
    """
    rows = {int(poses.frame[row]): row for row in np.flatnonzero(poses.found)}
    if len(rows) < 2:
        raise UserError(f"{video}: nobody was found in it, or in one frame alone")
    chosen = np.array(list(rows.values()))
    boxes = None
    if cutting.crop != "none":
        boxes = windows(poses.keypoints[chosen], cutting.crop, cutting.padding)
    # Gone while pictures change: a folder that was left half-way is none.
    (folder / POSES).unlink(missing_ok=True)
    points, sizes = [], []
    with VideoReader(video) as reader:
        for frame in reader:
            row = rows.get(frame.index)
            if row is None:
                continue
            window = None if boxes is None else boxes[len(points)]
            scale = cutting.width / frame.image.shape[1] if cutting.width else 1.0
            picture = cut(frame.image, window, scale)
            write_image(folder / _name(frame.index), picture)
            points.append(cut_points(poses.keypoints[row], window, scale))
            sizes.append((picture.shape[1], picture.shape[0]))
    written = _rows(poses, chosen, np.array(points), np.array(sizes))
    write_poses(folder / POSES, written)
    return written


def _name(frame: int) -> str:
    return f"{IMAGES}/{frame:06d}.jpg"


def _rows(poses: VideoPoses, chosen: np.ndarray, points: np.ndarray, sizes: np.ndarray) -> Poses:
    known = np.asarray(np.isfinite(points).all(axis=-1))
    whole = np.concatenate([(sizes - 1) / 2, sizes.max(axis=1, keepdims=True)], axis=1)
    return Poses(
        source=np.array([_name(number) for number in poses.frame[chosen]]),
        frame=poses.frame[chosen],
        time=poses.time[chosen],
        person=np.zeros(len(chosen), np.int64),
        box=whole,
        image_size=sizes,
        keypoints_2d=np.where(known[..., None], points, np.nan),
        confidence=known.astype(np.float32),
        skeleton_2d=poses.skeleton,
    )
