"""The weights of nearest: a dancer's frames and poses, in the file that others keep weights in."""

import numpy as np
import torch
from torch import Tensor

from generative_models.skeleton_to_image.dancer_data import DancerFrames
from generative_models.skeleton_to_image.description import DancerDescription
from generative_models.skeleton_to_image.nearest import NearestPose
from generative_models.skeleton_to_image.options import SkeletonToImageTrainOptions
from utils.errors import UserError
from utils.run_folder import Start, open_folder
from utils.weights import save_weights


def store_frames(
    start: Start,
    frames: DancerFrames,
    description: DancerDescription,
    options: SkeletonToImageTrainOptions,
) -> None:
    """Write the training frames as the run's best.safetensors. Raises UserError with --load."""
    if options.run.load:
        raise UserError("--model nearest learns nothing, so that --load gives it nothing")
    if start.checkpoint:
        raise UserError(f"{start.folder} holds a run of another model; give another --exp")
    keypoints = torch.from_numpy(frames.keypoints)
    tensors = {
        "images": torch.from_numpy(frames.images),
        # Files of weights hold no NaN.
        "keypoints": keypoints.nan_to_num(0),
        "missing": keypoints.isnan().any(-1).byte(),
    }
    open_folder(start, start.folder / "logs", options)
    metadata = description.as_metadata() | {"training_data": description.dancer}
    save_weights(start.folder / "best.safetensors", tensors, metadata)
    print(f"{len(frames)} frames: {start.folder / 'best.safetensors'}")


class StoredFrames:
    """Draws by looking up: keypoints (B, 13, 2) px -> pictures (B, 3, S, S) in [-1, 1]."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        self.images = weights["images"]
        missing = weights["missing"].bool()[..., None]
        keypoints = weights["keypoints"].masked_fill(missing, torch.nan)
        self.nearest = NearestPose(keypoints.numpy())

    def __call__(self, keypoints: Tensor) -> Tensor:
        """See the class."""
        rows = self.nearest(keypoints.cpu().numpy())
        pictures = self.images[torch.from_numpy(np.asarray(rows))]
        return pictures.movedim(-1, 1).float() / 127.5 - 1
