"""What the lifter takes in and gives out: from pixels and millimetres to its numbers, and back.

instance (the default): aligned with the view and free of scale (`twod_threed.alignment`). The
answer has the size of a stated body, or of one whose height is given; nothing is taken from a
ground truth.
dataset: every coordinate less its mean, divided by its standard deviation over the training data
(population convention), as published. The answer has the size that the training data suggest.

Absent joints go in as zeros, which is the middle of the hips or the mean.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from twod_threed.alignment import MIN_JOINTS, View, about_hip, align, to_plane
from utils.skeletons import H36M_17, skeleton_named

UNIT = 0.1
"""The unit of instance-normalised 3D poses is a tenth of the body's size, about 0.33 m: coordinates
then vary by about 1, as normalised ones should."""

Nested = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Statistics:
    """Mean and standard deviation of each coordinate of the training data.

    2D (J, 2) px; 3D (J', 3) mm, camera axes, relative to the hip. A coordinate that never changes,
    such as the hip's own, has deviation 1.
    """

    mean_2d: Nested
    std_2d: Nested
    mean_3d: Nested
    std_3d: Nested


def _nested(values: Tensor) -> Nested:
    return tuple(tuple(row) for row in values.tolist())


def _moments(values: Tensor) -> tuple[Nested, Nested]:
    """Mean and population standard deviation over rows (N, J, D), NaN left out."""
    values = values.double()
    mean = values.nanmean(0)
    std = (values - mean).square().nanmean(0).sqrt()
    mean = mean.nan_to_num()  # a joint that no pose has
    return _nested(mean), _nested(torch.where(std > 1e-6, std, 1.0))


def measure_statistics(keypoints: Tensor, poses: Tensor) -> Statistics:
    """Of keypoints (N, J, 2) px and poses (N, J', 3) mm relative to the hip; NaN is left out."""
    return Statistics(*_moments(keypoints), *_moments(poses))


class Normaliser:
    """Both directions between poses and the numbers of one lifter.

    skeleton_2d, joints_2d: names of the poses' skeleton and of the joints that go in; joints_3d:
    those of Human3.6M-17 that come out. standard_size: mm, the body that an answer has if nothing
    else is said. statistics: for dataset normalisation; None is instance normalisation.
    """

    def __init__(
        self,
        skeleton_2d: str,
        joints_2d: tuple[str, ...],
        joints_3d: tuple[str, ...],
        standard_size: float,
        statistics: Statistics | None,
        device: torch.device | str = "cpu",
    ) -> None:
        self.joints_in = skeleton_named(skeleton_2d).indices(*joints_2d)
        self.joints_out = H36M_17.indices(*joints_3d)
        self.standard_size = standard_size
        self.hips = [joints_2d.index(name) for name in ("left_hip", "right_hip")]
        self.hip = joints_3d.index("hip") if "hip" in joints_3d else None
        self.all_in = self.joints_in == list(range(len(skeleton_named(skeleton_2d))))
        self.all_out = self.joints_out == list(range(len(H36M_17)))
        self.moments: tuple[Tensor, Tensor, Tensor, Tensor] | None = None
        if statistics is not None:
            values = vars(statistics)
            self.moments = tuple(
                torch.tensor(values[name], device=device)
                for name in ("mean_2d", "std_2d", "mean_3d", "std_3d")
            )  # pyright: ignore[reportAttributeAccessIssue]

    def inputs(self, keypoints: Tensor, intrinsics: Tensor) -> tuple[Tensor, View]:
        """keypoints (B, J, 2) px, NaN absent, intrinsics (B, 4) px -> points (B, J'', 2), view."""
        if not self.all_in:
            keypoints = keypoints[:, self.joints_in]
        if self.moments is None:
            points, view = align(keypoints, intrinsics, self.hips)
        else:
            points = (keypoints - self.moments[0]) / self.moments[1]
            plane = to_plane(keypoints, intrinsics)
            present = (~plane.isnan().any(-1)).sum(-1) >= MIN_JOINTS
            eye = torch.eye(3, device=plane.device, dtype=plane.dtype)
            # Not len(): an ONNX file must take batches of any size.
            rotation = eye.expand(plane.shape[0], 3, 3)
            view = View(rotation, torch.where(present, 1.0, torch.nan), plane)
        return points.nan_to_num(0.0), view

    def targets(self, poses: Tensor, view: View, size: Tensor) -> Tensor:
        """Poses (B, 17, 3) mm, camera frame, and body sizes (B,) mm -> targets (B, J', 3)."""
        turned = about_hip(poses)[:, self.joints_out]
        if self.moments is None:
            return turned @ view.rotation.mT / (UNIT * size)[:, None, None]
        return (turned - self.moments[2]) / self.moments[3]

    def poses(self, outputs: Tensor, view: View, size: Tensor | None = None) -> Tensor:
        """Inverse of `targets`: (B, J', 3) -> (B, 17, 3) mm, camera axes, relative to the hip.

        size (B,) mm: of the bodies; by default the standard one. NaN for joints that do not come
        out, and for poses of which too little was seen.
        """
        if size is None:
            size = outputs.new_full((len(outputs),), self.standard_size)
        if self.moments is None:
            poses = outputs @ view.rotation * (UNIT * size)[:, None, None]
        else:
            poses = outputs * self.moments[3] + self.moments[2]
            poses = poses * (size / self.standard_size)[:, None, None]
        if self.hip is not None:
            poses = poses - poses[:, self.hip : self.hip + 1]
        poses = poses.masked_fill(view.scale.isnan()[:, None, None], torch.nan)
        return poses if self.all_out else self._spread_out(poses)

    def _spread_out(self, poses: Tensor) -> Tensor:
        """The joints that come out at their places in Human3.6M-17, and the hip."""
        full = poses.new_full((poses.shape[0], len(H36M_17), 3), torch.nan)
        full[:, H36M_17.root] = poses[:, :1, :].mean(1) * 0
        full[:, self.joints_out] = poses
        return full


def statistics_from_plain(values: dict[str, Any] | None) -> Statistics | None:
    """From the nested lists that JSON makes of `Statistics`."""
    if values is None:
        return None
    return Statistics(**{k: tuple(tuple(map(float, row)) for row in v) for k, v in values.items()})
