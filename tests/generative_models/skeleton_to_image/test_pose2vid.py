"""pose2vid: sizes of the published networks, losses against closed forms, memory, schedule."""

from typing import Any

import pytest
import torch

from generative_models.skeleton_to_image.description import describe, make_model
from generative_models.skeleton_to_image.inference import Remembering
from generative_models.skeleton_to_image.options import (
    GanOptions,
    GeneratorOptions,
    SkeletonToImageTrainOptions,
)
from generative_models.skeleton_to_image.perceptual import PerceptualLoss
from generative_models.skeleton_to_image.pose2vid import (
    Pose2Vid,
    change_loss,
    draw_clip,
    feature_matching,
    judge,
)
from generative_models.skeleton_to_image.pose2vid_model import (
    MultiscaleDiscriminator,
    PatchDiscriminator,
    Pose2VidArchitecture,
    Pose2VidGenerator,
    face_window,
    global_generator,
)
from generative_models.skeleton_to_image.pose2vid_options import Pose2VidOptions
from generative_models.skeleton_to_image.pose2vid_training import decay, hold_coarse
from utils.errors import UserError
from utils.options import OptimizerOptions
from utils.skeletons import DANCE_13


def architecture(net: str = "global", face: int = 0, ngf: int = 4) -> Pose2VidArchitecture:
    return Pose2VidArchitecture(3, net, ngf, 2, 1, 1, 1, "instance", face)


def weights(model: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in model.parameters())


def test_networks_are_as_large_as_the_published_ones() -> None:
    with torch.device("meta"):
        local = Pose2VidArchitecture(3, "local", 32, 4, 9, 1, 3, "instance", 0)
        assert weights(Pose2VidGenerator(local)) == 182_715_939
        assert weights(global_generator(36, 64, 4, 9, "instance")) == 182_546_755
        assert weights(PatchDiscriminator(12, 64, 3, "instance")) == 2_773_953
        assert weights(global_generator(3, 64, 2, 6, "batch")) == 7_845_123


@pytest.mark.parametrize("net", ["global", "local"])
@pytest.mark.parametrize("size", [17, 32, 50])
def test_every_size_comes_back_as_it_went_in(net: str, size: int) -> None:
    generator = Pose2VidGenerator(architecture(net, face=8))
    drawn, before = torch.rand(2, 3, size, size), torch.zeros(2, 3, size, size)
    noses = torch.tensor([[size - 1.0, 0.0], [torch.nan, 3.0]])
    made = generator(drawn, before, noses)
    assert made.shape == (2, 3, size, size) and made.abs().max() <= 1
    alone = generator(drawn, before)
    changed = (made - alone).abs().sum(1) > 0
    assert changed[0, :8, -8:].all() and changed[0].sum() == 64 and not changed[1].any()


def test_the_square_of_a_face_stays_within_the_picture() -> None:
    pictures = torch.zeros(1, 3, 20, 30)
    assert face_window(torch.tensor([15.0, 10.0]), 5, pictures) == (slice(8, 13), slice(13, 18))
    assert face_window(torch.tensor([99.0, -9.0]), 5, pictures) == (slice(0, 5), slice(25, 30))


@pytest.mark.parametrize("scales", [1, 2, 3])
def test_each_discriminator_sees_half_of_the_one_before(scales: int) -> None:
    features = MultiscaleDiscriminator(5, 4, 3, scales, "batch")(torch.rand(2, 5, 64, 64))
    assert [len(scale) for scale in features] == [5] * scales
    assert [scale[0].shape[-1] for scale in features] == [33, 17, 9][:scales]
    assert all(scale[-1].shape[1] == 1 for scale in features)


def test_judgement_of_known_scores() -> None:
    scores = [[torch.zeros(1), torch.full((2, 1, 3, 3), value)] for value in (0.25, 0.5)]
    assert judge(scores, True, False).item() == pytest.approx(0.75**2 + 0.5**2)
    assert judge(scores, False, False).item() == pytest.approx(0.25**2 + 0.5**2)
    level = [[torch.zeros(2, 1, 3, 3)]]
    assert judge(level, True, True).item() == pytest.approx(torch.log(torch.tensor(2.0)).item())


