"""Lengths of limbs and motion on other limbs, against bodies of known lengths."""

import pytest
import torch

from generative_models.motion_transfer.limbs import (
    LIMB_NAMES,
    LIMBS,
    ORDER,
    ROOT,
    SKELETON,
    STANDARD_SIZE,
    body_size,
    clip_size,
    leg_factor,
    limb_lengths,
    scale_limbs,
)
from tests.generative_models.motion_transfer.moving import LENGTHS, seen_from_side, swinging

FACTORS = torch.tensor([0.5, 0.7, 0.9, 1.1, 1.3, 1.5, 1.7, 1.9])


def test_each_joint_belongs_to_one_limb_and_comes_after_its_parent():
    assert sorted(joint for ends in LIMBS.values() for joint in ends) == sorted(ORDER)
    for place, joint in enumerate(ORDER):
        assert SKELETON.parents[joint] in (ROOT, *ORDER[:place])


def test_lengths_of_a_known_body_are_found():
    lengths = limb_lengths(swinging(20))
    wanted = torch.tensor([LENGTHS[name] for name in LIMB_NAMES])
    torch.testing.assert_close(lengths, wanted, rtol=1e-5, atol=0.01)


def test_scaled_limbs_are_those_of_the_body_built_with_other_lengths():
    """The closed form: bodies with the same directions of bones, other lengths."""
    lengths = {name: LENGTHS[name] * float(f) for name, f in zip(LIMB_NAMES, FACTORS, strict=True)}
    found = scale_limbs(swinging(20), FACTORS)
    wanted = swinging(20, lengths)
    found, wanted = (one - one[:, ROOT, None] for one in (found, wanted))
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=0.01)


def test_the_way_of_the_root_grows_with_the_legs():
    points = swinging(20)
    found = scale_limbs(points, FACTORS)
    assert leg_factor(FACTORS) == pytest.approx((1.7 + 1.9) / 2)
    torch.testing.assert_close(found[:, ROOT], 1.8 * points[:, ROOT])


def test_a_foot_that_stands_goes_on_standing_on_legs_of_one_factor():
    points = swinging(20)
    points = points - points[:, SKELETON.index("left_ankle"), None]
    scaled = scale_limbs(points, torch.full((8,), 1.4))
    assert scaled[:, SKELETON.index("left_ankle")].norm(dim=-1).max() < 1e-3 * STANDARD_SIZE


def test_scaling_and_seeing_can_be_exchanged_without_perspective():
    points = swinging(20)
    one = scale_limbs(seen_from_side(points, shift=0), FACTORS)
    other = seen_from_side(scale_limbs(points, FACTORS), shift=0)
    torch.testing.assert_close(one, other, rtol=1e-4, atol=0.01)


def test_clips_of_a_batch_have_factors_of_their_own():
    clip = swinging(10)
    both = scale_limbs(torch.stack([clip, clip]), torch.stack([torch.ones(8), FACTORS]))
    torch.testing.assert_close(both[0], clip, rtol=1e-5, atol=0.01)
    torch.testing.assert_close(both[1], scale_limbs(clip, FACTORS))


def test_a_missing_joint_takes_with_it_what_hangs_on_it_alone():
    points = swinging(10)
    points[:, SKELETON.index("left_elbow")] = torch.nan
    scaled = scale_limbs(points, FACTORS)
    missing = [SKELETON.joints[j] for j in scaled.isnan().any(-1).all(0).nonzero()[:, 0]]
    assert missing == ["left_elbow", "left_wrist"]


def test_lengths_come_from_the_side_and_the_frames_that_are_seen():
    points = swinging(20)
    points[:15, SKELETON.index("left_knee")] = torch.nan
    points[:, SKELETON.index("right_knee")] = torch.nan
    points[:, SKELETON.index("nose")] = torch.nan
    lengths = dict(zip(LIMB_NAMES, limb_lengths(points).tolist(), strict=True))
    assert lengths["thighs"] == pytest.approx(LENGTHS["thighs"], rel=1e-4)
    assert lengths["neck"] != lengths["neck"]


def test_size_is_that_of_trunk_and_legs_in_proportion_where_some_are_unknown():
    lengths = limb_lengths(swinging(5))
    assert body_size(lengths) == pytest.approx(500 + 430 + 430, rel=1e-4)
    lengths[LIMB_NAMES.index("shins")] = torch.nan
    assert body_size(lengths) == pytest.approx((500 + 430) / (504 + 429) * STANDARD_SIZE, rel=1e-4)
    assert body_size(torch.full((8,), torch.nan)).isnan()


def test_size_in_the_picture_follows_the_picture():
    seen = seen_from_side(swinging(30))
    assert clip_size(3 * seen) == pytest.approx(3 * float(clip_size(seen)), rel=1e-5)
