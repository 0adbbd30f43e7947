"""`eval.py temporal_*`: figures made by hand, means over actions and data sets, whole commands."""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.twod_threed.fake_h36m import write_keypoints, write_videopose
from tests.twod_threed.fake_humaneva import write_humaneva
from tests.twod_threed.scored_pairs import hip_relative, make_pairs
from tests.twod_threed.temporal.known_networks import any_model, describe, write_networks
from twod_threed.evaluation_report import ModelScores
from twod_threed.measures import pose_measures
from twod_threed.pairs import PosePairs, write_pairs
from twod_threed.temporal import evaluation
from twod_threed.temporal.evaluation_options import TemporalEvalOptions
from twod_threed.temporal.inference_options import WeightsOptions
from twod_threed.temporal.options import TemporalDataOptions
from twod_threed.temporal.viz_options import VizOptions
from utils.errors import UserError
from utils.skeletons import HUMANEVA_15

CLIPS = [
    ("S9", "Walking", "h36m", 6),
    ("S9", "Walking", "h36m", 2),
    ("S11", "Walking", "h36m", 4),
    ("S11", "Posing", "h36m", 4),
]


def scores_of(pairs: PosePairs, predictions: np.ndarray) -> ModelScores:
    return evaluation.score_films("model", Path("model"), predictions, pairs)


def test_joints_that_are_off_by_a_known_way():
    pairs = make_pairs(CLIPS)
    moved = hip_relative(pairs)
    moved[:, 1:, 0] += 17
    main = scores_of(pairs, moved).main
    assert main.mean("MPJPE") == pytest.approx(16, abs=1e-3)
    assert main.mean("MPJVE") == pytest.approx(0, abs=1e-3)
    assert main.mean("P-MPJPE") < main.mean("MPJPE") and main.mean("missing") == 0


def test_poses_that_are_too_large_or_turned():
    pairs = make_pairs(CLIPS)
    large = scores_of(pairs, 1.25 * hip_relative(pairs)).main
    assert large.mean("N-MPJPE") == pytest.approx(0, abs=1e-3)
    assert large.mean("P-MPJPE") == pytest.approx(0, abs=1e-3)
    size = np.linalg.norm(hip_relative(pairs), axis=-1).mean(axis=1)
    walking = 0.25 * size[:12].mean()
    expected = (walking + 0.25 * size[12:].mean()) / 2
    assert large.mean("MPJPE") == pytest.approx(expected, rel=1e-4)
    cos, sin = np.cos(0.3), np.sin(0.3)
    turn = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    turned = scores_of(pairs, hip_relative(pairs) @ turn.T).main
    assert turned.mean("P-MPJPE") == pytest.approx(0, abs=1e-3)
    assert turned.mean("N-MPJPE") > 10


def test_frames_weigh_the_same_within_an_action_and_then_actions_do():
    pairs = make_pairs(CLIPS)
    offset = np.repeat([17.0, 34, 51, 170], [6, 2, 4, 4])
    moved = hip_relative(pairs)
    moved[:, 1:, 1] += offset[:, None]
    main = scores_of(pairs, moved).main
    walking = 16 * (6 * 1 + 2 * 2 + 4 * 3) / 12
    assert main.grouping.names == ("Posing", "Walking")
    np.testing.assert_allclose(main.values["MPJPE"], [160, walking], atol=1e-2)
    assert main.mean("MPJPE") == pytest.approx((160 + walking) / 2, abs=1e-2)


