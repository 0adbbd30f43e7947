"""Lifted poses as rows of a pose file."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from twod_threed.pairs import PosePairs, write_pairs
from twod_threed.predictor import Lifted, LiftingModel, guess_intrinsics
from twod_threed.video import fill_gaps, sequences
from utils.pose_file import Poses, write_poses
from utils.pose_json import write_pose_json
from utils.skeletons import H36M_17


def with_3d(poses: Poses, lifted: Lifted, intrinsics: np.ndarray) -> Poses:
    """Rows of 2D poses with what was made of them; intrinsics (N, 4) px."""
    return replace(
        poses,
        keypoints_3d=lifted.poses,
        root_camera=lifted.root_camera,
        intrinsics=intrinsics,
        skeleton_3d=H36M_17.name,
    )


def rows_of_pairs(pairs: PosePairs) -> Poses:
    """The 2D side of pairs as rows of a pose file."""
    points = pairs.poses_2d
    return Poses(
        source=pairs.source_names(),
        frame=pairs.frame,
        time=pairs.frame / pairs.frame_rates[pairs.clip],
        person=np.zeros(len(pairs), np.int64),
        box=np.full((len(pairs), 3), np.nan),
        image_size=pairs.image_size[pairs.camera],
        keypoints_2d=points,
        confidence=np.asarray(~np.isnan(points).any(axis=-1), np.float32),
        intrinsics=pairs.intrinsics[pairs.camera],
        skeleton_2d=pairs.skeleton_2d,
    )


def lift_rows(
    model: LiftingModel,
    poses: Poses,
    intrinsics: np.ndarray,
    height: float | None = None,
    video: bool = False,
    max_gap: int = 0,
    batch_size: int = 4096,
) -> Poses:
    """Lift the rows of a pose file; intrinsics (N, 4) px; height mm.

    video: rows of one source and person are frames of a video: gaps of at most `max_gap` frames in
    their 2D joints are filled first (in what is lifted, not in the 2D joints that are kept), and
    they share one body size.
    """
    groups = sequences(poses) if video else [np.arange(len(poses))]
    shape = (len(poses), len(H36M_17), 3)
    lifted = Lifted(np.full(shape, np.nan, np.float32), np.full(shape[::2], np.nan, np.float32))
    for rows in groups:
        points = poses.keypoints_2d[rows]
        if video:
            points = fill_gaps(points, poses.frame[rows], max_gap)
        part = model.lift(
            points,
            poses.skeleton_2d,
            intrinsics=intrinsics[rows],
            height=height,
            video=video,
            batch_size=batch_size,
        )
        lifted.poses[rows], lifted.root_camera[rows] = part.poses, part.root_camera
    return with_3d(poses, lifted, intrinsics)


def write_lifted(folder: Path, lifted: Poses, pairs: PosePairs | None, how: str = "") -> None:
    """Write poses.npz and poses.json, and beside them the pairs that they were made from, if any;
    say so. `how`: words after the number of poses. Raises UserError."""
    write_poses(folder / "poses.npz", lifted)
    write_pose_json(folder / "poses.json", lifted)
    assert lifted.keypoints_3d is not None
    found = int((~np.isnan(lifted.keypoints_3d)).any(axis=(1, 2)).sum())
    print(f"{found} of {len(lifted)} poses{how} lifted: {folder / 'poses.npz'}")
    if pairs is not None:
        place = folder / "ground_truth.npz"
        write_pairs(place, pairs)
        use = ", for --ground_truth of eval.py and viz.py" * (pairs.skeleton_3d == H36M_17.name)
        print(f"ground truth{use}: {place}")


def lift_pairs(model: LiftingModel, pairs: PosePairs, batch_size: int = 4096) -> Poses:
    """Lift the 2D side of pairs, each seen by its own camera."""
    rows = rows_of_pairs(pairs)
    return lift_rows(model, rows, pairs.intrinsics[pairs.camera], batch_size=batch_size)


def find_intrinsics(poses: Poses, focal: float | None, fov: float | None) -> np.ndarray:
    """(N, 4) px: what the options say, or else the file's own, or else a guess."""
    guess = guess_intrinsics(poses.image_size, focal, fov)
    if poses.intrinsics is None or focal is not None or fov is not None:
        return guess
    known = ~np.isnan(poses.intrinsics).any(axis=1, keepdims=True)
    return np.where(known, poses.intrinsics, guess)
