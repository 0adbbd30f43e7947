from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.twod_threed.temporal.small_networks import blocks_of, network
from twod_threed.temporal.model import (
    TemporalArchitecture,
    TemporalNetwork,
    convolve,
    convolve_strided,
    pad_sequence,
    set_batch_norm_momentum,
)
from utils.errors import UserError

WIDTHS = [(3,), (3, 3), (3, 3, 3), (3, 1, 5), (1, 3)]


def parameters(**sizes: Any) -> int:
    with torch.device("meta"):
        model = TemporalNetwork(TemporalArchitecture(**sizes))
    return sum(p.numel() for p in model.parameters())


def test_sizes_are_the_published_ones() -> None:
    human = {"joints_in": 17, "joints_out": 17}
    assert parameters(**human) == 8_555_571
    assert parameters(**human, widths=(3, 3, 7)) == 12_749_875
    assert parameters(**human, widths=(3, 3, 3, 3)) == 12_753_971
    assert parameters(**human, widths=(3, 3, 3, 3, 3)) == 16_952_371
    assert parameters(joints_in=17, joints_out=1, widths=(3, 3, 3, 3, 3)) == 16_903_171
    assert parameters(**human, causal=True) == 8_555_571


def test_receptive_field_is_the_product_of_the_widths() -> None:
    fields = {(3, 3, 3): 27, (3, 3, 7): 63, (3, 3, 3, 3): 81, (3, 3, 3, 3, 3): 243, (5,): 5}
    for widths, frames in fields.items():
        assert TemporalArchitecture(widths=widths).receptive_field == frames
        assert TemporalArchitecture(widths=widths).padding == (frames // 2, frames // 2)
        assert TemporalArchitecture(widths=widths, causal=True).padding == (frames - 1, 0)


@pytest.mark.parametrize(("width", "dilation"), [(1, 1), (3, 1), (3, 4), (5, 2), (11, 1), (11, 2)])
def test_convolution_is_that_of_pytorch(width: int, dilation: int) -> None:
    torch.manual_seed(width)
    x, weight = torch.randn(2, 30, 6), torch.randn(7, width, 6)
    wanted = nn.functional.conv1d(x.mT, weight.mT, dilation=dilation).mT
    assert torch.allclose(convolve(x, weight, dilation), wanted, atol=1e-5)
    x = torch.randn(2, 4 * width, 6)
    wanted = nn.functional.conv1d(x.mT, weight.mT, stride=width).mT
    assert torch.allclose(convolve_strided(x, weight), wanted, atol=1e-5)


def test_weights_start_like_those_of_pytorch_convolutions() -> None:
    torch.manual_seed(0)
    model = TemporalNetwork(TemporalArchitecture(channels=64))
    block = blocks_of(model)[0]
    for layer, inputs in ((model.first, 96), (block.first, 192), (block.second, 64)):
        weight = layer.weight.detach()
        assert float(weight.abs().max()) == pytest.approx(inputs**-0.5, rel=0.01)
        assert float(weight.std()) == pytest.approx((3 * inputs) ** -0.5, rel=0.05)


def frames_that_matter(model: TemporalNetwork, film: Tensor, output: int) -> list[int]:
    """Frames of a film (T, J, 2) whose change moves pose `output`."""
    films = film.repeat(len(film) + 1, 1, 1, 1)
    for frame in range(len(film)):
        films[frame, frame] += 1.0
    poses = model(films)[:, output]
    return (poses - poses[-1]).abs().amax((1, 2))[:-1].gt(1e-9).nonzero().flatten().tolist()


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("widths", [(3, 3, 3), (5, 3), (3, 1, 5)])
@torch.no_grad()
def test_receptive_field_by_perturbation(
    widths: tuple[int, ...], causal: bool, dense: bool
) -> None:
    model = network(widths=widths, causal=causal, dense=dense).double()
    frames = model.architecture.receptive_field
    film = torch.randn(frames + 4, 5, 2).double()
    for output in (0, 2):
        assert frames_that_matter(model, film, output) == [*range(output, output + frames)]


@pytest.mark.parametrize("dense", [False, True])
@torch.no_grad()
def test_causal_network_does_not_see_the_future(dense: bool) -> None:
    model = network(widths=(3, 3, 3), causal=True, dense=dense)
    film = torch.randn(2, 40, 5, 2)
    poses = model(pad_sequence(film, model.architecture))
    for now in (0, 1, 13, 39):
        changed = film.clone()
        changed[:, now + 1 :] = 100 * torch.randn_like(changed[:, now + 1 :])
        found = model(pad_sequence(changed, model.architecture))
        assert torch.equal(found[:, : now + 1], poses[:, : now + 1])
        assert now == 39 or not torch.allclose(found[:, now + 1], poses[:, now + 1], atol=0.1)


def test_residual_path_carries_the_frame_that_the_pose_is_for() -> None:
    for causal, frame in ((False, 13), (True, 26)):
        model = network(causal=causal)
        for block in blocks_of(model):
            nn.init.zeros_(block.second.weight)
            nn.init.zeros_(block.second.norm.bias)
            block.second.norm.reset_running_stats()
        points = torch.randn(1, 27, 5, 2, requires_grad=True)
        for form in (model, model.forward_single):
            (gradient,) = torch.autograd.grad(form(points).sum(), points)
            touched = gradient[0].abs().sum((1, 2)).nonzero().flatten().tolist()
            # The first layer sees three frames: of the middle one both neighbours, or the last.
            assert touched == ([frame - 2, frame - 1, frame] if causal else [12, 13, 14])


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("widths", WIDTHS)
def test_strided_form_is_the_dilated_one(widths: tuple[int, ...], causal: bool) -> None:
    model = network(widths=widths, causal=causal)
    frames = model.architecture.receptive_field
    film = torch.randn(3, frames + 7, 5, 2)
    windows = film.unfold(1, frames, 1).permute(0, 1, 4, 2, 3)
    single = model.forward_single(windows.flatten(0, 1)).unflatten(0, windows.shape[:2])
    assert single.shape == (3, 8, 4, 3)
    assert torch.allclose(model(film), single, atol=1e-5)
    gradients = [
        torch.autograd.grad(outputs.square().sum(), list(model.parameters()))
        for outputs in (model(film), single)
    ]
    for dilated, strided in zip(*gradients, strict=True):
        assert torch.allclose(dilated, strided, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("causal", [False, True])
@torch.no_grad()
def test_dense_form_with_zeros_between_is_the_dilated_one(causal: bool) -> None:
    dilated = network(widths=(3, 3, 3), causal=causal)
    dense = network(widths=(3, 3, 3), causal=causal, dense=True)
    state = dilated.state_dict()
    for name, weight in dense.state_dict().items():
        if weight.shape != state[name].shape:
            step = (weight.shape[1] - 1) // 2
            wide = torch.zeros_like(weight)
            wide[:, ::step] = state[name]
            state[name] = wide
    dense.load_state_dict(state)
    film = torch.randn(2, 31, 5, 2)
    assert [block.first.weight.shape[1] for block in blocks_of(dense)] == [7, 19]
    assert torch.allclose(dense(film), dilated(film), atol=1e-5)
    window = film[:, :27]
    assert torch.allclose(dense.forward_single(window), dilated.forward_single(window), atol=1e-5)


def test_strided_form_takes_statistics_over_what_it_computes() -> None:
    model = network(widths=(3, 3), dropout=0.0)
    before, points = model.first.norm.running_mean, torch.randn(6, 9, 5, 2)
    assert before is not None
    before = before.clone()
    seen = nn.functional.conv1d(points.flatten(2).mT, model.first.weight.mT, stride=3)
    model.train().forward_single(points)
    after = model.first.norm.running_mean
    assert after is not None
    assert torch.allclose(after, 0.9 * before + 0.1 * seen.mean((0, 2)), atol=1e-6)


def test_dropout_switches_off_its_share_in_training_only() -> None:
    model = network(widths=(3,), channels=512, dropout=0.4)
    points = torch.randn(40, 3, 5, 2)
    assert torch.equal(model(points), model(points))
    torch.manual_seed(5)
    with torch.no_grad():
        plain = model.first.eval()(points.flatten(2), False)
        model.first.norm.eval()
        model.first.dropout.train()
        dropped = model.first(points.flatten(2), False)
    kept = dropped != 0
    assert torch.allclose(dropped[kept], plain[kept] / 0.6, rtol=1e-5)
    assert float(kept.sum() / (plain != 0).sum()) == pytest.approx(0.6, abs=0.02)


def test_padding_repeats_the_ends() -> None:
    film = torch.arange(1.0, 5).reshape(1, 4, 1, 1).expand(1, 4, 5, 2)
    symmetric = pad_sequence(film, TemporalArchitecture(joints_in=5, widths=(3, 3)))
    assert symmetric[0, :, 0, 0].tolist() == [1, 1, 1, 1, 1, 2, 3, 4, 4, 4, 4, 4]
    causal = pad_sequence(film, TemporalArchitecture(joints_in=5, widths=(5,), causal=True))
    assert causal[0, :, 3, 1].tolist() == [1, 1, 1, 1, 1, 2, 3, 4]
    assert torch.equal(pad_sequence(film, TemporalArchitecture(joints_in=5, widths=(1,))), film)


def test_momentum_is_set_everywhere() -> None:
    model = network()
    set_batch_norm_momentum(model, 0.03)
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm1d)]
    assert len(norms) == 5 and all(norm.momentum == 0.03 for norm in norms)


def test_wrong_joints_and_too_few_frames_are_named() -> None:
    model = network()
    with pytest.raises(UserError, match=r"5 joints, x and y\), not \(1, 27, 6, 2\)"):
        model(torch.zeros(1, 27, 6, 2))
    with pytest.raises(UserError, match=r"not \(1, 27, 5, 3\)"):
        model.forward_single(torch.zeros(1, 27, 5, 3))
    with pytest.raises(UserError, match="at least 27 frames, not 26"):
        model(torch.zeros(1, 26, 5, 2))
    with pytest.raises(UserError, match="from 27 frames, not 28"):
        model.forward_single(torch.zeros(1, 28, 5, 2))


def test_impossible_sizes_are_refused() -> None:
    wrongs: list[dict[str, Any]] = [
        {"widths": ()},
        {"widths": (3, 2)},
        {"widths": (-1,)},
        {"channels": 0},
        {"dropout": 1.0},
        {"joints_in": 0},
        {"joints_out": 0},
    ]
    for wrong in wrongs:
        with pytest.raises(UserError, match=next(iter(wrong))):
            TemporalArchitecture(**wrong)
