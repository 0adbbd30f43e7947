"""3D motion that trains, validates and tests: clips of the fifteen joints, in the learning space.

There a body of the standard size (`limbs.STANDARD_SIZE`) is 1; x right, y down, z away.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from generative_models.motion_transfer.limbs import (
    ROOT,
    SKELETON,
    STANDARD_SIZE,
    body_size,
    limb_lengths,
)
from generative_models.motion_transfer.options import MotionDataOptions, Part
from utils.dataset_statistics import cache_key, cached
from utils.errors import UserError, none_left
from utils.mannequin.body import h36m_joints, sample_body
from utils.mannequin.motion import sample_motion
from utils.mocap import MotionStore, of_people, read_stores, resample
from utils.skeleton_conversion import convert
from utils.skeletons import DANCE_13, H36M_17
from utils.subjects import check_subjects

MANNEQUIN_SECONDS = 30.0
"""Of motion of each body."""
HELD_OUT_MANNEQUINS = 10
_FIRST_MANNEQUIN: dict[Part, int] = {"train": 0, "validation": 1_000_000, "test": 2_000_000}
_MANNEQUIN_VERSION = 1


@dataclass(frozen=True)
class Motion:
    """Clips (T, 15, 3) float32, NaN absent, and whose they are ("cmu/06") and of what data set."""

    clips: list[Tensor]
    subjects: list[str]
    sources: list[str]

    def select(self, mask: np.ndarray) -> "Motion":
        """The clips for which `mask` (C,) is true."""
        chosen = np.flatnonzero(mask)
        return Motion(
            [self.clips[c] for c in chosen],
            [self.subjects[c] for c in chosen],
            [self.sources[c] for c in chosen],
        )


def _of_upright(positions: np.ndarray) -> Tensor:
    """Human3.6M-17 (T, 17, 3) mm, y up, right-handed -> (T, 15, 3), learning space."""
    poses = convert(positions.astype(np.float32), H36M_17, SKELETON).poses
    return torch.from_numpy(poses * np.array([1, -1, -1], np.float32) / np.float32(STANDARD_SIZE))


def of_store(store: MotionStore, frame_rate: float) -> Motion:
    """A motion store at another frame rate."""
    even = resample(store, frame_rate)
    clips = [_of_upright(even.clip(c)) for c in range(len(even))]
    return Motion(clips, even.subjects.tolist(), even.sources.tolist())


def _mannequins(options: MotionDataOptions, part: Part, seed: int) -> Motion:
    """Bodies of the mannequin in motion, each a subject with one clip; kept in .cache/."""
    count = options.mannequin_count if part == "train" else HELD_OUT_MANNEQUINS
    bodies = range(_FIRST_MANNEQUIN[part], _FIRST_MANNEQUIN[part] + count)
    told = {"seed": seed, "first": bodies[0], "count": count, "rate": options.frame_rate}
    told |= {"seconds": MANNEQUIN_SECONDS}

    def draw() -> dict[str, np.ndarray]:
        return {"poses": np.stack([_moving(seed, body, options.frame_rate) for body in bodies])}

    poses = cached(cache_key("motion_transfer_clips", [], told, _MANNEQUIN_VERSION), draw)["poses"]
    names = [f"mannequin/{body}" for body in bodies]
    return Motion([_of_upright(one) for one in poses], names, ["mannequin"] * count)


def _moving(seed: int, body: int, frame_rate: float) -> np.ndarray:
    """(T, 17, 3) float32 mm, y up."""
    rng = np.random.default_rng([seed, body])
    build = sample_body(rng)
    motion = sample_motion(rng, build, MANNEQUIN_SECONDS)
    times = np.arange(int(MANNEQUIN_SECONDS * frame_rate)) / frame_rate
    return h36m_joints(build, motion.posture(times)).astype(np.float32)


def _read_mixamo_clip(path: Path) -> np.ndarray:
    """(T, 15, 3), x right, y down, z away, NaN absent, of a file (15, 3, T): x, depth, vertical.

    Mixamo's x leads to the viewer's left and its vertical upwards. Neck and mid_hip are the middles
    of shoulders and hips, as of all other motion: the file's own lie elsewhere. Raises UserError.
    """
    try:
        array = np.load(path, allow_pickle=False)
    except Exception as error:  # NumPy evaluates the head, and trips over a damaged one anyhow
        raise UserError(f"cannot read {path}: {error}") from error
    are_numbers = isinstance(array, np.ndarray) and array.dtype.kind in "fiu"
    if not are_numbers or array.shape[:-1] != (len(SKELETON), 3):
        raise UserError(
            f"{path} is no motion of 15 joints: it needs numbers of the shape (15, 3, frames)"
        )
    if array.shape[-1] == 0:
        raise UserError(f"{path} has no frames")
    points = array.astype(np.float32).transpose(2, 0, 1)
    points = points[..., [0, 2, 1]] * np.array([-1, -1, 1], np.float32)
    points[~np.isfinite(points)] = np.nan
    return convert(convert(points, SKELETON, DANCE_13).poses, DANCE_13, SKELETON).poses


def read_mixamo(folder: Path) -> Motion:
    """<character>/<motion>/<motion>.npy: every character a subject, "mixamo/<character>".

    The unit is not known: the median clip's body gets the standard size. Clips that show no body
    are left out and named on stderr. Raises UserError for a damaged file, or if no clip is left.
    """
    files = sorted(folder.glob("*/*/*.npy"))
    clips = [torch.from_numpy(_read_mixamo_clip(path)) for path in files]
    # About the hips, from which all is measured: of a clip without them the size is NaN, too.
    about_hips = [clip - clip[:, ROOT, None] for clip in clips]
    sizes = torch.stack([body_size(limb_lengths(clip)) for clip in about_hips])
    usable = (sizes > 0) & sizes.isfinite()
    problems = [
        f"{path} shows no body: it needs both hips, and trunk or legs, in some frame"
        for path, good in zip(files, usable.tolist(), strict=True)
        if not good
    ]
    if not usable.any():
        raise none_left(f"no motion in {folder}", problems)
    for problem in problems:
        print(f"{problem}; it is left out", file=sys.stderr)
    size = sizes[usable].median()
    subjects = [f"mixamo/{path.parent.parent.name}" for path in files]
    motion = Motion([clip / size for clip in clips], subjects, ["mixamo"] * len(files))
    return motion.select(usable.numpy())


def _read_folder(place: Path, frame_rate: float) -> Motion:
    """A motion store, a folder of them, or a folder as Mixamo's. Raises UserError."""
    if place.is_dir() and any(place.glob("*/*/*.npy")):
        return read_mixamo(place)
    stores = sorted(place.glob("*.npz")) if place.is_dir() or not place.exists() else [place]
    if not stores:
        reason = "" if place.exists() else ", which does not exist"
        raise UserError(
            f"no motion in {place}{reason}: it needs motion stores (.npz), which `python "
            f"data/prepare.py mocap FOLDER --output {place}/NAME.npz` makes from BVH or ASF/AMC "
            "files, or <character>/<motion>/<motion>.npy; motion_transfer_mannequin needs no data"
        )
    return of_store(of_people(read_stores(stores)), frame_rate)


def read_motion(options: MotionDataOptions, parts: Sequence[Part], seed: int) -> list[Motion]:
    """The clips of each part. Raises UserError for what is absent, or if nobody belongs to one."""
    if options.dataset == "mannequin":
        return [_mannequins(options, part, seed) for part in parts]
    motion = _read_folder(Path(options.data_dir or "data/mocap"), options.frame_rate)
    return [_of_part(motion, options, part) for part in parts]


def _of_part(motion: Motion, options: MotionDataOptions, part: Part) -> Motion:
    subjects = np.array(motion.subjects)
    named = {"validation": options.subjects_validation, "test": options.subjects_test}
    check_subjects(motion.subjects, **named)
    if part == "train":
        mask = ~np.isin(subjects, [name for names in named.values() for name in names])
    else:
        mask = np.isin(subjects, named[part])
    if not mask.any():
        there = ", ".join(np.unique(subjects)[:12])
        which = "" if part == "train" else f": --subjects_{part} names none of it"
        raise UserError(f"nobody is left for {part}{which}; the data have {there}")
    return motion.select(mask)
