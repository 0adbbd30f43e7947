"""`data/prepare.py mocap FOLDER`: from a folder of motion capture to one motion store."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from tqdm import tqdm

from utils.array_files import load_arrays
from utils.errors import UserError, need
from utils.mocap.amc import read_amc
from utils.mocap.asf import read_asf
from utils.mocap.bvh import LARGEST, read_bvh
from utils.mocap.clips import changed_rate, smooth_parts
from utils.mocap.joint_maps import (
    JointMap,
    choose_joint_map,
    find_joint_map,
    find_points_map,
    h36m_poses,
    h36m_poses_of_points,
)
from utils.mocap.naming import distinct_names, frame_rate_in_name, subject_and_action
from utils.mocap.store import MotionStore, check_reach, folder_of_store, make_store, write_store
from utils.processes import core_count, process_pool
from utils.skeletons import H36M_17

# Joint positions in one file, by clip: <source><number>_<frames per second>hz.npz.
_POINTS_FILE = re.compile(r"([a-z]+)\d*_(\d+(?:\.\d+)?)hz")


@dataclass
class MocapOptions:
    """Make a motion store, Human3.6M joints in mm, from a folder of motion capture."""

    folder: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FOLDER")]
    """Folder, searched through, with .bvh files, .asf and .amc files, or .npz files of joint
    positions named like uiprmd_50hz.npz."""
    output: Path | None = None
    """The motion store to write; by default data/mocap/<name of FOLDER>.npz, where training looks
    for it, unless a store of another folder is there."""
    source: str = ""
    """Name of the data set in the store; by default that of its joint map. cmu, hdm05, bandai,
    uiprmd and reactidle also say how subjects are told from file names."""
    joint_map: str = ""
    """How Human3.6M's joints are made from those of the files: cmu, hdm05, bandai, or a .toml file
    of your own with each joint as a weighted sum, the unit in mm and the upward axis
    (utils/mocap/maps/README.md). By default it is found from the joints' names."""
    frame_rate: float | None = None
    """Frames per second to bring every clip to, by leaving out or interpolating frames; by default
    clips keep their own."""
    amc_frame_rate: float = 120.0
    """Frames per second of .amc files, which do not say it (HDM05's names do)."""
    subject_pattern: str = ""
    """Regular expression whose group is the subject, searched in a clip's path inside the folder;
    by default known data sets name it, and other clips belong to the folder they lie in, those
    directly in FOLDER to FOLDER."""

    def __post_init__(self) -> None:
        for name in ("frame_rate", "amc_frame_rate"):
            rate = getattr(self, name)
            if rate is not None and not 0 < rate <= 10_000:
                raise UserError(f"--{name} must be above 0 and at most 10000, not {rate:g}")
        try:
            groups = re.compile(self.subject_pattern).groups
        except re.error as error:
            raise UserError(f"--subject_pattern {self.subject_pattern}: {error}") from error
        if self.subject_pattern and groups != 1:
            raise UserError(f"--subject_pattern must have one group, not {groups}")


@dataclass(frozen=True)
class _Clip:
    """A clip for the store: poses (T, 17, 3) float32, mm, y up; place: its path in the folder."""

    place: str
    source: str
    subject: str
    action: str
    poses: np.ndarray
    frame_rate: float
    validity: np.ndarray


@dataclass
class _Result:
    """What became of one file; `dropped` lists where frames were left out."""

    clips: list[_Clip] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)


def prepare_mocap(options: MocapOptions) -> int:
    """Write the store and print what is in it. -> exit code: 1 if a file could not be read."""
    need(options.folder.is_dir(), f"{options.folder} is not a folder")
    output = options.output or _default_output(options.folder)
    files = _motion_files(options.folder, output)
    joint_map = choose_joint_map(options.joint_map) if options.joint_map else None
    results = list(_read_files(files, partial(_read_file, options, joint_map)))
    # A broken skeleton is found again with each of its clips.
    problems = list(dict.fromkeys(problem for r in results for problem in r.problems))
    clips = [clip for r in results for clip in r.clips]
    told = problems if clips else problems[1:]
    for line in [line for r in results for line in r.dropped] + told:
        print(line)
    if not clips:
        raise UserError(f"no clip of {options.folder} is left; the first reason: {problems[0]}")
    store = _store_of(clips)
    write_store(output, store, str(options.folder.resolve()))
    for line in _summary(store):
        print(line)
    print(f"{output}: {output.stat().st_size / 1e6:.1f} MB")
    return 1 if problems else 0


def _name_of(folder: Path) -> str:
    """Of `.` and `..`, too."""
    return Path(os.path.abspath(folder)).name


def _default_output(folder: Path) -> Path:
    """data/mocap/<name>.npz. Raises UserError if what is there was not made from this folder."""
    output = Path("data/mocap") / f"{_name_of(folder)}.npz"
    if not output.exists():
        return output
    other = folder_of_store(output)
    if other == str(folder.resolve()):
        return output
    origin = f"made from {other}" if other else "and does not say what it was made from"
    raise UserError(
        f"{output} is there already, {origin}: give another --output, and another --source if the "
        f"clips have the same names, to keep it, or --output {output} to replace it"
    )


def _store_of(clips: list[_Clip]) -> MotionStore:
    sources = [clip.source for clip in clips]
    return make_store(
        [clip.poses for clip in clips],
        distinct_names(sources, [clip.place for clip in clips]),
        sources,
        [clip.subject for clip in clips],
        [clip.action for clip in clips],
        [clip.frame_rate for clip in clips],
        [clip.validity for clip in clips],
    )


