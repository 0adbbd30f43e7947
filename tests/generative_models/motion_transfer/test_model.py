"""The network: published sizes, any length, what codes do and do not depend on."""

import numpy as np
import pytest
import torch

from generative_models.motion_transfer.model import (
    Architecture,
    Discriminator,
    TransferNetwork,
    mirrored,
)

SMALL = Architecture.of_width(0.1)


def count(module: torch.nn.Module) -> int:
    return sum(one.numel() for one in module.parameters())


def test_the_published_widths_have_the_published_number_of_weights():
    assert count(TransferNetwork(Architecture())) == 1_513_365
    assert count(Discriminator()) == 163_233


def test_width_1_is_published_and_less_is_less():
    assert Architecture.of_width(1.0) == Architecture()
    # What ships must hold in 2 MB of float16.
    assert count(TransferNetwork(Architecture.of_width(0.75))) < 1_000_000


@pytest.mark.parametrize("frames", [8, 9, 16, 23, 24, 64, 100, 1000])
def test_clips_of_any_length_from_8_on_go_through(frames: int):
    network = TransferNetwork(SMALL).eval()
    codes = network.encode(torch.randn(2, 30, frames))
    assert codes.motion.shape[-1] == -(-frames // 8)
    assert codes.body.shape[-1] == codes.view.shape[-1] == 1
    made = network.decode(codes.motion, codes.body, codes.view, frames)
    assert made.shape == (2, 45, frames) and made.isfinite().all()


@pytest.mark.parametrize("length", [1, 2, 3, 5, 40])
def test_mirrored_ends_are_those_of_numpy(length: int):
    clip = np.arange(length, dtype=np.float32)
    wanted = np.pad(clip, (7, 6), mode="reflect")
    found = mirrored(torch.from_numpy(clip)[None, None], 7, 6)[0, 0].numpy()
    np.testing.assert_array_equal(found, wanted)


def test_body_and_view_do_not_look_at_where_the_hips_go():
    network = TransferNetwork(SMALL).eval()
    clip = torch.randn(1, 30, 24)
    other = clip.clone()
    other[:, 28:] += 5
    one, two = network.encode(clip), network.encode(other)
    torch.testing.assert_close(one.body, two.body)
    torch.testing.assert_close(one.view, two.view)
    assert not torch.equal(one.motion, two.motion)


def test_scores_are_one_for_eight_frames():
    assert Discriminator()(torch.randn(2, 30, 64)).shape == (2, 8)
