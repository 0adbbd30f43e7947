"""HumanEva-I through train, run, viz and eval: frame by frame, and in windows of its films."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import options as tables
from stacked_hourglass.evaluation import evaluate_eva_pck, score_eva
from stacked_hourglass.evaluation_options import EvalEvaOptions, Overlay2dOptions
from stacked_hourglass.humaneva import HumanEvaFrames, read_frames, read_humaneva, write_frames
from stacked_hourglass.inference import run
from stacked_hourglass.options import (
    DataOptions,
    HourglassRunOptions,
    HourglassTrainOptions,
    NetworkOptions,
)
from stacked_hourglass.predictor import load_model
from stacked_hourglass.training import train
from stacked_hourglass.training_data import training_people
from stacked_hourglass.visualization import overlay_2d
from tests.stacked_hourglass.fake_data import write_picture
from utils.command_line import parse_options
from utils.errors import UserError
from utils.images import list_images
from utils.options import LoopOptions, OptimizerOptions, RunOptions
from utils.pose_file import Poses, read_poses, write_poses
from utils.skeleton_conversion import convert
from utils.skeletons import HUMANEVA_15, LSP_14, MPII_16, skeleton_named

# A standing person, px: joint of HUMANEVA_15 -> place; the right side at 60 - x.
SIDES = {"shoulder": (36, 12), "elbow": (40, 18), "wrist": (41, 24)}
SIDES |= {"hip": (33, 24), "knee": (34, 30), "ankle": (34, 36)}
MIDDLE = {"pelvis": (30, 23), "thorax": (30, 10), "head": (30, 4)}
FILMS = (("train", 6), ("train", 6), ("val", 5))


def person(shift: float) -> np.ndarray:
    """(15, 2) px, moved to the right."""
    points = []
    for joint in HUMANEVA_15.joints:
        side, _, rest = joint.partition("_")
        x, y = SIDES[rest] if side in ("left", "right") else MIDDLE[joint]
        points.append((60 - x if side == "right" else x, y))
    return np.array(points, np.float32) + np.array([shift, 0], np.float32)


def write_eva(folder: Path) -> Path:
    """Films of 60 x 40 px with one person each, who moves a px a frame."""
    split = np.repeat([part for part, _ in FILMS], [count for _, count in FILMS])
    film = np.repeat(range(len(FILMS)), [count for _, count in FILMS])
    frame = np.concatenate([np.arange(count) for _, count in FILMS])
    names = [f"S1/Box_1_C{f + 1}/{n:06d}.jpg" for f, n in zip(film, frame, strict=True)]
    for number, name in enumerate(names):
        write_picture(folder / "images" / name, seed=number)
    count = len(names)
    points = np.stack([person(n) for n in frame])
    boxes = np.tile(np.array([30, 20, 44], np.float32), (count, 1)) + frame[:, None] * [1, 0, 0]
    write_frames(
        folder,
        HumanEvaFrames(
            picture=np.array(names),
            keypoints_2d=points,
            keypoints_3d_camera=np.zeros((count, 15, 3), np.float32),
            box=boxes,
            split=split,
            film=film,
            subject=np.full(count, "S1"),
            action=np.full(count, "Box"),
            camera=np.array([f"C{number + 1}" for number in film]),
            frame=frame + 6,
        ),
    )
    return folder


@pytest.fixture(scope="module")
def eva(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_eva(tmp_path_factory.mktemp("eva"))


def options(folder: Path, runs: Path, exp: str, frames: int = 0, **network: Any) -> Any:
    return HourglassTrainOptions(
        run=RunOptions(checkpoint_dir=str(runs / "runs"), tb_dir=str(runs / "tb"), exp=exp),
        loop=LoopOptions(
            epochs=1, train_batch_size=8, test_batch_size=8, workers=0, accelerator="cpu"
        ),
        optim=OptimizerOptions(optimizer="adam", lr=1e-3),
        network=NetworkOptions(stacks=1, features=16, resolution=64, **network),
        data=DataOptions(dataset="eva", data_dir=str(folder), film_frames=frames),
    )


def run_options(folder: Path, weights: Path, output: Path) -> HourglassRunOptions:
    return HourglassRunOptions(
        dataset="eva", data_dir=str(folder), load=str(weights), output_dir=str(output)
    )


def test_all_of_mpiis_joints_are_made(eva: Path) -> None:
    table = read_humaneva(eva)
    points = dict(zip(MPII_16.joints, table.keypoints[0].tolist(), strict=True))
    assert points["left_wrist"] == [41, 24] and points["right_wrist"] == [19, 24]
    assert points["thorax"] == [30, 12] and points["upper_neck"] == [30, 10]
    assert points["head_top"] == [30, 4] and points["pelvis"] == [30, 23]
    assert table.film.tolist() == [0] * 6 + [1] * 6 + [2] * 5


def test_what_is_written_is_read(eva: Path) -> None:
    frames = read_frames(eva)
    assert frames.camera[-1] == "C3" and frames.frame[0] == 6 and len(frames.picture) == 17


def test_single_frames_train_run_are_drawn_and_scored(eva: Path, tmp_path: Path, capsys) -> None:
    chosen = options(eva, tmp_path, "single")
    people = training_people(chosen.data, 0)
    assert people.sizes == [12] and len(people.validation) == 5
    assert train(chosen) == 0
    weights = tmp_path / "runs/hourglass_eva_single/best.safetensors"
    assert load_model(str(weights))[1].frames == 1
    assert run(run_options(eva, weights, tmp_path / "out")) == 0
    poses = read_poses(tmp_path / "out/poses.npz")
    assert poses.source.tolist() == [f"S1/Box_1_C3/{n:06d}.jpg" for n in range(5)]
    overlay = Overlay2dOptions(eva / "images", tmp_path / "out/poses.npz", tmp_path / "drawn")
    assert overlay_2d(overlay) == 0
    assert len(list_images(tmp_path / "drawn/S1/Box_1_C3")) == 5
    capsys.readouterr()
    scored = EvalEvaOptions(
        (tmp_path / "out/poses.npz",), data_dir=eva, output_dir=tmp_path / "scores"
    )
    evaluate_eva_pck(scored)
    told = capsys.readouterr().out
    assert "px away on average" in told and "PCK@0.2 in per cent, 5 people" in told
    assert json.loads((tmp_path / "scores/results.json").read_text())["people"] == 5


@pytest.mark.parametrize(
    ("causal", "frames", "expected"), [(True, 4, (4, "causal")), (False, 0, (8, "window"))]
)
def test_windows_with_attention(eva: Path, tmp_path: Path, causal, frames, expected) -> None:
    chosen = options(eva, tmp_path, "films", frames, add_attention=True, causal_attention=causal)
    assert chosen.data.frames == expected[0]
    if frames == 0:
        with pytest.raises(UserError, match="no film has the 8 frames of --film_frames"):
            train(chosen)
        return
    assert train(chosen) == 0
    weights = tmp_path / "runs/hourglass_eva_films/best.safetensors"
    model, description = load_model(str(weights))
    assert (description.frames, model.architecture.attention) == expected
    assert run(run_options(eva, weights, tmp_path / "out")) == 0
    poses = read_poses(tmp_path / "out/poses.npz")
    assert len(poses) == 5 and np.isfinite(poses.keypoints_2d).all()


def test_without_attention_windows_are_for_who_asks() -> None:
    known = tables.TRAIN["hourglass_eva"]
    for words, frames in (
        ([], 1),
        (["--film_frames", "4"], 4),
        (["--add_attention"], 8),
        (["--add_attention", "--causal_attention", "--film_frames", "2"], 2),
    ):
        assert parse_options(known, words, "hourglass_eva").data.frames == frames
    with pytest.raises(UserError, match="--film_frames must not be negative"):
        DataOptions(dataset="eva", film_frames=-1)


def told_poses(path: Path, frames: HumanEvaFrames, points: np.ndarray, skeleton: str) -> Path:
    """A pose file of the validation pictures."""
    rows = np.flatnonzero(frames.split == "val")
    count = len(rows)
    poses = Poses(
        source=frames.picture[rows],
        frame=np.zeros(count, np.int64),
        time=np.full(count, np.nan),
        person=rows,
        box=frames.box[rows],
        image_size=np.tile([60, 40], (count, 1)),
        keypoints_2d=points.astype(np.float32),
        confidence=np.ones(points.shape[:2], np.float32),
        skeleton_2d=skeleton,
    )
    write_poses(path, poses)
    return path


@pytest.mark.parametrize("skeleton", [MPII_16, LSP_14])
def test_the_score_is_the_share_within_a_fifth_of_the_torso(
    eva: Path, tmp_path: Path, skeleton, capsys
) -> None:
    frames = read_frames(eva)
    truth = convert(read_humaneva(eva).of_split("val").keypoints, MPII_16, skeleton).poses
    # From left shoulder (36, 12) to right hip (27, 24): 15 px, so that 3 px are a fifth of it.
    truth[:, skeleton.index("left_wrist")] += [2.9, 0]
    truth[:, skeleton.index("right_ankle")] += [0, 3.1]
    path = told_poses(tmp_path / "poses.npz", frames, truth, skeleton.name)
    (scores,) = score_eva(EvalEvaOptions((path,), data_dir=eva))
    at = dict(zip(LSP_14.joints, (scores.distances <= 0.2).mean(axis=0), strict=True))
    assert at["left_wrist"] == 1 and at["right_ankle"] == 0 and sum(at.values()) == 13
    assert f"{(2.9 + 3.1) / 14:.2f} px away on average" in capsys.readouterr().out


def test_pictures_without_a_pose_count_as_wrong(eva: Path, tmp_path: Path, capsys) -> None:
    frames = read_frames(eva)
    truth = read_humaneva(eva).of_split("val").keypoints
    path = told_poses(tmp_path / "poses.npz", frames, truth, MPII_16.name)
    write_poses(path, read_poses(path).select(np.arange(5) != 2))
    (scores,) = score_eva(EvalEvaOptions((path,), data_dir=eva))
    assert np.isinf(scores.distances[2]).all() and (scores.distances[[0, 1, 3, 4]] == 0).all()
    assert "1 of 5 pictures are not in it: counted wrong" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["train", "run", "eval"])
def test_absent_data_is_one_line_that_says_what_to_do(tmp_path: Path, command: str) -> None:
    place, poses = tmp_path / "nowhere", tmp_path / "poses.npz"
    poses.touch()
    with pytest.raises(UserError, match=r"HumanEva-I is not in .*data/prepare.py humaneva") as told:
        if command == "train":
            train(options(place, tmp_path, "absent"))
        elif command == "run":
            run(run_options(place, Path("lightweight"), tmp_path / "out"))
        else:
            score_eva(EvalEvaOptions((poses,), data_dir=place))
    assert "\n" not in str(told.value)
    assert ("hourglass_mannequin" in str(told.value)) == (command == "train")


def test_guessed_joints_score_nothing(eva: Path, tmp_path: Path) -> None:
    """H36M's seventeen have no head top; a guess at it is not scored."""
    h36m = skeleton_named("h36m_17")
    truth = convert(read_humaneva(eva).of_split("val").keypoints, MPII_16, h36m).poses
    path = told_poses(tmp_path / "poses.npz", read_frames(eva), truth, h36m.name)
    (scores,) = score_eva(EvalEvaOptions((path,), data_dir=eva))
    at = dict(zip(LSP_14.joints, scores.distances.T, strict=True))
    assert np.isinf(at["head_top"]).all() and (at["left_wrist"] == 0).all()
