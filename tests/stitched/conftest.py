"""A stand-in for the network, and the people it can see: sixteen coloured squares each."""

from collections.abc import Callable
from dataclasses import fields

import numpy as np
import pytest

from stacked_hourglass.joints import FoundJoints
from stitched import pose
from stitched.options import (
    FilesOptions,
    LiftOptions,
    MachineOptions,
    PeopleOptions,
    PoseOptions,
    VideoOptions,
)
from utils.crops import crop_to_image, cut_crop
from utils.images import write_image
from utils.video import VideoWriter

JOINTS = 16
CROP = 64
# Places of the joints in a unit square, far enough from each other not to touch.
LAYOUT = np.array([(x, y) for y in (0.0, 0.34, 0.67, 1.0) for x in (0.0, 0.34, 0.67, 1.0)])


def paint_person(image: np.ndarray, left: float, top: float, side: float) -> np.ndarray:
    """Paint a person into a black RGB picture (H, W, 3), in place; -> its joints (16, 2) px.

    Joint j is a square of colour (255, 16 j, 0) with a side of a twelfth of the person's.
    """
    half = max(round(side / 24), 1)
    centres = np.round(LAYOUT * side + (left, top)).astype(int)
    for j, (x, y) in enumerate(centres):
        rows = slice(max(y - half, 0), max(y + half + 1, 0))
        columns = slice(max(x - half, 0), max(x + half + 1, 0))
        image[rows, columns] = (255, 16 * j, 0)
    return centres.astype(np.float32)


class MarkerPredictor:
    """Finds the squares in a 64 x 64 crop. Black mixed in by a coarse crop makes it less sure."""

    skeleton = "mpii_16"
    resolution = CROP

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.tells_visibility = False

    def __call__(
        self, images: list[np.ndarray], boxes: np.ndarray, flip: bool = True
    ) -> FoundJoints:
        """As stacked_hourglass.predictor.Predictor; `batches` remembers how many each call had."""
        self.batches.append(len(images))
        rows = [self._one(image, box) for image, box in zip(images, boxes, strict=True)]
        keypoints, confidence = (np.stack(part) for part in zip(*rows, strict=True))
        # Of all that it finds the first half is seen, and the rest hidden.
        seen = np.where(np.arange(JOINTS) < JOINTS // 2, confidence, 1 - confidence)
        return FoundJoints(keypoints, confidence, seen if self.tells_visibility else None)

    def _one(self, image: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        crop = cut_crop(image, box, CROP).astype(np.float32)
        red, green, blue = crop[..., 0], crop[..., 1], crop[..., 2]
        joint = np.round(green / np.maximum(red, 1) * 255 / 16)
        coloured = (red > 40) & (blue < 0.4 * red)
        points = np.zeros((JOINTS, 2), np.float32)
        confidence = np.zeros(JOINTS, np.float32)
        for j in range(JOINTS):
            weight = np.where(coloured & (joint == j), red, 0)
            if weight.max() > 0:
                y, x = np.nonzero(weight > 0.8 * weight.max())
                points[j] = x.mean(), y.mean()
                confidence[j] = weight.max() / 255
        return crop_to_image(points, np.asarray(box), CROP).astype(np.float32), confidence


@pytest.fixture
def predictor() -> MarkerPredictor:
    return MarkerPredictor()


@pytest.fixture
def paint() -> Callable[[np.ndarray, float, float, float], np.ndarray]:
    return paint_person


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def pose_options(*inputs, **flat):
    """Options of `run.py pose` by their names alone; the groups that hold them are found."""
    groups = {
        "who": PeopleOptions,
        "lifting": LiftOptions,
        "video": VideoOptions,
        "files": FilesOptions,
        "machine": MachineOptions,
    }
    chosen = {}
    for name, group in groups.items():
        own = {field.name for field in fields(group)} & flat.keys()
        chosen[name] = group(**{option: flat.pop(option) for option in own})
    return PoseOptions(tuple(map(str, inputs)), **chosen, **flat)


@pytest.fixture
def run_pose(predictor, out):
    """`run.py pose` with the stand-in, into `out`; only 2D unless said. -> exit code."""

    def run(*inputs, **options):
        options = {"output_dir": str(out), "lift": False, **options}
        return pose.run(pose_options(*inputs, **options), lambda *_: predictor)

    return run


@pytest.fixture
def options_of():
    """`pose_options`."""
    return pose_options


@pytest.fixture
def photo(tmp_path, paint):
    """A picture of 320 x 240 px with a person; its path and the joints."""
    image = np.zeros((240, 320, 3), np.uint8)
    joints = paint(image, 150, 60, 110)
    path = tmp_path / "photo.png"
    write_image(path, image)
    return path, joints


@pytest.fixture
def clip(tmp_path, paint):
    """A video of 320 x 240 px at 10 frames a second: a person who walks, from frame 5 to 24."""
    path, joints = tmp_path / "clip.mp4", []
    with VideoWriter(path, 320, 240, 10) as writer:
        for i in range(30):
            image = np.zeros((240, 320, 3), np.uint8)
            joints.append(paint(image, 20 + 5 * i, 60, 120))
            writer.write(image if 5 <= i < 25 else np.zeros_like(image))
    return path, np.stack(joints)
