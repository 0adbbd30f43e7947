"""From joints to frames of one person, with a trained model; and `run.py skeleton_to_image`."""

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from generative_models.skeleton_to_image.dancer_data import DancerFrames, square_window
from generative_models.skeleton_to_image.description import (
    PICTURES,
    DancerDescription,
    description_from_metadata,
    make_generator,
    network_input,
    picture_input,
)
from generative_models.skeleton_to_image.pose2vid import draw_clip
from generative_models.skeleton_to_image.starting import GENERATOR
from generative_models.skeleton_to_image.stored_frames import StoredFrames
from utils.atomic import atomic_path
from utils.checkpoint import read_weights
from utils.crops import image_to_crop
from utils.devices import device_kind
from utils.errors import UserError
from utils.pose_file import Poses
from utils.skeleton_conversion import convert
from utils.skeletons import DANCE_13, skeleton_named
from utils.weights import building, load_into

SHIPPED = "dancer"
Draw = Callable[[Tensor, Tensor], Tensor]
"""Inputs (B, ...) of consecutive frames, and their keypoints (B, 13, 2) px (NaN where there are
only drawn skeletons) -> pictures (B, 3, S, S) in [-1, 1]."""
Inputs = Callable[[slice], tuple[Tensor, Tensor]]
"""What a `Draw` is given for some of the frames."""


class Dancer:
    """One person, ready to be drawn in any pose.

    `start_drawing` gives a `Draw` for one film: what remembers frames begins anew with each.
    """

    def __init__(
        self, description: DancerDescription, start_drawing: Callable[[], Draw], kind: str = "cpu"
    ) -> None:
        self.description = description
        self.start_drawing = start_drawing
        self.device = torch.device(kind)

    @classmethod
    def load(cls, name_or_path: str = SHIPPED, accelerator: str = "auto") -> "Dancer":
        """From anything that `--load` takes. Raises UserError if there is nothing, or something
        else."""
        weights, metadata = read_weights(name_or_path)
        description = description_from_metadata(metadata, name_or_path)
        kind = device_kind(accelerator)
        with building(name_or_path):
            start = _drawer(description, weights, name_or_path, kind)
        return cls(description, start, kind)

    @property
    def image_size(self) -> int:
        """Side of the model's own pictures, px."""
        return self.description.image_size

    def __call__(
        self, poses: np.ndarray | Poses, size: int | None = None, batch_size: int = 16
    ) -> np.ndarray:
        """Frames (N, size, size, 3) uint8 RGB of poses; see `frames`."""
        side = size or self.image_size
        drawn = list(self.frames(poses, size, batch_size))
        return np.stack(drawn) if drawn else np.zeros((0, side, side, 3), np.uint8)

    def frames(
        self, poses: np.ndarray | Poses, size: int | None = None, batch_size: int = 16
    ) -> Iterator[np.ndarray]:
        """Frames (size, size, 3) uint8 RGB, one for each pose, in their order.

        poses: keypoints (N, 13, 2), dance_13, px of the square frame of `size`, NaN missing; or a
        pose file's rows, whose pictures are cut to squares (`fit_poses`). size: px; the model's own
        by default. Raises UserError if the model was trained on a folder's drawn skeletons.
        """
        if self.description.input == PICTURES:
            raise UserError(
                "this model was trained on drawn skeletons of a folder, in that folder's style: "
                "give it such drawings (--skeletons FOLDER)"
            )
        own = self.image_size
        if isinstance(poses, Poses):
            keypoints = fit_poses(poses, own)
        else:
            keypoints = (np.asarray(poses, np.float32) + 0.5) * own / (size or own) - 0.5
        kind = self.description.input

        def inputs(rows: slice) -> tuple[Tensor, Tensor]:
            part = torch.as_tensor(keypoints[rows].astype(np.float32)).to(self.device)
            return network_input(part, kind, own), part

        return self._drawn(len(keypoints), inputs, size or own, batch_size)

    def frames_of_skeletons(
        self, skeletons: np.ndarray, size: int | None = None, batch_size: int = 16
    ) -> Iterator[np.ndarray]:
        """Frames of drawn skeletons (N, S, S, 3) uint8 RGB, S the model's own size.

        Raises UserError if the model was not trained on such drawings.
        """
        if self.description.input != PICTURES:
            raise UserError("this model is given joints, not drawn skeletons: use --poses")

        def inputs(rows: slice) -> tuple[Tensor, Tensor]:
            drawn = picture_input(torch.from_numpy(skeletons[rows])).to(self.device)
            return drawn, drawn.new_full((len(drawn), len(DANCE_13), 2), torch.nan)

        return self._drawn(len(skeletons), inputs, size or self.image_size, batch_size)

    def _drawn(
        self, count: int, inputs: Inputs, size: int, batch_size: int
    ) -> Iterator[np.ndarray]:
        draw = self.start_drawing()
        for start in range(0, count, batch_size):
            with torch.inference_mode():
                pictures = draw(*inputs(slice(start, min(start + batch_size, count))))
            for picture in to_uint8(pictures):
                yield picture if size == len(picture) else _resized(picture, size)


