import copy

import pytest
import torch

from tests.twod_threed.temporal.small_networks import network
from twod_threed.temporal.model import TemporalNetwork, pad_sequence
from twod_threed.temporal.streaming import CausalStream
from utils.errors import UserError


@torch.no_grad()
def in_one_go(model: TemporalNetwork, film: torch.Tensor) -> torch.Tensor:
    return model(pad_sequence(film[None], model.architecture))[0]


def streamed(stream: CausalStream, film: torch.Tensor) -> torch.Tensor:
    return torch.stack([stream.push(frame) for frame in film])


@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("widths", [(3,), (3, 3, 3), (3, 1, 5), (1, 3), (5, 3)])
def test_frame_by_frame_is_the_whole_film(widths: tuple[int, ...], dense: bool) -> None:
    model = network(widths=widths, causal=True, dense=dense)
    film = torch.randn(70, 5, 2)
    found = streamed(CausalStream(model), film)
    assert found.shape == (70, 4, 3)
    assert torch.allclose(found, in_one_go(model, film), atol=1e-5)


def test_reset_starts_another_film() -> None:
    model = network(causal=True)
    stream = CausalStream(model)
    first, second = torch.randn(33, 5, 2), torch.randn(40, 5, 2)
    streamed(stream, first)
    carried_on = stream.push(second[0])
    stream.reset()
    found = streamed(stream, second)
    assert torch.allclose(found, in_one_go(model, second), atol=1e-5)
    assert not torch.allclose(found[0], carried_on, atol=1e-2)


def test_stream_keeps_its_own_weights_and_answers() -> None:
    model = network(causal=True)
    film = torch.randn(30, 5, 2)
    wanted = in_one_go(model, film)
    stream = CausalStream(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    answers = [stream.push(frame) for frame in film]
    assert torch.allclose(torch.stack(answers), wanted, atol=1e-5)


def test_two_streams_of_one_network_do_not_mix() -> None:
    model = network(causal=True)
    films = torch.randn(2, 20, 5, 2)
    streams = [CausalStream(model), CausalStream(copy.deepcopy(model))]
    pairs = [
        [s.push(f) for s, f in zip(streams, both, strict=True)] for both in zip(*films, strict=True)
    ]
    for number, film in enumerate(films):
        found = torch.stack([pair[number] for pair in pairs])
        assert torch.allclose(found, in_one_go(model, film), atol=1e-5)


def test_network_that_looks_ahead_and_other_joints_are_refused() -> None:
    with pytest.raises(UserError, match="needs a causal network"):
        CausalStream(network())
    with pytest.raises(UserError, match=r"5 joints, x and y, not \(6, 2\)"):
        CausalStream(network(causal=True)).push(torch.zeros(6, 2))
