"""A loaded dancer: sizes, order, and that it sees what it saw in training."""

import numpy as np
import pytest
import torch
from torch import Tensor

from generative_models.skeleton_to_image.description import (
    DancerDescription,
    description_from_metadata,
    plain_references,
)
from generative_models.skeleton_to_image.inference import Dancer, fit_poses, to_uint8
from generative_models.skeleton_to_image.training_data import clip_inputs
from tests.generative_models.skeleton_to_image.small_dancer import standing
from utils.errors import UserError
from utils.pose_file import Poses
from utils.skeletons import DANCE_13

SIZE = 20


def description(kind: str = "skeleton") -> DancerDescription:
    poses = torch.as_tensor(standing(9, SIZE))
    poses[2, 3] = torch.nan
    references = plain_references(poses, SIZE)
    return DancerDescription("vanilla_image", SIZE, kind, None, 25.0, "anna", references)


class Seen:
    """A drawer that returns the inputs as pictures and remembers them."""

    def __init__(self) -> None:
        self.inputs: list[Tensor] = []

    def __call__(self, inputs: Tensor, _: Tensor) -> Tensor:
        self.inputs.append(inputs)
        return 2 * inputs[:, :3] - 1


@pytest.mark.parametrize("kind", ["skeleton", "heatmaps"])
def test_use_sees_what_training_saw(kind: str) -> None:
    seen, poses = Seen(), standing(7, SIZE).astype(np.float32)
    frames = Dancer(description(kind), lambda: seen)(poses, batch_size=3)
    batch = {
        "images": torch.zeros(7, 1, SIZE, SIZE, 3, dtype=torch.uint8),
        "keypoints": torch.from_numpy(poses)[:, None],
    }
    trained = clip_inputs(batch, kind, SIZE).flatten(0, 1)
    assert torch.equal(torch.cat(seen.inputs), trained)
    assert frames.shape == (7, SIZE, SIZE, 3) and frames.dtype == np.uint8


def test_larger_frames_take_joints_in_their_own_pixels() -> None:
    small, large = Seen(), Seen()
    poses = standing(2, SIZE)
    Dancer(description(), lambda: small)(poses)
    frames = Dancer(description(), lambda: large)((poses + 0.5) * 3 - 0.5, size=3 * SIZE)
    assert frames.shape == (2, 3 * SIZE, 3 * SIZE, 3)
    assert torch.allclose(small.inputs[0], large.inputs[0], atol=1e-4)


def test_every_film_begins_anew_and_none_gives_none() -> None:
    begun: list[Seen] = []
    dancer = Dancer(description(), lambda: begun.append(Seen()) or begun[-1])
    assert dancer(np.zeros((0, 13, 2))).shape == (0, SIZE, SIZE, 3)
    dancer(standing(3, SIZE), batch_size=2)
    assert [len(one.inputs) for one in begun] == [0, 2]


def test_pose_files_are_cut_to_the_square() -> None:
    keypoints = standing(3, 40) + np.array([30, 0])
    poses = Poses(
        source=np.array(["film.mp4"] * 3),
        frame=np.arange(3),
        time=np.arange(3) / 25,
        person=np.zeros(3, np.int64),
        box=np.full((3, 3), np.nan),
        image_size=np.full((3, 2), (80, 40)),
        keypoints_2d=keypoints,
        confidence=np.ones((3, 13)),
        skeleton_2d=DANCE_13.name,
    )
    fitted = fit_poses(poses, SIZE)
    # The square is as tall as the picture, so that everything is half as large.
    assert np.allclose(np.diff(fitted, axis=1), np.diff(keypoints, axis=1) / 2, atol=1e-4)
    assert np.allclose(fitted[..., 1], (keypoints[..., 1] + 0.5) / 2 - 0.5, atol=1e-4)


def test_a_description_comes_back_from_its_metadata() -> None:
    one = description()
    with pytest.raises(UserError, match="damaged"):
        description_from_metadata(one.as_metadata() | {"model": "other"}, "file")
    with pytest.raises(UserError, match="not a skeleton_to_image"):
        description_from_metadata({"kind": "lifter"}, "file")
    nearest = DancerDescription("nearest", SIZE, "joints", None, 25.0, "a", one.reference_poses)
    assert description_from_metadata(nearest.as_metadata(), "file") == nearest
    references = nearest.references.numpy()
    expected = standing(9, SIZE)
    expected[2, 3] = np.nan
    assert np.allclose(references, expected, atol=1e-2, equal_nan=True)


def test_levels() -> None:
    values = torch.tensor([-2.0, -1, 0, 1, 3]).view(5, 1, 1, 1).expand(5, 3, 1, 1)
    assert to_uint8(values)[:, 0, 0, 0].tolist() == [0, 0, 128, 255, 255]
