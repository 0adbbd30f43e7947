"""Measures against closed forms, and the commands that score and draw trained dancers."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from generative_models.skeleton_to_image import metrics
from generative_models.skeleton_to_image.dancer_view import show_dancer
from generative_models.skeleton_to_image.evaluation import evaluate, score
from generative_models.skeleton_to_image.evaluation_options import (
    SkeletonToImageEvalOptions,
    SkeletonToImageVizOptions,
)
from generative_models.skeleton_to_image.options import (
    DancerViewOptions,
    SkeletonToImageRunOptions,
)
from generative_models.skeleton_to_image.running import run
from generative_models.skeleton_to_image.training import train
from generative_models.skeleton_to_image.training_data import read_frames
from generative_models.skeleton_to_image.visualization import draw
from tests.generative_models.skeleton_to_image.small_dancer import (
    SIZE,
    train_options,
    write_small_dancer,
)
from utils.errors import UserError
from utils.images import read_image
from utils.option_checks import named_models
from utils.pose_file import read_poses, write_poses
from utils.video import VideoReader


def pictures(count: int = 4) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(40, 200, (count, 24, 24, 3), dtype=np.uint8)


def test_what_is_exact_scores_so() -> None:
    real = pictures()
    frame = np.arange(4)
    assert metrics.l1(real, real) == 0 and metrics.psnr(real, real) == np.inf
    assert metrics.ssim(real, real) == pytest.approx(1)
    assert metrics.sharpness_ratio(real, real) == pytest.approx(1)
    assert metrics.flicker_ratio(real, real, frame) == pytest.approx(1)


def test_a_constant_offset() -> None:
    real = np.full((2, 24, 24, 3), 100, np.uint8)
    made = real + 10
    assert metrics.l1(made, real) == pytest.approx(10 / 127.5)
    assert metrics.psnr(made, real) == pytest.approx(10 * np.log10(255**2 / 100))
    # No variance: only the means are left of SSIM.
    c1 = (0.01 * 255) ** 2
    expected = (2 * 110 * 100 + c1) / (110**2 + 100**2 + c1)
    assert metrics.ssim(made, real) == pytest.approx(expected)


def test_ssim_of_opposites_is_negative_and_blur_is_less_sharp() -> None:
    real = pictures()
    assert metrics.ssim(255 - real, real) < -0.5
    assert metrics.sharpness_ratio(real // 2, real) == pytest.approx(0.25, rel=0.02)


def test_flicker_counts_only_frames_that_follow_one_another() -> None:
    real = np.stack([np.full((8, 8, 3), level, np.uint8) for level in (10, 20, 200, 210)])
    made = np.stack([np.full((8, 8, 3), level, np.uint8) for level in (10, 40, 90, 120)])
    assert metrics.flicker_ratio(made, real, np.array([0, 1, 5, 6])) == pytest.approx(3)
    assert np.isnan(metrics.flicker_ratio(made, real[[0, 0, 0, 0]], np.arange(4)))
    assert np.isnan(metrics.flicker_ratio(made[:1], real[:1], np.arange(1)))


def test_pose_error_is_in_parts_of_the_side_and_lost_joints_count() -> None:
    asked = np.zeros((2, 13, 2))
    assert metrics.pose_error(asked + np.array([3, 4]), asked, 100) == pytest.approx(5)
    assert metrics.pose_error(np.full((2, 13, 2), np.nan), asked, 100) == 100
    asked[0, 3] = np.nan
    assert metrics.pose_error(asked, asked, 100) == 0
    assert np.isnan(metrics.pose_error(asked, np.full((2, 13, 2), np.nan), 100))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder with a dancer and a run of nearest; the run's folder."""
    folder = tmp_path_factory.mktemp("trained")
    dancer = write_small_dancer(folder / "anna")
    train(train_options(folder, dancer, "nearest"))
    return dancer, folder / "runs" / "skeleton_to_image_default"


def test_scores_of_a_run_and_of_real_frames(trained: tuple[Path, Path], tmp_path: Path) -> None:
    dancer, run_folder = trained
    data = train_options(tmp_path, dancer, "nearest").data
    options = SkeletonToImageEvalOptions((f"mine={run_folder}",), data, output_dir=tmp_path)
    real = read_frames(data, SIZE).of_part("test")
    assert evaluate(options, lambda made: np.broadcast_to(real.keypoints, (len(made), 13, 2))) == 0
    with (tmp_path / "results.csv").open() as file:
        rows = {(r["model"], r["measure"]): float(r["value"]) for r in csv.DictReader(file)}
    assert rows["real frames (18 px)", "l1"] == 0 and rows["mine (18 px)", "l1"] > 0
    assert rows["mine (18 px)", "pose_error"] == pytest.approx(0, abs=1e-4)
    assert "pose_error" not in score(real.images, real)