def test_the_error_of_the_velocity_is_of_each_film_alone():
    """An error that changes its sign from frame to frame by 17 mm: 34 mm a frame, hip excepted."""
    pairs = make_pairs(CLIPS[:2])
    sign = np.where(pairs.frame % 2, 1, -1)
    moved = hip_relative(pairs)
    moved[:, 1:, 2] += 17 * sign[:, None]
    assert scores_of(pairs, moved).main.mean("MPJVE") == pytest.approx(32, abs=1e-2)
    # From every third frame the steps are from row to row.
    kept = pairs.select(pairs.frame % 3 == 0)
    again = scores_of(kept, moved[pairs.frame % 3 == 0])
    assert again.main.mean("MPJVE") == pytest.approx(32, abs=1e-2)
    # Where frames are left out a film ends.
    split = np.array([0, 1, 2, 4, 5])
    values = pose_measures(moved, hip_relative(pairs), pairs.valid, pairs.clip, pairs.frame)
    assert np.isnan(values["MPJVE"][0]).all()
    still = hip_relative(pairs)
    still[4:, 1:, 2] += 1000
    jump = scores_of(pairs.select(split), still[split])
    assert jump.main.mean("MPJVE") == pytest.approx(0, abs=1e-3)


def test_motion_is_judged_by_data_set():
    clips = [("cmu/07", "walk", "cmu", 4), ("hdm05/mm", "kick", "hdm05", 2)]
    pairs = make_pairs(clips)
    moved = hip_relative(pairs)
    moved[:, 1:, 0] += np.repeat([17.0, 51], [4, 2])[:, None]
    found = scores_of(pairs, moved)
    assert [group.grouping.kind for group in found.groups] == ["source", "action"]
    assert found.main.mean("MPJPE") == pytest.approx(32, abs=1e-2)
    # A table by action is for several of them.
    (alone,) = scores_of(pairs.select(slice(0, 4)), moved[:4]).groups
    assert alone.grouping.kind == "source"


def test_joints_that_do_not_count_and_frames_that_were_lost():
    pairs = make_pairs(CLIPS)
    moved = hip_relative(pairs)
    moved[:, 5] += 1e5
    valid = pairs.valid.copy()
    valid[:, 5] = False
    kept = scores_of(replace(pairs, valid=valid), moved).main
    assert kept.mean("MPJPE") == pytest.approx(0, abs=1e-3)
    lost = hip_relative(pairs)
    lost[12:] = np.nan
    found = scores_of(pairs, lost).main
    assert found.values["missing"].tolist() == [100, 0]
    size = np.linalg.norm(hip_relative(pairs)[12:], axis=-1).mean()
    assert found.values["MPJPE"][0] == pytest.approx(size, rel=1e-4)


def test_slices_do_not_matter(monkeypatch):
    pairs, rng = make_pairs(CLIPS), np.random.default_rng(0)
    predictions = hip_relative(pairs) + rng.normal(0, 40, (len(pairs), 17, 3))
    whole = scores_of(pairs, predictions)
    monkeypatch.setattr("twod_threed.measures._SLICE", 2)
    parts = scores_of(pairs, predictions)
    for measure, values in whole.main.values.items():
        np.testing.assert_allclose(parts.main.values[measure], values, rtol=1e-9)


def test_films_are_lifted_one_by_one():
    pairs = make_pairs(CLIPS)
    model = any_model(describe("mpii_16", frame_rate=50))
    mixed = np.random.default_rng(1).permutation(len(pairs))
    found = evaluation.lift_pairs(model, pairs.select(mixed))
    lens, size = pairs.intrinsics[0], pairs.image_size[0]
    for clip in range(4):
        alone = model.lift(pairs.poses_2d[pairs.clip == clip], "mpii_16", size, lens, 50)
        rows = np.flatnonzero(pairs.clip[mixed] == clip)
        order = np.argsort(pairs.frame[mixed][rows])
        np.testing.assert_allclose(found[rows[order]], alone.poses, atol=1e-2)


