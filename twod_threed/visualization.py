"""The commands that draw 3D poses: `viz.py 2d_gt_3d_gt_3d_pred` and `viz.py orthog_augmentation`.

Every example is a row: the 2D pose, the true 3D pose, the lifter's, and both over each other, seen
from the side, where depth shows. People stand as the camera's tilt says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from twod_threed.augmentation import orthogonal_augmentation
from twod_threed.matching import matching_rows, read_predictions
from twod_threed.options import AugmentationOptions, DataOptions
from twod_threed.pairs import PosePairs, read_pairs
from twod_threed.predictor import LiftingModel
from twod_threed.training_data import fixed_pairs
from twod_threed.views import project_mpii
from twod_threed.visualization_options import ExamplesOptions, OrthogonalOptions
from utils.errors import UserError
from utils.images import write_image
from utils.pose_json import read_pose_file
from utils.pose_metrics import hip_relative, mpjpe, p_mpjpe
from utils.pose_panels import (
    GREY,
    PanelPose,
    PanelView,
    draw_keypoints,
    draw_panel,
    frame_poses,
    grid,
)
from utils.skeletons import H36M_17, MPII_16, Skeleton, skeleton_named

_SIZE = 300
_FROM_THE_SIDE = 90.0
_HIP = H36M_17.index("hip")


@dataclass(frozen=True)
class Example:
    """One row: 2D joints (J, 2) px; true and predicted joints (17, 3), mm from the hip, camera
    axes; `valid` (17,) joints that the errors are of; `up` (3,) in camera axes."""

    title: str
    keypoints: np.ndarray
    skeleton_2d: Skeleton
    truth: np.ndarray
    prediction: np.ndarray
    valid: np.ndarray
    up: np.ndarray


def draw_examples(examples: Sequence[Example], path: Path) -> None:
    """Write a picture with a row for each example. Raises UserError if it cannot be written."""
    panels = [panel for example in examples for panel in draw_example(example)]
    write_image(path, grid(panels, 4))


def draw_example(example: Example) -> list[np.ndarray]:
    """Its four panels: 2D, truth, prediction with its MPJPE and P-MPJPE, both from the side."""
    view = PanelView(up=example.up)
    side = PanelView(azimuth=_FROM_THE_SIDE, up=example.up)
    framing = frame_poses(np.stack([example.truth, example.prediction]), view)
    error, aligned = (
        measure(example.prediction[None], example.truth[None], example.valid[None])
        for measure in (mpjpe, p_mpjpe)
    )
    truth = PanelPose(example.truth, H36M_17)
    prediction = PanelPose(example.prediction, H36M_17)
    both = [
        PanelPose(example.truth, H36M_17, GREY, "truth"),
        PanelPose(example.prediction, H36M_17, None, "prediction"),
    ]
    score = f"prediction: {error:.0f} mm, aligned {aligned:.0f}"
    return [
        draw_keypoints(example.keypoints, example.skeleton_2d, _SIZE, example.title),
        draw_panel([truth], _SIZE, view, framing, title="truth"),
        draw_panel([prediction], _SIZE, view, framing, title=score),
        draw_panel(both, _SIZE, side, framing, title="both, from the side"),
    ]


def draw_2d_gt_3d_gt_3d_pred(options: ExamplesOptions) -> None:
    """Draw chosen rows of a file of pose pairs beside what a lifter made of them.

    Raises UserError for files that are absent or do not fit each other.
    """
    pairs = read_pairs(options.threed_pose_ground_truths)
    pairs = pairs.select(_rows(options, len(pairs)))
    keypoints, skeleton = _keypoints(options.twod_pose_ground_truths, pairs)
    if options.threed_pose_estimation is None:
        model = LiftingModel.load(options.load)
        intrinsics = pairs.intrinsics[pairs.camera]
        predictions = model.lift(keypoints, skeleton, intrinsics=intrinsics).poses
    else:
        predictions, _ = read_predictions(options.threed_pose_estimation, pairs)
    truth = hip_relative(pairs.poses_3d, _HIP)
    predictions = hip_relative(predictions, _HIP)
    names = pairs.source_names()
    examples = [
        Example(
            f"{names[row]}, frame {pairs.frame[row]}",
            keypoints[row],
            skeleton_named(skeleton),
            truth[row],
            predictions[row],
            pairs.valid[row],
            pairs.camera_of(row).rotation @ pairs.up,
        )
        for row in range(len(pairs))
    ]
    _write(examples, options.output_dir / "2d_gt_3d_gt_3d_pred.png")


def _rows(options: ExamplesOptions, count: int) -> list[int]:
    """Rows of the pose pairs to draw."""
    place = options.threed_pose_ground_truths
    if count == 0:
        raise UserError(f"{place} has no poses")
    for row in options.index:
        if not 0 <= row < count:
            raise UserError(f"{place} has rows 0 to {count - 1}, not {row}")
    spread = np.linspace(0, count - 1, min(options.num_examples, count)).round().astype(int)
    return list(options.index) or spread.tolist()


def _keypoints(path: Path | None, pairs: PosePairs) -> tuple[np.ndarray, str]:
    """2D poses (N, J, 2) px of the pairs, their own or those of a pose file, and their skeleton."""
    if path is None:
        return pairs.poses_2d, pairs.skeleton_2d
    poses = read_pose_file(path)
    return poses.keypoints_2d[matching_rows(poses, pairs, path)], poses.skeleton_2d


def draw_orthog_augmentation(options: OrthogonalOptions) -> None:
    """Draw one example as it is, and turned at random many times, beside what a lifter makes of it.

    Raises UserError for data or weights that are absent, and for an index outside the data.
    """
    model = LiftingModel.load(options.load)
    if options.dataset_normalization and model.description.statistics is None:
        raise UserError(
            f"{options.load} was not trained with dataset normalisation: leave out "
            "--dataset_normalization"
        )
    data = DataOptions(dataset=options.kind, data_dir=options.data_dir)
    pairs = fixed_pairs(data, options.split, options.seed)
    if options.index >= len(pairs):
        raise UserError(
            f"--index {options.index}: the {options.split} data end with row {len(pairs) - 1}"
        )
    pair = pairs.select([options.index])
    batch = turned(pair, options.num_orientations, options.z_rotations_only, options.seed)
    examples = _lifted(model, batch, f"{pair.source_names()[0]}, frame {pair.frame[0]}")
    _write(examples, options.output_dir / "orthog_augmentation.png")


def turned(pair: PosePairs, count: int, z_rotations_only: bool, seed: int) -> dict[str, np.ndarray]:
    """One pair (N = 1) as it is, then turned `count` times and seen again by its camera.

    -> arrays of the minibatches of `twod_threed.data`, of count + 1 rows, without sizes.
    """
    rotation = pair.camera_of(0).rotation
    first = {
        "poses_3d": pair.poses_3d,
        "valid": pair.valid,
        "intrinsics": pair.intrinsics[pair.camera].astype(np.float32),
        "distortion": pair.distortion[pair.camera].astype(np.float32),
        "up": (rotation @ pair.up)[None].astype(np.float32),
    }
    batch = {name: torch.from_numpy(np.ascontiguousarray(v)) for name, v in first.items()}
    batch["poses_2d"] = project_mpii(batch["poses_3d"], batch["intrinsics"], batch["distortion"])
    several = {name: value.repeat_interleave(count, 0) for name, value in batch.items()}
    chosen = AugmentationOptions(
        orthogonal_data_augmentation=True,
        orthogonal_data_augmentation_prob=1.0,
        z_rotations_only=z_rotations_only,
    )
    generator = torch.Generator().manual_seed(seed)
    changed = orthogonal_augmentation(several, chosen, generator)
    return {name: torch.cat([value, changed[name]]).numpy() for name, value in batch.items()}


def _lifted(model: LiftingModel, batch: dict[str, np.ndarray], name: str) -> list[Example]:
    """What a lifter makes of the rows of `turned`."""
    lifted = model.lift(batch["poses_2d"], MPII_16.name, intrinsics=batch["intrinsics"])
    truth = hip_relative(batch["poses_3d"], _HIP)
    predictions = hip_relative(lifted.poses, _HIP)
    return [
        Example(
            f"turned, {row}" if row else name,
            batch["poses_2d"][row],
            MPII_16,
            truth[row],
            predictions[row],
            batch["valid"][row],
            batch["up"][row],
        )
        for row in range(len(truth))
    ]


def _write(examples: Sequence[Example], path: Path) -> None:
    draw_examples(examples, path)
    print(f"drew {len(examples)} examples: {path}")