def test_other_frames_than_those_held_out_are_told(
    trained: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dancer, run_folder = trained
    data = train_options(tmp_path, dancer, "nearest").data
    evaluate(SkeletonToImageEvalOptions((f"mine={run_folder}",), data, output_dir=tmp_path))
    assert "note" not in capsys.readouterr().err
    other = replace(data, gap=3)
    evaluate(SkeletonToImageEvalOptions((f"mine={run_folder}",), other, output_dir=tmp_path))
    assert "note: mine was trained with --split time" in capsys.readouterr().err
    berta = replace(data, dancer=str(write_small_dancer(tmp_path / "berta")))
    evaluate(SkeletonToImageEvalOptions((f"mine={run_folder}",), berta, output_dir=tmp_path))
    assert "note: mine draws anna, but is scored on berta" in capsys.readouterr().err


def test_pictures_and_film_of_a_run(trained: tuple[Path, Path], tmp_path: Path) -> None:
    dancer, run_folder = trained
    data = train_options(tmp_path, dancer, "nearest").data
    options = SkeletonToImageVizOptions((str(run_folder),), data, "val", 2, 32, tmp_path)
    assert draw(options) == 0
    count = len(read_frames(data, SIZE).of_part("val"))
    assert read_image(tmp_path / "sheet.png").shape == (2 * 32, 3 * 32, 3)
    with VideoReader(tmp_path / "side_by_side.mp4") as video:
        assert len([frame for frame in video if frame.image.shape == (32, 96, 3)]) == count


def test_run_draws_the_poses_it_is_given(trained: tuple[Path, Path], tmp_path: Path) -> None:
    dancer, run_folder = trained
    data = train_options(tmp_path, dancer, "nearest").data
    options = SkeletonToImageRunOptions(
        data, load=str(run_folder), part="train", output_dir=str(tmp_path / "own")
    )
    assert run(options) == 0
    real = read_frames(data, SIZE).of_part("train")
    poses = read_poses(tmp_path / "own" / "poses.npz")
    assert np.allclose(poses.keypoints_2d, real.keypoints, atol=1e-4)
    for row in (0, len(real) - 1):
        assert (read_image(tmp_path / "own" / poses.source[row]) == real.images[row]).all()
    given = replace(options, poses=str(dancer / "poses.npz"), output_dir=str(tmp_path / "given"))
    assert run(given) == 0
    drawn = read_poses(tmp_path / "given" / "poses.npz")
    assert len(drawn) == 40
    # A film that begins at 5 s, and a pause in it.
    times = 5 + np.arange(40) / 20 + np.where(np.arange(40) < 10, 0, 3)
    write_poses(tmp_path / "own" / "late.npz", replace(drawn, time=times))
    assert run(replace(given, poses=str(tmp_path / "own" / "late.npz"))) == 0
    with VideoReader(tmp_path / "given" / "video.mp4") as video:
        assert [frame.time for frame in video] == pytest.approx(times - 5, abs=1e-3)
    with pytest.raises(UserError, match="it is read for this"):
        run(replace(given, poses=str(tmp_path / "given" / "poses.npz")))
    with pytest.raises(UserError, match="holds a nearest, not the --model gan"):
        run(replace(options, model="4"))


def test_a_dancer_can_be_looked_at_before_anyone_trains(
    trained: tuple[Path, Path], tmp_path: Path
) -> None:
    data = train_options(tmp_path, trained[0], "nearest").data
    options = DancerViewOptions(data, count=3, network_size=16, output_dir=str(tmp_path))
    assert show_dancer(options) == 0
    panel = read_image(tmp_path / "000000.png")
    assert panel.shape == (SIZE, 4 * SIZE, 3)
    assert (panel[:, :SIZE] == read_image(trained[0] / "images/000000.png")).all()
    assert read_image(tmp_path / "sheet.jpg").shape == (2 * SIZE, 8 * SIZE, 3)


def test_names_of_models() -> None:
    assert named_models(("a=x/y", "runs/b")) == {"a": "x/y", "b": "runs/b"}
    for wrong in (("a=",), ("a=x", "a=y")):
        with pytest.raises(UserError, match="--models"):
            named_models(wrong)
    for kind in (SkeletonToImageEvalOptions, SkeletonToImageVizOptions):
        with pytest.raises(UserError, match="--models"):
            kind(models=())
