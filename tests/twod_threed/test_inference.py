from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.twod_threed.test_predictor import description
from twod_threed.evaluation import score_mocap
from twod_threed.evaluation_options import EvalMocapOptions
from twod_threed.inference import run
from twod_threed.model import Lifter
from twod_threed.options import DataOptions, LifterRunOptions
from twod_threed.pose_rows import find_intrinsics, rows_of_pairs
from twod_threed.predictor import FIELD_OF_VIEW, guess_intrinsics
from twod_threed.training_data import fixed_pairs
from utils.errors import UserError
from utils.pose_file import Poses, read_poses, write_poses
from utils.pose_json import read_pose_json, write_pose_json
from utils.weights import save_weights


@pytest.fixture
def chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LifterRunOptions:
    monkeypatch.setattr("utils.dataset_statistics.CACHE", tmp_path / "cache")
    monkeypatch.setattr("utils.mannequin.motion_store.STILL_POSES", 3)
    monkeypatch.setattr("utils.mannequin.motion_store.MOVING_POSES", 6)
    monkeypatch.setattr("twod_threed.training_data.HELD_OUT_BODIES", 2)
    one = description()
    path = tmp_path / "w.safetensors"
    save_weights(path, Lifter(one.architecture).state_dict(), one.as_metadata())
    return LifterRunOptions(
        load=str(path), output_dir=str(tmp_path / "out"), accelerator="cpu", test_batch_size=4
    )


def lifted(options: LifterRunOptions) -> Poses:
    assert run(options) == 0
    return read_poses(Path(options.output_dir) / "poses.npz")


def test_a_data_set_is_lifted_into_both_files(chosen: LifterRunOptions) -> None:
    poses = lifted(chosen)
    pairs = fixed_pairs(chosen.data, "val", chosen.seed)
    assert len(poses) == 18 and poses.source.tolist() == pairs.source_names().tolist()
    assert poses.keypoints_3d is not None and np.isfinite(poses.keypoints_3d).all()
    assert poses.intrinsics is not None
    assert np.allclose(poses.intrinsics, pairs.intrinsics[pairs.camera])
    other = read_pose_json(Path(chosen.output_dir) / "poses.json")
    assert other.keypoints_3d is not None
    assert np.array_equal(other.keypoints_3d, poses.keypoints_3d)
    truth = Path(chosen.output_dir) / "ground_truth.npz"
    prediction = Path(chosen.output_dir) / "poses.npz"
    (scores,) = score_mocap(EvalMocapOptions((prediction,), truth))
    assert scores.main.counts.sum() == 18 and scores.main.mean("missing") == 0
    train = lifted(replace(chosen, split="train", data=DataOptions(mannequin_count=1)))
    assert len(train) == 9


def test_people_who_trained_and_test_are_told(
    chosen: LifterRunOptions, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = fixed_pairs(chosen.data, "val", chosen.seed)
    someone = str(pairs.clip_subjects[0])
    one = replace(description(), people=("cmu/01", someone))
    weights = Lifter(one.architecture).state_dict()
    save_weights(chosen.load, weights, one.as_metadata())
    lifted(chosen)
    assert f"note: {someone} trained these weights" in capsys.readouterr().err
    save_weights(chosen.load, weights, replace(one, people=("cmu/01",)).as_metadata())
    lifted(chosen)
    assert capsys.readouterr().err == ""


@pytest.fixture
def file(chosen: LifterRunOptions) -> Path:
    """A pose file of unknown cameras, with gaps."""
    rows = rows_of_pairs(fixed_pairs(chosen.data, "val", chosen.seed)).select(slice(3, 9))
    rows = replace(rows, intrinsics=None)
    rows.keypoints_2d[2:4, 5] = np.nan
    rows.confidence[2:4, 5] = 0
    path = Path(chosen.output_dir).parent / "two.npz"
    write_poses(path, rows)
    return path


def test_pose_files_are_lifted_as_pictures_or_as_a_video(
    chosen: LifterRunOptions, file: Path
) -> None:
    pictures = lifted(replace(chosen, poses=str(file)))
    video = lifted(replace(chosen, poses=str(file), process_as_video=True))
    unfilled = lifted(replace(chosen, poses=str(file), process_as_video=True, max_gap=1))
    assert pictures.keypoints_3d is not None and video.keypoints_3d is not None
    assert unfilled.keypoints_3d is not None
    assert not np.allclose(pictures.keypoints_3d, video.keypoints_3d)
    # Gaps are filled for the lifter; the file keeps what the detector said.
    assert np.isnan(video.keypoints_2d[2:4, 5]).all()
    ratio = video.keypoints_3d[2, 1:] / unfilled.keypoints_3d[2, 1:]
    assert ratio.std() > 1e-3
    write_pose_json(file.with_suffix(".json"), read_poses(file))
    same = lifted(replace(chosen, poses=str(file.with_suffix(".json"))))
    assert same.keypoints_3d is not None
    assert np.allclose(same.keypoints_3d, pictures.keypoints_3d)


@pytest.mark.parametrize("changes", [{"focal": 300.0}, {"fov": 20.0}, {"height": 1200.0}])
def test_camera_and_height_change_the_answer(
    chosen: LifterRunOptions, file: Path, changes: dict
) -> None:
    plain = lifted(replace(chosen, poses=str(file)))
    other = lifted(replace(chosen, poses=str(file), **changes))
    assert plain.keypoints_3d is not None and other.keypoints_3d is not None
    assert not np.allclose(plain.keypoints_3d, other.keypoints_3d, rtol=1e-3)
    if "focal" in changes:
        assert other.intrinsics is not None and (other.intrinsics[:, :2] == 300).all()


def test_known_cameras_are_kept_and_unknown_rows_guessed(file: Path) -> None:
    poses = read_poses(file)
    known = np.tile(np.array([[500.0, 510, 320, 240]], np.float32), (len(poses), 1))
    known[1] = np.nan
    poses = replace(poses, intrinsics=known)
    found = find_intrinsics(poses, None, None)
    assert np.allclose(found[0], known[0])
    guess = guess_intrinsics(poses.image_size, field_of_view=FIELD_OF_VIEW)
    assert np.allclose(found[1], guess[1])
    assert np.allclose(
        find_intrinsics(poses, None, 30.0)[0],
        guess_intrinsics(poses.image_size, field_of_view=30.0)[0],
    )


def test_contradictions_and_absent_files_are_one_line(chosen: LifterRunOptions) -> None:
    with pytest.raises(UserError, match="not both"):
        LifterRunOptions(focal=100.0, fov=50.0)
    with pytest.raises(UserError, match="--height is in mm"):
        LifterRunOptions(height=1.8)
    with pytest.raises(UserError, match=r"cannot read .*none\.npz"):
        run(replace(chosen, poses=str(Path(chosen.output_dir) / "none.npz")))
