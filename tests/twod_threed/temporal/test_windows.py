"""Windows against a slow, plain generator: one film, one window, one padded copy at a time."""

import numpy as np
import pytest
import torch

from twod_threed.temporal.windows import Reach, Windows


def plain_windows(
    films: list[np.ndarray], stride: int, receptive_field: int, causal: bool
) -> list[tuple[np.ndarray, np.ndarray, list[bool]]]:
    """Rows in, rows out and whether each of these is a frame of the film, of every window."""
    half = (receptive_field - 1) // 2
    shift = half if causal else 0
    found = []
    for film in films:
        count = int(np.ceil(len(film) / stride))
        overhang = (count * stride - len(film)) // 2
        for number in range(count):
            low = number * stride - overhang
            high = low + stride
            inputs = [
                film[min(max(t, 0), len(film) - 1)]
                for t in range(low - half - shift, high + half - shift)
            ]
            outputs = [film[min(max(t, 0), len(film) - 1)] for t in range(low, high)]
            inside = [0 <= t < len(film) for t in range(low, high)]
            found.append((np.array(inputs), np.array(outputs), inside))
    return found


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("stride", [1, 2, 5, 12])
def test_windows_are_those_of_a_plain_generator(stride: int, causal: bool) -> None:
    films = [np.arange(100, 111), np.arange(40, 43), np.array([7]), np.arange(200, 300, 3)]
    windows = Windows(films, stride, Reach.of(9, causal))
    expected = plain_windows(films, stride, 9, causal)
    assert len(windows) == len(expected)
    index = torch.arange(len(windows)).flip(0)
    rows = windows.choose(index)
    for place, number in enumerate(index.tolist()):
        inputs, outputs, inside = expected[number]
        assert rows.inputs[place].tolist() == inputs.tolist()
        assert rows.outputs[place].tolist() == outputs.tolist()
        assert rows.inside[place].tolist() == inside


@pytest.mark.parametrize("stride", [1, 4, 7])
def test_every_frame_is_an_answer_once(stride: int) -> None:
    films = [np.arange(0, 23), np.arange(23, 30)]
    windows = Windows(films, stride, Reach.of(3, False))
    rows = windows.choose(torch.arange(len(windows)))
    assert sorted(rows.outputs[rows.inside].tolist()) == list(range(30))


def test_beyond_the_ends_stand_copies_of_the_first_and_last_frame() -> None:
    windows = Windows([np.arange(5)], 1, Reach.of(7, causal=False))
    assert windows.choose(torch.tensor([0])).inputs.tolist() == [[0, 0, 0, 0, 1, 2, 3]]
    assert windows.choose(torch.tensor([4])).inputs.tolist() == [[1, 2, 3, 4, 4, 4, 4]]
    windows = Windows([np.arange(5)], 1, Reach.of(7, causal=True))
    assert windows.choose(torch.tensor([1])).inputs.tolist() == [[0, 0, 0, 0, 0, 0, 1]]


def test_without_films_there_are_no_windows() -> None:
    assert len(Windows([], 3, Reach.of(9, False))) == 0
