import math

import pytest
import torch

from stacked_hourglass.decoding import (
    DECODERS,
    decode_dark,
    decode_quarter_offset,
    normalise_scores,
    peak_probability,
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


@pytest.mark.parametrize("name", list(DECODERS))
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


def test_peak_probability_is_the_mass_around_the_peak() -> None:
    maps = torch.zeros(1, 2, 16, 16)
    maps[0, 0, 5, 5], maps[0, 0, 5, 7], maps[0, 0, 12, 12] = 0.5, 0.2, 0.3
    maps[0, 1, 0, 0] = 1
    assert peak_probability(maps)[0].tolist() == pytest.approx([0.7, 1.0], abs=1e-5)