def test_films_without_truth_are_refused(tmp_path):
    pairs = make_pairs(CLIPS)
    blind = replace(pairs, valid=np.zeros_like(pairs.valid))
    model = any_model(describe("mpii_16", frame_rate=50))
    with pytest.raises(UserError, match="no 3D poses"):
        evaluation.score_and_report(model, blind, "a", tmp_path)
    half = pairs.valid.copy()
    half[:5] = False
    assert len(evaluation.labelled(replace(pairs, valid=half))) == len(pairs) - 5
    hipless = pairs.poses_3d.copy()
    hipless[3, 0] = np.nan
    valid = ~np.isnan(hipless).any(axis=-1)
    with pytest.raises(UserError, match="1 poses have no hip"):
        evaluation.labelled(replace(pairs, poses_3d=hipless, valid=valid))
    other = any_model(describe("mpii_16", "humaneva_15"))
    with pytest.raises(UserError, match="gives humaneva_15 poses, these films have h36m_17"):
        evaluation.score_and_report(other, pairs, "a", tmp_path)


def rows_of(path: Path) -> dict[tuple[str, str, str], float]:
    """results.csv as (of, name, measure) -> value."""
    with path.open(encoding="utf-8") as file:
        return {
            (row["of"], row["name"], row["measure"]): float(row["value"])
            for row in csv.DictReader(file)
            if row["value"]
        }


@pytest.fixture(scope="module")
def humaneva(tmp_path_factory) -> Path:
    return write_humaneva(tmp_path_factory.mktemp("humaneva"))


def humaneva_options(tmp_path: Path, folder: Path, **changes: Any) -> TemporalEvalOptions:
    description = describe("humaneva_15", "humaneva_15", frame_rate=60)
    write_networks(tmp_path / "run/best.safetensors", description)
    data: dict[str, Any] = {"subjects_train": ("Train/S1",), "subjects_test": ("Validate/S2",)}
    data |= {key: changes.pop(key) for key in list(changes) if key in ("actions", "subjects_test")}
    weights = WeightsOptions(load="run", checkpoint_dir=str(tmp_path), accelerator="cpu")
    return TemporalEvalOptions(
        data=TemporalDataOptions(dataset="humaneva", data_dir=str(folder), keypoints="gt", **data),
        weights=weights,
        output_dir=tmp_path / "out",
        **changes,
    )


def test_the_whole_command_on_humaneva(tmp_path, humaneva, capsys):
    assert evaluation.evaluate(humaneva_options(tmp_path, humaneva)) == 0
    out = capsys.readouterr().out
    assert "57 poses, 15 joints, mean over 3 actions" in out and "MPJVE" in out
    found = rows_of(tmp_path / "out/results.csv")
    actions = [found["action", name, "MPJPE"] for name in ("Jog", "WalkTogether", "Walking")]
    assert found["mean", "", "MPJPE"] == pytest.approx(np.mean(actions), abs=1e-3)
    for joint in HUMANEVA_15.joints:
        assert ("joint", joint, "P-MPJPE") in found
    assert (tmp_path / "out/MPJPE_by_action.png").is_file()


@pytest.fixture
def reported(monkeypatch) -> dict[Path, ModelScores]:
    """Folder -> scores that are written to it, instead of files, whose plots take seconds."""
    found: dict[Path, ModelScores] = {}

    def keep(models, folder):
        (found[folder],) = models
        return []

    monkeypatch.setattr(evaluation, "write_report", keep)
    return found


def test_actions_are_chosen_by_whole_words(tmp_path, humaneva, reported, capsys):
    evaluation.evaluate(humaneva_options(tmp_path, humaneva, actions=("Walking,Jog",)))
    assert set(reported[tmp_path / "out"].main.grouping.names) == {"Walking", "Jog"}
    assert "45 poses" in capsys.readouterr().out
    with pytest.raises(UserError, match="Walk"):
        evaluation.evaluate(humaneva_options(tmp_path, humaneva, actions=("Walk",)))


