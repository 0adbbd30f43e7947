"""The networks: whole bodies come out, whatever goes in."""

import pytest
import torch

from generative_models.pose_gan.data import pool_poses
from generative_models.pose_gan.model import (
    BoneScale,
    PoseArchitecture,
    PoseGan,
    PoseVae,
)
from generative_models.pose_gan.representation import (
    LEFT_HIP_BONE,
    SIZE_BONES,
    body_size,
    bone_lengths,
    to_canonical,
    to_joints,
)
from tests.generative_models.pose_gan.small_poses import still_poses, store_of

SMALL = PoseArchitecture(latent_size=4, linear_size=8, num_stage=1)


@pytest.fixture(scope="module")
def bones() -> torch.Tensor:
    return pool_poses(store_of([still_poses(60, seed) for seed in range(4)])).bones


@pytest.fixture
def gan(bones: torch.Tensor) -> PoseGan:
    torch.manual_seed(0)
    model = PoseGan(SMALL)
    model.scale.measure(bones)
    return model


@pytest.mark.parametrize("loudness", [1.0, 1e4])
def test_whole_bodies_come_out(gan: PoseGan, loudness: float) -> None:
    made = gan(torch.randn(30, 4) * loudness)
    assert made.shape == (30, 15, 3) and made.isfinite().all()
    joints = to_joints(made)
    assert torch.allclose(body_size(joints), torch.ones(30), atol=1e-4)
    canonical, _ = to_canonical(joints)
    # But for hips one above the other, or the other way round, as only a broken generator makes.
    ahead = (made[:, LEFT_HIP_BONE, 0] > 0) & canonical.isfinite().flatten(1).all(1)
    if loudness == 1.0:
        assert ahead.all()
    assert torch.allclose(canonical[ahead], joints[ahead], atol=1e-5)


def test_an_unused_generator_makes_the_typical_pose(gan: PoseGan, bones: torch.Tensor) -> None:
    zero = torch.zeros(1, 15, 3)
    made = gan.generator.bones(zero, zero[..., 0])
    lengths = bones.norm(dim=-1).median(0).values
    assert torch.allclose(bone_lengths(made)[0], lengths / lengths[SIZE_BONES].sum(), atol=1e-5)
    cosine = torch.cosine_similarity(made[0], bones.mean(0), dim=-1)
    assert cosine.min() > 0.999


def test_typical_bones_are_measured(bones: torch.Tensor) -> None:
    scale = BoneScale()
    scale.measure(bones)
    assert torch.allclose(scale.mean, bones.mean(0))
    assert scale.unit.item() == pytest.approx(bones.var(0).mean().item() ** 0.5, rel=1e-5)
    assert torch.allclose(scale.features(bones).mean(0), torch.zeros(96), atol=1e-4)
    assert scale.deviation.min() > 0


def test_scores_have_no_bounds_and_are_each_poses_own(gan: PoseGan, bones: torch.Tensor) -> None:
    far = gan.critic(torch.cat([bones[:5], bones[:1] * 1e6])).detach()
    assert far[-1].abs() > 1e3
    alone = torch.cat([gan.critic(bone[None]) for bone in bones[:5]])
    assert torch.allclose(far[:5], alone, atol=1e-5)
    assert not [m for m in gan.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]


def test_losses_of_each_part(gan: PoseGan, bones: torch.Tensor) -> None:
    latent, real = torch.randn(6, 4), bones[:6]
    with torch.no_grad():
        scores_made, scores_real = gan.critic(gan(latent)).mean(), gan.critic(real).mean()
    critic = gan(latent, real, torch.rand(6, 1, 1), part="critic")
    assert critic["distance"].item() == pytest.approx((scores_real - scores_made).item(), abs=1e-6)
    assert critic["critic"].item() == -critic["distance"].item() and critic["penalty"] > 0
    assert "penalty" not in gan(latent, real, part="critic")
    critic["critic"].backward()
    assert all(weight.grad is None for weight in gan.generator.parameters())
    generator = gan(latent, part="generator")["generator"]
    assert generator.item() == pytest.approx(-scores_made.item(), abs=1e-6)
    generator.backward()
    assert all(weight.grad is not None for weight in gan.generator.parameters())


def test_a_vae_learns_a_few_poses(bones: torch.Tensor) -> None:
    torch.manual_seed(0)
    model = PoseVae(PoseArchitecture(latent_size=8, linear_size=64, num_stage=1))
    model.scale.measure(bones)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    few = bones[:16]
    before = (to_joints(model.reconstruct(few)) - to_joints(few)).norm(dim=-1).mean().item()
    for _ in range(300):
        found = model(few, torch.randn(16, 8))
        optimizer.zero_grad()
        (found["squares"] / (2 * 0.003**2) + found["kl"]).mean().backward()
        optimizer.step()
    after = (to_joints(model.reconstruct(few)) - to_joints(few)).norm(dim=-1).mean().item()
    assert after < 0.005 < 0.02 < before


def test_architectures_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError):
        PoseArchitecture(latent_size=0)
