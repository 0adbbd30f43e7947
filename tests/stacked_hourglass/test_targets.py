import math

import torch
from hypothesis import given
from hypothesis import strategies as st

from stacked_hourglass.targets import from_heatmap, inside, make_heatmaps, to_heatmap


def test_heatmap_coordinates_follow_the_convention() -> None:
    # The centre of the first 4x4 block of pixels is the first heatmap pixel.
    assert to_heatmap(torch.tensor([1.5, 5.5])).tolist() == [0.0, 1.0]


@given(st.floats(-100, 500))
def test_heatmap_coordinates_there_and_back(x: float) -> None:
    there_and_back = from_heatmap(to_heatmap(torch.tensor(x, dtype=torch.float64)))
    assert math.isclose(float(there_and_back), x, abs_tol=1e-9)


def test_gaussian_target_is_the_closed_form_at_sub_pixel_places() -> None:
    maps = make_heatmaps(torch.tensor([[[3.25, 5.5]]]), 8, 10, sigma=1.5)
    assert maps.shape == (1, 1, 10, 8)
    expected = math.exp(-((6 - 3.25) ** 2 + (2 - 5.5) ** 2) / (2 * 1.5**2))
    assert math.isclose(float(maps[0, 0, 2, 6]), expected, rel_tol=1e-5)


def test_cauchy_target_has_peak_one_and_heavier_tails() -> None:
    place = torch.tensor([[[4.0, 4.0]]])
    cauchy = make_heatmaps(place, 9, 9, 2.0, "Cauchy")[0, 0]
    assert float(cauchy[4, 4]) == 1
    assert math.isclose(float(cauchy[4, 8]), (1 + 16 / 4) ** -1.5, rel_tol=1e-5)
    assert float(cauchy[0, 0]) > float(make_heatmaps(place, 9, 9, 2.0)[0, 0, 0, 0])


def test_a_missing_joint_has_an_empty_map_and_is_not_inside() -> None:
    places = torch.tensor([[[float("nan"), float("nan")], [-0.5, 7.4], [-0.6, 3.0], [3.0, 7.5]]])
    assert make_heatmaps(places, 8, 8, 1.0)[0, 0].abs().sum() == 0
    assert inside(places, 8, 8).tolist() == [[False, True, False, False]]