def _motion_files(folder: Path, output: Path) -> list[Path]:
    """All but the store that an earlier command may have written into the folder."""
    endings, own = (".bvh", ".amc", ".npz"), output.resolve()
    known = (p for p in folder.rglob("*") if p.suffix.lower() in endings and p.is_file())
    found = sorted(p for p in known if p.resolve() != own)
    if not found:
        raise UserError(f"{folder} holds no .bvh, .amc or .npz files")
    return found


def _read_files(files: list[Path], read: Callable[[Path], _Result]) -> Iterator[_Result]:
    """Results in the order of the files, read by several processes if there is much to do."""
    progress = partial(tqdm, desc="files", total=len(files), leave=False, disable=None)
    workers = min(core_count(), len(files) // 8)
    if workers < 2:
        yield from progress(map(read, files))
        return
    with process_pool(workers) as pool:
        yield from progress(pool.map(read, files, chunksize=4))


def _read_file(options: MocapOptions, joint_map: JointMap | None, path: Path) -> _Result:
    result = _Result()
    try:
        if path.suffix.lower() == ".npz":
            _read_points(path, options, joint_map, result)
        else:
            _read_motion(path, options, joint_map, result)
    except UserError as error:
        result.problems.append(str(error))
    return result


def _read_motion(
    path: Path, options: MocapOptions, joint_map: JointMap | None, result: _Result
) -> None:
    if path.suffix.lower() == ".bvh":
        motion = read_bvh(path)
    else:
        rate = frame_rate_in_name(path.stem) or options.amc_frame_rate
        motion = read_amc(path, read_asf(_skeleton_of(path)), rate)
    joint_map = joint_map or find_joint_map(motion.armature.names, path)
    poses = h36m_poses(motion, joint_map, path)
    place = path.relative_to(options.folder).with_suffix("").as_posix()
    _add(result, options, joint_map, place, poses, motion.frame_rate)


def _skeleton_of(path: Path) -> Path:
    """The .asf beside an .amc: the only one, or the one whose name its own begins with."""
    beside = sorted(p for p in path.parent.iterdir() if p.suffix.lower() == ".asf")
    fitting = [p for p in beside if path.stem.startswith(p.stem)] or beside
    if not fitting:
        raise UserError(f"{path} has no skeleton: put its .asf file beside it")
    if len(fitting) > 1 and not path.stem.startswith(fitting[0].stem):
        raise UserError(f"{path}: which of the .asf files beside it is its skeleton?")
    return max(fitting, key=lambda p: len(p.stem))


def _read_points(
    path: Path, options: MocapOptions, joint_map: JointMap | None, result: _Result
) -> None:
    """Clips (T, 17, 3) by name, in Human3.6M's order, in units of the joint map."""
    named = _POINTS_FILE.fullmatch(path.stem)
    if not named or float(named[2]) <= 0:
        raise UserError(f"{path}: the name of a file of joints ends in its frame rate, _50hz.npz")
    joint_map = joint_map or find_points_map(named[1], path)
    place = path.relative_to(options.folder).parent
    clips = load_arrays(path, "file of joints")
    if not clips:
        raise UserError(f"{path} holds no clips")
    for name, positions in clips.items():
        try:
            poses = h36m_poses_of_points(_points(positions), joint_map, path)
            _add(result, options, joint_map, (place / name).as_posix(), poses, float(named[2]))
        except (UserError, ValueError) as error:
            result.problems.append(f"{path}, clip {name}: {error}")


def _points(positions: np.ndarray) -> dict[str, np.ndarray]:
    """Places (T, 3) by Human3.6M's names. Raises ValueError for what is no clip."""
    if positions.shape[1:] != (len(H36M_17), 3) or positions.dtype.kind not in "iuf":
        raise ValueError(f"{positions.dtype} of shape {positions.shape}, not numbers (T, 17, 3)")
    if not (np.abs(positions.astype(float)) < LARGEST).all():
        raise ValueError("it has joints that are not numbers, or too far away")
    return {joint: positions[:, j].astype(float) for j, joint in enumerate(H36M_17.joints)}


def _add(
    result: _Result,
    options: MocapOptions,
    joint_map: JointMap,
    place: str,
    poses: np.ndarray,
    frame_rate: float,
) -> None:
    """Put the clip, or what is left of it between jumps, to the result, at the rate wanted."""
    if not len(poses):
        raise UserError(f"{place} has no frames of motion")
    source = options.source or joint_map.source
    folder = _name_of(options.folder)
    subject, action = subject_and_action(source, place, folder, options.subject_pattern)
    parts = smooth_parts(poses, frame_rate)
    if not parts:
        raise UserError(f"{place} jumps too often: no part of it is long enough to keep")
    kept = sum(part.stop - part.start for part in parts)
    if kept < len(poses) or len(parts) > 1:
        result.dropped.append(
            f"{place} has jumps: {len(poses) - kept} of {len(poses)} frames dropped, "
            f"{len(parts)} parts left"
        )
    for part in parts:
        check_reach(poses[part], place)
    rate = options.frame_rate or frame_rate
    for number, part in enumerate(parts, 1):
        where = f"{place}.{number}" if len(parts) > 1 else place
        clip = changed_rate(poses[part], frame_rate, rate)
        one = _Clip(where, source, subject, action, clip, rate, joint_map.validity)
        result.clips.append(one)


def _summary(store: MotionStore) -> Iterator[str]:
    """One line per source: clips, frames, minutes, subjects."""
    seconds = store.lengths() / store.frame_rates
    for source in dict.fromkeys(store.sources.tolist()):
        mask = store.sources == source
        subjects = sorted(set(store.subjects[mask].tolist()))
        yield (
            f"{source}: {mask.sum()} clips, {store.lengths()[mask].sum()} frames, "
            f"{seconds[mask].sum() / 60:.1f} min, {len(subjects)} subjects ({' '.join(subjects)})"
        )
