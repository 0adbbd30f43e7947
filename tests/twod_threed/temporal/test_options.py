"""Options of the temporal commands: published names and short forms, defaults, contradictions."""

from operator import attrgetter
from typing import Any

import pytest

from twod_threed.temporal.options import (
    LearningOptions,
    ReportOptions,
    SemiSupervisedOptions,
    TemporalDataOptions,
    TemporalDataset,
    TemporalNetworkOptions,
    TemporalTrainOptions,
    WindowOptions,
    train_defaults,
)
from utils.command_line import Options, parse_options
from utils.errors import UserError

FIVE = ("S1", "S5", "S6", "S7", "S8")


def parse(words: str, dataset: TemporalDataset = "h36m") -> TemporalTrainOptions:
    known = Options("Train.", TemporalTrainOptions, train_defaults(dataset))
    return parse_options(known, words.split(), f"train.py temporal_{dataset}")


@pytest.mark.parametrize(
    ("words", "place", "value"),
    [
        ("-k gt|--keypoints gt", "data.keypoints", "gt"),
        ("-c here|--checkpoint here|--checkpoint_dir here", "run.checkpoint_dir", "here"),
        ("-r|--resume", "run.resume", True),
        ("-str S1,S5|-str S1 S5|--subjects-train S1,S5|--subjects_train S1 S5|"
         "--train_subjects S1,S5", "data.subjects_train", ("S1", "S5")),
        ("-ste S9|--subjects-test S9|--test_subjects S9", "data.subjects_test", ("S9",)),
        ("--subjects_validation S8|--val_subjects S8|--val-subjects S8",
         "data.subjects_validation", ("S8",)),
        ("-sun S7,S8|-sun S7 S8|--subjects-unlabeled S7,S8",
         "semi.subjects_unlabeled", ("S7", "S8")),
        ("-a Walking,Eating|--actions Walking Eating", "data.actions", ("Walking", "Eating")),
        ("-a *|--actions *", "data.actions", ()),
        ("-e 7|--epochs 7", "loop.epochs", 7),
        ("-s 4|--stride 4", "windows.stride", 4),
        ("-b 64|--batch-size 64|--batch_size 64|--train_batch_size 64",
         "loop.train_batch_size", 64),
        ("-drop 0.1|--dropout 0.1", "network.dropout", 0.1),
        ("-lr 0.01|--learning-rate 0.01|--learning_rate 0.01|--lr 0.01", "optim.lr", 0.01),
        ("-lrd 0.9|--lr-decay 0.9|--lr_decay 0.9", "learning.lr_decay", 0.9),
        ("-no-tta|--no-test-time-augmentation|--no_test_time_augmentation",
         "report.no_test_time_augmentation", True),
        ("-no-da|--no-data-augmentation|--no_data_augmentation",
         "windows.no_data_augmentation", True),
        ("-arc 3,5,7|--architecture 3,5,7", "network.widths", (3, 5, 7)),
        ("-ch 32|--channels 32", "network.channels", 32),
        ("--causal", "network.causal", True),
        ("--dense", "network.dense", True),
        ("--disable-optimizations|--disable_optimizations",
         "windows.disable_optimizations", True),
        ("--subset 0.1", "windows.subset", 0.1),
        ("--downsample 2", "data.downsample", 2),
        ("-sun S8 --warmup 3", "semi.warmup", 3),
        ("-sun S8 --no-bone-length|-sun S8 --no_bone_length", "semi.no_bone_length", True),
        ("-sun S8 --linear-projection|-sun S8 --linear_projection",
         "semi.linear_projection", True),
        ("-sun S8 --no-proj|-sun S8 --no_proj", "semi.no_proj", True),
        ("--no-eval|--no_eval", "report.no_eval", True),
        ("--export-training-curves|--export_training_curves",
         "report.export_training_curves", True),
        ("--checkpoint-frequency 3|--checkpoint_frequency 3", "report.checkpoint_frequency", 3),
        ("--evaluate best.safetensors", "report.evaluate", "best.safetensors"),
        ("--by-subject|--by_subject", "report.by_subject", True),
    ],
)  # fmt: skip
def test_every_spelling_reads_the_same(words: str, place: str, value: Any) -> None:
    default = attrgetter(place)(train_defaults("h36m"))
    if words != "-a *|--actions *":
        assert default != value
    for spelling in words.split("|"):
        assert attrgetter(place)(parse(spelling)) == value, spelling


