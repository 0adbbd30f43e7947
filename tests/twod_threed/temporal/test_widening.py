"""A network that sees more frames starts as the one that it was made from."""

import pytest
import torch

from twod_threed.temporal.model import TemporalArchitecture, TemporalNetwork
from twod_threed.temporal.widening import can_widen, widen


def network(widths: tuple[int, ...], causal: bool) -> TemporalNetwork:
    one = TemporalNetwork(
        TemporalArchitecture(
            joints_in=5, joints_out=4, widths=widths, channels=8, dropout=0.0, causal=causal
        )
    )
    one.train()
    for _ in range(5):  # running statistics that are not those of the start
        one(torch.randn(4, 40, 5, 2))
    return one.eval()


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(
    ("small", "large", "tolerance"),
    [
        ((1, 1, 1), (3, 3, 3), 1e-5),
        ((3, 3), (3, 3), 0.0),
        ((3, 1), (3, 5), 1e-5),
        ((3, 3), (3, 3, 3), 0.05),
    ],
)
def test_both_give_the_same_at_first(small, large, tolerance, causal):
    torch.manual_seed(0)
    one, other = network(small, causal), network(large, causal)
    film = torch.randn(1, 60, 5, 2)
    assert can_widen(one.architecture, other.architecture)
    widen(one, other)
    before, after = one(film), other.eval()(film)
    start = other.architecture.padding[0] - one.architecture.padding[0]
    wanted = before[:, start : start + after.shape[1]]
    assert (after - wanted).abs().max() <= tolerance
    single = other.forward_single(film[:, : other.architecture.receptive_field])
    torch.testing.assert_close(single, after[:, 0], atol=1e-5, rtol=0)


def test_what_is_added_learns():
    torch.manual_seed(0)
    one, other = network((3,), False), network((3, 3), False)
    widen(one, other)
    other.train()(torch.randn(2, 20, 5, 2)).square().mean().backward()
    for name, weight in other.named_parameters():
        assert weight.grad is not None and weight.grad.abs().max() > 0, name


@pytest.mark.parametrize(
    ("small", "large", "fits"),
    [
        ({"widths": (3, 3)}, {"widths": (3, 3, 3)}, True),
        ({"widths": (1, 3)}, {"widths": (3, 3)}, False),  # its frames would lie further apart
        ({"widths": (3, 3, 3)}, {"widths": (3, 3)}, False),
        ({"widths": (5,)}, {"widths": (3,)}, False),
        ({"channels": 8}, {"channels": 16}, False),
        ({"causal": True}, {"causal": False}, False),
        ({"causal": False, "widths": (1,)}, {"causal": True, "widths": (3, 3)}, True),
        ({"dropout": 0.1}, {"dropout": 0.2}, True),
        ({"dense": True, "widths": (3,)}, {"dense": True, "widths": (3, 3)}, False),
    ],
)
def test_who_can_go_on_as_whom(small, large, fits):
    assert can_widen(TemporalArchitecture(**small), TemporalArchitecture(**large)) is fits
