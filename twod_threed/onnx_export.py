"""A trained lifter as an ONNX file: pixels in, millimetres out."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_linear_bn_eval

from twod_threed.alignment import root_position
from twod_threed.model import Lifter, LinearLayer
from twod_threed.predictor import SHIPPED, LiftingModel, load_lifter
from utils.onnx_files import EXAMPLES, write_onnx
from utils.skeletons import skeleton_named

_LENS = (800.0, 800.0, 320.0, 240.0)


class LifterGraph(nn.Module):
    """Everything between 2D poses in pixels and 3D poses: alignment, network, back to the camera's
    axes, and the place from which the pose is seen so."""

    seen_joints: Tensor

    def __init__(self, lifter: Lifter, model: LiftingModel) -> None:
        super().__init__()
        self.network = _folded(lifter)
        self.normaliser = model.normaliser
        self.standard_size = model.description.standard_size
        self.register_buffer("seen_joints", model.seen_joints)

    def forward(self, keypoints: Tensor, intrinsics: Tensor) -> tuple[Tensor, Tensor]:
        """keypoints (B, J, 2) px, NaN absent, intrinsics (B, 4) fx, fy, cx, cy px -> poses
        (B, 17, 3) of the standard body, mm, camera axes, about the hip, and roots (B, 3) mm."""
        points, view = self.normaliser.inputs(keypoints, intrinsics)
        size = keypoints.new_full((keypoints.shape[0],), self.standard_size)
        poses = self.normaliser.poses(self.network(points), view, size)
        turned = self.seen_joints @ (poses @ view.rotation.mT)
        roots = root_position(turned, view.plane)
        return poses, (roots[:, None] @ view.rotation)[:, 0]


def _folded(lifter: Lifter) -> Lifter:
    """The lifter in evaluation mode, its batch norms folded into the layers before them, in place.

    `FoldedLifter` looks at the size of its batch, which would fix it.
    """
    lifter.eval()
    for layer in lifter.modules():
        if isinstance(layer, LinearLayer):
            layer.linear = fuse_linear_bn_eval(layer.linear, layer.norm)
            layer.register_module("norm", nn.Identity())
    return lifter


def export_lifter(name_or_path: str, path: Path, statistics: str = "") -> None:
    """Write the ONNX file of anything that `--load` takes; "" is the shipped lifter.

    Inputs `keypoints` and `intrinsics`, outputs `poses` and `roots` (`LifterGraph.forward`), the
    batch free; the description is in the metadata. Both outputs grow with the body: for another
    than the standard one, multiply them. statistics: Human3.6M pairs, which public checkpoints
    need. Raises UserError if the weights are absent or others, or the extra is.
    """
    lifter, description = load_lifter(name_or_path or SHIPPED, statistics)
    model = LiftingModel(lifter, description, accelerator="cpu")
    joints = len(skeleton_named(description.skeleton_2d))
    inputs = {
        "keypoints": torch.rand(EXAMPLES, joints, 2) * 480,
        "intrinsics": torch.tensor(_LENS).repeat(EXAMPLES, 1),
    }
    graph = LifterGraph(lifter, model)
    write_onnx(path, graph, inputs, ["poses", "roots"], description.as_metadata())
