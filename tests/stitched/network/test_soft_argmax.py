"""Against places that are known, a plain sum, and numerical gradients."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.soft_argmax import MARGIN, mean_error, peaks
from stacked_hourglass.targets import make_heatmaps
from stitched.network.soft_argmax import SoftArgmax2D, Window, window_weights
from utils.errors import UserError

WINDOWS: tuple[Window, ...] = ("none", "uniform", "parzen")


def test_the_default_places_gaussian_peaks_within_a_twentieth_of_a_pixel():
    places, maps = peaks(sigma=2, size=64, count=300)
    assert places.min() >= MARGIN and places.max() <= 63 - MARGIN
    assert mean_error(places, maps, 0.1, "uniform") < 0.05
    # What the default is better than: too hot, no window, Parzen's.
    assert mean_error(places, maps, 1.0, "uniform") > 0.2
    assert mean_error(places, maps, 0.1, "none") > 0.5
    assert mean_error(places, maps, 0.1, "parzen") > 0.05


def test_logits_of_a_probability_need_temperature_one():
    places = torch.tensor([[[20.3, 30.7], [40.0, 11.5]]])
    columns = torch.arange(64.0)
    distance = (columns - places[..., :1])[..., None, :] ** 2
    logits = -(distance + ((columns - places[..., 1:]) ** 2)[..., None]) / 2
    found = SoftArgmax2D(1.0)(logits + 7.0)
    torch.testing.assert_close(found, places, atol=2e-3, rtol=0)


@pytest.mark.parametrize("window", WINDOWS)
def test_the_formula_cell_by_cell(window: Window):
    rng = np.random.default_rng(3)
    maps = rng.normal(size=(2, 3, 9, 12))
    temperature, radius = 0.7, 3.0
    found = SoftArgmax2D(temperature, window=window, radius=radius).double()
    got = found(torch.from_numpy(maps)).detach().numpy()
    for b, j in np.ndindex(2, 3):
        one = maps[b, j]
        row, column = np.unravel_index(one.argmax(), one.shape)
        total, place = 0.0, np.zeros(2)
        for y, x in np.ndindex(one.shape):
            u = math.hypot(x - column, y - row) / radius
            weight = {
                "none": 1.0,
                "uniform": float(u <= 1),
                "parzen": 0.0
                if u > 1
                else 1 - 6 * u**2 * (1 - u)
                if u <= 0.5
                else 2 * (1 - u) ** 3,
            }[window]
            share = math.exp(one[y, x] / temperature) * weight
            total, place = total + share, place + share * np.array([x, y])
        np.testing.assert_allclose(got[b, j], place / total, atol=1e-6)


def test_parzens_window_is_smooth_and_ends_at_its_radius():
    distance = torch.tensor([0.0, 2.5 - 1e-4, 2.5 + 1e-4, 5.0, 6.0])
    got = window_weights(distance, "parzen", 5.0)
    torch.testing.assert_close(got, torch.tensor([1.0, 0.25, 0.25, 0.0, 0.0]), atol=2e-4, rtol=0)


@pytest.mark.parametrize("window", WINDOWS)
def test_gradients(window: Window):
    generator = torch.Generator().manual_seed(1)
    maps = torch.rand(2, 2, 7, 8, dtype=torch.float64, generator=generator, requires_grad=True)
    module = SoftArgmax2D(0.3, learnable=True, window=window, radius=3.0).double()
    assert torch.autograd.gradcheck(module, (maps,))

    def of_temperature(logarithm: torch.Tensor) -> torch.Tensor:
        weights = {"log_temperature": logarithm}
        return torch.func.functional_call(module, weights, (maps.detach(),))

    assert torch.autograd.gradcheck(of_temperature, (module.log_temperature,))


def test_the_temperature_is_trained_only_if_asked_and_stays_above_zero():
    assert not SoftArgmax2D(0.1).log_temperature.requires_grad
    module = SoftArgmax2D(0.5, learnable=True)
    places, maps = peaks(sigma=2, size=32, count=20)
    optimizer = torch.optim.SGD(module.parameters(), lr=5.0)
    for _ in range(20):
        optimizer.zero_grad()
        (module(maps) - places).square().mean().backward()
        optimizer.step()
    assert 0 < float(module.temperature.detach()) < 0.45, "colder is nearer, here"


@given(st.floats(6, 25), st.floats(6, 25), st.floats(-50, 50), st.sampled_from(WINDOWS))
def test_a_constant_changes_nothing_and_places_stay_inside(
    x: float, y: float, constant: float, window: Window
):
    maps = make_heatmaps(torch.tensor([[[x, y]]], dtype=torch.float64), 32, 32, 2.0)
    module = SoftArgmax2D(0.1, window=window).double()
    with torch.no_grad():
        found = module(maps)
        torch.testing.assert_close(module(maps + constant), found, atol=1e-6, rtol=0)
    assert ((found >= 0) & (found <= 31)).all()


@pytest.mark.parametrize(
    "wrong", [{"temperature": 0.0}, {"temperature": math.nan}, {"window": "box"}, {"radius": 0.0}]
)
def test_values_that_make_no_sense(wrong: dict):
    with pytest.raises(UserError):
        SoftArgmax2D(**wrong)
