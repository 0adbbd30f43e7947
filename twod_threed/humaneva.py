"""HumanEva-I as VideoPose3D makes it: data_3d_humaneva15.npz and data_2d_humaneva15_<detector>.npz.

Both hold pickled dictionaries, subject -> clip -> positions: (T, 15, 3) in m in the world, z up,
and for each of the three cameras (T', J, 2) px. With 20 joints the names have 20 in them. Subjects
are "Train/S1", "Validate/S1" and, in 2D alone, "Unlabeled/S4"; clips are cut where the motion
capture failed: "Walking 1 chunk0". 60 frames per second.

Neither file holds a calibration. Where the cameras stood is the data set's own (below). Their
lenses are measured: focal lengths and centres are the least squares between the 3D joints and the
2D ones of the files. S4, filmed without motion capture, gets the places of S1's cameras.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from scipy.spatial.transform import Rotation

from twod_threed.h36m_takes import LARGEST
from twod_threed.h36m_videopose import read_keypoints
from twod_threed.pairs import PosePairs, join_pairs
from twod_threed.predictor import guess_intrinsics
from utils.cameras import world_to_camera
from utils.errors import UserError
from utils.foreign_files import read_foreign
from utils.skeleton_conversion import convert
from utils.skeletons import HUMANEVA_15, HUMANEVA_20, MPII_16, Skeleton, skeleton_named

SOURCE = "humaneva"
FRAME_RATE = 60.0
UP = (0.0, 0.0, 1.0)
IMAGE_SIZE = (640, 480)
CAMERAS = ("C1", "C2", "C3")
TRAIN_SUBJECTS = ("Train/S1", "Train/S2", "Train/S3")
TEST_SUBJECTS = ("Validate/S1", "Validate/S2", "Validate/S3")
POSES = {15: HUMANEVA_15, 20: HUMANEVA_20}

# Of each camera: quaternion from camera to world axes (w first), then place in the world, mm.
_FIRST_ROOM = (
    ((0.424207, -0.4983646, -0.5802981, 0.4847012), (4062.2271, 663.2477, 1528.397)),
    ((0.6503354, -0.7481602, -0.0919284, 0.0941766), (844.8131, -3805.2092, 1504.9929)),
    ((0.0664734, -0.0690535, 0.7416416, -0.6639132), (-797.6738, 3916.3174, 1433.6602)),
)
_SECOND_ROOM = (
    ((0.4214752, -0.4961493, -0.5838273, 0.4851187), (4112.9121, 626.4929, 1545.2988)),
    ((0.6501393, -0.7476588, -0.0954617, 0.0959808), (923.574, -3877.9243, 1504.5518)),
    ((0.0699353, -0.0712403, 0.7421637, -0.662742), (-781.4915, 3838.8853, 1444.9929)),
)
_ROOMS = {"S1": _FIRST_ROOM, "S2": _SECOND_ROOM, "S3": _FIRST_ROOM, "S4": _FIRST_ROOM}


@dataclass(frozen=True)
class _Clip:
    """`world` (T, J3, 3) mm, None if unlabelled; for each camera (T, J, 2) px, None if unseen."""

    subject: str
    name: str
    world: np.ndarray | None
    views: tuple[np.ndarray | None, ...]


def read_humaneva(
    data_dir: str | Path,
    subjects: Sequence[str] = (*TRAIN_SUBJECTS, *TEST_SUBJECTS),
    keypoints: str = "gt",
    joints: Literal[15, 20] = 15,
    skeleton_2d: str | None = MPII_16.name,
) -> PosePairs:
    """Read HumanEva-I from the folder that its two files are in.

    keypoints: whose 2D joints, as in the file's name: "gt", "detectron_pt_coco", ...; skeleton_2d:
    what they are converted to by name, None leaves them as they are. Poses are of HumanEva's own
    15 or 20 joints; those of clips without 3D ("Unlabeled/S4") are NaN and not valid. 2D joints of
    more frames than there are in 3D are cut to those, as the public program does.

    Raises UserError if a file, subject or clip is absent, or a file is damaged, of another
    structure or of another number of joints; also for fewer frames in 2D than in 3D.
    """
    folder, name, poses = Path(data_dir), f"humaneva{joints}", POSES[joints]
    truth, found = folder / f"data_3d_{name}.npz", folder / f"data_2d_{name}_{keypoints}.npz"
    for path in (truth, found):
        if not path.is_file():
            raise _absent(path)
    worlds = {
        key: _world(values, poses, f"{truth}: {' '.join(key)}")
        for key, values in _positions(truth).items()
    }
    detections, skeleton = read_keypoints(found)
    clips = list(_clips(worlds, _by_clip(detections, found), skeleton, found))
    _check_subjects(subjects, clips, found)
    lenses = np.stack([_measure_lens(clips, n, poses, skeleton) for n in range(len(CAMERAS))])
    target = skeleton if skeleton_2d is None else skeleton_named(skeleton_2d)
    chosen = [clip for subject in subjects for clip in clips if clip.subject == subject]
    parts = [_pairs_of(clip, lenses, poses, skeleton, target) for clip in chosen]
    return replace(join_pairs(parts), keypoints=keypoints)


def _absent(path: Path) -> UserError:
    return UserError(
        f"{path} is not there: get HumanEva-I from http://humaneva.is.tue.mpg.de and lay it out as "
        "VideoPose3D does (data_3d_humaneva15.npz, data_2d_humaneva15_gt.npz); "
        "temporal_mannequin needs no data"
    )


def _check_subjects(subjects: Sequence[str], clips: Sequence[_Clip], path: Path) -> None:
    there = sorted({clip.subject for clip in clips})
    for subject in subjects:
        if subject not in there:
            raise UserError(f"{path} has no subject {subject}, only {', '.join(there)}")
    if not subjects or len(set(subjects)) < len(subjects):
        raise UserError("HumanEva: name every subject once, and at least one")


# --- The files ---------------------------------------------------------------------------------


def _positions(path: Path) -> dict[tuple[str, str], Any]:
    """What the 3D file holds for each subject and clip."""
    content = read_foreign(path)
    array = content.get("positions_3d") if isinstance(content, dict) else None
    if not isinstance(array, np.ndarray) or array.shape != ():
        raise UserError(f"{path} is not as VideoPose3D makes it: it has no positions_3d")
    return _by_clip(array[()], path)


def _by_clip(values: Any, path: Path) -> dict[tuple[str, str], Any]:
    """subject -> clip -> value as (subject, clip) -> value."""
    for level in (values, *(values.values() if isinstance(values, dict) else ())):
        if not isinstance(level, dict) or not all(isinstance(name, str) for name in level):
            raise UserError(f"{path} is not as VideoPose3D makes it: no subjects that have clips")
    for subject in values:
        if subject.rsplit("/", 1)[-1] not in _ROOMS:
            raise UserError(f"{path} has a subject {subject!r}; HumanEva's are {', '.join(_ROOMS)}")
    return {(subject, name): value for subject in values for name, value in values[subject].items()}


def _world(values: Any, poses: Skeleton, where: str) -> np.ndarray:
    """(T, J3, 3) m -> mm."""
    if not isinstance(values, np.ndarray) or values.dtype.kind != "f" or values.ndim != 3:
        raise UserError(f"{where} is no array of poses")
    if values.shape[1] != len(poses):
        raise UserError(f"{where} has {values.shape[1]} joints, not the {len(poses)} of its name")
    # NaN is below nothing.
    if values.shape[2] != 3 or len(values) == 0 or not (np.abs(values) < LARGEST).all():
        raise UserError(f"{where} holds positions that are not three sensible numbers each")
    return values.astype(np.float64) * 1000


def _clips(
    worlds: dict[tuple[str, str], np.ndarray],
    detections: dict[tuple[str, str], Any],
    skeleton: Skeleton,
    path: Path,
) -> Iterator[_Clip]:
    """Every clip that was seen, by name; those with 3D must all be there."""
    for subject, name in worlds:
        if (subject, name) not in detections:
            raise UserError(f"{path} lacks {subject} {name}")
    for (subject, name), views in sorted(detections.items(), key=lambda item: item[0]):
        where = f"{path}: {subject} {name}"
        if not isinstance(views, list | tuple) or len(views) != len(CAMERAS):
            raise UserError(f"{where} is not of {len(CAMERAS)} cameras")
        world = worlds.get((subject, name))
        count = None if world is None else len(world)
        seen = tuple(_points(points, count, skeleton, where) for points in views)
        yield _Clip(subject, name, world, seen)


def _points(points: Any, count: int | None, skeleton: Skeleton, where: str) -> np.ndarray | None:
    """What one camera saw, cut to `count` frames: (T, J, 2) px. None if it saw nothing."""
    if points is None:
        return None
    if not isinstance(points, np.ndarray) or points.dtype.kind != "f" or points.ndim != 3:
        raise UserError(f"{where} is no array of points")
    if points.shape[1] != len(skeleton) or points.shape[2] not in (2, 3):
        raise UserError(f"{where} has shape {points.shape}, not (frames, {len(skeleton)}, 2)")
    if (np.abs(points) >= LARGEST).any():  # NaN is a joint that was not seen
        raise UserError(f"{where} holds points that are in no picture")
    if count is not None and len(points) < count:
        raise UserError(f"{where} has {len(points)} frames in 2D and {count} in 3D")
    return points[:count, :, :2].astype(np.float64)


# --- Cameras and pairs -------------------------------------------------------------------------


def _place(subject: str, camera: int) -> tuple[np.ndarray, np.ndarray]:
    """Rotation (3, 3), world to camera, and position (3,) mm."""
    (w, *xyz), position = _ROOMS[subject.rsplit("/", 1)[-1]][camera]
    return Rotation.from_quat([*xyz, w]).as_matrix().T, np.array(position)


def _measure_lens(
    clips: Sequence[_Clip], camera: int, poses: Skeleton, skeleton: Skeleton
) -> np.ndarray:
    """(4,) fx, fy, cx, cy px: least squares of u = fx X/Z + cx, v = fy Y/Z + cy over all clips.

    Only joints count that both skeletons really have. A guess where no clip has both sides.
    """
    places, pixels = [np.empty((0, 2))], [np.empty((0, 2))]
    for clip in clips:
        points = clip.views[camera]
        if clip.world is None or points is None:
            continue
        made = convert(world_to_camera(clip.world, *_place(clip.subject, camera)), poses, skeleton)
        shared = np.array(made.status) == "exact"
        seen, places_3d = points[:, shared], made.poses[:, shared]
        known = ~np.isnan(seen).any(axis=-1) & (places_3d[..., 2] > 0)
        places.append(places_3d[known][:, :2] / places_3d[known][:, 2:])
        pixels.append(seen[known])
    plane, points = np.concatenate(places), np.concatenate(pixels)
    if len(plane) < 2 or not plane.std(axis=0).all():
        return guess_intrinsics(np.array([IMAGE_SIZE]))[0]
    off, spread = plane - plane.mean(axis=0), points - points.mean(axis=0)
    focal = (off * spread).sum(axis=0) / (off * off).sum(axis=0)
    if (focal <= 0).any():
        raise UserError(f"HumanEva: 2D and 3D joints of camera {CAMERAS[camera]} do not fit")
    return np.concatenate([focal, points.mean(axis=0) - focal * plane.mean(axis=0)])


def _pairs_of(
    clip: _Clip, lenses: np.ndarray, poses: Skeleton, skeleton: Skeleton, target: Skeleton
) -> PosePairs:
    """What the cameras saw of a clip, in the joints of `target`."""
    turns, positions = zip(*(_place(clip.subject, n) for n in range(len(CAMERAS))), strict=True)
    seen = [(n, points) for n, points in enumerate(clip.views) if points is not None]
    counts = np.array([len(points) for _, points in seen], np.int64)
    truth = np.full((counts.sum(), len(poses), 3), np.nan)
    if clip.world is not None and seen:
        views = [world_to_camera(clip.world, turns[n], positions[n]) for n, _ in seen]
        truth = np.concatenate(views)
    points = np.concatenate([np.empty((0, len(skeleton), 2)), *(points for _, points in seen)])
    return PosePairs(
        poses_3d=truth,
        valid=np.asarray(np.isfinite(truth).all(axis=-1)),
        poses_2d=convert(points, skeleton, target).poses,
        camera=np.repeat(np.array([n for n, _ in seen], np.int64), counts),
        clip=np.zeros(counts.sum(), np.int64),
        frame=np.concatenate([np.arange(count) for count in (0, *counts)]),
        intrinsics=lenses,
        distortion=np.zeros((len(CAMERAS), 5)),
        image_size=np.array([IMAGE_SIZE] * len(CAMERAS)),
        rotation=np.stack(turns),
        position=np.stack(positions),
        camera_names=np.array(CAMERAS),
        clip_names=np.array([f"{clip.subject}/{clip.name}"]),
        clip_sources=np.array([SOURCE]),
        clip_subjects=np.array([clip.subject]),
        clip_actions=np.array([clip.name.split(" ")[0]]),
        frame_rates=np.array([FRAME_RATE]),
        up=np.array(UP),
        skeleton_2d=target.name,
        skeleton_3d=poses.name,
    )
