"""Dancers on disk: our own folder, tai-chi frames with BlazePose landmarks, aligned pictures."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from generative_models.skeleton_to_image.dancer_data import PARTS, DancerSource
from generative_models.skeleton_to_image.options import DancerOptions
from utils.array_files import load_arrays
from utils.errors import UserError
from utils.frames import frame_rate
from utils.images import list_images, read_image, read_image_size
from utils.pose_file import read_poses
from utils.skeleton_conversion import convert
from utils.skeletons import BLAZEPOSE_33, DANCE_13, skeleton_named

POSES = "poses.npz"
LANDMARKS = "landmarks.npz"
ORIGINAL_FPS = 25.0
"""Frames a second of videos that do not say."""


def open_dancer(options: DancerOptions) -> DancerSource:
    """The dancer in a folder of any layout.

    Raises UserError, which says what was looked for, where there is none.
    """
    folder = Path(options.dancer)
    if (folder / POSES).is_file():
        return read_dancer(folder)
    if (folder / LANDMARKS).is_file():
        return read_taichi(folder)
    if any((folder / f"{phase}_B").is_dir() for phase in PARTS):
        return read_aligned(folder)
    raise UserError(
        f"no dancer in {folder}: looked for {POSES} (which `python data/prepare.py dancer VIDEO "
        f"--output {folder}` makes of a video of one person), {LANDMARKS} with frames/, and "
        "train_A/ with train_B/; --dancer mannequin is built in"
    )


def read_dancer(folder: Path) -> DancerSource:
    """What data/prepare.py dancer wrote: images/ and poses.npz, a row for each picture.

    Raises UserError if it is damaged.
    """
    poses = read_poses(folder / POSES)
    if len(poses) < 2 or len(np.unique(poses.image_size, axis=0)) != 1:
        raise UserError(f"{folder / POSES} needs at least two pictures, all of one size")
    files = [folder / name for name in poses.source]
    keypoints = convert(poses.keypoints_2d, skeleton_named(poses.skeleton_2d), DANCE_13).poses
    return DancerSource(
        name=folder.resolve().name,
        frame=poses.frame,
        keypoints=keypoints,
        image_size=(int(poses.image_size[0, 0]), int(poses.image_size[0, 1])),
        fps=frame_rate(poses.time, ORIGINAL_FPS),
        read=lambda row: read_image(files[row]),
    )


def read_landmarks(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """(frame numbers (N,), landmarks (N, 33, 2) as parts of the frame's sides) of an npz file.

    It holds `landmarks` (N, 33, 2 or 3) in BlazePose's order, NaN where nobody was found, and
    `frame_index` (N,); without the latter rows are frames. Raises UserError if it does not.
    """
    content = load_arrays(path, "file of landmarks")
    landmarks = content.get("landmarks", np.empty(0))
    frame = content.get("frame_index", np.arange(len(np.atleast_1d(landmarks))))
    right = landmarks.ndim == 3 and landmarks.shape[1] == len(BLAZEPOSE_33)
    right = right and landmarks.shape[2] >= 2 and frame.shape == (len(landmarks),)
    if not right or landmarks.dtype.kind != "f" or frame.dtype.kind not in "iu":
        raise UserError(
            f"{path}: landmarks must be (N, {len(BLAZEPOSE_33)}, 2 or 3) decimals and frame_index "
            f"(N,) whole, not {landmarks.shape} {landmarks.dtype} and {frame.shape} {frame.dtype}"
        )
    return frame.astype(np.int64), landmarks[..., :2].astype(np.float64)


def landmarks_to_pixels(landmarks: np.ndarray, image_size: tuple[int, int]) -> np.ndarray:
    """Landmarks (..., 33, 2), parts of the frame's sides -> dance_13 (..., 13, 2) px."""
    pixels = landmarks * np.array(image_size) - 0.5
    return convert(pixels, BLAZEPOSE_33, DANCE_13).poses


def read_taichi(folder: Path) -> DancerSource:
    """frames/<number>.jpg and landmarks.npz, whose frame_index is that number.

    Frames without landmarks and landmarks without a frame are left out. Raises UserError if fewer
    than two are left.
    """
    numbers, landmarks = read_landmarks(folder / LANDMARKS)
    files = {int(path.stem): path for path in list_images(folder / "frames") if path.stem.isdigit()}
    found = np.asarray(np.isfinite(landmarks).all(axis=-1).any(axis=-1))
    rows = [row for row in np.argsort(numbers) if found[row] and int(numbers[row]) in files]
    if len(rows) < 2:
        raise UserError(f"{folder}: fewer than two of its frames have landmarks")
    chosen = [files[int(numbers[row])] for row in rows]
    image_size = read_image_size(chosen[0])
    step = int(np.diff(numbers[rows]).min())
    return DancerSource(
        name=folder.resolve().name,
        frame=numbers[rows],
        keypoints=landmarks_to_pixels(landmarks[rows], image_size),
        image_size=image_size,
        fps=ORIGINAL_FPS / max(step, 1),
        read=lambda row: read_image(chosen[row]),
    )


def read_aligned(folder: Path) -> DancerSource:
    """<phase>_A (drawn skeletons) and <phase>_B (frames) for the phases train, val and test.

    A file of one folder belongs to that of the same name, suffix aside, in the other. Raises
    UserError where one has no partner, or the pictures differ in size.
    """
    drawn, frames, parts, numbers = [], [], [], []
    for phase in PARTS:
        if (folder / f"{phase}_B").is_dir():
            left, right = (list_images(folder / f"{phase}_{side}") for side in "AB")
            _check_partners(left, right, folder, phase)
            drawn += left
            frames += right
            parts += [phase] * len(right)
            # A jump between phases: no frame of one follows one of another.
            start = numbers[-1] + 2 if numbers else 0
            numbers += range(start, start + len(right))
    sizes = {read_image_size(path) for path in (*drawn, *frames)}
    if len(sizes) != 1:
        raise UserError(f"{folder}: its pictures must have one size, not {sorted(sizes)[:3]}")
    return DancerSource(
        name=folder.resolve().name,
        frame=np.array(numbers),
        keypoints=np.full((len(frames), len(DANCE_13), 2), np.nan),
        image_size=sizes.pop(),
        fps=ORIGINAL_FPS,
        read=lambda row: read_image(frames[row]),
        read_skeleton=lambda row: read_image(drawn[row]),
        parts=np.array(parts, "<U5"),
    )


def _check_partners(left: Sequence[Path], right: Sequence[Path], folder: Path, phase: str) -> None:
    names = [{path.stem for path in side} for side in (left, right)]
    alone = sorted(names[0] ^ names[1])
    if alone:
        side = "A" if alone[0] in names[0] else "B"
        raise UserError(
            f"{folder}: {alone[0]} is in {phase}_{side} alone; each skeleton needs its frame"
        )
    if len(names[0]) != len(left) or len(names[1]) != len(right):
        raise UserError(f"{folder}: two pictures of {phase} have one name")
