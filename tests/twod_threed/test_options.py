import pytest

from twod_threed.options import (
    AugmentationOptions,
    CycleGanOptions,
    DataOptions,
    DrawingOptions,
    LifterNetworkOptions,
    LifterRunOptions,
    LifterTrainOptions,
    NormalisationOptions,
    train_defaults,
)
from utils.command_line import Options, parse_options
from utils.errors import UserError


def test_commands_take_the_options_of_the_seed() -> None:
    words = (
        "--linear_size 512 --num_stage 3 --dropout 0.1 --max_norm False --dataset_normalization "
        "--orthogonal_data_augmentation --orthogonal_data_augmentation_prob 0.3 --flip_prob 0.5 "
        "--z_rotations_only --drop_joint_prob 0.2 --use_amsprop --cycle_gan --gan_coeff 2 "
        "--train_subjects S1 S5 --val_subjects S6"
    )
    options = Options("", LifterTrainOptions, train_defaults("h36m"))
    chosen = parse_options(options, words.split(), "train.py 2d3d_h36m")
    assert chosen.data.dataset == "h36m" and chosen.data.test_subjects == ("S9", "S11")
    assert chosen.data.train_subjects == ("S1", "S5") and chosen.data.val_subjects == ("S6",)
    assert chosen.network.linear_size == 512 and not chosen.network.max_norm
    assert chosen.optim.optimizer == "amsprop" and chosen.gan.gan_coeff == 2
    assert chosen.loop.train_batch_size == 4096 and chosen.augmentation.turn_probability == 0.3
    mocap = parse_options(Options("", LifterTrainOptions, train_defaults("mocap")), [], "train.py")
    assert chosen.network.dropout == 0.1 and mocap.network.dropout == 0.0
    assert mocap.optim.lr_scheduler == "cosine" and mocap.augmentation.flip_prob == 0.5
    words = "--process_as_video --fov 70 --height 1750 --poses poses.npz"
    lift = parse_options(Options("", LifterRunOptions), words.split(), "run.py 2d3d_mocap")
    assert lift.process_as_video and lift.fov == 70 and lift.height == 1750


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (LifterNetworkOptions, {"linear_size": 0}),
        (LifterNetworkOptions, {"dropout": 1.0}),
        (NormalisationOptions, {"lr_decay": 0.0}),
        (NormalisationOptions, {"lr_decay_steps": 0}),
        (AugmentationOptions, {"flip_prob": 1.5}),
        (AugmentationOptions, {"input_noise": -1.0}),
        (AugmentationOptions, {"z_rotations_only": True}),
        (AugmentationOptions, {"orthogonal_data_augmentation_prob": 0.9}),
        (CycleGanOptions, {"cycle_coeff": 3.0}),
        (CycleGanOptions, {"cycle_coeff": -1.0}),
        (DataOptions, {"mannequin_count": 0}),
        (DrawingOptions, {"epoch_poses": 0}),
        (LifterRunOptions, {"focal": -5.0}),
        (LifterRunOptions, {"fov": 180.0}),
        (LifterRunOptions, {"max_gap": -1}),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else value.__name__,
)
def test_impossible_values_are_refused_by_name(kind: type, wrong: dict) -> None:
    with pytest.raises(UserError, match=f"--{next(iter(wrong))}"):
        kind(**wrong)
