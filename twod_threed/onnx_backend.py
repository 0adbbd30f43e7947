"""The lifter run by onnxruntime instead of torch: a model like `predictor.LiftingModel`."""

from pathlib import Path

import numpy as np
import torch

from twod_threed.alignment import SIZE_PER_HEIGHT, body_size
from twod_threed.description import description_from_metadata
from twod_threed.onnx_export import export_lifter
from twod_threed.predictor import SHIPPED, Lifted, lenses_for, points_for
from utils.onnx_files import OnnxSession, onnx_file
from utils.skeletons import H36M_17


class OnnxLiftingModel:
    """A trained lifter in an ONNX file, ready for use."""

    def __init__(self, path: Path) -> None:
        self.session = OnnxSession(path)
        self.description = description_from_metadata(self.session.metadata, str(path))

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
        """Lift 2D poses; arguments and answers are those of `LiftingModel.lift`."""
        points = points_for(self.description, keypoints, skeleton)
        lenses = lenses_for(len(points), image_size, intrinsics)
        if len(points) == 0:
            return Lifted(np.zeros((0, len(H36M_17), 3), np.float32), np.zeros((0, 3), np.float32))
        slices = [slice(at, at + batch_size) for at in range(0, len(points), batch_size)]
        parts = [self.session(keypoints=points[one], intrinsics=lenses[one]) for one in slices]
        poses, roots = map(np.concatenate, zip(*parts, strict=True))
        factor = self._factor(poses, height, video)
        return Lifted(poses * factor, roots * factor)

    def _factor(self, poses: np.ndarray, height: float | None, video: bool) -> np.float32:
        """How much larger the person is than these poses (N, 17, 3) of the standard body."""
        standard = self.description.standard_size
        size = standard if height is None else SIZE_PER_HEIGHT * height
        if not video:
            return np.float32(size / standard)
        found = float(body_size(torch.from_numpy(poses)).nanmedian())
        return np.float32(size / found if found > 0 else 1.0)


def load_onnx_lifter(name_or_path: str = SHIPPED) -> OnnxLiftingModel:
    """From an .onnx file, or from anything that `--load` takes.

    Other than .onnx files are exported when they are first used and kept in .cache/. Raises
    UserError if there is nothing, something else, or no onnxruntime.
    """
    return OnnxLiftingModel(onnx_file(name_or_path, export_lifter))
