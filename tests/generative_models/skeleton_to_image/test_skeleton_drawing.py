"""The skeleton that networks see, against closed forms."""

import numpy as np
import pytest
import torch

from generative_models.skeleton_to_image.description import network_input
from generative_models.skeleton_to_image.skeleton_drawing import (
    LIMBS,
    STROKE,
    draw_heatmaps,
    draw_skeletons,
    skeleton_pictures,
)
from tests.generative_models.skeleton_to_image.small_dancer import standing
from utils.skeletons import DANCE_13


def only(**joints: tuple[float, float]) -> torch.Tensor:
    """One pose (1, 13, 2) of these joints alone."""
    pose = torch.full((1, 13, 2), torch.nan)
    for name, place in joints.items():
        pose[0, DANCE_13.index(name)] = torch.tensor(place)
    return pose


def test_a_limb_covers_what_a_round_ended_stroke_covers() -> None:
    size, length = 200, 100.0
    drawn = draw_skeletons(only(left_hip=(50.3, 80.6), left_knee=(150.3, 80.6)), size)
    thigh = next(limb for limb in LIMBS if limb.start == ("left_hip",))
    half = STROKE * size
    area = 2 * half * length + np.pi * half**2
    colour = torch.tensor(thigh.colour) / 255
    assert drawn[0, 0].sum().item() == pytest.approx(area * colour[0].item(), rel=0.01)
    assert torch.allclose(drawn[0, :, 81, 100], colour, atol=1e-6)
    assert drawn[0, :, 81 + 5].max() == 0


def test_edges_are_smooth_so_that_a_tenth_of_a_pixel_counts() -> None:
    here, there = (
        draw_skeletons(only(nose=(30, y), left_shoulder=(20, 40), right_shoulder=(40, 40)), 64)
        for y in (10.0, 10.1)
    )
    assert 0 < (here - there).abs().max() < 0.2


def test_a_limb_that_lacks_a_joint_is_left_out_and_nothing_is_nan() -> None:
    whole = torch.as_tensor(standing(1, 64), dtype=torch.float32)
    without = whole.clone()
    without[0, DANCE_13.index("left_wrist")] = torch.nan
    changed = (draw_skeletons(whole, 64) - draw_skeletons(without, 64)).abs().sum(dim=1)[0] > 0
    rows, columns = changed.nonzero(as_tuple=True)
    ends = whole[0, DANCE_13.indices("left_elbow", "left_wrist")]
    assert changed.any()
    assert rows.min() >= ends[:, 1].min() - 3 and rows.max() <= ends[:, 1].max() + 3
    assert columns.min() >= ends[:, 0].min() - 3 and columns.max() <= ends[:, 0].max() + 3
    nobody = torch.full((2, 13, 2), torch.nan)
    assert draw_skeletons(nobody, 20).eq(0).all() and draw_heatmaps(nobody, 20).eq(0).all()


@pytest.mark.parametrize("size", [17, 64, 101])
def test_a_pose_is_drawn_alike_alone_and_in_a_batch(size: int) -> None:
    poses = torch.as_tensor(standing(5, size), dtype=torch.float32)
    together = draw_skeletons(poses, size)
    assert together.shape == (5, 3, size, size) and together.min() >= 0 and together.max() <= 1
    assert torch.equal(together[3:4], draw_skeletons(poses[3:4], size))


def test_people_and_networks_see_the_same_drawing() -> None:
    poses = standing(3, 40)
    seen = network_input(torch.as_tensor(poses, dtype=torch.float32), "skeleton", 40)
    shown = torch.from_numpy(skeleton_pictures(poses, 40)).movedim(-1, 1)
    assert torch.equal((seen * 255).round().byte(), shown)


def test_left_and_right_differ() -> None:
    left = draw_skeletons(only(left_elbow=(5, 5), left_wrist=(20, 20)), 32)
    right = draw_skeletons(only(right_elbow=(5, 5), right_wrist=(20, 20)), 32)
    assert torch.equal(left.amax(1) > 0, right.amax(1) > 0) and not torch.equal(left, right)


def test_heatmaps_are_gaussians_about_their_joints() -> None:
    maps = draw_heatmaps(only(nose=(20.0, 31.0)), 100)
    nose = DANCE_13.index("nose")
    assert maps.shape == (1, 13, 100, 100) and maps[0, nose, 31, 20] == 1
    assert maps[0, nose, 31, 23].item() == pytest.approx(np.exp(-0.5), abs=1e-6)
    assert maps[0, nose].sum().item() == pytest.approx(2 * np.pi * 9, rel=1e-4)
    maps[0, nose] = 0
    assert not maps.any()


def test_the_vector_spans_the_picture() -> None:
    pose = only(nose=(-0.5, 63.5), left_hip=(31.5, 31.5))
    vector = network_input(pose, "vector", 64).view(13, 2)
    assert vector[DANCE_13.index("nose")].tolist() == [-1, 1]
    assert vector[DANCE_13.index("left_hip")].tolist() == [0, 0]
    assert vector.abs().sum() == 2
