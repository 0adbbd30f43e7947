"""The scoring commands: figures made by hand, groups, files of the wrong kind."""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.twod_threed.scored_pairs import as_poses, hip_relative, make_pairs, write_predictions
from twod_threed.evaluation import (
    evaluate_h36m_mpjpe,
    evaluate_mocap_mpjpe,
    score_h36m,
    score_mocap,
)
from twod_threed.evaluation_options import EvalH36mOptions, EvalMocapOptions
from twod_threed.evaluation_report import UNITS, Grouping
from twod_threed.matching import matching_rows
from twod_threed.pairs import PosePairs, write_pairs
from utils.errors import UserError
from utils.images import read_image
from utils.pose_file import Poses, concatenate, write_poses
from utils.skeletons import H36M_17

MOCAP = [
    ("cmu/07", "walk", "cmu", 6),
    ("hdm05/mm", "kick", "hdm05", 3),
    ("cmu/07", "kick", "cmu", 2),
]
H36M = [
    ("S9", "Walking", "h36m", 4),
    ("S11", "Walking", "h36m", 4),
    ("S9", "Sitting", "h36m", 6),
    ("S11", "Sitting", "h36m", 2),
]
SHIFT = np.array([0.0, 30, 40])


def shifted(pairs: PosePairs, lengths: dict[int, float]) -> np.ndarray:
    """True poses with all joints but the hip moved by so many mm, by clip."""
    poses = hip_relative(pairs)
    for clip, length in lengths.items():
        poses[pairs.clip == clip, 1:] += SHIFT / 50 * length
    return poses


@pytest.fixture
def mocap(tmp_path: Path) -> PosePairs:
    pairs = make_pairs(MOCAP)
    write_pairs(tmp_path / "pairs.npz", pairs)
    return pairs


def mocap_options(folder: Path, *files: str, **others: Any) -> EvalMocapOptions:
    paths = tuple(folder / name for name in files)
    return EvalMocapOptions(paths, folder / "pairs.npz", output_dir=folder / "out", **others)


def h36m_scores(folder: Path, pairs: PosePairs, poses: np.ndarray, **options: Any):
    write_pairs(folder / "h36m.npz", pairs)
    path = write_predictions(folder / "p.npz", pairs, poses)
    actions = ("Walking", "Sitting")
    chosen: dict[str, Any] = {"ground_truth": folder / "h36m.npz", "actions": actions} | options
    return score_h36m(EvalH36mOptions((path,), **chosen))[0]


def rows_of_csv(path: Path) -> dict[tuple[str, ...], float]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    keys = ("model", "of", "name", "measure")
    assert all(row["unit"] == UNITS[row["measure"]] for row in rows)
    return {tuple(row[k] for k in keys): float(row["value"] or "nan") for row in rows}


def test_sets_weigh_the_same_and_poses_within_them(mocap, tmp_path):
    poses = shifted(mocap, {0: 17, 1: 340, 2: 34})  # cmu: 6 and 2 poses, hdm05: 3
    write_predictions(tmp_path / "p.npz", mocap, poses)
    (scores,) = score_mocap(mocap_options(tmp_path, "p.npz"))
    assert scores.main.grouping.names == ("cmu", "hdm05")
    assert scores.main.counts.tolist() == [8, 3]
    cmu, hdm05 = (6 * 16 + 2 * 32) / 8, 320  # sixteen joints of seventeen are off
    np.testing.assert_allclose(scores.main.values["MPJPE"], [cmu, hdm05], rtol=1e-5)
    assert scores.main.mean("MPJPE") == pytest.approx((cmu + hdm05) / 2, rel=1e-5)
    joints = scores.main.joint_means("MPJPE")
    assert joints[0] == 0
    np.testing.assert_allclose(joints[1:], (cmu + hdm05) / 2 * 17 / 16, rtol=1e-5)
    np.testing.assert_allclose(scores.main.values["PCK3D@150"], [100, 100 / 17], rtol=1e-5)
    by_action = scores.groups[1]
    assert by_action.grouping.names == ("kick", "walk")
    np.testing.assert_allclose(by_action.values["MPJPE"], [(3 * 320 + 2 * 32) / 5, 16], rtol=1e-5)


