"""Local rows and channels: there and back, and what is absent."""

import torch

from generative_models.motion_transfer.limbs import ROOT, SKELETON
from generative_models.motion_transfer.normalisation import (
    JOINTS,
    ROWS,
    Normaliser,
    centred,
    from_local_rows,
    known_channels,
    local_rows,
)
from tests.generative_models.motion_transfer.moving import seen_from_side, swinging

CLIP = seen_from_side(swinging(24), 1 / 1000, 0)[None]


def normaliser() -> Normaliser:
    return Normaliser.measured(local_rows(CLIP))


def test_points_come_back_but_for_where_they_began():
    back = from_local_rows(local_rows(CLIP))
    torch.testing.assert_close(back, CLIP - CLIP[:, :1, ROOT, None], atol=1e-5, rtol=1e-5)


def test_the_last_row_is_the_step_of_the_hips():
    rows = local_rows(CLIP)
    torch.testing.assert_close(rows[:, 1:, -1], CLIP[:, 1:, ROOT] - CLIP[:, :-1, ROOT])
    torch.testing.assert_close(rows[:, 0, -1], rows[:, 1, -1])


def test_channels_have_mean_0_and_deviation_1_and_come_back():
    one = normaliser()
    channels = one.channels(local_rows(CLIP))
    assert channels.shape == (1, 2 * ROWS, 24)
    assert channels.mean(-1).abs().max() < 1e-4
    moving = channels.std(-1, correction=0)
    assert ((moving - 1).abs() < 1e-3).float().mean() > 0.5
    torch.testing.assert_close(one.rows(channels), local_rows(CLIP), atol=1e-5, rtol=1e-4)


def test_depth_has_the_deviation_of_x_and_no_mean():
    one = normaliser()
    rows = one.rows(torch.ones(1, 3 * ROWS, 4))
    torch.testing.assert_close(rows[0, 0, :, 2], one.std[:, 0])
    torch.testing.assert_close(rows[0, 0, :, :2], one.mean + one.std)


def test_what_is_absent_is_the_mean_and_known_to_be():
    points = CLIP.clone()
    nose = SKELETON.index("nose")
    points[:, :, nose] = torch.nan
    row = JOINTS.index(nose)
    channels = normaliser().channels(local_rows(points))
    assert (channels[:, 2 * row : 2 * row + 2] == 0).all() and channels.isfinite().all()
    known = known_channels(points)[0, :, 0]
    assert known.sum() == 2 * ROWS - 2 and (known[2 * row : 2 * row + 2] == 0).all()


def test_centred_rows_have_the_hips_about_the_origin():
    rows = local_rows(CLIP) + 0.3
    hips = [JOINTS.index(j) for j in SKELETON.indices("left_hip", "right_hip")]
    moved = centred(rows)
    assert moved[..., hips, :].mean(-2).abs().max() < 1e-6
    torch.testing.assert_close(moved[..., -1, :], rows[..., -1, :])