def test_every_subject_by_itself(tmp_path, humaneva, reported, capsys):
    options = humaneva_options(tmp_path, humaneva, by_subject=True)
    both = replace(options.data, subjects_train=("Train/S9",))
    both = replace(both, subjects_test=("Train/S1", "Validate/S2"))
    evaluation.evaluate(replace(options, data=both))
    out = capsys.readouterr().out
    assert "Train/S1\n72 poses" in out and "Validate/S2\n57 poses" in out
    evaluation.evaluate(humaneva_options(tmp_path, humaneva))
    alone, same = reported[tmp_path / "out/Validate_S2"], reported[tmp_path / "out"]
    np.testing.assert_array_equal(alone.main.values["MPJPE"], same.main.values["MPJPE"])
    assert reported[tmp_path / "out/Train_S1"].main.counts.sum() == 72


def test_no_tta_changes_the_figures(tmp_path, humaneva, reported):
    options = humaneva_options(tmp_path, humaneva)
    evaluation.evaluate(options)
    both = reported[tmp_path / "out"].main.mean("MPJPE")
    alone = replace(options.weights, no_test_time_augmentation=True)
    evaluation.evaluate(replace(options, weights=alone))
    assert reported[tmp_path / "out"].main.mean("MPJPE") != pytest.approx(both)


def test_films_of_human36m(tmp_path, reported, capsys):
    """Detections of more joints than 3D frames, from the files of VideoPose3D."""
    takes = ("Walking", "Walking 1", "WalkDog", "WalkTogether")
    folder = write_videopose(tmp_path / "h36m", ("S9", "S11"), takes)
    rng = np.random.default_rng(0)
    points = {
        subject: {take: [rng.uniform(200, 800, (9, 17, 2)) for _ in range(4)] for take in takes}
        for subject in ("S9", "S11")
    }
    symmetry = [[4, 5, 6, 11, 12, 13], [1, 2, 3, 14, 15, 16]]
    known = {"layout_name": "h36m", "num_joints": 17, "keypoints_symmetry": symmetry}
    write_keypoints(folder, "cpn_ft_h36m_dbb", points, known)
    write_networks(tmp_path / "a.safetensors", describe(frame_rate=50))
    data = TemporalDataOptions(dataset="h36m", data_dir=str(folder), actions=("Walking",))
    weights = WeightsOptions(load=str(tmp_path / "a.safetensors"), accelerator="cpu")
    evaluation.evaluate(TemporalEvalOptions(data, weights, output_dir=tmp_path / "out"))
    assert "action Walking" in capsys.readouterr().out
    assert reported[tmp_path / "out"].main.grouping.names == ("Walking",)


def test_films_of_motion(tmp_path, reported, capsys):
    clips = [("cmu/07", "walk", "cmu", 30), ("hdm05/mm", "kick", "hdm05", 20)]
    write_pairs(tmp_path / "views.npz", make_pairs([*clips, ("cmu/01", "walk", "cmu", 9)]))
    described = describe("mpii_16", normalisation="view")
    trained = replace(described, people=("cmu/01", "hdm05/mm"))
    write_networks(tmp_path / "a.safetensors", trained)
    data = TemporalDataOptions(dataset="mocap", data_dir=str(tmp_path / "views.npz"))
    weights = WeightsOptions(load=str(tmp_path / "a.safetensors"), accelerator="cpu")
    evaluation.evaluate(TemporalEvalOptions(data, weights, output_dir=tmp_path / "out"))
    assert reported[tmp_path / "out"].main.grouping.names == ("cmu", "hdm05")
    said = capsys.readouterr()
    assert "50 poses, 17 joints, mean over 2 sources" in said.out
    assert "note: hdm05/mm trained these weights" in said.err


def test_a_negative_seed_is_named():
    with pytest.raises(UserError, match="--seed"):
        TemporalEvalOptions(seed=-1)


@pytest.mark.parametrize("given", [{"smooth": "one_euro"}, {"by_subject": True}])
def test_what_scores_alone_is_refused_with_render(given):
    viz = VizOptions(viz_output=Path("a.mp4"))
    with pytest.raises(UserError, match=f"--{next(iter(given))} does nothing with --render"):
        evaluation.evaluate(TemporalEvalOptions(render=True, viz=viz, **given))