def test_perfect_poses_have_no_error_but_never_all_the_area(mocap, tmp_path):
    write_predictions(tmp_path / "p.npz", mocap, hip_relative(mocap))
    (scores,) = score_mocap(mocap_options(tmp_path, "p.npz"))
    for measure in ("MPJPE", "P-MPJPE", "N-MPJPE", "MPJVE"):
        assert scores.main.mean(measure) == pytest.approx(0, abs=1e-3)
    assert (scores.main.mean("PCK3D@150"), scores.main.mean("missing")) == (100, 0)
    assert scores.main.mean("AUC") == pytest.approx(100 * 30 / 31)
    assert scores.main.curve.tolist() == [0, *[100] * 30]


def test_scale_turn_and_drift_are_told_apart(mocap, tmp_path):
    true = hip_relative(mocap)
    write_predictions(tmp_path / "bigger.npz", mocap, 1.2 * true)
    write_predictions(tmp_path / "turned.npz", mocap, true[..., [2, 1, 0]] * [-1, 1, 1])
    drift = mocap.frame[:, None, None] * SHIFT / 50 * (np.arange(17) > 0)[:, None]
    write_predictions(tmp_path / "drift.npz", mocap, true + drift)
    files = ("bigger.npz", "turned.npz", "drift.npz")
    bigger, turned, drifting = (m.main for m in score_mocap(mocap_options(tmp_path, *files)))
    assert bigger.mean("MPJPE") > 50 and bigger.mean("N-MPJPE") < 1e-3
    assert turned.mean("N-MPJPE") > 50 and turned.mean("P-MPJPE") < 1e-3
    assert drifting.mean("MPJVE") == pytest.approx(16 / 17, abs=1e-3)


def test_invalid_joints_never_count(tmp_path):
    pairs = make_pairs(MOCAP)
    head = H36M_17.index("head")
    pairs.valid[pairs.clip == 1, head] = False
    write_pairs(tmp_path / "pairs.npz", pairs)
    poses = hip_relative(pairs)
    poses[:, head] += 500
    poses[pairs.clip == 1, head] = np.nan
    write_predictions(tmp_path / "p.npz", pairs, poses)
    (scores,) = score_mocap(mocap_options(tmp_path, "p.npz"))
    np.testing.assert_allclose(scores.main.values["MPJPE"], [500 * 3**0.5 / 17, 0], atol=1e-2)
    assert scores.main.values["missing"].tolist() == [0, 0]
    assert np.isnan(scores.main.joints["MPJPE"][1, head])
    assert scores.main.joint_means("MPJPE")[head] == pytest.approx(500 * 3**0.5, rel=1e-4)


def test_lost_poses_count_as_poses_at_the_hip(mocap, tmp_path):
    true = hip_relative(mocap)
    lost, zero = true.copy(), true.copy()
    lost[mocap.clip == 1], zero[mocap.clip == 1] = np.nan, 0
    write_predictions(tmp_path / "lost.npz", mocap, lost)
    write_predictions(tmp_path / "zero.npz", mocap, zero)
    lost_scores, zero_scores = score_mocap(mocap_options(tmp_path, "lost.npz", "zero.npz"))
    for measure in ("MPJPE", "P-MPJPE", "N-MPJPE", "MPJVE"):
        expected = zero_scores.main.values[measure]
        np.testing.assert_allclose(lost_scores.main.values[measure], expected)
    length = np.linalg.norm(true[mocap.clip == 1], axis=-1).mean()
    assert lost_scores.main.values["MPJPE"][1] == pytest.approx(length, rel=1e-5)
    assert lost_scores.main.values["PCK3D@150"].tolist() == [100, 0]
    assert lost_scores.main.values["missing"].tolist() == [0, 100]


def test_a_hip_that_is_not_at_zero_is_taken_off(mocap, tmp_path):
    write_predictions(tmp_path / "p.npz", mocap, hip_relative(mocap) + 300 * SHIFT)
    (scores,) = score_mocap(mocap_options(tmp_path, "p.npz"))
    assert scores.main.mean("MPJPE") == pytest.approx(0, abs=1e-3)