def test_human36m_has_the_published_defaults() -> None:
    one = parse("")
    assert one.data.keypoints == "cpn_ft_h36m_dbb" and one.data.input_joints == "own"
    assert one.data.subjects_train == FIVE and one.data.subjects_test == ("S9", "S11")
    assert not one.data.actions and one.data.downsample == 1 and not one.data.has_validation
    assert one.network == TemporalNetworkOptions("3,3,3", 1024, 0.25, causal=False, dense=False)
    assert (one.windows.stride, one.windows.subset) == (1, 1.0)
    assert (one.loop.epochs, one.loop.train_batch_size) == (60, 1024)
    assert (one.optim.optimizer, one.optim.lr, one.learning.lr_decay) == ("amsprop", 0.001, 0.95)
    assert one.optim.grad_clip is None and one.optim.weight_decay == 0
    assert (one.semi.warmup, one.report.checkpoint_frequency) == (1, 10)
    assert one.normalisation == "screen" and not one.semi.on


def test_humaneva_has_the_settings_of_its_documentation() -> None:
    one = parse("", "humaneva")
    assert one.data.subjects_train == ("Train/S1", "Train/S2", "Train/S3")
    assert one.data.subjects_test == ("Validate/S1", "Validate/S2", "Validate/S3")
    assert (one.loop.epochs, one.loop.train_batch_size) == (1000, 128)
    assert one.learning.lr_decay == 0.996 and one.data.humaneva_joints == 15
    assert parse("-str Train/S1,Train/S2", "humaneva").data.subjects_train == (
        "Train/S1",
        "Train/S2",
    )


def test_motion_is_normalised_by_the_view_unless_there_are_unlabelled_subjects() -> None:
    for dataset in ("mocap", "mannequin"):
        assert parse("", dataset).normalisation == "view"
        assert parse("--normalisation screen", dataset).normalisation == "screen"
    assert parse("-sun cmu/01", "mocap").normalisation == "screen"
    assert parse("", "mocap").data.has_validation and parse("", "mannequin").data.has_validation
    assert "cmu/07" in parse("", "mocap").data.held_out


def test_who_validates_or_is_unlabelled_does_not_train() -> None:
    assert parse("--val_subjects S8").data.subjects_train == FIVE[:-1]
    assert parse("--val_subjects S8").data.has_validation
    assert parse("-ste S8,S11").data.subjects_train == FIVE[:-1]
    one = parse("-sun S5,S6 --val_subjects S8")
    assert one.data.subjects_train == ("S1", "S7") and one.semi.subjects_unlabeled == ("S5", "S6")


def test_resuming_from_a_file_is_loading_it_from_the_runs_folder() -> None:
    for words in ("-r epoch_10.ckpt", "--resume epoch_10.ckpt"):
        run = parse(f"{words} -c runs --exp first").run
        assert not run.resume and run.load == "runs/temporal_h36m_first/epoch_10.ckpt"
    assert parse("--resume").run.load == ""


