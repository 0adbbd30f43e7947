"""From 2D poses of any skeleton and camera to 3D poses, with a trained lifter."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from twod_threed.alignment import SIZE_PER_HEIGHT, View, body_size, root_position
from twod_threed.description import LifterDescription, description_from_metadata
from twod_threed.model import FoldedLifter, Lifter
from twod_threed.pairs import read_pairs
from twod_threed.public_baseline import (
    is_public_baseline,
    measure_public_statistics,
    public_description,
    read_public_baseline,
)
from utils.cameras import intrinsics_from_field_of_view
from utils.checkpoint import read_weights
from utils.devices import device_kind
from utils.errors import UserError
from utils.skeleton_conversion import conversion_rules, convert
from utils.skeletons import H36M_17, skeleton_named
from utils.weights import building, load_into

SHIPPED = "lifter"
FIELD_OF_VIEW = 55.0
"""Degrees along the longer edge that an unknown camera is taken to see: between a phone's main
camera, about 65, and a webcam or a lens that is zoomed in."""
_GAN_PREFIX = "lifter."


@dataclass(frozen=True)
class Lifted:
    """N poses: `poses` (N, J, 3), Human3.6M-17 unless a model says otherwise, mm, camera axes,
    relative to the hip; `root_camera` (N, 3) the hip in the camera frame, mm. NaN where too little
    was seen."""

    poses: np.ndarray
    root_camera: np.ndarray


def guess_intrinsics(
    image_size: np.ndarray, focal: float | None = None, field_of_view: float | None = None
) -> np.ndarray:
    """(N, 4) fx, fy, cx, cy, px, of cameras that took pictures of image_size (N, 2) px.

    focal: px; field_of_view: degrees along the longer edge; neither: FIELD_OF_VIEW. The optical
    axis meets the middle of the picture.
    """
    sizes, rows = np.unique(image_size, axis=0, return_inverse=True)
    degrees = FIELD_OF_VIEW if field_of_view is None else field_of_view
    table = np.array([intrinsics_from_field_of_view(int(w), int(h), degrees) for w, h in sizes])
    if focal is not None and len(table):
        table[:, :2] = focal
    return table.reshape(-1, 4)[rows.reshape(-1)]


def points_for(description: LifterDescription, keypoints: np.ndarray, skeleton: str) -> np.ndarray:
    """Keypoints (N, J, 2) of a skeleton of SKELETONS -> (N, J', 2) float32 of the lifter's own.

    Raises UserError if they have no hips.
    """
    points = np.asarray(keypoints, np.float32)
    if skeleton == description.skeleton_2d:
        return points
    source, target = skeleton_named(skeleton), skeleton_named(description.skeleton_2d)
    rules = conversion_rules(source, target)
    if not all(rules[hip].parts for hip in target.indices("left_hip", "right_hip")):
        raise UserError(f"poses of {source.title} cannot be lifted: they have no hips")
    return convert(points, source, target).poses


def lenses_for(
    count: int, image_size: np.ndarray | None, intrinsics: np.ndarray | None
) -> np.ndarray:
    """(count, 4) float32 fx, fy, cx, cy px: the intrinsics (4,) or (count, 4), or a guess from
    image_size (2,) or (count, 2) px. Raises ValueError if both are unknown."""
    if intrinsics is None:
        if image_size is None:
            raise ValueError("the camera is unknown: give intrinsics or image_size")
        intrinsics = guess_intrinsics(np.broadcast_to(image_size, (count, 2)))
    return np.broadcast_to(intrinsics, (count, 4)).astype(np.float32)


def load_lifter(name_or_path: str, statistics: str = "") -> tuple[Lifter, LifterDescription]:
    """Network and description from anything that `--load` takes.

    statistics: a file of Human3.6M pairs, which public checkpoints need. Raises UserError if there
    is nothing, or something else.
    """
    weights, metadata = read_weights(name_or_path)
    if not metadata and is_public_baseline(weights):
        weights, architecture = read_public_baseline(weights, name_or_path)
        if not statistics:
            raise UserError(
                f"{name_or_path} is a public checkpoint, which holds no mean and deviation of its "
                "training data: give Human3.6M pairs to measure them on with --statistics"
            )
        measured = measure_public_statistics(read_pairs(statistics), statistics)
        description = public_description(architecture, *measured)
    else:
        description = description_from_metadata(metadata, name_or_path)
    if any(name.startswith(_GAN_PREFIX) for name in weights):
        # A run with --cycle_gan keeps its critics as well.
        weights = {
            name.removeprefix(_GAN_PREFIX): value
            for name, value in weights.items()
            if name.startswith(_GAN_PREFIX)
        }
    with building(name_or_path):
        lifter = Lifter(description.architecture)
    load_into(lifter, weights, name_or_path)
    return lifter, description


def _conversion_matrix(description: LifterDescription) -> Tensor:
    """(J, 17): the joints that go in as the sums of Human3.6M-17's that `convert` makes."""
    rules = conversion_rules(H36M_17, skeleton_named(description.skeleton_2d))
    matrix = torch.zeros(len(description.joints_2d), len(H36M_17))
    for row, name in enumerate(description.joints_2d):
        for joint, weight in rules[skeleton_named(description.skeleton_2d).index(name)].parts:
            matrix[row, joint] = weight
    return matrix


class LiftingModel:
    """A trained lifter, ready for use."""

    def __init__(
        self, lifter: Lifter, description: LifterDescription, accelerator: str = "auto"
    ) -> None:
        self.device = torch.device(device_kind(accelerator))
        self.description = description
        self.network = FoldedLifter(lifter).to(self.device)
        self.normaliser = description.normaliser(self.device)
        self.seen_joints = _conversion_matrix(description).to(self.device)

    @classmethod
    def load(
        cls, name_or_path: str = SHIPPED, accelerator: str = "auto", statistics: str = ""
    ) -> "LiftingModel":
        """From anything that `--load` takes."""
        return cls(*load_lifter(name_or_path, statistics), accelerator)

    def lift(
        self,
        keypoints: np.ndarray,
        skeleton: str,
        image_size: np.ndarray | None = None,
        intrinsics: np.ndarray | None = None,
        height: float | None = None,
        video: bool = False,
        batch_size: int = 4096,
    ) -> Lifted:
        """Lift 2D poses.

        keypoints (N, J, 2) px of the picture, NaN absent; skeleton: their name in SKELETONS.
        intrinsics (N, 4) or (4,) fx, fy, cx, cy px; unknown ones are guessed from image_size (N, 2)
        or (2,) px. height: standing height of the person, mm; otherwise the answer has the size of
        the description's standard body. video: the rows are one person, whose size (median over the
        rows) is made exactly that one. Raises UserError if the skeleton lacks what is needed.
        """
        count = len(keypoints)
        lenses = torch.from_numpy(lenses_for(count, image_size, intrinsics))
        points = torch.as_tensor(points_for(self.description, keypoints, skeleton))
        size = self.description.standard_size if height is None else SIZE_PER_HEIGHT * height
        # At least one, empty batch, so that no pose gives arrays of the right shape.
        starts = range(0, max(count, 1), batch_size)
        parts = [self._lift(*self._slice(points, lenses, at, batch_size), size) for at in starts]
        # Nothing to join for one pose of a live video, which counts microseconds.
        poses, roots = parts[0] if len(parts) == 1 else map(torch.cat, zip(*parts, strict=True))
        if video:
            found = body_size(poses).nanmedian()
            factor = torch.where(found > 0, size / found, 1.0)
            poses, roots = poses * factor, roots * factor
        return Lifted(poses.cpu().numpy(), roots.cpu().numpy())

    def _slice(
        self, points: Tensor, lenses: Tensor, start: int, size: int
    ) -> tuple[Tensor, Tensor]:
        rows = slice(start, start + size)
        return points[rows].to(self.device), lenses[rows].to(self.device)

    @torch.inference_mode()
    def _lift(self, points: Tensor, lenses: Tensor, size: float) -> tuple[Tensor, Tensor]:
        """points (B, J, 2) px, lenses (B, 4) -> poses (B, 17, 3), roots (B, 3), mm."""
        inputs, view = self.normaliser.inputs(points, lenses)
        sizes = lenses.new_full((len(points),), size)
        poses = self.normaliser.poses(self.network(inputs), view, sizes)
        return poses, self._roots(poses, view)

    def _roots(self, poses: Tensor, view: View) -> Tensor:
        """Where the hips must be for poses (B, 17, 3), mm, to be seen as they are: (B, 3) mm."""
        # Where a lifter gives no joint, nothing is known of what is made from it.
        turned = self.seen_joints @ (poses @ view.rotation.mT)
        roots = root_position(turned, view.plane)
        return (roots[:, None] @ view.rotation)[:, 0]
