import pytest
import torch

from tests.twod_threed.temporal.small_networks import network
from twod_threed.temporal.model import pad_sequence
from twod_threed.temporal.whole_sequence import lift_sequence


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("frames", "chunk"), [(100, 7), (100, 100), (100, 99), (1, 50), (12, 1)])
@torch.no_grad()
def test_parts_are_the_same_as_one_go(frames: int, chunk: int, causal: bool) -> None:
    model = network(causal=causal)
    film = torch.randn(frames, 5, 2)
    wanted = model(pad_sequence(film[None], model.architecture))[0]
    found = lift_sequence(model, film, chunk)
    assert found.shape == (frames, 4, 3)
    assert torch.allclose(found, wanted, atol=1e-5)


def test_no_part_is_longer_than_a_chunk_and_its_surroundings() -> None:
    model = network(channels=8)
    lengths: list[int] = []
    model.register_forward_pre_hook(lambda _, inputs: lengths.append(inputs[0].shape[1]))
    assert len(lift_sequence(model, torch.randn(3000, 5, 2), chunk=200)) == 3000
    assert lengths == 15 * [200 + 26]


def test_each_frame_of_a_still_film_has_the_same_pose() -> None:
    model = network()
    frame = torch.randn(5, 2)
    poses = lift_sequence(model, frame.expand(60, 5, 2), chunk=17)
    single = model.forward_single(frame.expand(1, 27, 5, 2))[0]
    assert torch.allclose(poses, single.expand(60, 4, 3), atol=1e-5)


def test_nothing_gives_nothing_and_training_mode_is_refused() -> None:
    assert lift_sequence(network(), torch.zeros(0, 5, 2)).shape == (0, 4, 3)
    with pytest.raises(ValueError, match="training mode"):
        lift_sequence(network().train(), torch.zeros(3, 5, 2))
