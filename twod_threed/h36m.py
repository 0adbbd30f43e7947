"""Human3.6M as pairs of 2D and 3D poses, from any of the layouts that it is had in."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from twod_threed.h36m_official import is_official, official_takes
from twod_threed.h36m_takes import ACTIONS, FRAME_RATE, SUBJECTS, UP, Take, Wanted, absent
from twod_threed.h36m_tree import is_tree, tree_takes
from twod_threed.h36m_videopose import is_videopose, videopose_takes
from twod_threed.pairs import PROJECTED, PosePairs, join_pairs, read_pairs
from utils.cameras import Camera
from utils.errors import UserError
from utils.skeleton_conversion import convert
from utils.skeletons import H36M_17, Skeleton, skeleton_named

OFFICIAL_KEYPOINTS = "d2_positions"
SOURCE = "h36m"

# The 14 joints that some score by: Human3.6M-17 without these (3d-pose-baseline's predict_14).
NOT_OF_14 = ("hip", "spine", "neck_nose")


def read_h36m(
    data_dir: str | Path,
    subjects: Sequence[str] = SUBJECTS,
    actions: Sequence[str] = ACTIONS,
    keypoints: str = PROJECTED,
    every: int = 1,
    joints: int = 17,
    skeleton_2d: str | None = "mpii_16",
) -> PosePairs:
    """Read Human3.6M, whatever its layout, with the 2D joints asked for.

    `data_dir`: a folder in the layout of VideoPose3D, 3d-pose-baseline or the official download,
    or what `data/prepare.py h36m` wrote (the file, or the folder that it is in).
    `keypoints`: "gt" for projections of the 3D joints, the name of a detector whose joints a
    VideoPose3D folder has ("cpn_ft_h36m_dbb"), or "d2_positions" for the official 2D joints.
    `every`: take every n-th frame; a prepared file has no others than it was prepared with.
    `joints`: 17, or 14 to leave hip, spine and nose out of `valid`.
    `skeleton_2d`: what the 2D joints are converted to by name; None leaves those of a detector,
    and Human3.6M-17 of projections, as they are.

    Raises UserError if data are absent or damaged, or lack the joints asked for.
    """
    wanted = Wanted(subjects, actions)
    if every < 1 or joints not in (14, 17):
        raise UserError(f"Human3.6M: every must be 1 or more, not {every}; joints 14 or 17")
    folder = Path(data_dir)
    prepared = folder if folder.is_file() else folder / pairs_file(keypoints)
    # What was prepared has the joints converted.
    as_published = skeleton_2d is None and _has_published(folder, keypoints)
    if prepared.is_file() and not as_published:
        pairs = _of_prepared(prepared, wanted, keypoints, skeleton_2d)
        pairs = pairs.select(pairs.frame % every == 0)
        _check_complete(pairs, wanted, folder)
    else:
        pairs = read_layout(folder, wanted, keypoints, every, skeleton_2d)
    if joints == 14:
        scored = ~np.isin(H36M_17.joints, NOT_OF_14)
        pairs = replace(pairs, valid=pairs.valid & scored)
    return pairs


def pairs_file(keypoints: str) -> str:
    """Name of the prepared file with these 2D joints."""
    return f"h36m_{keypoints}.npz"


def read_layout(
    folder: Path,
    wanted: Wanted,
    keypoints: str = PROJECTED,
    every: int = 1,
    skeleton_2d: str | None = "mpii_16",
) -> PosePairs:
    """Read one of the public layouts; see `read_h36m`, which takes prepared files as well."""
    target = None if skeleton_2d is None else skeleton_named(skeleton_2d)
    parts = [_pairs_of(take, every, target) for take in _takes(folder, wanted, keypoints)]
    if not parts:
        raise absent(folder, "none of the actions asked for is there")
    pairs = replace(join_pairs(parts), keypoints=keypoints)
    _check_complete(pairs, wanted, folder)
    return pairs


def _takes(folder: Path, wanted: Wanted, keypoints: str) -> Iterator[Take]:
    projected = keypoints == PROJECTED
    if is_videopose(folder):
        return videopose_takes(folder, wanted, None if projected else keypoints)
    if is_official(folder) and keypoints in (PROJECTED, OFFICIAL_KEYPOINTS):
        return official_takes(folder, wanted, not projected)
    if is_tree(folder) and projected:
        return tree_takes(folder, wanted)
    if is_official(folder) or is_tree(folder):
        raise UserError(f"{folder} has no 2D joints called {keypoints}: ask for {PROJECTED}")
    raise absent(folder)


def _has_published(folder: Path, keypoints: str) -> bool:
    if not folder.is_dir():
        return False
    is_projected, has_own = keypoints == PROJECTED, keypoints == OFFICIAL_KEYPOINTS
    official = is_official(folder) and (is_projected or has_own)
    return is_videopose(folder) or official or (is_tree(folder) and is_projected)


def _of_prepared(path: Path, wanted: Wanted, keypoints: str, skeleton: str | None) -> PosePairs:
    pairs = read_pairs(path)
    if (pairs.clip_sources != SOURCE).any():
        raise UserError(f"{path} does not hold Human3.6M alone")
    if pairs.keypoints != keypoints or skeleton not in (None, pairs.skeleton_2d):
        raise UserError(
            f"{path} was prepared with 2D joints {pairs.keypoints} as {pairs.skeleton_2d}, not "
            f"{keypoints} as {skeleton}: run `python data/prepare.py h36m --keypoints {keypoints}`"
        )
    return pairs.select(
        np.isin(pairs.subjects, wanted.subjects) & np.isin(pairs.actions, wanted.actions)
    )


def _check_complete(pairs: PosePairs, wanted: Wanted, folder: Path) -> None:
    codes = np.unique(pairs.clip)
    there = set(zip(pairs.clip_subjects[codes], pairs.clip_actions[codes], strict=True))
    for subject in wanted.subjects:
        lacking = [action for action in wanted.actions if (subject, action) not in there]
        if lacking:
            raise absent(folder, f"{subject} lacks {', '.join(lacking)}")


def _pairs_of(take: Take, every: int, target: Skeleton | None) -> PosePairs:
    """What each camera saw of a take in every n-th frame, in the joints of `target`."""
    frames = np.arange(0, len(take.world), every)
    views = len(take.cameras)
    poses = np.stack([camera.to_camera(take.world[frames]) for camera in take.cameras])
    if take.keypoints is None:
        source = H36M_17
        joints = _converted(poses, source, target)
        points = [camera.project(joints[n]) for n, camera in enumerate(take.cameras)]
    else:
        source = take.skeleton
        points = [_converted(found[frames], source, target) for found in take.keypoints]
    return PosePairs(
        poses_3d=poses.reshape(-1, *poses.shape[2:]),
        # Readers refuse positions that are not finite, so all joints are known.
        valid=np.ones((views * len(frames), len(H36M_17)), np.bool_),
        poses_2d=np.concatenate(points),
        camera=np.repeat(np.arange(views), len(frames)),
        clip=np.zeros(views * len(frames), np.int64),
        frame=np.tile(frames, views),
        **_camera_tables(take.cameras),
        clip_names=np.array([f"{take.subject}/{take.name}"]),
        clip_sources=np.array([SOURCE]),
        clip_subjects=np.array([take.subject]),
        clip_actions=np.array([take.action]),
        frame_rates=np.array([FRAME_RATE]),
        up=np.array(UP),
        skeleton_2d=(target or source).name,
    )


def _converted(poses: np.ndarray, source: Skeleton, target: Skeleton | None) -> np.ndarray:
    return poses if target is None else convert(poses, source, target).poses


def _camera_tables(cameras: Sequence[Camera]) -> dict[str, Any]:
    return {
        "intrinsics": np.array([camera.intrinsics for camera in cameras]),
        "distortion": np.array([[*camera.radial, *camera.tangential] for camera in cameras]),
        "image_size": np.array([camera.image_size for camera in cameras]),
        "rotation": np.array([camera.rotation for camera in cameras]),
        "position": np.array([camera.position for camera in cameras]),
        "camera_names": np.array([camera.name for camera in cameras]),
    }
