"""Retargeting without a network, against motion whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from generative_models.motion_transfer.limbs import (
    ANKLES,
    KNEES,
    LIMB_NAMES,
    ROOT,
    SKELETON,
    clip_size,
    scale_limbs,
)
from generative_models.motion_transfer.retarget import (
    ground_line,
    place,
    retarget_bones,
    retarget_scale,
)
from tests.generative_models.motion_transfer.moving import (
    LENGTHS,
    pose_file,
    seen_from_side,
    swinging,
)
from utils.pose_file import Poses, write_poses

FACTORS = torch.tensor([1.0, 1.3, 0.8, 1.2, 0.9, 1.1, 1.25, 0.85])
OTHER_LENGTHS = {n: LENGTHS[n] * float(f) for n, f in zip(LIMB_NAMES, FACTORS, strict=True)}


def with_3d(points: torch.Tensor, scale: float) -> Poses:
    """Points (T, 15, 3) mm seen from ahead, `scale` px a mm, with what they are in 3D."""
    poses = pose_file(points[..., :2] * scale + 300)
    return replace(poses, keypoints_3d=points.numpy(), skeleton_3d=SKELETON.name)


def hip_relative(poses: Poses) -> np.ndarray:
    return poses.keypoints_2d - poses.keypoints_2d[:, ROOT, None]


def test_the_same_person_on_themselves_is_the_same():
    source = pose_file(seen_from_side(swinging(40)))
    for way in (retarget_scale, retarget_bones):
        found = way(source, source)
        np.testing.assert_allclose(found.keypoints_2d, source.keypoints_2d, atol=0.01)
        assert found.image_size[0].tolist() == [800, 600]


def test_scale_gives_the_size_and_the_place_of_the_target():
    source, target = (pose_file(seen_from_side(swinging(40), scale)) for scale in (0.2, 0.3))
    target = replace(target, image_size=np.tile((1920, 1080), (40, 1)))
    found = retarget_scale(source, target)
    np.testing.assert_allclose(found.keypoints_2d, target.keypoints_2d, atol=0.05)
    assert found.image_size[0].tolist() == [1920, 1080]
    assert found.skeleton_2d == SKELETON.name


def test_bones_of_3d_poses_give_the_motion_on_the_target_s_limbs():
    """The target does other things, is seen larger, and its 3D poses have another unit."""
    source = with_3d(swinging(40, seed=1), 0.2)
    target = with_3d(swinging(50, OTHER_LENGTHS, seed=2), 0.3)
    target = replace(target, keypoints_3d=1.7 * target.keypoints_3d)  # pyright: ignore
    wanted = pose_file(swinging(40, OTHER_LENGTHS, seed=1)[..., :2] * 0.3)
    found = retarget_bones(source, target)
    np.testing.assert_allclose(hip_relative(found), hip_relative(wanted), atol=0.05)


def test_limbs_seen_in_pictures_go_half_the_way_from_the_size_s_ratio_to_their_own():
    """Without 3D: everybody moves in the plane of the picture, where lengths are what is seen."""
    told = ("spine", "thighs", "shins")
    size = sum(OTHER_LENGTHS[name] for name in told) / sum(LENGTHS[name] for name in told)
    between = {name: (LENGTHS[name] * OTHER_LENGTHS[name] * size) ** 0.5 for name in LENGTHS}
    # From the side shoulders and hips have no width.
    source, target, wanted = (
        pose_file(swinging(40, lengths, seed=3)[..., [2, 1]] * 0.25 + 300)
        for lengths in (LENGTHS, OTHER_LENGTHS, between)
    )
    found = retarget_bones(source, target)
    np.testing.assert_allclose(hip_relative(found), hip_relative(wanted), atol=0.05)


def test_feet_stand_on_the_target_s_ground():
    source = pose_file(seen_from_side(swinging(40), 0.2))
    target = pose_file(seen_from_side(swinging(40), 0.3, shift=320))
    for way in (retarget_scale, retarget_bones):
        found = torch.from_numpy(way(source, target).keypoints_2d)
        wanted = ground_line(torch.from_numpy(target.keypoints_2d), ANKLES)
        assert ground_line(found, ANKLES) == pytest.approx(float(wanted), abs=0.01)


@pytest.mark.parametrize("way", [retarget_scale, retarget_bones])
@pytest.mark.parametrize("unseen", [ANKLES, [*ANKLES, *KNEES]])
@pytest.mark.parametrize("of_source", [True, False])
def test_where_legs_are_seen_in_one_film_alone_joints_of_both_are_brought_together(
    way, unseen: list[int], of_source: bool
):
    whole = seen_from_side(swinging(40))
    cut = whole.clone()
    cut[:, unseen] = torch.nan
    found = way(*(pose_file(one) for one in ((cut, whole) if of_source else (whole, cut))))
    away = np.abs(found.keypoints_2d - whole.numpy())
    # The size of a body that is seen in part is a guess.
    assert np.nanmax(away) < 0.03 * float(clip_size(whole))


def test_place_moves_without_change():
    points, target = seen_from_side(swinging(20)), seen_from_side(swinging(30), shift=500)
    moved = place(points, target)
    shift = (moved - points).reshape(-1, 2)
    torch.testing.assert_close(shift, shift[:1].expand_as(shift), atol=1e-3, rtol=0)


def test_missing_joints_stay_missing_and_move_no_others():
    points = seen_from_side(swinging(40))
    whole = retarget_bones(pose_file(points), pose_file(points))
    holes = points.clone()
    elbow = SKELETON.index("left_elbow")
    holes[10:14, elbow] = torch.nan
    holes[20] = torch.nan
    found = retarget_bones(pose_file(holes), pose_file(points))
    missing = np.isnan(found.keypoints_2d[..., 0])
    assert missing[10:14, elbow].all() and missing[20].all() and missing.sum() == 4 + 15
    assert (found.confidence[missing] == 0).all() and np.isnan(found.box[20]).all()
    away = np.abs(found.keypoints_2d - whole.keypoints_2d)[~missing]
    assert away.max() < 2.0


def test_who_is_never_seen_to_have_a_joint_never_has_it():
    points = seen_from_side(swinging(40))
    points[:, SKELETON.index("nose")] = torch.nan
    for way in (retarget_scale, retarget_bones):
        found = way(pose_file(points), pose_file(seen_from_side(swinging(40))))
        assert np.isnan(found.keypoints_2d[:, 0]).all()
        assert np.isfinite(found.keypoints_2d[:, 1:]).all()


def test_what_comes_out_is_a_pose_file(tmp_path):
    source = with_3d(swinging(12), 0.2)
    found = retarget_bones(source, source)
    assert found.keypoints_3d is None and found.intrinsics is None
    write_poses(tmp_path / "poses.npz", found)


def test_scaled_limbs_of_a_clip_are_seen_in_its_size():
    points = seen_from_side(swinging(40), shift=0)
    grown = scale_limbs(points, torch.full((8,), 1.5))
    assert clip_size(grown) == pytest.approx(1.5 * float(clip_size(points)), rel=1e-4)
