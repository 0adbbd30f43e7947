"""`data/prepare.py humaneva FOLDER`: HumanEva-I's videos and motion capture, for the networks."""

import sys
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import tyro
from tqdm import tqdm

from data.humaneva_files import Calibration
from data.humaneva_joints import Synchronised
from data.humaneva_takes import (
    SUBJECTS,
    VIDEO_RATE,
    Split,
    Take,
    films_without_capture,
    find_takes,
    read_body,
    read_joints,
)
from data.video_frames import cut_frames
from stacked_hourglass.humaneva import PICTURES, HumanEvaFrames, write_frames
from utils.atomic import atomic_path
from utils.crops import box_around
from utils.errors import UserError, need, none_left
from utils.option_checks import at_least_one
from utils.skeleton_conversion import convert
from utils.skeletons import HUMANEVA_15, HUMANEVA_20

# Side of the box over the extent of the joints, none of which is at the person's outline.
MARGIN = 1.4
# Cameras of VideoPose3D's files, and the names of the parts in them.
VIEWS = ("C1", "C2", "C3")
PARTS: dict[Split, str] = {"train": "Train", "val": "Validate"}


@dataclass
class HumanEvaOptions:
    """Cut pictures from HumanEva-I's videos, lay the projected joints beside them, and write 2D and
    3D joints of whole takes as VideoPose3D has them."""

    folder: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FOLDER")]
    """The download, unpacked: S1/Image_Data/Walking_1_(C1).avi, S1/Calibration_Data/C1.cal,
    S1/Mocap_Data/Walking_1.c3d (or .mat), Static.c3d (or .mat) and S1.mp,
    S1/Sync_Data/Walking_1_(C1).ofs ..."""
    output: Path = Path("data/humaneva")
    """Folder to write to."""
    subjects: tuple[Literal["S1", "S2", "S3"], ...] = SUBJECTS
    """People to convert."""
    cameras: tuple[Literal["C1", "C2", "C3", "BW1", "BW2", "BW3", "BW4"], ...] = VIEWS
    """Whose pictures are cut: C1 to C3 are in colour, BW1 to BW4 in grey."""
    every: int = 6
    """Cut every so many-th frame, of 60 a second. Six make a tenth of a second, as in the films of
    mannequins."""
    quality: int = 90
    """Of the JPEG pictures, 1 to 100."""

    def __post_init__(self) -> None:
        at_least_one(every=self.every)
        need(1 <= self.quality <= 100, f"--quality must lie in 1 to 100, not {self.quality}")
        need(bool(self.subjects), "--subjects: name at least one")
        need(bool(self.cameras), "--cameras: name at least one")


@dataclass(frozen=True)
class _Captured:
    """A take whose joints are known: (F, 15, 3) mm in the world, of all frames of each part."""

    take: Take
    synchronised: Synchronised
    world: dict[Split, np.ndarray]


def prepare_humaneva(options: HumanEvaOptions) -> int:
    """Write pictures, index and VideoPose3D's files, and say what is there and what is amiss.
    Pictures of an earlier call are kept. -> exit code: 1 if some could not be made."""
    takes, problems = find_takes(options.folder, options.subjects), []
    captured = _capture(takes, problems)
    parts = []
    for one in tqdm(captured, "takes", leave=False, disable=None):
        for camera in options.cameras:
            try:
                parts += _cut(one, camera, options, problems)
            except UserError as error:
                problems.append(f"{one.take.title} ({camera}): {error}")
    if not parts:
        raise none_left("no picture could be made of HumanEva-I", problems)
    frames = _joined(parts)
    print(f"{write_frames(options.output, frames)}: {_summary(frames)}")
    _write_videopose(captured, options.output, problems)
    if left_out := films_without_capture(options.folder):
        print(f"{left_out} films without motion capture (trial 2, S4) are left out")
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if problems else 0


def _summary(frames: HumanEvaFrames) -> str:
    counts = {split: int((frames.split == split).sum()) for split in PARTS}
    films = len(np.unique(frames.film))
    return ", ".join(f"{split} {n}" for split, n in counts.items()) + f" pictures, {films} films"


def _capture(takes: list[Take], problems: list[str]) -> list[_Captured]:
    """Joints of the takes that can be read; the others are added to the problems."""
    captured, bodies = [], {}
    for take in takes:
        try:
            if take.folder not in bodies:
                bodies[take.folder], notes = read_body(take.folder)
                _tell(notes)
            synchronised = take.synchronised()
            joints, notes = read_joints(take, bodies[take.folder], synchronised)
        except UserError as error:
            problems.append(f"{take.title}: {error}")
            continue
        _tell(notes)
        world: dict[Split, np.ndarray] = {
            split: convert(poses, HUMANEVA_20, HUMANEVA_15).poses for split, poses in joints.items()
        }
        captured.append(_Captured(take, synchronised, world))
    return captured


def _tell(notes: list[str]) -> None:
    for note in notes:
        print(f"note: {note}")


# --- Pictures ----------------------------------------------------------------------------------


