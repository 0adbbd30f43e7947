"""What temporal networks take in and give out: from films in pixels and mm to numbers, and back.

screen (Pavllo et al. 2019): coordinates of the picture, so that its width is [-1, 1] and its shape
stays: x 2 / w - 1, y 2 / w - h / w. Poses are in metres, relative to the hip, in camera axes.
view: the instance normalisation of the single-frame lifter (`twod_threed.normalisation`), frame by
frame: each frame's rays are turned to its hips and freed of their scale; poses are turned likewise
and divided by the body's size.

A film of one camera is a window (B, T, J, 2). Absent joints go in as zeros.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from twod_threed.alignment import MIN_JOINTS, View, to_plane
from twod_threed.normalisation import UNIT, Normaliser
from twod_threed.temporal.options import Normalisation
from utils.errors import UserError
from utils.skeletons import skeleton_named

METRE = 1000.0
"""mm"""


def to_screen(points: Tensor, image_size: Tensor) -> Tensor:
    """px (B, T, J, 2) of pictures of image_size (B, 2) px -> the picture's coordinates.

    w and h of the formula are width and height; all of the picture lies in [-1, 1] across.
    """
    width, size = image_size[:, None, None, :1], image_size[:, None, None]
    return (2 * points - size) / width


def from_screen(points: Tensor, image_size: Tensor) -> Tensor:
    """Inverse of `to_screen`."""
    width, size = image_size[:, None, None, :1], image_size[:, None, None]
    return (points * width + size) / 2


def frames_of(view: View, frames: slice) -> View:
    """Some of the frames of a window's view."""
    return View(view.rotation[:, frames], view.scale[:, frames], view.plane[:, frames])


@dataclass(frozen=True)
class _Flat:
    """Windows as a row of frames, and the way back."""

    batch: int
    frames: int

    def rows(self, values: Tensor) -> Tensor:
        """(B, ...) -> (B * T, ...), each as often as there are frames."""
        return values.repeat_interleave(self.frames, 0)

    def view(self, view: View) -> View:
        """(B, T, ...) -> (B * T, ...)."""
        return View(view.rotation.flatten(0, 1), view.scale.flatten(0, 1), view.plane.flatten(0, 1))

    def windows(self, values: Tensor) -> Tensor:
        """(B * T, ...) -> (B, T, ...)."""
        return values.unflatten(0, (self.batch, self.frames))


class TemporalNormaliser:
    """Both directions between films of poses and the numbers of one description.

    skeleton_2d, joints_2d: names of the 2D poses' skeleton and of the joints that go in;
    skeleton_3d, joints_3d: likewise for what comes out. standard_size: mm, the body that an answer
    has with "view" if nothing else is said.
    """

    def __init__(
        self,
        kind: Normalisation,
        skeleton_2d: str,
        joints_2d: tuple[str, ...],
        skeleton_3d: str,
        joints_3d: tuple[str, ...],
        standard_size: float,
        device: torch.device | str = "cpu",
    ) -> None:
        self.kind, self.standard_size = kind, standard_size
        self.skeleton_2d, self.skeleton_3d = (
            skeleton_named(skeleton_2d),
            skeleton_named(skeleton_3d),
        )
        self.joints_in = self.skeleton_2d.indices(*joints_2d)
        self.joints_out = self.skeleton_3d.indices(*joints_3d)
        self.all_out = self.joints_out == list(range(len(self.skeleton_3d)))
        self.root = self.skeleton_3d.root
        self.instance = None
        if kind == "view":
            self.instance = Normaliser(
                skeleton_2d, joints_2d, joints_3d, standard_size, None, device
            )

    @property
    def millimetres(self) -> float:
        """Length of the unit of what comes out, mm (with "view", of a body of standard size)."""
        return METRE if self.instance is None else UNIT * self.standard_size

    def inputs(
        self, keypoints: Tensor, intrinsics: Tensor, image_size: Tensor
    ) -> tuple[Tensor, View]:
        """px (B, T, J, 2), NaN absent, intrinsics (B, 4) px, image_size (B, 2) px.

        -> points (B, T, J'', 2) for the network, and the view (B, T, ...) that takes answers back.
        Raises UserError for keypoints of another number of joints.
        """
        if keypoints.shape[-2] != len(self.skeleton_2d):
            raise UserError(
                f"the network takes the {len(self.skeleton_2d)} joints of {self.skeleton_2d.name}, "
                f"but these keypoints have {keypoints.shape[-2]}"
            )
        flat = _Flat(*keypoints.shape[:2])
        if self.instance is not None:
            points, view = self.instance.inputs(keypoints.flatten(0, 1), flat.rows(intrinsics))
            rotation, scale, plane = map(flat.windows, (view.rotation, view.scale, view.plane))
            return flat.windows(points), View(rotation, scale, plane)
        keypoints = keypoints[:, :, self.joints_in]
        points = to_screen(keypoints, image_size.to(keypoints))
        plane = to_plane(keypoints.flatten(1, 2), intrinsics).unflatten(1, (flat.frames, -1))
        enough = (~points.isnan().any(-1)).sum(-1) >= MIN_JOINTS
        identity = torch.eye(3, device=points.device, dtype=points.dtype)
        rotation = identity.expand(flat.batch, flat.frames, 3, 3)
        scale = torch.where(enough, 1.0, torch.nan).to(points.dtype)
        return points.nan_to_num(0.0), View(rotation, scale, plane)

    def targets(self, poses: Tensor, view: View, size: Tensor) -> Tensor:
        """Poses (B, S, J, 3) mm, camera frame, NaN unknown, and body sizes (B,) mm, seen in the
        frames of `view` (B, S, ...) -> targets (B, S, J', 3)."""
        if self.instance is None:
            relative = poses - poses[:, :, self.root : self.root + 1]
            return relative[:, :, self.joints_out] / METRE
        flat = _Flat(*poses.shape[:2])
        found = self.instance.targets(poses.flatten(0, 1), flat.view(view), flat.rows(size))
        return flat.windows(found)

    def poses(self, outputs: Tensor, view: View, size: Tensor | None = None) -> Tensor:
        """Inverse of `targets`: (B, S, J', 3) -> (B, S, J, 3) mm, camera axes, relative to the hip.

        size (B,) mm: of the bodies. Without, answers of "view" have the standard one, those of
        "screen" that which the network found. NaN for joints that do not come out, and for frames
        of which too little was seen.
        """
        if self.instance is not None:
            flat = _Flat(*outputs.shape[:2])
            sizes = None if size is None else flat.rows(size)
            found = self.instance.poses(outputs.flatten(0, 1), flat.view(view), sizes)
            return flat.windows(found)
        poses = self._spread_out(outputs) * METRE
        if size is not None:
            poses = poses * (size / self.standard_size)[:, None, None, None]
        poses = poses - poses[:, :, self.root : self.root + 1].nan_to_num(0.0)
        return poses.masked_fill(view.scale.isnan()[..., None, None], torch.nan)

    def _spread_out(self, outputs: Tensor) -> Tensor:
        """The joints that come out at their places in the skeleton, NaN elsewhere."""
        if self.all_out:
            return outputs
        shape = (*outputs.shape[:2], len(self.skeleton_3d), 3)
        full = outputs.new_full(shape, torch.nan)
        full[:, :, self.joints_out] = outputs
        return full
