"""The network in use: whole pose files, and what the result depends on."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from generative_models.motion_transfer.limbs import ANKLES, ROOT, SKELETON
from generative_models.motion_transfer.model import TransferNetwork
from generative_models.motion_transfer.normalisation import Normaliser
from generative_models.motion_transfer.predictor import LearnedRetargeter
from generative_models.motion_transfer.retarget import ground_line
from tests.generative_models.motion_transfer.moving import (
    CLIP,
    description,
    pose_file,
    seen_from_side,
    swinging,
)
from utils.errors import UserError
from utils.pose_file import Poses


def retargeter() -> LearnedRetargeter:
    torch.manual_seed(0)
    one = description()
    return LearnedRetargeter(TransferNetwork(one.architecture), one, "cpu")


def hip_relative(keypoints: np.ndarray) -> np.ndarray:
    return keypoints - keypoints[:, ROOT, None]


@pytest.mark.parametrize("frames", [8, 11, 40, 1000])
def test_clips_from_8_frames_on_are_retargeted(frames: int):
    source = pose_file(seen_from_side(swinging(frames)))
    found = retargeter()(source, pose_file(CLIP))
    assert len(found) == frames and np.isfinite(found.keypoints_2d).all()


def test_fewer_frames_are_refused():
    with pytest.raises(UserError, match="has 7 frames at 30 a second; the network needs 8"):
        retargeter()(pose_file(CLIP), pose_file(CLIP[:7]))


def lively() -> LearnedRetargeter:
    """A network whose answer moves, by some 10 px."""
    torch.manual_seed(0)
    one = description()
    normaliser = Normaliser(one.normaliser.mean, one.normaliser.std.clamp(min=0.1))
    network = TransferNetwork(one.architecture)
    for name, weight in network.named_parameters():
        if name == "decoder.layers.2.convolution.weight":
            weight.data *= 30
    return LearnedRetargeter(network, replace(one, normaliser=normaliser), "cpu")


def at_rate(rate: float, seconds: float = 2.0) -> Poses:
    count = round(seconds * rate) + 1
    return pose_file(seen_from_side(swinging(count, rate=rate)), rate=rate)


@pytest.mark.parametrize("rate", [15, 60, 120])
def test_films_of_all_frame_rates_move_alike_at_common_times(rate: int):
    model, film, slow = lively(), at_rate(rate), slice(None, None, rate // 15)
    wanted = hip_relative(model(at_rate(30), at_rate(30)).keypoints_2d)[::2]
    found = hip_relative(model(film, at_rate(30)).keypoints_2d)
    assert len(found) == len(film)
    np.testing.assert_allclose(found[slow], wanted, atol=0.05)
    # As if it were one of 30 a second, frame by frame, it is another motion.
    without = replace(film, time=np.full(len(film), np.nan))
    ignored = hip_relative(model(without, at_rate(30)).keypoints_2d)
    assert np.abs(ignored[slow] - wanted).max() > 5


def test_a_network_sees_every_film_at_its_own_rate():
    model = lively()
    films = [model.film(at_rate(rate), "the target") for rate in (30, 60)]
    wanted, found = (model.channels(film) for film in films)
    torch.testing.assert_close(found, wanted, atol=0.02, rtol=0)


def test_frames_are_counted_at_the_rate_of_the_network():
    assert len(retargeter()(at_rate(15, seconds=0.4), at_rate(30))) == 7
    with pytest.raises(UserError, match="the source has 7 frames at 30 a second"):
        retargeter()(at_rate(60, seconds=0.2), at_rate(30))


def test_pictures_of_another_scale_change_nothing_but_the_scale():
    """Invariance to how large people are seen, as a number: rounding."""
    one = retargeter()(pose_file(CLIP), pose_file(CLIP))
    other = retargeter()(pose_file(5 * CLIP), pose_file(CLIP))
    away = np.abs(hip_relative(one.keypoints_2d) - hip_relative(other.keypoints_2d))
    assert away.max() < 0.05
    larger = retargeter()(pose_file(CLIP), pose_file(2 * CLIP))
    np.testing.assert_allclose(
        hip_relative(larger.keypoints_2d), 2 * hip_relative(one.keypoints_2d), atol=0.1
    )


def test_the_result_stands_where_the_target_does_and_goes_the_source_s_way():
    source, target = pose_file(CLIP), pose_file(CLIP + torch.tensor([300.0, 40.0]))
    found = torch.from_numpy(retargeter()(source, target).keypoints_2d)
    wanted = torch.from_numpy(target.keypoints_2d)
    expected = float(ground_line(wanted, ANKLES))
    assert ground_line(found, ANKLES) == pytest.approx(expected, abs=0.1)
    assert found[:, ROOT, 0].median() == pytest.approx(float(wanted[:, ROOT, 0].median()), abs=0.1)
    steps = (found[1:, ROOT, 0] - found[:-1, ROOT, 0]) / (CLIP[1:, ROOT, 0] - CLIP[:-1, ROOT, 0])
    assert steps.min() > 0 and steps.max() / steps.min() < 1.01


def test_what_is_missing_in_the_source_is_missing_in_the_result():
    holes = CLIP.clone()
    holes[5:8, SKELETON.index("left_wrist")] = torch.nan
    holes[30] = torch.nan
    found = retargeter()(pose_file(holes), pose_file(CLIP))
    missing = np.isnan(found.keypoints_2d[..., 0])
    assert missing.sum() == 3 + 15 and missing[30].all()
    assert (found.confidence[missing] == 0).all()


def test_a_joint_that_is_never_seen_leaves_the_rest_finite():
    points = CLIP.clone()
    points[:, SKELETON.index("right_ankle")] = torch.nan
    found = retargeter()(pose_file(points), pose_file(points))
    missing = np.isnan(found.keypoints_2d[..., 0])
    assert missing.sum() == 40 and missing[:, SKELETON.index("right_ankle")].all()


def test_corners_of_the_grid_are_the_four_transfers():
    model = retargeter()
    clips = torch.randn(1, 30, 16), torch.randn(1, 30, 16)
    grid = model.grid(*clips, steps=3)
    assert grid.shape == (3, 3, 16, 15, 2)
    torch.testing.assert_close(grid[0, 0], model.transfer(clips[0], clips[0])[0])
    torch.testing.assert_close(grid[-1, -1], model.transfer(clips[1], clips[1])[0])
    assert not torch.allclose(grid[0, 0], grid[1, 0])
    assert not torch.allclose(grid[0, 0], grid[0, 1])