def test_matching_leaves_out_the_scores() -> None:
    made = [[torch.full((2,), 1.0), torch.full((3,), 2.0), torch.full((4,), 9.0)]] * 2
    real = [[torch.zeros(2), torch.zeros(3), torch.zeros(4)]] * 2
    # (1 + 2) * 4 / 2 at each of the two scales, averaged.
    assert feature_matching(made, real).item() == pytest.approx(6)


def test_change_counts_and_what_is_wrong_throughout_does_not() -> None:
    real = torch.rand(2, 2, 3, 8, 8)
    assert change_loss(real + 0.5, real).item() == pytest.approx(0, abs=1e-6)
    flicker = real.clone()
    flicker[:, 1] += 0.25
    assert change_loss(flicker, real).item() == pytest.approx(0.25, rel=1e-4)


def small(**options: object) -> Pose2Vid:
    torch.manual_seed(0)
    chosen = Pose2VidOptions(**options)  # type: ignore[arg-type]
    judges = MultiscaleDiscriminator(12, 4, 2, 2, "instance")
    return Pose2Vid(Pose2VidGenerator(architecture()), judges, chosen)


def clip() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    inputs, real = (torch.rand(2, 2, 3, 16, 16, generator=generator) for _ in range(2))
    return inputs, torch.full((2, 2, 2), 8.0), real


def test_neither_side_gets_gradients_from_the_other() -> None:
    model, (inputs, noses, real) = small(), clip()
    losses = model(inputs, noses, real, part="generator")
    made = losses.pop("made")
    torch.stack(list(losses.values())).sum().backward()
    assert all(w.grad is None for w in model.discriminator.parameters())
    assert all(w.grad is not None for w in model.generator.parameters())
    model.zero_grad(set_to_none=True)
    model(inputs, noses, real, made, part="discriminator")["discriminator"].backward()
    assert all(w.grad is None for w in model.generator.parameters())
    assert all(w.grad is not None for w in model.discriminator.parameters())


@pytest.mark.parametrize(
    ("option", "loss"), [("no_ganFeat_loss", "features"), ("no_flow_loss", "change")]
)
def test_a_loss_can_be_left_out(option: str, loss: str) -> None:
    inputs, noses, real = clip()
    assert loss in small()(inputs, noses, real, part="generator")
    assert loss not in small(**{option: True})(inputs, noses, real, part="generator")


def test_gradient_flows_through_the_frame_before() -> None:
    inputs, noses, _ = clip()
    inputs.requires_grad_()
    draw_clip(small().generator, inputs, noses)[:, 1].sum().backward()
    assert inputs.grad is not None and inputs.grad[:, 0].abs().sum() > 0


def test_a_film_in_pieces_is_the_film_at_once() -> None:
    generator = small().generator.eval()
    inputs = torch.rand(5, 3, 16, 16)
    poses = torch.full((5, len(DANCE_13), 2), 8.0)
    with torch.inference_mode():
        at_once = Remembering(generator)(inputs, poses)
        drawer = Remembering(generator)
        pieces = [drawer(inputs[rows], poses[rows]) for rows in (slice(0, 2), slice(2, 5))]
        alone = Remembering(generator)(inputs[4:], poses[4:])
    assert torch.allclose(torch.cat(pieces), at_once, atol=1e-6)
    assert not torch.allclose(alone[0], at_once[4], atol=1e-6)


def test_the_rate_is_constant_and_then_falls_straight_to_zero() -> None:
    options = Pose2VidOptions(decay_epochs=4)
    rates = [decay(step, options, 10, 5) for step in range(51)]
    assert rates[:31] == [1.0] * 31 and rates[50] == 0
    assert rates[40] == pytest.approx(0.5)
    assert decay(49, Pose2VidOptions(), 10, 5) == 1


