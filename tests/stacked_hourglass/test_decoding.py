import math

import pytest
import torch

from stacked_hourglass.decoding import (
    DECODERS,
    TOLERANCE_SHARE,
    decode_dark,
    decode_expected_pck,
    decode_quarter_offset,
    normalise_scores,
    probability_around,
)
from stacked_hourglass.targets import make_heatmaps


def random_places(count: int) -> torch.Tensor:
    torch.manual_seed(0)
    return 4 + 24 * torch.rand(count, 16, 2)


@pytest.mark.parametrize("kind", ["mse", "cross_entropy"])
def test_dark_finds_the_sub_pixel_centre_of_a_gaussian(kind: str) -> None:
    places = random_places(20)
    targets = make_heatmaps(places, 32, 32, 1.0)
    scores = targets if kind == "mse" else targets.clamp_min(1e-20).log()
    maps = normalise_scores(scores, kind)
    error = (decode_dark(maps) - places).norm(dim=-1)
    assert error.max() < 0.06
    # The published rule knows only which neighbour is higher: at most a quarter pixel off in x, y.
    assert (decode_quarter_offset(maps) - places).abs().max() <= 0.25 + 1e-4


def test_expected_pck_is_the_best_place_of_a_fine_search() -> None:
    """No other place, of those a tenth of a pixel apart, has a larger expected score: maps of two
    peaks of random weight, 2 to 8 px apart."""
    torch.manual_seed(0)
    first = 10 + 12 * torch.rand(30, 1, 2)
    angle, distance = 2 * math.pi * torch.rand(30, 1), 2 + 6 * torch.rand(30, 1)
    second = first + torch.stack([angle.cos(), angle.sin()], dim=-1) * distance[..., None]
    share = 0.3 + 0.4 * torch.rand(30, 1, 1, 1)
    maps = share * make_heatmaps(first, 32, 32, 1.0)
    maps += (1 - share) * make_heatmaps(second, 32, 32, 1.5) / 1.5**2

    def weights(places: torch.Tensor) -> torch.Tensor:
        distance = (places[..., None] - torch.arange(32.0)) / (TOLERANCE_SHARE * 32)
        return torch.exp(-(distance**2) / 2)

    def score(places: torch.Tensor) -> torch.Tensor:
        near = weights(places)
        return torch.einsum("nji,njih,njh->nj", near[:, :, 1], maps, near[:, :, 0])

    everywhere = weights(torch.arange(0, 31, 0.1))
    best = torch.einsum("ai,njih,bh->njab", everywhere, maps, everywhere).amax((-2, -1))
    assert (score(decode_expected_pck(maps)) / best).min() > 0.99
    assert (score(decode_dark(maps)) / best).min() < 0.9, "the search tells the decoders apart"


def test_expected_pck_prefers_two_places_close_together_to_a_higher_peak_elsewhere() -> None:
    maps = torch.zeros(1, 1, 32, 32)
    maps[0, 0, 5, 5], maps[0, 0, 20, 24], maps[0, 0, 20, 26] = 0.4, 0.3, 0.3
    assert decode_dark(maps)[0, 0].tolist() == pytest.approx([5, 5], abs=0.01)
    assert decode_expected_pck(maps)[0, 0].tolist() == pytest.approx([25, 20], abs=0.01)


def test_expected_pck_keeps_a_clear_joint_where_it_is() -> None:
    places = 6 + 20 * torch.rand(20, 16, 2, generator=torch.Generator().manual_seed(0))
    found = decode_expected_pck(make_heatmaps(places, 32, 32, 1.0))
    assert (found - places).norm(dim=-1).max() < 0.06
    # Near the border half of the tolerance may lie beyond it: a pixel inwards at most.
    corner = decode_expected_pck(make_heatmaps(torch.tensor([[[0.0, 31.0]]]), 32, 32, 1.0))
    assert (corner - torch.tensor([0.0, 31.0])).abs().max() <= 1


@pytest.mark.parametrize("name", ["quarter_offset", "dark"])
def test_a_joint_is_not_moved_across_the_border_that_its_peak_lies_on(name: str) -> None:
    torch.manual_seed(0)
    across, along = 0.8 * torch.rand(200) - 0.4, 4 + 24 * torch.rand(200)
    last = 31 - across
    corners = torch.stack([across, last], dim=-1)
    for x, y in ((across, along), (last, along), (along, across), (along, last)):
        places = torch.stack([x, y], dim=-1)[:, None]
        error = (DECODERS[name](make_heatmaps(places, 32, 32, 1.0)) - places)[:, 0].abs()
        first, second = (error[:, 0], error[:, 1]) if y is along else (error[:, 1], error[:, 0])
        assert first.max() <= 0.4 + 1e-4
        # Along the border it is found as elsewhere.
        assert second.max() < (0.06 if name == "dark" else 0.25 + 1e-4)
    found = DECODERS[name](make_heatmaps(corners[:, None], 32, 32, 1.0))
    assert found[:, 0].unique(dim=0).tolist() == [[0, 31]]


@pytest.mark.parametrize("name", list(DECODERS))
def test_flat_maps_stay_on_the_map(name: str) -> None:
    places = DECODERS[name](torch.zeros(1, 2, 8, 8))
    assert ((places >= 0) & (places <= 7)).all()


def test_normalised_maps_sum_to_one_or_less_and_an_empty_one_says_nothing() -> None:
    scores = torch.randn(2, 4, 8, 8)
    assert torch.allclose(normalise_scores(scores, "cross_entropy").sum((-2, -1)), torch.ones(2, 4))
    assert normalise_scores(-scores.abs(), "mse").abs().max() == 0
    peak = make_heatmaps(torch.full((1, 1, 2), 4.0), 9, 9, 1.0)
    # A clean peak of height 1 has mass 2 pi: nearly all but the background's 1 counts.
    mass = float(normalise_scores(peak, "mse").sum())
    assert math.isclose(mass, 2 * math.pi / (2 * math.pi + 1), rel_tol=0.01)


def test_the_probability_of_a_joint_is_the_mass_around_its_place() -> None:
    maps = torch.zeros(1, 2, 16, 16)
    maps[0, 0, 5, 5], maps[0, 0, 5, 7], maps[0, 0, 12, 12] = 0.5, 0.2, 0.3
    maps[0, 1, 0, 0] = 1
    places = torch.tensor([[[5.4, 4.6], [0.0, 0.0]]])
    found = probability_around(maps, places)[0].tolist()
    assert found == pytest.approx([0.7, 1.0], abs=1e-5)
    assert float(probability_around(maps, places + 8)[0, 0]) == pytest.approx(0.3, abs=1e-5)
