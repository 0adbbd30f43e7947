"""One person's film out of a pose file: gaps, frames, skeletons, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from generative_models.motion_transfer.films import filled, film_of, frame_times, resampled
from generative_models.motion_transfer.limbs import SKELETON
from generative_models.motion_transfer.retarget import retarget_bones, retarget_scale
from tests.generative_models.motion_transfer.moving import pose_file, seen_from_side, swinging
from utils.errors import UserError
from utils.pose_file import concatenate
from utils.skeleton_conversion import convert
from utils.skeletons import MPII_16


def test_gaps_are_filled_linearly_and_ends_held():
    values = np.array([[[1.0]], [[np.nan]], [[4.0]], [[np.nan]]])
    found = filled(values, np.array([0, 1, 3, 4]))
    np.testing.assert_allclose(found[:, 0, 0], [1, 2, 3, 4, 4])


def test_frames_that_are_left_out_are_there_for_the_network_alone():
    poses = pose_file(seen_from_side(swinging(40))).select(np.r_[0:10, 20:40])
    film = film_of(poses, "the source")
    assert len(film.points) == 40 and film.places.tolist() == [*range(10), *range(20, 40)]
    assert len(retarget_scale(poses, poses)) == 30
    every_other = film_of(pose_file(seen_from_side(swinging(40))).select(np.arange(0, 40, 2)), "")
    assert len(every_other.points) == 20


def test_times_are_those_of_the_rows_and_gaps_between_them():
    poses = pose_file(seen_from_side(swinging(40)), rate=50).select(np.r_[0:10, 20:40])
    found = frame_times(film_of(poses, ""), 30.0)
    np.testing.assert_allclose(found, np.arange(40) / 50)


@pytest.mark.parametrize("times", [np.full(9, np.nan), np.zeros(9)])
def test_films_without_times_have_the_rate_that_is_wanted(times: np.ndarray):
    poses = replace(pose_file(seen_from_side(swinging(9))), time=times)
    np.testing.assert_allclose(frame_times(film_of(poses, ""), 24.0), np.arange(9) / 24)


def test_points_between_times_lie_on_a_smooth_line():
    """Of cubic polynomials a cubic spline is exact; uneven times are as good as even ones."""
    times = np.array([0.0, 0.1, 0.3, 0.35, 0.5, 0.8])
    wanted = np.linspace(0, 0.8, 17)
    line = [torch.from_numpy(t**3 - t)[:, None, None].float() for t in (times, wanted)]
    points = torch.cat([line[0], torch.full_like(line[0], torch.nan)], dim=1)
    found = resampled(points, times, wanted)
    torch.testing.assert_close(found[:, :1], line[1], atol=1e-6, rtol=0)
    assert found[:, 1].isnan().all()


def test_poses_of_other_skeletons_are_taken():
    points = seen_from_side(swinging(40)).numpy()
    mpii = convert(points, SKELETON, MPII_16).poses
    source = replace(
        pose_file(points), keypoints_2d=mpii, skeleton_2d=MPII_16.name,
        confidence=np.isfinite(mpii).all(-1).astype(np.float32),
    )  # fmt: skip
    found = retarget_scale(source, pose_file(points))
    np.testing.assert_allclose(found.keypoints_2d[:, 1:], points[:, 1:], atol=0.05)


def test_two_people_frames_twice_and_nobody_are_refused():
    one = pose_file(seen_from_side(swinging(10)))
    two = concatenate([one, replace(one, person=one.person + 1)])
    with pytest.raises(UserError, match="the source must hold one person of one video"):
        retarget_scale(two, one)
    with pytest.raises(UserError, match="the target has frame 0 twice"):
        retarget_scale(one, concatenate([one, one]))
    with pytest.raises(UserError, match="no frame in which both hips are seen"):
        retarget_scale(pose_file(np.full((4, 15, 2), np.nan)), one)
    bare = one.keypoints_2d.copy()
    bare[:, [j for j in range(15) if j not in SKELETON.indices("mid_hip", "left_hip", "right_hip")]] = np.nan  # fmt: skip # noqa: E501
    with pytest.raises(UserError, match="neither trunk nor legs"):
        retarget_bones(one, pose_file(bare))
