"""What a run trains on: subsets, passes, labelled and unlabelled batches."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.twod_threed.temporal.small_films import films, store
from twod_threed.pairs import write_pairs
from twod_threed.temporal.data import FilmBatches, MotionWindows, PairedBatches
from twod_threed.temporal.options import (
    ReportOptions,
    SemiSupervisedOptions,
    TemporalDataOptions,
    TemporalTrainOptions,
    WindowOptions,
)
from twod_threed.temporal.training_data import (
    Place,
    TemporalData,
    stretch,
    subset_of_films,
    subset_of_motion,
    temporal_data,
)
from twod_threed.temporal.windows import Reach
from utils.mocap.store import write_store
from utils.options import LoopOptions

REACH = Reach.of(9, False)


@pytest.fixture
def pairs_file(tmp_path: Path) -> TemporalTrainOptions:
    """Films of S1 to S4: 40, 30, 20, 10 frames; batches of 8 output frames."""
    write_pairs(tmp_path / "pairs.npz", films((40, 30, 20, 10)))
    data = TemporalDataOptions(
        "mocap", str(tmp_path / "pairs.npz"), subjects_validation=("S3",), subjects_test=("S4",)
    )
    return TemporalTrainOptions(data=data, loop=LoopOptions(train_batch_size=8, workers=0))


def read(options: TemporalTrainOptions, **changes: object) -> TemporalData:
    return temporal_data(replace(options, **changes), REACH, Place())


def frames_of(data: TemporalData) -> int:
    return sum(batch["valid"].shape[:2].numel() for batch in data.train.epoch(0))


def test_a_stretch_is_a_share_in_a_row_that_cameras_of_a_take_have_in_common() -> None:
    parts = [stretch(1000, 0.1, seed, "S1/Walking") for seed in range(40)]
    assert {part.stop - part.start for part in parts} == {100}
    assert min(part.start for part in parts) < 200 and max(part.stop for part in parts) > 800
    assert stretch(1000, 0.1, 3, "S1/Walking") == parts[3]
    assert stretch(1000, 0.1, 3, "S1/Eating") != parts[3]
    assert stretch(1000, 1.0, 3, "any") == slice(0, 1000)
    assert stretch(5, 0.01, 3, "any").stop - stretch(5, 0.01, 3, "any").start == 1


def test_subsets_are_stretches_of_every_film_and_clip() -> None:
    pairs = films((40, 30))
    parts = subset_of_films(pairs, 0.5, 1)
    assert [len(part) for part in parts] == [20, 15]
    assert all((np.diff(pairs.frame[part]) == 1).all() for part in parts)
    one = store({"a/1": 40, "b/1": 30})
    part = subset_of_motion(one, 0.5, 1)
    assert part.lengths().tolist() == [20, 15] and part.names.tolist() == one.names.tolist()
    for clip in range(2):
        steps = np.abs(one.clip(clip) - part.clip(clip)[0]).max((1, 2))
        start = int(steps.argmin())
        assert np.array_equal(one.clip(clip)[start : start + len(part.clip(clip))], part.clip(clip))


def test_an_epoch_is_a_pass_over_all_films_and_their_mirror_images(
    pairs_file: TemporalTrainOptions,
) -> None:
    data = read(pairs_file)
    assert isinstance(data.train, FilmBatches) and set(data.validation_films.subjects) == {"S3"}
    assert set(data.test_films.subjects) == {"S4"} and data.frame_rate == 50
    assert data.name == "made" and data.skeleton_2d == "mpii_16"
    assert frames_of(data) == 2 * 70 // 8 * 8
    assert frames_of(read(pairs_file, windows=WindowOptions(no_data_augmentation=True))) == 64
    assert frames_of(read(pairs_file, windows=WindowOptions(subset=0.5))) == 2 * 35 // 8 * 8


def test_batch_size_counts_output_frames(pairs_file: TemporalTrainOptions) -> None:
    data = read(pairs_file, windows=WindowOptions(stride=4))
    batch = next(iter(data.train.epoch(0)))
    assert batch["poses_3d"].shape[:2] == (2, 4) and batch["poses_2d"].shape[:2] == (2, 12)


def test_every_frame_validates_once(pairs_file: TemporalTrainOptions) -> None:
    data = read(pairs_file)
    valid = [batch["valid"] for batch in data.validation.epoch(0)]
    assert sum(int(one.sum()) for one in valid) == 20 * 17
    silent = read(pairs_file, report=ReportOptions(no_eval=True))
    assert [*silent.validation.epoch(0)] == [{}] and len(silent.validation) == 1


def test_processes_share_the_films(pairs_file: TemporalTrainOptions) -> None:
    parts = [temporal_data(pairs_file, REACH, Place("cpu", rank, 2)) for rank in range(2)]
    first, second = (next(iter(part.train.epoch(0)))["poses_2d"] for part in parts)
    assert not first.equal(second) and len(parts[0].train) == 2 * 70 // 16


def test_unlabelled_films_come_with_the_labelled(pairs_file: TemporalTrainOptions) -> None:
    semi, windows = SemiSupervisedOptions(("S2",)), WindowOptions(subset=0.5)
    data = read(pairs_file, semi=semi, windows=windows)
    assert isinstance(data.train, PairedBatches)
    # All of the unlabelled, half of the labelled.
    assert len(data.train) == 2 * 20 // 8 and len(data.train.unlabelled) == 2 * 30 // 8
    batch = next(iter(data.train.epoch(0)))
    lens = films((40, 30)).intrinsics
    assert np.allclose(batch["intrinsics"][:, 0], lens[0, 0])
    assert np.allclose(batch["unlabelled_intrinsics"][:, 0], lens[1, 0])


def test_motion_gives_epochs_of_the_length_asked_for(tmp_path: Path) -> None:
    write_store(tmp_path / "one.npz", store({"cmu/01": 60, "cmu/06": 40, "cmu/07": 30}))
    options = TemporalTrainOptions(
        data=TemporalDataOptions("mocap", str(tmp_path), field_of_view=(60.0, 60.0)),
        loop=LoopOptions(train_batch_size=8, workers=0),
        windows=WindowOptions(stride=2, epoch_frames=50),
    )
    data = read(options)
    assert isinstance(data.train, MotionWindows) and len(data.train) == 6
    assert data.frame_rate == 25 and frames_of(data) == 48
    batch = next(iter(data.train.epoch(0)))
    half = (batch["image_size"].amax(1) / 2 / batch["intrinsics"][:, 0]).numpy()
    assert np.allclose(np.degrees(np.arctan(half)) * 2, 60, atol=1e-3)