def test_published_names_can_be_given_defaults_again() -> None:
    once = parse("-e 7 -b 64 -lr 0.01 -c here")
    again = parse_options(
        Options("Train.", TemporalTrainOptions, once), ["--channels", "8"], "train.py temporal_h36m"
    )
    assert (again.loop.epochs, again.loop.train_batch_size, again.optim.lr) == (7, 64, 0.01)
    assert again.run.checkpoint_dir == "here" and again.network.channels == 8


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--resume --evaluate best.ckpt", "--evaluate tests and --resume trains"),
        ("-r epoch_10.ckpt --evaluate best.ckpt", "--evaluate tests and --resume trains"),
        ("--export-training-curves --no-eval", "--export_training_curves draws what --no_eval"),
        ("epoch_10.ckpt", "epoch_10.ckpt: a file's name goes with --resume"),
        ("--resume epoch_10.bin", "--resume takes a .ckpt file, not epoch_10.bin"),
        ("-b 4 -s 8", "--batch_size 4 holds no window of --stride 8"),
        ("--early_stop_patience 3", "--early_stop_patience needs --subjects_validation"),
        ("--val_subjects S8 --early_stop_patience 3 --no_eval", "--early_stop_patience needs"),
        ("-str S1,S5 -ste S5", "in more than one of training, unlabelled, validation, test: S5"),
        ("-str S1,S5 -sun S5", "in more than one of .*: S5"),
        ("-sun S9", "in more than one of .*: S9"),
        ("-sun S5 --normalisation view", "--subjects_unlabeled needs --normalisation screen"),
    ],
)  # fmt: skip
def test_contradictions_are_one_line(words: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse(words)


@pytest.mark.parametrize(
    ("dataset", "changes", "message"),
    [
        ("mannequin", {"actions": ("walk",)}, "--actions: mannequins have no names"),
        ("mannequin", {"subjects_train": ("S1",)}, "--subjects_train: mannequins"),
        ("mannequin", {"subjects_test": ("S1",)}, "--subjects_test: mannequins"),
        ("mannequin", {"keypoints": "cpn"}, "--keypoints is for Human3.6M and HumanEva"),
        ("mocap", {"keypoints": "cpn"}, "--keypoints is for Human3.6M and HumanEva"),
        ("h36m", {"cameras_at_rest": 4}, "--cameras_at_rest does nothing for h36m"),
        ("humaneva", {"cameras_at_rest": 4}, "--cameras_at_rest does nothing for humaneva"),
    ],
)
def test_options_of_other_data_are_refused(
    dataset: TemporalDataset, changes: dict, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        TemporalDataOptions(dataset, **changes)


@pytest.mark.parametrize("dataset", ["humaneva", "mannequin"])
def test_unlabelled_subjects_are_for_films_with_cameras_and_labels(
    dataset: TemporalDataset,
) -> None:
    with pytest.raises(UserError, match="is for temporal_h36m and temporal_mocap"):
        parse("-sun Unlabeled/S4", dataset)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (TemporalNetworkOptions, {"architecture": "3,4"}),
        (TemporalNetworkOptions, {"architecture": ","}),
        (TemporalNetworkOptions, {"channels": 0}),
        (TemporalNetworkOptions, {"dropout": 1.0}),
        (TemporalDataOptions, {"downsample": 0}),
        (TemporalDataOptions, {"frame_rate": 0.0}),
        (TemporalDataOptions, {"validation_frames": 0}),
        (TemporalDataOptions, {"mannequin_count": 0}),
        (TemporalDataOptions, {"cameras_at_rest": -1}),
        (WindowOptions, {"stride": 0}),
        (WindowOptions, {"subset": 0.0}),
        (WindowOptions, {"epoch_frames": 0}),
        (WindowOptions, {"input_noise": -1.0}),
        (WindowOptions, {"drop_joint_prob": 1.5}),
        (LearningOptions, {"lr_decay": 0.0}),
        (SemiSupervisedOptions, {"warmup": -1}),
        (ReportOptions, {"checkpoint_frequency": 0}),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else value.__name__,
)
def test_impossible_values_are_refused_by_name(kind: type, wrong: dict) -> None:
    with pytest.raises(UserError, match=f"--{next(iter(wrong))}"):
        kind(**wrong)


def test_a_field_of_view_that_no_camera_has_is_refused() -> None:
    with pytest.raises(UserError, match="field of view"):
        TemporalDataOptions(field_of_view=(50.0, 170.0))
