"""A dancer: frames of one person with their joints, cut to squares and shared out in time."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from generative_models.skeleton_to_image.options import DancerOptions
from utils.batches import shuffled
from utils.crops import cut_crop, image_to_crop
from utils.errors import UserError

PARTS = ("train", "val", "test")
GAP = ""
"""Part of the frames that lie in a gap."""


@dataclass(frozen=True)
class DancerSource:
    """Where a dancer's frames come from; N of them, in the order of time.

    frame (N,) number in the video; keypoints (N, 13, 2) px of the picture, dance_13, NaN missing
    (all NaN where there are only drawn skeletons); image_size (width, height) px, of all; fps:
    mean frames a second; read(i): picture i, uint8 RGB (H, W, 3); read_skeleton(i): its drawn
    skeleton, where they are pictures; parts (N,): what the folder itself says, "" unsaid.
    """

    name: str
    frame: np.ndarray
    keypoints: np.ndarray
    image_size: tuple[int, int]
    fps: float
    read: Callable[[int], np.ndarray]
    read_skeleton: Callable[[int], np.ndarray] | None = None
    parts: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.frame)


@dataclass(frozen=True)
class DancerFrames:
    """Square frames in memory, N of them.

    images (N, S, S, 3) uint8 RGB; keypoints (N, 13, 2) px of them, dance_13, NaN missing; frame
    (N,) number in the video; part (N,) "train", "val", "test" or "" in a gap; skeletons (N, S, S,
    3) uint8 RGB where the skeletons are pictures, else None.
    """

    name: str
    images: np.ndarray
    keypoints: np.ndarray
    frame: np.ndarray
    part: np.ndarray
    fps: float
    skeletons: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def size(self) -> int:
        """Side of the pictures, px."""
        return self.images.shape[1]

    def of_part(self, part: str) -> "DancerFrames":
        """The frames of one part, in the order of time."""
        rows = self.part == part
        return replace(
            self,
            images=self.images[rows],
            keypoints=self.keypoints[rows],
            frame=self.frame[rows],
            part=self.part[rows],
            skeletons=None if self.skeletons is None else self.skeletons[rows],
        )


def square_window(keypoints: np.ndarray, image_size: tuple[int, int]) -> np.ndarray:
    """Box (3,) px (utils.crops) of the largest square in a picture of (width, height) px.

    Of all such squares it is the one whose middle is nearest to that of all joints (..., 2); the
    picture's middle where there are none. It lies on whole pixels, and is the same for all frames.
    """
    side = min(image_size)
    points = np.asarray(keypoints, np.float64).reshape(-1, 2)
    points = points[np.isfinite(points).all(axis=1)]
    middle = (np.array(image_size) - 1) / 2
    if len(points):
        middle = (points.min(axis=0) + points.max(axis=0)) / 2
    corner = np.rint(middle - (side - 1) / 2).clip(0, np.array(image_size) - side)
    return np.array([*(corner + (side - 1) / 2), side])


def load_frames(source: DancerSource, size: int, options: DancerOptions) -> DancerFrames:
    """Read all frames, cut them to squares of `size` px and share them out.

    Raises UserError where a picture cannot be read or a part would be empty.
    """
    window = square_window(source.keypoints, source.image_size)

    def cut(read: Callable[[int], np.ndarray]) -> np.ndarray:
        return np.stack([cut_crop(read(i), window, size) for i in range(len(source))])

    part = share_out(source, options)
    return DancerFrames(
        source.name,
        cut(source.read),
        image_to_crop(source.keypoints, window, size).astype(np.float32),
        source.frame,
        part,
        source.fps,
        cut(source.read_skeleton) if source.read_skeleton else None,
    )


def share_out(source: DancerSource, options: DancerOptions) -> np.ndarray:
    """Part (N,) of each frame: what the folder says, else as the options say.

    Where a folder names training frames but none that validate, its last training frames do, after
    a gap; where it names none that test, the later half of those that validate do. Raises UserError
    if there are too few frames.
    """
    count = len(source)
    if source.parts is None or set(source.parts) == {"train"}:
        make = split_in_time if options.split == "time" else split_at_random
        part = make(count, options.test_share, options.val_share, options.gap)
    else:
        part = _completed(source.parts, options)
    for name in PARTS:
        if not (part == name).any():
            raise UserError(
                f"{source.name} has {count} frames: too few for training, validation and test with "
                f"--gap {options.gap} --val_share {options.val_share} "
                f"--test_share {options.test_share}; take more frames of the film (a smaller "
                "--every) or a smaller --gap"
            )
    return part


def _completed(parts: np.ndarray, options: DancerOptions) -> np.ndarray:
    parts = parts.copy()
    if not (parts == "val").any():
        rows = np.flatnonzero(parts == "train")
        val = round(options.val_share * len(rows))
        parts[rows[len(rows) - val :]] = "val"
        parts[rows[max(len(rows) - val - options.gap, 0) : len(rows) - val]] = GAP
    if not (parts == "test").any():
        rows = np.flatnonzero(parts == "val")
        parts[rows[len(rows) // 2 :]] = "test"
    return parts


def split_in_time(count: int, test_share: float, val_share: float, gap: int) -> np.ndarray:
    """Parts (count,): training first, then validation, then test, `gap` frames between them."""
    test = count - round(test_share * count)
    val = test - gap - round(val_share * count)
    part = np.full(count, GAP, "<U5")
    part[: max(val - gap, 0)] = "train"
    part[max(val, 0) : max(test - gap, 0)] = "val"
    part[test:] = "test"
    return part


def split_at_random(count: int, test_share: float, val_share: float, gap: int = 0) -> np.ndarray:
    """Parts (count,) of single frames at random, always the same; there is no gap."""
    order = shuffled(count, 0)
    test, val = round(test_share * count), round(val_share * count)
    part = np.full(count, "train", "<U5")
    part[order[:test]] = "test"
    part[order[test : test + val]] = "val"
    return part


def clip_starts(frame: np.ndarray, length: int) -> np.ndarray:
    """Places (M,) from which `length` frames follow one another without one left out.

    frame (N,): numbers in the video, rising. The usual distance between two is the smallest.
    """
    if len(frame) < length:
        return np.zeros(0, np.int64)
    if length == 1:
        return np.arange(len(frame))
    steps = np.diff(frame)
    follows = steps == steps.min()
    whole = np.lib.stride_tricks.sliding_window_view(follows, length - 1).all(axis=1)
    return np.flatnonzero(whole)
