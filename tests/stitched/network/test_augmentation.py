"""Views against the camera: what is turned in 2D and in 3D still falls on the same pixels."""

import numpy as np
import pytest
import torch

from stacked_hourglass.augmentation import Views, plain_views, view_keypoints
from stacked_hourglass.data import collate
from stitched.network.augmentation import mild_views, view_scene
from stitched.network.data import PicturedDataset
from stitched.network.mannequin_pictures import mannequin_pictures
from utils.cameras import project
from utils.crops import crop_to_image
from utils.skeletons import H36M_17, MPII_16

RESOLUTION = 64
LIMBS = tuple(
    f"{side}_{joint}"
    for side in ("left", "right")
    for joint in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
)


@pytest.fixture
def batch() -> dict[str, torch.Tensor]:
    people = PicturedDataset(mannequin_pictures("train", 4, seed=9), RESOLUTION)
    return collate([people[row] for row in range(4)])


def strong_views() -> Views:
    return Views(
        torch.tensor([0.8, 1.0, 1.2, 1.1]),
        torch.tensor([0.3, -0.2, 0.0, 1.0]),
        torch.tensor([True, False, True, True]),
        torch.ones(4, 3),
    )


@pytest.mark.parametrize("views", [plain_views(4), strong_views()], ids=["plain", "strong"])
def test_poses_still_project_onto_their_joints(batch: dict, views: Views):
    seen = view_scene(batch, views)
    projected = project(seen["poses_3d"], seen["intrinsics"])
    of_pose, of_places = H36M_17.indices(*LIMBS), MPII_16.indices(*LIMBS)
    found = projected[:, of_pose].numpy()
    np.testing.assert_allclose(found, seen["keypoints_image"][:, of_places].numpy(), atol=0.01)


def test_crops_show_what_boxes_say(batch: dict):
    views = strong_views()
    seen = view_scene(batch, views)
    size = batch["image"].shape[-1]
    everywhere = (batch["keypoints_image"] - (batch["box"][:, None, :2])) / batch["box"][
        :, None, 2:
    ]
    in_crop = everywhere * size / 1.8 + (size - 1) / 2
    points = view_keypoints(in_crop, views, size, RESOLUTION, MPII_16.flip_order)
    places = crop_to_image(points.numpy(), seen["box"].numpy(), RESOLUTION)
    np.testing.assert_allclose(places, seen["keypoints_image"].numpy(), atol=0.02)


def test_what_is_not_moved_stays_and_sides_change_in_a_mirror(batch: dict):
    plain = view_scene(batch, plain_views(4))
    for name, value in batch.items():
        torch.testing.assert_close(plain[name], value, atol=1e-3, rtol=0, equal_nan=True)
    batch["valid"][:, H36M_17.index("left_wrist")] = False
    mirrored = view_scene(batch, strong_views())["valid"]
    assert not mirrored[0, H36M_17.index("right_wrist")]
    assert mirrored[0, H36M_17.index("left_wrist")]
    assert mirrored[1, H36M_17.index("right_wrist")]


def test_views_are_mild_and_decided_by_the_generator():
    views = mild_views(500, torch.Generator().manual_seed(1))
    again = mild_views(500, torch.Generator().manual_seed(1))
    assert torch.equal(views.scale, again.scale) and torch.equal(views.flip, again.flip)
    assert views.scale.min() >= 0.8 and views.scale.max() <= 1.25 and views.scale.std() > 0.05
    assert views.rotation.abs().max() <= np.radians(20) + 1e-6
    assert 0.4 < views.flip.float().mean() < 0.6