def _cut(
    captured: _Captured, camera: str, options: HumanEvaOptions, problems: list[str]
) -> list[HumanEvaFrames]:
    """Write a camera's pictures of a take; -> what is in those that are there. Those that are not
    are added to the problems. Raises UserError if nothing can be had."""
    take = captured.take
    calibration, video = take.calibration(camera), take.video(camera)
    need(video.is_file(), f"there is no {video}")
    need(
        camera in captured.synchronised.first_video,
        f"there is no {take.folder}/Sync_Data/{take.name}_({camera}).ofs",
    )
    parts = [
        part
        for split in captured.world
        if len((part := _frames_of(captured, camera, calibration, split, options.every)).picture)
    ]
    wanted = {
        captured.synchronised.in_video(camera, int(frame)): options.output / PICTURES / str(name)
        for part in parts
        for frame, name in zip(part.frame.tolist(), part.picture.tolist(), strict=True)
    }
    try:
        cut_frames(video, wanted, options.quality)
    except UserError as error:
        problems.append(f"{take.title} ({camera}): {error}")
    there = [
        np.array([(options.output / PICTURES / name).is_file() for name in part.picture.tolist()])
        for part in parts
    ]
    return [_rows(part, rows) for part, rows in zip(parts, there, strict=True) if rows.any()]


def _frames_of(
    captured: _Captured, camera: str, calibration: Calibration, split: Split, every: int
) -> HumanEvaFrames:
    """Every so many-th frame of a part of a take in which the joints are known."""
    take = captured.take
    numbers, world = take.frames[split][::every], captured.world[split][::every]
    in_camera = calibration.to_camera(world)
    points = calibration.project(in_camera)
    known = np.flatnonzero(np.isfinite(points).all(axis=(1, 2)))
    count = len(known)
    folder = f"{take.subject}/{take.name}_{camera}"
    return HumanEvaFrames(
        picture=np.array([f"{folder}/{number:06d}.jpg" for number in numbers[known].tolist()]),
        keypoints_2d=points[known].astype(np.float32),
        keypoints_3d_camera=in_camera[known].astype(np.float32),
        box=np.array([box_around(one, MARGIN) for one in points[known]]).reshape(count, 3),
        split=np.full(count, split),
        film=known - np.arange(count),  # the same as long as no frame is missing
        subject=np.full(count, take.subject),
        action=np.full(count, take.action),
        camera=np.full(count, camera),
        frame=numbers[known],
    )


def _rows(frames: HumanEvaFrames, rows: np.ndarray) -> HumanEvaFrames:
    """Those that a mask chooses; a film ends where one is left out."""
    chosen = {name: values[rows] for name, values in vars(frames).items()}
    return HumanEvaFrames(**{**chosen, "film": (frames.film + np.cumsum(~rows))[rows]})


def _joined(parts: list[HumanEvaFrames]) -> HumanEvaFrames:
    """One after the other, the films numbered from 0."""
    names = np.concatenate(
        [np.stack([np.full(len(p.film), n), p.film]) for n, p in enumerate(parts)], 1
    )
    joined = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])
    }
    _, film = np.unique(names, axis=1, return_inverse=True)
    return replace(HumanEvaFrames(**joined), film=film.reshape(-1))


# --- VideoPose3D's files -----------------------------------------------------------------------


def _write_videopose(captured: list[_Captured], folder: Path, problems: list[str]) -> None:
    """data_3d_humaneva15.npz and data_2d_humaneva15_gt.npz, unless they are there: joints of whole
    takes, cut where the capture failed; 3D in m, 2D in px of the three colour cameras."""
    positions: dict[str, dict[str, Any]] = {}
    points: dict[str, dict[str, Any]] = {}
    for one in captured:
        try:
            cameras = [one.take.calibration(camera) for camera in VIEWS]
        except UserError as error:
            problems.append(f"{one.take.title}: {error}")
            continue
        for split, world in one.world.items():
            subject = f"{PARTS[split]}/{one.take.subject}"
            for name, chunk in _chunks(one.take, world):
                seen = [c.project(c.to_camera(chunk)).astype(np.float32) for c in cameras]
                positions.setdefault(subject, {})[name] = (chunk / 1000).astype(np.float32)
                points.setdefault(subject, {})[name] = seen
    swaps = [list(sides) for sides in zip(*HUMANEVA_15.pairs, strict=True)]
    metadata = {"layout_name": "humaneva15", "num_joints": 15, "keypoints_symmetry": swaps}
    _save(folder / "data_3d_humaneva15.npz", positions_3d=positions)
    _save(folder / "data_2d_humaneva15_gt.npz", positions_2d=points, metadata=metadata)


def _chunks(take: Take, world: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Name and joints of each stretch without a failure; those with failures count, too."""
    known = np.asarray(np.isfinite(world).all(axis=(1, 2)))
    chunks, begin = [], 0
    stretches = groupby(known.tolist())
    for number, (is_known, run) in enumerate(stretches):
        end = begin + len(list(run))
        if is_known:
            chunks.append((f"{take.clip} chunk{number}", world[begin:end]))
        begin = end
    return chunks


def _save(path: Path, **content: Any) -> None:
    if path.is_file():
        print(f"{path} is there already and stays as it is")
        return
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, **content)
    print(f"{path}: {VIDEO_RATE:g} frames a second")