def test_enhancers_may_learn_alone() -> None:
    model = Pose2VidGenerator(architecture("local"))
    hold_coarse(model, True)
    held = {name for name, weight in model.named_parameters() if not weight.requires_grad}
    assert held and all(name.startswith("body.coarse") for name in held)
    hold_coarse(model, False)
    assert all(weight.requires_grad for weight in model.parameters())


def test_perceptual_loss_compares_the_layers_it_names() -> None:
    """With identities as layers each of five layers gives the difference, over the deviation."""
    loss = PerceptualLoss(torch.nn.Sequential(*(torch.nn.Identity() for _ in range(37))))
    real = torch.zeros(1, 3, 8, 8)
    expected = (1 / 32 + 1 / 16 + 1 / 8 + 1 / 4 + 1) * 0.25 * (1 / loss.std).mean().item()
    assert loss(real + 0.5, real).item() == pytest.approx(expected, rel=1e-5)


LOCAL = {"netG": "local", "n_downsample_global": 0}


@pytest.mark.parametrize(
    ("size", "halved", "problem"),
    [
        (16, {"face_size": 8}, ""),
        (16, {"n_downsample_global": 3}, ""),
        (31, {"n_downsample_global": 4}, "image_size 31 is halved too often: give 32 or more"),
        (16, {"num_D": 4}, ""),
        (16, {"num_D": 5}, "image_size 16 .*with --num_D 5 it must be above 16"),
        (17, {"num_D": 5}, ""),
        (16, {**LOCAL, "n_local_enhancers": 2}, ""),
        (16, {**LOCAL, "n_local_enhancers": 3}, "give 32 or more, or a smaller .*n_local_enh"),
        (32, {**LOCAL, "n_local_enhancers": 3}, ""),
    ],
)
def test_what_is_halved_too_often_is_refused_and_all_else_learns(
    size: int, halved: dict[str, Any], problem: str
) -> None:
    options = SkeletonToImageTrainOptions(
        model="pose2vid",
        network=GeneratorOptions(image_size=size),
        pose2vid=Pose2VidOptions(ngf=2, ndf=2, n_blocks_global=1, no_vgg_loss=True, **halved),
    )
    told = (options, torch.full((3, len(DANCE_13), 2), size / 2), False, 10.0, "anna")
    if problem:
        with pytest.raises(UserError, match=problem):
            describe(*told)
        return
    model = make_model(describe(*told), options)
    inputs, real = torch.rand(2, 1, 2, 3, size, size).unbind()
    losses = model(inputs, torch.full((1, 2, 2), size / 2), real, part="generator")
    made = losses.pop("made")
    losses |= model(inputs, torch.zeros(1, 2, 2), real, made.detach(), part="discriminator")
    assert all(loss.isfinite() for loss in losses.values())


def test_a_straight_decay_needs_a_rate_that_does_not_fall_by_itself() -> None:
    falling = Pose2VidOptions(decay_epochs=4)
    with pytest.raises(UserError, match="--decay_epochs needs --lr_scheduler none, not cosine"):
        SkeletonToImageTrainOptions(model="pose2vid", pose2vid=falling)
    level = OptimizerOptions(optimizer="adam", lr_scheduler="none")
    assert SkeletonToImageTrainOptions("pose2vid", optim=level, pose2vid=falling)
    with pytest.raises(UserError, match="--decay_epochs does nothing with --model gan"):
        SkeletonToImageTrainOptions("gan", optim=level, pose2vid=falling)
    with pytest.raises(UserError, match="--critic_steps does nothing with --model vanilla_image"):
        SkeletonToImageTrainOptions(gan=GanOptions(critic_steps=3))


def test_options_that_mean_nothing_are_refused() -> None:
    for wrong, problem in (
        ({"face_size": 6}, "multiple of 4"),
        ({"face_size": 4}, "0 or a multiple of 4 from 8 on, not 4"),
        ({"niter_fix_global": 3}, "--netG local"),
        ({"num_D": 0}, "--num_D"),
    ):
        with pytest.raises(UserError, match=problem):
            Pose2VidOptions(**wrong)  # type: ignore[arg-type]