def test_rows_are_matched_by_source_and_frame(mocap, tmp_path, capsys):
    poses = as_poses(mocap, shifted(mocap, {0: 17, 1: 340, 2: 34}))
    order = np.random.default_rng(0).permutation(len(mocap))
    write_poses(tmp_path / "p.npz", poses)
    more = replace(poses.select([0, 1]), source=np.array(["other/cam"] * 2))
    write_poses(tmp_path / "q.npz", concatenate([poses.select(order), more]))
    a, b = score_mocap(mocap_options(tmp_path, "p.npz", "q.npz"))
    for measure in UNITS:
        np.testing.assert_array_equal(a.main.values[measure], b.main.values[measure])
    assert capsys.readouterr().out == f"{tmp_path / 'q.npz'}: 2 of its 13 poses are not scored\n"
    np.testing.assert_array_equal(
        matching_rows(poses.select(order), mocap, Path()), np.argsort(order)
    )


def test_fourteen_joints_leave_out_hip_spine_and_nose(tmp_path):
    pairs = make_pairs(H36M)
    poses = hip_relative(pairs)
    poses[:, H36M_17.indices("spine", "neck_nose")] += 1000
    poses[:, H36M_17.indices("left_wrist")] += SHIFT
    scores = h36m_scores(tmp_path, pairs, poses, joints=14)
    assert len(scores.joints) == 14 and {"hip", "spine", "neck_nose"}.isdisjoint(scores.joints)
    assert scores.main.mean("MPJPE") == pytest.approx(50 / 14, rel=1e-4)
    # Had the spine entered the alignment, everything would have been turned far away.
    assert 1 < scores.main.mean("P-MPJPE") < 10


def test_human36m_is_the_mean_over_actions(tmp_path):
    pairs = make_pairs(H36M)
    scores = h36m_scores(tmp_path, pairs, shifted(pairs, {0: 17, 1: 34, 2: 68, 3: 17}))
    assert scores.main.grouping.names == ("Walking", "Sitting")
    np.testing.assert_allclose(scores.main.values["MPJPE"], [24, 52], rtol=1e-5)
    assert scores.main.mean("MPJPE") == pytest.approx(38, rel=1e-5)


def test_subjects_actions_and_frames_can_be_chosen(tmp_path):
    pairs = make_pairs(H36M)
    poses = shifted(pairs, {0: 17, 1: 34, 2: 68, 3: 17})
    only = h36m_scores(tmp_path, pairs, poses, subjects=("S9",), every=2)
    assert only.main.counts.tolist() == [2, 3]
    np.testing.assert_allclose(only.main.values["MPJPE"], [16, 64], rtol=1e-5)
    assert np.isnan(only.main.mean("MPJVE"))  # no two frames in a row
    one = h36m_scores(tmp_path, pairs, poses, actions=("Walking",))
    assert one.main.mean("MPJPE") == pytest.approx(24, rel=1e-5)


def test_mocap_subjects_can_be_chosen(mocap, tmp_path):
    write_predictions(tmp_path / "p.npz", mocap, shifted(mocap, {1: 17}))
    (scores,) = score_mocap(mocap_options(tmp_path, "p.npz", subjects=("hdm05/mm",)))
    assert scores.main.mean("MPJPE") == pytest.approx(16, rel=1e-5)
    with pytest.raises(UserError, match=r"no subject cmu/7, only cmu/07, hdm05/mm"):
        score_mocap(mocap_options(tmp_path, "p.npz", subjects=("cmu/7",)))


def test_report_says_the_same_on_screen_and_in_the_file(mocap, tmp_path, capsys):
    write_predictions(tmp_path / "p.npz", mocap, shifted(mocap, {0: 17, 1: 340, 2: 34}))
    write_predictions(tmp_path / "q.npz", mocap, hip_relative(mocap))
    evaluate_mocap_mpjpe(mocap_options(tmp_path, "p.npz", "q.npz", model_names=("ours", "best")))
    text = capsys.readouterr().out
    assert text.startswith("11 poses, 17 joints, mean over 2 sources\n")
    lines = [line.split() for line in text.splitlines()]
    assert ["cmu", "8", "20.00", "0.00"] in lines and ["mean", "11", "170.00", "0.00"] in lines
    (knee,) = [line for line in lines if line[:2] == ["left", "knee"] and float(line[2]) > 100]
    assert float(knee[2]) == pytest.approx(180.625, abs=0.01)
    found = rows_of_csv(tmp_path / "out" / "results.csv")
    assert found["ours", "mean", "", "MPJPE"] == pytest.approx(170, abs=1e-2)
    assert found["ours", "source", "cmu", "MPJPE"] == pytest.approx(20, abs=1e-2)
    assert found["ours", "action", "walk", "MPJPE"] == pytest.approx(16, abs=1e-2)
    assert found["ours", "joint", "left_knee", "MPJPE"] == pytest.approx(180.62, abs=1e-2)
    assert found["best", "mean", "", "AUC"] == pytest.approx(3000 / 31, abs=1e-2)
    assert len(found) == 2 * len(UNITS) * (1 + 2 + 2 + 17)
    for name in ("MPJPE_by_source.png", "MPJPE_by_joint.png", "PCK3D.png"):
        assert read_image(tmp_path / "out" / name).shape[1] == 1200


