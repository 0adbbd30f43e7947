import math

import pytest
import torch

from stacked_hourglass.decoding import (
    DECODERS,
    calibrated,
    decode_dark,
    decode_quarter_offset,
    fit_calibration,
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
def test_peaks_at_the_border_and_flat_maps_stay_on_the_map(name: str) -> None:
    maps = torch.zeros(1, 3, 8, 8)
    maps[0, 0, 0, 0] = 1
    maps[0, 1, 7, 7] = 1
    places = DECODERS[name](maps)
    assert torch.isfinite(places).all()
    assert (places >= -1).all() and (places <= 8).all()
    assert (places[0, 0] - torch.tensor([0.0, 0.0])).abs().max() <= 0.5


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


def test_calibration_recovers_the_chance_that_a_joint_is_right() -> None:
    torch.manual_seed(0)
    probability = torch.rand(20_000)
    right = torch.rand(20_000) < torch.sigmoid(0.5 * torch.logit(probability, eps=1e-4) - 1)
    slope, offset = fit_calibration(probability, right)
    assert (slope, offset) == (pytest.approx(0.5, abs=0.05), pytest.approx(-1, abs=0.05))
    says = calibrated(probability, (slope, offset))
    for low in (0.1, 0.3, 0.5):
        chosen = (says >= low) & (says < low + 0.1)
        assert float(right[chosen].float().mean()) == pytest.approx(low + 0.05, abs=0.03)


def test_calibration_stays_finite_where_everything_is_right() -> None:
    slope, offset = fit_calibration(torch.full((50,), 0.9), torch.ones(50, dtype=torch.bool))
    assert math.isfinite(slope) and math.isfinite(offset)
    assert float(calibrated(torch.tensor([0.9]), (slope, offset))) > 0.9
