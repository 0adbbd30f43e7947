"""Ways through the latent space, and the way back from a pose."""

import torch

from generative_models.pose_gan.data import pool_poses
from generative_models.pose_gan.latent import draw_latents, interpolate, regress
from generative_models.pose_gan.model import BoneScale, Generator, PoseArchitecture
from generative_models.pose_gan.representation import STANDARD_SIZE, to_joints
from tests.generative_models.pose_gan.small_poses import still_poses, store_of


def test_latents_are_normal_and_decided_by_the_seed() -> None:
    found = draw_latents(5000, 4, 1)
    assert torch.equal(found, draw_latents(5000, 4, 1))
    assert not torch.equal(found, draw_latents(5000, 4, 2))
    assert found.mean(0).abs().max() < 0.06 and (found.std(0) - 1).abs().max() < 0.06


def test_a_way_leads_from_end_to_end_at_an_even_pace() -> None:
    start, end = draw_latents(6, 8, 0).chunk(2)
    way = interpolate(start, end, 9)
    assert way.shape == (3, 9, 8)
    assert torch.allclose(way[:, 0], start, atol=1e-5)
    assert torch.allclose(way[:, -1], end, atol=1e-5)
    length = torch.linalg.vector_norm(way, dim=-1)
    expected = torch.lerp(length[:, :1], length[:, -1:], torch.linspace(0, 1, 9))
    assert torch.allclose(length, expected, atol=1e-4)
    turns = torch.cosine_similarity(way[:, 1:], way[:, :-1], dim=-1).arccos()
    assert (turns - turns[:, :1]).abs().max() < 1e-3


def test_half_of_a_right_angle() -> None:
    way = interpolate(torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 2.0]]), 3)
    assert torch.allclose(way[0, 1], torch.tensor([2.0, 2.0]) / 2**0.5, atol=1e-5)


def test_a_way_from_a_place_to_itself_stays() -> None:
    here = draw_latents(2, 5, 0)
    assert torch.allclose(interpolate(here, here, 4), here[:, None].expand(2, 4, 5), atol=1e-4)


def test_a_pose_that_was_made_is_found_again() -> None:
    bones = pool_poses(store_of([still_poses(60, seed) for seed in range(4)])).bones
    torch.manual_seed(0)
    scale = BoneScale()
    scale.measure(bones)
    generator = Generator(PoseArchitecture(latent_size=3, linear_size=32, num_stage=1), scale)
    with torch.no_grad():
        poses = to_joints(generator(draw_latents(5, 3, 7)))
        found = to_joints(generator(regress(generator, poses, 3, seed=1)))
        others = to_joints(generator(draw_latents(5, 3, 8)))
    off = [torch.linalg.vector_norm(one - poses, dim=-1).mean() for one in (found, others)]
    assert off[0] * STANDARD_SIZE < 2 < off[1] * STANDARD_SIZE
