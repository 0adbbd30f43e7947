"""The scoring commands: published figures, both kinds of files, and every way to misuse them."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Literal

import h5py
import numpy as np
import pytest

from stacked_hourglass.evaluation import (
    PCK,
    PCKH,
    evaluate_lsp_pck,
    evaluate_mpii_pckh,
    score_lsp,
    score_mpii,
)
from stacked_hourglass.evaluation_files import (
    find_mpii_ground_truth,
    read_lsp_ground_truth,
    read_mpii_ground_truth,
    read_mpii_predictions,
)
from stacked_hourglass.evaluation_options import EvalLspOptions, EvalMpiiOptions
from stacked_hourglass.evaluation_report import THRESHOLDS, write_report
from utils.errors import UserError
from utils.images import read_image_size
from utils.matlab_files import read_matlab, write_matlab
from utils.pose_file import concatenate, empty_row, read_poses, write_poses
from utils.pose_json import write_pose_json
from utils.skeleton_conversion import convert
from utils.skeletons import LSP_14, MPII_16, skeleton_named

# PCKh@0.5 of `pos_pred_src` as published, right and left.
REFERENCE = {
    "ankle": (65.20, 65.69),
    "knee": (73.44, 73.28),
    "hip": (82.00, 81.86),
    "wrist": (76.40, 77.07),
    "elbow": (83.37, 83.36),
    "shoulder": (92.15, 93.27),
}
Split = Literal["test", "val"]
PICTURES = ("b.jpg", "a.jpg", "b.jpg", "c.jpg")


def write_pose_file(path: Path, sources, keypoints, skeleton="mpii_16", person=None) -> Path:
    rows = concatenate([empty_row(source, (1000, 1000), skeleton) for source in sources])
    there = ~np.isnan(keypoints).any(axis=-1)
    person = np.arange(len(rows)) if person is None else np.array(person)
    poses = replace(rows, keypoints_2d=keypoints, confidence=there.astype(float), person=person)
    write_poses(path, poses)
    return path


def mpii_people(seed: int = 1) -> np.ndarray:
    """Joints (4, 16, 2), px from (0, 0)."""
    return np.random.default_rng(seed).integers(50, 500, (4, 16, 2)).astype(float)


def write_mpii_truth(folder: Path, joints: np.ndarray, with_list: bool = True) -> Path:
    """The published layout: counts from 1; head boxes of size 50 x 0.6 = 30; all is annotated."""
    path = folder / "detections_our_format.mat"
    boxes = np.zeros((2, 2, len(joints)))
    boxes[1] = [[30], [40]]
    missing = np.zeros((16, len(joints)), np.uint8)
    published = {"pos_gt_src": joints.transpose(1, 2, 0) + 1, "jnt_missing": missing}
    write_matlab(path, published | {"headboxes_src": boxes})
    if with_list:
        with h5py.File(folder / "valid.h5", "w") as content:
            content["imgname"] = np.array([name.encode() for name in PICTURES])
    return path


def write_preds(path: Path, joints: np.ndarray) -> None:
    write_matlab(path, {"preds": (joints + 1).astype(np.float32)})


def results(folder: Path) -> dict:
    return json.loads((folder / "results.json").read_text())


def mpii_scores(truth: Path, predictions: Path) -> dict[str, float]:
    return score_mpii(EvalMpiiOptions((predictions,), ground_truth=truth))[0].at(PCKH)


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    return write_mpii_truth(tmp_path, mpii_people())


def test_published_predictions_give_the_published_scores(real_data, tmp_path, capsys):
    truth = real_data / "mpii_eval" / "detections_our_format.mat"
    evaluate_mpii_pckh(EvalMpiiOptions((truth,), output_dir=tmp_path, ground_truth=truth))
    scores = results(tmp_path)["models"][0]["scores"]
    for group, sides in REFERENCE.items():
        both = (scores[f"right_{group}"], scores[f"left_{group}"])
        assert both == pytest.approx(sides, abs=0.01)
        assert scores[group] == pytest.approx(np.mean(sides), abs=0.01)
    assert scores["upper_neck"] == pytest.approx(97.71, abs=0.01)
    assert scores["head"] == scores["head_top"] == pytest.approx(95.60, abs=0.01)
    assert scores["mean"] == pytest.approx(81.458, abs=0.0006)
    assert scores["mean_by_count"] == pytest.approx(82.337, abs=0.0006)
    assert {"81.458", "82.337"} < set(capsys.readouterr().out.split())


def test_published_annotations_score_100(real_data, tmp_path):
    truth = real_data / "mpii_eval" / "detections_our_format.mat"
    perfect = tmp_path / "perfect.mat"
    write_matlab(perfect, {"preds": read_matlab(truth)["pos_gt_src"].transpose(2, 0, 1)})
    assert set(mpii_scores(truth, perfect).values()) == {100.0}


def test_pose_file_and_matlab_file_of_the_same_poses_agree(real_data, tmp_path):
    folder = real_data / "mpii_eval"
    truth = read_mpii_ground_truth(folder / "detections_our_format.mat")
    joints = read_matlab(folder / "detections_our_format.mat")["pos_pred_src"].transpose(2, 0, 1)
    with h5py.File(folder / "valid.h5") as content:
        names = [bytes(name).decode() for name in np.asarray(content["imgname"])]
        person = np.asarray(content["person"]).astype(int)
    shuffled = np.random.default_rng(0).permutation(len(names))
    poses = write_pose_file(
        tmp_path / "poses.npz",
        [f"images/{names[row]}" for row in shuffled],
        joints[shuffled] - 1,
        person=person[shuffled],
    )
    published = read_mpii_predictions(folder / "detections_our_format.mat", truth)
    np.testing.assert_allclose(read_mpii_predictions(poses, truth), published, atol=1e-3)


def test_shift_by_a_known_part_of_the_head(truth, tmp_path):
    shifted = mpii_people()
    shifted[..., 0] += 14.9  # of the 15 px that half a head is
    shifted[0, MPII_16.index("left_knee"), 1] = np.nan
    shifted[1, MPII_16.index("left_knee"), 0] += 0.2
    shifted[:, MPII_16.index("pelvis")] += 100  # in no table
    shifted[:2, MPII_16.index("head_top")] += 100
    write_preds(tmp_path / "preds.mat", shifted)
    scores = mpii_scores(truth, tmp_path / "preds.mat")
    assert (scores["left_knee"], scores["right_knee"], scores["knee"]) == (50, 100, 75)
    assert scores["head"] == 50
    assert scores["mean"] == pytest.approx(100 * 13 / 14)


def test_missing_annotations_do_not_count(tmp_path):
    path = write_mpii_truth(tmp_path, mpii_people())
    content = read_matlab(path)
    content["jnt_missing"][MPII_16.index("left_ankle")] = 1
    content["jnt_missing"][MPII_16.index("right_ankle"), 1:] = 1
    content["jnt_missing"][MPII_16.index("left_hip"), 0] = 1
    write_matlab(path, content)
    wrong = mpii_people()
    wrong[:, MPII_16.indices("left_ankle", "left_hip")] += [[[1000], [0]]]
    wrong[0, MPII_16.index("left_hip")] += 1000
    write_preds(tmp_path / "preds.mat", wrong)
    scores = mpii_scores(path, tmp_path / "preds.mat")
    assert np.isnan(scores["left_ankle"])
    assert scores["ankle"] == scores["left_hip"] == scores["mean"] == scores["mean_by_count"] == 100
    (model,) = score_mpii(EvalMpiiOptions((tmp_path / "preds.mat",), ground_truth=path))
    places = LSP_14.indices("left_ankle", "right_ankle", "left_hip", "left_knee")
    assert model.counts[places].tolist() == [0, 1, 3, 4]
    write_report([model], PCKH, tmp_path / "out")
    assert results(tmp_path / "out")["models"][0]["scores"]["left_ankle"] is None


def test_rows_are_matched_by_picture_and_person(truth, tmp_path):
    """The second person of b.jpg has the higher number, whichever row it stands in."""
    joints = mpii_people()
    order, sources = [2, 3, 0, 1], ["images/b.jpg", "c.jpg", "x/b.jpg", "a.jpg"]
    path = write_pose_file(tmp_path / "p.npz", sources, joints[order], person=[7, 0, 4, 9])
    assert mpii_scores(truth, path)["mean"] == 100


def test_without_a_list_of_pictures_rows_are_in_the_published_order(tmp_path):
    truth = write_mpii_truth(tmp_path, mpii_people(), with_list=False)
    path = write_pose_file(tmp_path / "p.npz", ["any.jpg"] * 4, mpii_people())
    assert mpii_scores(truth, path)["mean"] == 100
    path = write_pose_file(tmp_path / "p.npz", ["any.jpg"] * 4, mpii_people()[::-1])
    assert mpii_scores(truth, path)["mean"] < 50
    path = write_pose_file(tmp_path / "p.npz", ["any.jpg"] * 3, mpii_people()[:3])
    with pytest.raises(UserError, match="has 3 rows, the ground truth 4 people"):
        mpii_scores(truth, path)


def test_guessed_joints_score_nothing(tmp_path):
    """COCO has no head top; even a lucky guess at it is not scored."""
    coco = np.random.default_rng(3).integers(50, 500, (4, 17, 2)).astype(float)
    truth = write_mpii_truth(tmp_path, convert(coco, skeleton_named("coco_17"), MPII_16).poses)
    path = write_pose_file(tmp_path / "p.npz", PICTURES, coco, "coco_17", person=[0, 0, 1, 0])
    scores = mpii_scores(truth, path)
    assert (scores["head_top"], scores["wrist"], scores["upper_neck"]) == (0, 100, 100)


def test_report_files_agree_with_each_other(truth, tmp_path, capsys):
    rng = np.random.default_rng(5)
    files = []
    for number, spread in enumerate((8, 16)):
        files.append(tmp_path / f"model{number}.mat")
        write_preds(files[-1], mpii_people() + rng.normal(0, spread, (4, 16, 2)))
    names = ("near", "far off")
    options = EvalMpiiOptions(tuple(files), names, tmp_path / "out", ground_truth=truth)
    evaluate_mpii_pckh(options)
    content = results(tmp_path / "out")
    assert content["curve_thresholds"][0] == 0
    assert content["curve_thresholds"][-1] == 0.5
    printed = next(t for t in capsys.readouterr().out.splitlines() if t.startswith("mean of"))
    with (tmp_path / "out" / "results.csv").open() as file:
        lines = list(csv.DictReader(file))
    for number, model in enumerate(content["models"]):
        assert model["model"] == names[number] == lines[number]["model"]
        curves, mean = model["curves"], model["scores"]["mean"]
        assert curves["mean"][-1] == mean
        assert np.mean([curves[j] for j in LSP_14.joints], axis=0) == pytest.approx(curves["mean"])
        assert printed.split()[3 + number] == f"{mean:.3f}"
        assert float(lines[number]["mean"]) == pytest.approx(mean, abs=1e-4)
        area = np.trapezoid(curves["mean"], THRESHOLDS) / 0.5
        assert float(lines[number]["auc"]) == pytest.approx(area, abs=1e-3)
    pictures = sorted((tmp_path / "out").glob("*.png"))
    groups = ("ankle", "elbow", "head", "hip", "knee", "mean", "shoulder", "wrist")
    assert [path.name for path in pictures] == [f"PCKh_{group}.png" for group in groups]
    assert {read_image_size(path) for path in pictures} == {(1200, 900)}


def test_ground_truth_is_looked_for(tmp_path, monkeypatch):
    monkeypatch.delenv("MARIONETTE_DATA", raising=False)
    with pytest.raises(UserError, match=r"pytorch-pose.*--ground_truth"):
        find_mpii_ground_truth(None, tmp_path / "mpii")
    (tmp_path / "mpii_eval").mkdir()
    here = write_mpii_truth(tmp_path / "mpii_eval", mpii_people())
    monkeypatch.setenv("MARIONETTE_DATA", str(tmp_path))
    assert find_mpii_ground_truth(None, tmp_path / "mpii") == here
    assert find_mpii_ground_truth(None, tmp_path / "mpii_eval") == here
    assert find_mpii_ground_truth(Path("chosen.mat"), tmp_path) == Path("chosen.mat")


@pytest.mark.parametrize("name", ["nothere.npz", "nothere.mat"])
def test_what_the_command_names_comes_before_the_ground_truth(tmp_path, monkeypatch, name):
    monkeypatch.delenv("MARIONETTE_DATA", raising=False)
    files = (tmp_path / name,)
    with pytest.raises(UserError, match=f"there is no .*{name}"):
        score_mpii(EvalMpiiOptions(files, data_dir=tmp_path / "mpii"))
    with pytest.raises(UserError, match=f"there is no .*{name}"):
        score_lsp(EvalLspOptions(files, data_dir=tmp_path / "lsp"))


def test_poses_may_be_json(truth, tmp_path):
    path = write_pose_file(tmp_path / "p.npz", PICTURES, mpii_people())
    write_pose_json(tmp_path / "p.json", read_poses(path))
    assert mpii_scores(truth, tmp_path / "p.json")["mean"] == 100


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"other": np.zeros(3)}, "has no pos_pred_src; it holds other"),
        ({"preds": np.zeros((4, 14, 2))}, r"preds in .* is float64 \(4, 14, 2\)"),
        ({"preds": np.array([["text"]])}, "not numbers"),
        ({"preds": np.zeros((3, 16, 2))}, "has 3 people, the ground truth 4"),
        ({"pos_pred_src": np.zeros((4, 16, 2))}, r"pos_pred_src in .* not numbers \(16, 2, 2\)"),
    ],
)
def test_matlab_files_that_do_not_fit(truth, tmp_path, arrays, message):
    write_matlab(tmp_path / "wrong.mat", arrays)
    with pytest.raises(UserError, match=message):
        mpii_scores(truth, tmp_path / "wrong.mat")


@pytest.mark.parametrize(
    "name", ["absent.mat", "garbage.mat", "absent.npz", "garbage.npz", "new.mat"]
)
def test_unreadable_prediction_files(truth, tmp_path, name):
    (tmp_path / "garbage.mat").write_bytes(b"MATLAB 5.0 or so" * 40)
    (tmp_path / "garbage.npz").write_bytes(b"no zip")
    # What MATLAB writes with -v7.3: HDF5 after a block with the version in it.
    with h5py.File(tmp_path / "new.mat", "w", userblock_size=512) as content:
        content["preds"] = np.zeros((4, 16, 2))
    with (tmp_path / "new.mat").open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    with pytest.raises(UserError, match=name) as caught:
        mpii_scores(truth, tmp_path / name)
    assert "\n" not in str(caught.value)
    assert ("-v7" in str(caught.value)) == (name == "new.mat")


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (["b.jpg", "a.jpg", "b.jpg", "d.jpg"], "0 people in c.jpg, the validation list 1"),
        (["b.jpg", "a.jpg", "a.jpg", "c.jpg"], "1 people in b.jpg, the validation list 2"),
        ([*PICTURES, "d.jpg"], "1 people in d.jpg, the validation list 0"),
    ],
)
def test_pose_files_of_other_people(truth, tmp_path, sources, message):
    path = write_pose_file(tmp_path / "p.npz", sources, np.zeros((len(sources), 16, 2)))
    with pytest.raises(UserError, match=message):
        mpii_scores(truth, path)


def test_ground_truth_that_does_not_fit(tmp_path):
    path = write_mpii_truth(tmp_path, mpii_people())
    whole = read_matlab(path)
    write_matlab(path, {k: v for k, v in whole.items() if k != "jnt_missing"})
    with pytest.raises(UserError, match="has no jnt_missing"):
        read_mpii_ground_truth(path)
    write_matlab(path, {**whole, "headboxes_src": np.zeros((2, 2, 4))})
    with pytest.raises(UserError, match="person 1 has no head box"):
        read_mpii_ground_truth(path)
    write_matlab(path, whole)
    with h5py.File(tmp_path / "valid.h5", "w") as content:
        content["imgname"] = np.array([b"a.jpg"])
    with pytest.raises(UserError, match=r"valid.h5 lists 1 people"):
        read_mpii_ground_truth(path)
    (tmp_path / "valid.h5").write_bytes(b"no hdf5")
    with pytest.raises(UserError, match=r"cannot read imgname from .*valid.h5"):
        read_mpii_ground_truth(path)


def write_lsp_truth(folder: Path, count: int = 1500) -> np.ndarray:
    """joints.mat as published, of people 100 px from shoulder to hip; returns (N, 14, 2) px."""
    joints = np.random.default_rng(2).integers(10, 140, (count, 14, 2)).astype(float)
    joints[:, LSP_14.index("right_hip")] = joints[:, LSP_14.index("left_shoulder")] + [60, 80]
    published = np.zeros((3, 14, count))
    published[:2] = joints.transpose(2, 1, 0) + 1
    published[2] = 1  # hidden, which makes no difference
    write_matlab(folder / "joints.mat", {"joints": published})
    return joints


def lsp_scores(folder: Path, predictions: Path, split: Split = "test") -> dict[str, float]:
    return score_lsp(EvalLspOptions((predictions,), data_dir=folder, split=split))[0].at(PCK)


def as_mpii(joints: np.ndarray) -> np.ndarray:
    poses = np.full((len(joints), 16, 2), np.nan)
    poses[:, MPII_16.indices(*LSP_14.joints)] = joints
    return poses


@pytest.mark.parametrize(("shift", "expected"), [(0, 100), (19.9, 100), (20.1, 0)])
@pytest.mark.parametrize(("split", "first", "last"), [("val", 901, 1000), ("test", 1001, 1500)])
def test_lsp_shift_by_a_part_of_the_torso(tmp_path, shift, expected, split, first, last):
    joints = as_mpii(write_lsp_truth(tmp_path)) + np.array([0, shift])
    numbers = np.random.default_rng(0).permutation(1500) + 1
    sources = [f"images/im{number:04d}.jpg" for number in numbers]
    # Outside the split everything is wrong, and must not matter.
    inside = (numbers >= first) & (numbers <= last)
    poses = np.where(inside[:, None, None], joints[numbers - 1], -1000)
    path = write_pose_file(tmp_path / "poses.npz", sources, poses)
    assert lsp_scores(tmp_path, path, split)["mean"] == expected


def test_lsp_pictures_without_prediction_are_wrong_and_told(tmp_path, capsys):
    joints = as_mpii(write_lsp_truth(tmp_path))[1000:]
    joints[:100] = np.nan
    sources = [f"im{number:04d}.jpg" for number in range(1001, 1401)]
    path = write_pose_file(tmp_path / "poses.npz", sources, joints[:400])
    scores = lsp_scores(tmp_path, path)
    assert scores["mean"] == scores["mean_by_count"] == scores["head"] == pytest.approx(60)
    assert "100 of 500 pictures are not in it" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (["im0001.jpg", "x.jpg"], "none of the pictures im1001.jpg to im1500.jpg"),
        (["a/im1001.jpg", "b/im1001.jpg"], r"2 people in im1001.jpg; LSP scores one"),
    ],
)
def test_lsp_pose_files_that_do_not_fit(tmp_path, sources, message):
    write_lsp_truth(tmp_path)
    path = write_pose_file(tmp_path / "poses.npz", sources, np.zeros((2, 16, 2)))
    with pytest.raises(UserError, match=message):
        lsp_scores(tmp_path, path)


def test_lsp_ground_truth_that_does_not_fit(tmp_path):
    with pytest.raises(UserError, match=r"Leeds Sports Pose is not in .*joints.mat"):
        read_lsp_ground_truth(tmp_path, "test")
    write_lsp_truth(tmp_path, 950)
    with pytest.raises(UserError, match="has 950 pictures; val needs 1000"):
        read_lsp_ground_truth(tmp_path, "val")
    write_matlab(tmp_path / "joints.mat", {"joints": np.zeros((14, 3, 10))})
    with pytest.raises(UserError, match=r"\(14, 3, 10\), not numbers \(3, 14, N\)"):
        read_lsp_ground_truth(tmp_path, "test")


def test_real_lsp_annotations_score_100(real_data, tmp_path):
    truth = read_lsp_ground_truth(real_data / "lsp", "test")
    path = write_pose_file(tmp_path / "p.npz", truth.pictures, truth.joints, "lsp_14")
    options = EvalLspOptions((path,), output_dir=tmp_path / "out", data_dir=real_data / "lsp")
    evaluate_lsp_pck(options)
    assert set(results(tmp_path / "out")["models"][0]["scores"].values()) == {100.0}
    assert len(list((tmp_path / "out").glob("PCK_*.png"))) == 8
