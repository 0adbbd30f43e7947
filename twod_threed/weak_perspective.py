"""A camera of nine learnt numbers, common to all poses: normalised 3D back to normalised 2D."""

import torch
from torch import Tensor, nn

from utils.skeleton_conversion import convert
from utils.skeletons import H36M_17, Skeleton

CAMERA_Z = -10.0
FOCAL = 5.0


class WeakPerspective(nn.Module):
    """Points (..., 3) -> (..., 2): (x, y) = f (X, Y) / Z * s + t, with (X, Y, Z) = point + t3 less
    the camera's place on the z axis. Starts as a camera 10 units before the origin with focal
    length 5, far enough for perspective to be weak."""

    def __init__(self) -> None:
        super().__init__()
        self.shift_3d = nn.Parameter(torch.zeros(3))
        self.camera_z = nn.Parameter(torch.tensor([CAMERA_Z]))
        self.focal = nn.Parameter(torch.tensor([FOCAL]))
        self.scale_2d = nn.Parameter(torch.ones(2))
        self.shift_2d = nn.Parameter(torch.zeros(2))

    def forward(self, points: Tensor) -> Tensor:
        """(..., 3) -> (..., 2)."""
        moved = points + self.shift_3d
        depth = moved[..., 2:] - self.camera_z
        return self.focal * moved[..., :2] / depth * self.scale_2d + self.shift_2d


class PoseProjector(nn.Module):
    """Normalised poses (B, 17, 3) of Human3.6M-17 -> normalised joints (B, J, 2) of a skeleton."""

    def __init__(self, skeleton: Skeleton) -> None:
        super().__init__()
        self.skeleton = skeleton
        self.camera = WeakPerspective()

    def forward(self, poses: Tensor) -> Tensor:
        """(B, 17, 3) -> (B, J, 2)."""
        return self.camera(convert(poses, H36M_17, self.skeleton).poses)