def test_human36m_report(tmp_path, capsys):
    pairs = make_pairs(H36M)
    write_pairs(tmp_path / "h36m.npz", pairs)
    path = write_predictions(tmp_path / "p.npz", pairs, shifted(pairs, {0: 17, 1: 34}))
    options = EvalH36mOptions(
        (path,), (), tmp_path / "out", tmp_path / "h36m.npz", actions=("Walking", "Sitting")
    )
    evaluate_h36m_mpjpe(options)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["Walking", "8", "24.00"] in lines and ["mean", "16", "12.00"] in lines
    assert (tmp_path / "out" / "MPJPE_by_action.png").is_file()


def without_3d(poses: Poses) -> Poses:
    return replace(poses, keypoints_3d=None, skeleton_3d=None)


def of_other_skeleton(poses: Poses) -> Poses:
    return replace(poses, keypoints_3d=np.zeros((len(poses), 16, 3)), skeleton_3d="mpii_16")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p: p.select(slice(2, None)), r"lacks 2 of the 11 poses .* first frame 0 of cmu/07"),
        (lambda p: p.select([0, 3, 3]), r"several poses for frame 3 of cmu/07/walk/0/cam"),
        (without_3d, "has no 3D poses; h36m_17 is needed"),
        (of_other_skeleton, "has mpii_16 poses; h36m_17 is needed"),
    ],
)
def test_files_that_do_not_fit_are_refused(mocap, tmp_path, spoil, message):
    write_poses(tmp_path / "bad.npz", spoil(as_poses(mocap, hip_relative(mocap))))
    with pytest.raises(UserError, match=message) as caught:
        score_mocap(mocap_options(tmp_path, "bad.npz"))
    assert str(caught.value).startswith(str(tmp_path / "bad.npz"))
    assert "\n" not in str(caught.value)


def test_ground_truth_without_hips_or_rows_is_refused(tmp_path):
    pairs = make_pairs(MOCAP)
    (tmp_path / "p.npz").touch()
    pairs.valid[2], pairs.poses_3d[2, H36M_17.index("hip")] = False, np.nan
    write_pairs(tmp_path / "pairs.npz", pairs)
    with pytest.raises(UserError, match=r"pairs.npz: 1 poses have no hip"):
        score_mocap(mocap_options(tmp_path, "p.npz"))
    write_pairs(tmp_path / "pairs.npz", pairs.select([]))
    with pytest.raises(UserError, match=r"pairs.npz has no poses to score"):
        score_mocap(mocap_options(tmp_path, "p.npz"))


def test_groups_keep_the_order_asked_for():
    labels = np.array(["b", "d", "a", "b", "c"])
    grouping = Grouping.of("letter", labels, order=("d", "z", "b"))
    assert grouping.names == ("d", "b", "a", "c")
    assert [grouping.names[code] for code in grouping.codes] == labels.tolist()


def test_a_file_of_other_people_and_few_actions_is_scored_as_it_is(tmp_path):
    """As `run.py 2d3d_h36m --split val --action Walking` writes it, with a detector's joints."""
    whole = make_pairs(H36M)
    pairs = whole.select(whole.actions == "Walking")
    pairs = replace(pairs, keypoints="cpn", clip_subjects=np.full(len(pairs.clip_subjects), "S8"))
    poses = hip_relative(pairs) * 1.1
    scores = h36m_scores(tmp_path, pairs, poses, actions=())
    assert scores.main.grouping.names == ("Walking",) and scores.main.mean("N-MPJPE") < 1e-3
    assert scores.main.mean("MPJPE") == pytest.approx(scores.main.values["MPJPE"][0])
    with pytest.raises(UserError, match="no subject S9, only S8"):
        h36m_scores(tmp_path, pairs, poses, subjects=("S9",))
    with pytest.raises(UserError, match="no action Sitting, only Walking"):
        h36m_scores(tmp_path, pairs, poses)