def _drawer(
    description: DancerDescription, weights: dict[str, Tensor], source: str, kind: str
) -> Callable[[], Draw]:
    if description.model == "nearest":
        stored = StoredFrames(weights)
        return lambda: lambda inputs, _: stored(inputs)
    generator = make_generator(description)
    # A critic, which a GAN keeps as well, draws nothing.
    own = {
        name.removeprefix(GENERATOR): value
        for name, value in weights.items()
        if name.startswith(GENERATOR)
    }
    load_into(generator, own, source)
    generator.eval().to(kind)
    if description.model == "pose2vid":
        return lambda: Remembering(generator)
    return lambda: lambda inputs, _: generator(inputs)


class Remembering:
    """Draws a film with pose2vid: each frame with the one before, the first with none."""

    def __init__(self, generator: nn.Module) -> None:
        self.generator = generator
        self.before: Tensor | None = None

    def __call__(self, inputs: Tensor, keypoints: Tensor) -> Tensor:
        """See `Draw`."""
        noses = keypoints[:, DANCE_13.index("nose")]
        made = draw_clip(self.generator, inputs[None], noses[None], self.before)[0]
        self.before = made[-1:]
        return made


def to_uint8(pictures: Tensor) -> np.ndarray:
    """Pictures (B, 3, H, W) in [-1, 1] -> (B, H, W, 3) uint8."""
    levels = ((pictures.float() + 1) * 127.5).round().clamp(0, 255)
    return levels.byte().permute(0, 2, 3, 1).cpu().numpy()


def _resized(picture: np.ndarray, size: int) -> np.ndarray:
    method = cv2.INTER_AREA if size < len(picture) else cv2.INTER_CUBIC
    return cv2.resize(picture, (size, size), interpolation=method)


def fit_poses(poses: Poses, size: int) -> np.ndarray:
    """Joints (N, 13, 2), dance_13, px of squares of `size` cut out of the pictures of a pose file.

    All pictures of one size get the same square, which holds the person as well as may be.
    """
    joints = convert(poses.keypoints_2d, skeleton_named(poses.skeleton_2d), DANCE_13).poses
    fitted = np.full(joints.shape, np.nan, np.float32)
    for image_size in np.unique(poses.image_size, axis=0):
        rows = (poses.image_size == image_size).all(axis=1)
        window = square_window(joints[rows], (int(image_size[0]), int(image_size[1])))
        fitted[rows] = image_to_crop(joints[rows], window, size)
    return fitted


def draw_frames(dancer: Dancer, frames: DancerFrames, batch_size: int = 16) -> np.ndarray:
    """The model's pictures (N, S, S, 3) uint8 of frames in squares of its size."""
    if frames.skeletons is None:
        return dancer(frames.keypoints, batch_size=batch_size)
    drawn = list(dancer.frames_of_skeletons(frames.skeletons, batch_size=batch_size))
    return np.stack(drawn)


def write_predictions(
    folder: Path, frames: DancerFrames, accelerator: str, batch_size: int
) -> None:
    """Draw frames with a run's best weights -> predictions.npz: images (N, S, S, 3) uint8, frame
    (N,) and l1 (N,), the mean absolute difference from the real frame in [-1, 1]."""
    images = draw_frames(Dancer.load(str(folder), accelerator), frames, batch_size)
    l1 = np.abs(images.astype(np.float32) - frames.images).mean(axis=(1, 2, 3)) / 127.5
    with atomic_path(folder / "predictions.npz") as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, allow_pickle=False, images=images, frame=frames.frame, l1=l1)
