"""`run.py temporal_*`: pose files and data sets, rates, smoothing, several people."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.twod_threed.fake_humaneva import write_humaneva
from tests.twod_threed.scored_pairs import as_poses, make_pairs
from tests.twod_threed.temporal.known_networks import any_model, describe, write_networks
from twod_threed.humaneva import read_humaneva
from twod_threed.pairs import read_pairs
from twod_threed.temporal.inference import lift_films, rate_of, run, smoothed, times_of
from twod_threed.temporal.inference_options import (
    FilmOptions,
    Smooth,
    TemporalRunOptions,
    WeightsOptions,
)
from twod_threed.temporal.options import TemporalDataOptions
from twod_threed.temporal.smoothing import one_euro, savitzky_golay
from utils.errors import UserError
from utils.pose_file import Poses, concatenate, read_poses, write_poses
from utils.pose_json import read_pose_json, write_pose_json

CLIPS = [("S1", "Walk", "h36m", 20), ("S2", "Walk", "h36m", 12)]


def some_poses(rate: float | None = 25.0) -> Poses:
    """Two sources, in one of them two people."""
    poses = as_poses(make_pairs(CLIPS), None)
    other = replace(poses.select(slice(0, 15)), person=np.full(15, 3))
    other.keypoints_2d[:] += 30
    joined = concatenate([poses, other])
    return joined if rate is None else replace(joined, time=joined.frame / rate)


def view_model(frame_rate: float = 25.0, **sizes):
    return any_model(describe("mpii_16", normalisation="view", frame_rate=frame_rate, **sizes))


@pytest.fixture
def weights(tmp_path) -> WeightsOptions:
    description = describe("mpii_16", normalisation="view")
    write_networks(tmp_path / "weights.safetensors", description)
    return WeightsOptions(load=str(tmp_path / "weights.safetensors"), accelerator="cpu")


def test_each_source_and_person_is_lifted_alone():
    poses, model = some_poses(), view_model()
    lifted = lift_films(model, poses)
    assert lifted.keypoints_3d is not None and lifted.root_camera is not None
    assert lifted.skeleton_3d == "h36m_17" and np.isfinite(lifted.keypoints_3d).all()
    for rows in (slice(0, 20), slice(20, 32), slice(32, 47)):
        alone = lift_films(model, poses.select(rows))
        assert alone.keypoints_3d is not None and alone.root_camera is not None
        np.testing.assert_allclose(lifted.keypoints_3d[rows], alone.keypoints_3d, atol=1e-2)
        np.testing.assert_allclose(lifted.root_camera[rows], alone.root_camera, rtol=1e-4)
    np.testing.assert_array_equal(lifted.keypoints_2d, poses.keypoints_2d)


def test_rows_may_be_in_any_order():
    poses, model = some_poses(), view_model()
    order = np.random.default_rng(0).permutation(len(poses))
    mixed, straight = lift_films(model, poses.select(order)), lift_films(model, poses)
    assert mixed.keypoints_3d is not None and straight.keypoints_3d is not None
    np.testing.assert_allclose(mixed.keypoints_3d, straight.keypoints_3d[order], atol=1e-2)


def test_what_the_file_or_the_options_tell_of_the_rate():
    frames = np.array([0, 2, 4, 10])
    assert rate_of(frames, frames / 30, None) == pytest.approx(30)
    assert rate_of(frames, frames / 30, 50) == pytest.approx(30)
    assert rate_of(frames, np.array([np.nan, 0.1, np.nan, 0.5]), None) == pytest.approx(20)
    assert rate_of(frames, np.full(4, np.nan), 50) == 50
    assert rate_of(frames, np.zeros(4), None) is None


def test_times_are_those_of_the_file_or_made_from_what_tells_the_rate():
    frames = np.array([0, 2, 4, 10])
    own = np.array([0.0, 0.1, 0.11, 0.5])
    np.testing.assert_array_equal(times_of(frames, own, 50), own)
    unknown = np.full(4, np.nan)
    np.testing.assert_allclose(times_of(frames, unknown, 50), frames / 50)
    half = np.array([np.nan, 0.1, np.nan, 0.5])
    np.testing.assert_allclose(times_of(frames, half), frames / 20)
    np.testing.assert_allclose(times_of(frames, own[::-1], 50), frames / 50)
    # Nothing is known: the frames that there are come 25 times a second.
    np.testing.assert_allclose(times_of(frames, unknown), frames / 2 / 25)


def test_fps_stands_for_times_that_are_not_known():
    model = view_model(frame_rate=25)
    timed = lift_films(model, some_poses(50.0))
    told = lift_films(model, some_poses(None), FilmOptions(fps=50))
    silent = lift_films(model, some_poses(None))
    assert timed.keypoints_3d is not None and silent.keypoints_3d is not None
    np.testing.assert_array_equal(told.keypoints_3d, timed.keypoints_3d)
    assert np.abs(silent.keypoints_3d - timed.keypoints_3d).max() > 1


def test_smoothing_is_that_of_the_filters():
    rng = np.random.default_rng(0)
    points, trust = rng.normal(400, 20, (50, 3, 2)), rng.uniform(0.2, 1, (50, 3))
    frames = np.arange(50)
    wanted: dict[Smooth, np.ndarray] = {
        "none": points,
        "one_euro": one_euro(points, frames / 30, trust),
        "savitzky_golay": savitzky_golay(points, frames / 30),
    }
    for way, expected in wanted.items():
        found = smoothed(points, trust, frames, frames / 30, way, 10)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", ["one_euro", "savitzky_golay"])
def test_smoothing_sees_frames_that_are_no_rows(name):
    points = np.random.default_rng(0).normal(400, 20, (40, 3, 2))
    rows = np.array([*range(10), *range(13, 20), *range(38, 40)])
    blank = np.full_like(points, np.nan)
    blank[rows] = points[rows]
    trust = np.ones((40, 3))
    part = smoothed(points[rows], trust[rows], rows, rows / 30, name, 10)
    known = np.where(np.isnan(blank[..., 0]), 0, trust)
    first = np.arange(20)
    whole = smoothed(blank[:20], known[:20], first, first / 30, name, 10)
    np.testing.assert_allclose(part[:17], whole[rows[:17]])
    alone = smoothed(points[38:], trust[38:], first[:2], first[:2] / 30, name, 10)
    np.testing.assert_allclose(part[17:], alone)


@pytest.mark.parametrize("name", ["one_euro", "savitzky_golay"])
def test_smoothing_calms_what_is_lifted(name):
    poses, model = some_poses(), view_model()
    rough = lift_films(model, poses)
    calm = lift_films(model, poses, FilmOptions(smooth=name))
    assert rough.keypoints_3d is not None and calm.keypoints_3d is not None
    np.testing.assert_array_equal(calm.keypoints_2d, poses.keypoints_2d)

    def jitter(found: np.ndarray) -> float:
        return float(np.abs(np.diff(found[:20], 2, axis=0)).mean())

    assert jitter(calm.keypoints_3d) < 0.9 * jitter(rough.keypoints_3d)


def test_a_pose_file_in_poses_out(tmp_path, weights, capsys):
    poses = some_poses(None)
    write_poses(tmp_path / "in.npz", poses)
    write_pose_json(tmp_path / "in.json", poses)
    for suffix in ("npz", "json"):
        options = TemporalRunOptions(
            weights=weights,
            film=FilmOptions(fps=25, height=1700),
            poses=str(tmp_path / f"in.{suffix}"),
            output_dir=str(tmp_path / suffix),
        )
        assert run(options) == 0
    assert "47 of 47 poses in 3 films lifted" in capsys.readouterr().out
    found = read_poses(tmp_path / "npz/poses.npz")
    expected = lift_films(view_model(), poses, FilmOptions(fps=25, height=1700))
    assert found.keypoints_3d is not None and expected.keypoints_3d is not None
    np.testing.assert_allclose(found.keypoints_3d, expected.keypoints_3d, atol=1e-2)
    for place in ("npz", "json"):
        other = read_pose_json(tmp_path / place / "poses.json")
        assert other.keypoints_3d is not None
        np.testing.assert_allclose(other.keypoints_3d, found.keypoints_3d, atol=0.5)


def test_unknown_rates_are_told(tmp_path, weights, capsys):
    write_poses(tmp_path / "in.npz", some_poses(None))
    out: Any = {"poses": str(tmp_path / "in.npz"), "output_dir": str(tmp_path / "out")}
    run(TemporalRunOptions(weights=weights, **out))
    assert "taken for 25 frames per second; --fps" in capsys.readouterr().out
    run(TemporalRunOptions(weights=weights, film=FilmOptions(fps=30), **out))
    assert "taken for" not in capsys.readouterr().out


def test_tta_and_camera_options_change_the_answer(tmp_path, weights):
    write_poses(tmp_path / "in.npz", some_poses())

    def answer(folder: str, **changes: Any) -> tuple[np.ndarray, np.ndarray]:
        film = {key: changes.pop(key) for key in ("fov", "focal") if key in changes}
        run(
            TemporalRunOptions(
                weights=replace(weights, **changes),
                film=FilmOptions(**film),
                poses=str(tmp_path / "in.npz"),
                output_dir=str(tmp_path / folder),
            )
        )
        found = read_poses(tmp_path / folder / "poses.npz")
        assert found.keypoints_3d is not None and found.root_camera is not None
        return found.keypoints_3d, found.root_camera

    poses, root = answer("a")
    assert np.abs(answer("b", no_test_time_augmentation=True)[0] - poses).max() > 1
    wide, near = answer("c", fov=90.0)
    assert (near[:, 2] < root[:, 2]).all() and np.abs(wide - poses).max() > 0.1
    np.testing.assert_allclose(answer("d", focal=500.0)[1], near, rtol=1e-3)


@pytest.fixture(scope="module")
def humaneva(tmp_path_factory) -> Path:
    return write_humaneva(tmp_path_factory.mktemp("humaneva"))


def test_unlabelled_films_of_a_data_set(tmp_path, humaneva):
    description = describe("coco_17", "humaneva_15", frame_rate=60)
    write_networks(tmp_path / "a.safetensors", description)
    data = TemporalDataOptions(
        dataset="humaneva", data_dir=str(humaneva), subjects_test=("Unlabeled/S4",)
    )
    weights = WeightsOptions(load=str(tmp_path / "a.safetensors"), accelerator="cpu")
    run(TemporalRunOptions(data=data, weights=weights, output_dir=str(tmp_path)))
    found = read_poses(tmp_path / "poses.npz")
    pairs = read_humaneva(humaneva, ["Unlabeled/S4"], "detectron_pt_coco", skeleton_2d=None)
    assert found.skeleton_3d == "humaneva_15" and found.keypoints_3d is not None
    assert np.isfinite(found.keypoints_3d).all() and len(found) == len(pairs) == 14
    assert set(found.source) == {"Unlabeled/S4/Box 2/C1", "Unlabeled/S4/Box 2/C3"}
    beside = read_pairs(tmp_path / "ground_truth.npz", skeleton_3d=None)
    np.testing.assert_array_equal(beside.poses_2d, pairs.poses_2d)


def test_a_person_twice_in_a_frame_is_refused():
    poses = some_poses()
    with pytest.raises(UserError, match="twice in frame 5"):
        lift_films(view_model(), poses.select([*range(len(poses)), 5]))


@pytest.mark.parametrize(
    "wrong",
    [
        {"fps": 0.0},
        {"focal": -1.0},
        {"fov": 180.0},
        {"height": 1.8},
        {"focal": 900.0, "fov": 50.0},
    ],
)
def test_wrong_options_are_named(wrong):
    with pytest.raises(UserError, match=f"--{next(iter(wrong))}"):
        FilmOptions(**wrong)
    with pytest.raises(UserError, match="--seed"):
        TemporalRunOptions(seed=-1)
