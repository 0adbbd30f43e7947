"""Shapes, sizes and what the generators begin as."""

import pytest
import torch

from generative_models.skeleton_to_image.model import (
    SelfAttention,
    UNetArchitecture,
    UNetGenerator,
    VectorArchitecture,
    VectorGenerator,
)


@pytest.mark.parametrize("size", [16, 17, 50, 64])
def test_every_size_comes_back_as_it_went_in(size: int) -> None:
    unet = UNetGenerator(UNetArchitecture(3, size, 4))
    vector = VectorGenerator(VectorArchitecture(26, size, 4))
    for made in (unet(torch.rand(2, 3, size, size)), vector(torch.rand(2, 26))):
        assert made.shape == (2, 3, size, size) and made.abs().max() <= 1
    assert unet(torch.rand(1, 3, size + 3, size + 9)).shape == (1, 3, size + 3, size + 9)


@pytest.mark.parametrize("size", [33, 64])
def test_a_picture_is_drawn_alike_alone_and_in_a_batch(size: int) -> None:
    torch.manual_seed(0)
    unet = UNetGenerator(UNetArchitecture(3, size, 4))
    inputs = torch.rand(4, 3, size, size)
    assert torch.allclose(unet(inputs)[2:3], unet(inputs[2:3]), atol=1e-5)


def test_the_learned_picture_begins_as_the_mean_frame() -> None:
    unet = UNetGenerator(UNetArchitecture(3, 20, 4))
    mean = torch.rand(3, 20, 20) * 1.9 - 0.95
    unet.start_from(mean)
    torch.nn.init.zeros_(unet.last[2].weight)  # type: ignore[arg-type]
    torch.nn.init.zeros_(unet.last[2].bias)  # type: ignore[arg-type]
    assert torch.allclose(unet(torch.rand(1, 3, 20, 20))[0], mean, atol=1e-5)
    unet.start_from(torch.ones(3, 20, 20))
    assert unet.background.isfinite().all()


def test_every_place_of_the_drawing_reaches_the_picture_through_attention() -> None:
    torch.manual_seed(0)
    attention = SelfAttention(8)
    x = torch.randn(1, 8, 5, 5)
    assert torch.equal(attention(x), x)
    torch.nn.init.ones_(attention.factor)
    changed = x.clone()
    changed[0, :, 0, 0] += torch.arange(8.0)
    assert ((attention(changed) - attention(x)).abs().amax(1) > 1e-6).all()


def test_every_weight_of_a_generator_learns() -> None:
    unet = UNetGenerator(UNetArchitecture(13, 32, 4))
    torch.nn.init.ones_(unet.middle[0].factor)  # type: ignore[arg-type]
    vector = VectorGenerator(VectorArchitecture(26, 32, 4))
    for model, inputs in ((unet, torch.rand(2, 13, 32, 32)), (vector, torch.rand(2, 26))):
        model(inputs).square().sum().backward()
        assert all(w.grad is not None and w.grad.abs().sum() > 0 for w in model.parameters())
