"""The losses against closed forms, and what a pass gives."""

import math

import pytest
import torch

from generative_models.motion_transfer.losses import (
    MARGIN,
    Inputs,
    TransferTraining,
    least_squares,
    mean_difference,
    seen_from_front,
    triplet_loss,
    turned,
)
from generative_models.motion_transfer.model import Architecture
from generative_models.motion_transfer.normalisation import Normaliser, centred, local_rows
from tests.generative_models.motion_transfer.moving import swinging

PLAIN = Normaliser(torch.zeros(15, 2), torch.ones(15, 2))


def channels_3d() -> torch.Tensor:
    """One clip in 3D as the network makes it, (1, 45, 16)."""
    return PLAIN.channels(local_rows(swinging(16)[None] / 1000))


def inputs(count: int = 3, frames: int = 16) -> Inputs:
    clips, scaled, others = (torch.randn(count, 30, frames) for _ in range(3))
    known = torch.ones(count, 30, 1)
    return Inputs(clips, scaled, others, known, known, torch.randn(2, count))


def training() -> TransferTraining:
    return TransferTraining(Architecture.of_width(0.1, dropout=0.0), PLAIN)


def test_mean_difference_counts_what_is_known():
    made, wanted = torch.zeros(2, 4, 5), torch.ones(2, 4, 5)
    wanted[1, 3] = 100
    known = torch.ones(2, 4, 1)
    known[1, 3] = 0
    assert mean_difference(made, wanted, known) == pytest.approx(1.0)


def test_least_squares():
    assert least_squares(torch.tensor([0.0, 2.0]), 1) == pytest.approx(1.0)


def test_triplet_loss_is_nothing_for_others_that_are_opposite():
    features = torch.ones(2, 4, 6)
    assert triplet_loss(features, -features) == 0


def test_triplet_loss_of_the_same_is_the_margin():
    """All similarities are 1: the difference is 0 and the margin is missed by all of it."""
    features = torch.ones(2, 4, 6)
    assert triplet_loss(features, 3 * features) == pytest.approx(MARGIN)


def test_triplet_loss_looks_at_the_hardest_half():
    """Own similarities are 1; half of the times are the same in the other clip, half upright."""
    one = torch.tensor([[1.0, 1], [0, 0]])[None]
    other = torch.tensor([[1.0, 0], [0, 1]])[None]
    # Four pairs of times; the hardest two are alike: difference 0.
    assert triplet_loss(one, other) == pytest.approx(MARGIN)


def test_no_turn_is_the_view_from_the_front_and_half_a_turn_its_mirror_image():
    made = channels_3d()
    front = seen_from_front(made, PLAIN)
    none, half = turned(made, torch.tensor([[0.0], [math.pi]]), PLAIN)
    torch.testing.assert_close(none, front[0], atol=1e-5, rtol=1e-4)
    rows = PLAIN.rows(front)
    mirror = PLAIN.channels(rows * torch.tensor([-1.0, 1]))
    torch.testing.assert_close(half, mirror[0], atol=1e-4, rtol=1e-4)


def test_a_turn_keeps_heights_and_hips():
    made = channels_3d()
    quarter = PLAIN.rows(turned(made, torch.tensor([[math.pi / 2]]), PLAIN))
    wanted = centred(PLAIN.rows(made))
    torch.testing.assert_close(quarter[..., 1], wanted[..., 1], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(quarter[..., 0].abs(), wanted[..., 2].abs(), atol=1e-4, rtol=1e-4)


def test_equal_clips_leave_the_losses_of_invariance_to_limbs_at_nothing():
    clips = torch.randn(3, 30, 16)
    same = inputs()._replace(clips=clips, scaled=clips, others=clips)
    with torch.no_grad():
        terms = training()(*same)
    assert terms["motion_limbs"] == 0 and terms["view_limbs"] == 0
    assert terms["reconstruction"] == pytest.approx(terms["cross"])
    assert terms["reconstruction"] == pytest.approx(terms["transfer"])


def test_a_pass_gives_all_terms_and_the_turned_clips():
    terms = training()(*inputs())
    made = terms.pop("made")
    assert made.shape == (6, 30, 16) and not made.requires_grad
    assert all(term.ndim == 0 and term.isfinite() for term in terms.values())
    assert len(terms) == 10


def test_what_the_data_lack_is_scored_nowhere():
    model, given = training(), inputs()
    known = given.known.clone()
    known[:, :2] = 0
    given = given._replace(known=known, fed=known)
    other = given._replace(
        **{
            name: getattr(given, name).index_add(1, torch.tensor([0, 1]), torch.ones(3, 2, 16))
            for name in ("clips", "scaled", "others")
        }
    )
    one, two = model(*given), model(*other)
    for name, term in one.items():
        torch.testing.assert_close(term, two[name])
    assert (one["made"][:, :2] == 0).all()


def test_the_error_of_a_transfer_is_that_of_points():
    """A network that makes what `seen_from_front` sees of it, against points wanted."""
    model, given = training().eval(), inputs()
    errors = model(*given, part="transfer")["transfer"]
    codes = model.network.encode(given.clips)
    body = model.network.encode(given.others).body
    made = seen_from_front(model.network.decode(codes.motion, body, codes.view, 16), PLAIN)
    away = (made - given.scaled)[:, :28].abs().mean((1, 2))
    torch.testing.assert_close(errors, away)


def test_gradients_reach_only_those_who_learn():
    model = training()
    terms = model(*inputs())
    made = terms.pop("made")
    model.zero_grad(set_to_none=True)
    model(torch.randn(3, 30, 16), made, part="discriminator")["discriminator"].backward()
    assert all(one.grad is None for one in model.network.parameters())
    assert all(one.grad is not None for one in model.discriminator.parameters())
