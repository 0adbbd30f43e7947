"""Options: what goes together, and what does not."""

import pytest

from generative_models.pose_gan.options import (
    GanLearningOptions,
    PoseDataOptions,
    PoseGanTrainOptions,
    PoseNetworkOptions,
    PoseVaeTrainOptions,
    SampleOptions,
    VaeLearningOptions,
)
from options import TRAIN
from utils.command_line import Options, option_names, parse_options
from utils.errors import UserError
from utils.options import LoopOptions

GAN = TRAIN["3d_pose_gan_mocap"]
VAE = Options("Train.", PoseVaeTrainOptions)


def test_penalty_or_clipping_and_the_penalty_if_nothing_is_said() -> None:
    plain = parse_options(GAN, [], "train.py").learning
    assert (plain.penalty_coeff, plain.clip_max) == (10.0, None)
    assert plain.num_discriminator_steps_per_generator_step == 5
    clip = parse_options(GAN, ["--clip_max", "0.01"], "train.py").learning
    assert (clip.penalty_coeff, clip.clip_max) == (None, 0.01)
    both = ["--clip_max", "0.01", "--gradient_penalty_coeff", "10"]
    with pytest.raises(UserError, match="not both"):
        parse_options(GAN, both, "train.py")


def test_gradients_are_left_alone_unless_a_limit_is_given() -> None:
    assert parse_options(GAN, [], "train.py").optim.grad_clip is None
    assert parse_options(GAN, ["--grad_clip", "0.5"], "train.py").optim.grad_clip == 0.5


def test_the_known_spellings_exist() -> None:
    assert {
        "--gradient_penalty_coeff",
        "--clip_max",
        "--num_discriminator_steps_per_generator_step",
        "--latent_size",
        "--data_dir",
        "--ema_decay",
    } <= set(option_names(PoseGanTrainOptions))
    assert parse_options(VAE, ["--beta", "0.5"], "train.py").learning.kl_coeff == 0.5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GanLearningOptions(clip_max=0.0), "--clip_max must be above 0"),
        (lambda: GanLearningOptions(gradient_penalty_coeff=-1.0), "must be above 0"),
        (lambda: VaeLearningOptions(kl_coeff=float("nan")), "must not be negative, not nan"),
        (
            lambda: GanLearningOptions(num_discriminator_steps_per_generator_step=0),
            "--num_discriminator_steps_per_generator_step must be at least 1",
        ),
        (lambda: PoseNetworkOptions(latent_size=0), "--latent_size must be at least 1"),
        (lambda: VaeLearningOptions(kl_coeff=-0.1), "--kl_coeff must not be negative"),
        (lambda: VaeLearningOptions(decoder_noise=0), "--decoder_noise must be above 0"),
        (lambda: PoseDataOptions(validation_poses=1), "--validation_poses must be at least 2"),
        (lambda: PoseDataOptions("mocap", train_subjects=("cmu/06",)), "more than one of"),
        (
            lambda: PoseGanTrainOptions(loop=LoopOptions(test_batch_size=1)),
            "--test_batch_size must be at least 2",
        ),
        (lambda: SampleOptions(count=0), "--count must be at least 1"),
        (lambda: SampleOptions(height=3.0), "--height is in mm"),
    ],
)
def test_values_that_make_no_sense_are_refused(make, message: str) -> None:
    with pytest.raises(UserError, match=message):
        make()
