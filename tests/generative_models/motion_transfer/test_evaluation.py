"""Pairs whose truth is known, their scores, and the table."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from generative_models.motion_transfer import evaluation
from generative_models.motion_transfer.limbs import ROOT
from generative_models.motion_transfer.motion import Motion
from generative_models.motion_transfer.options import (
    MotionDataOptions,
    TransferEvalOptions,
    TransferWeightsOptions,
)
from generative_models.motion_transfer.retarget import retarget_bones
from tests.generative_models.motion_transfer.moving import swinging
from utils.pose_file import Poses


def motion() -> Motion:
    clips = [swinging(50, seed=n) / 1363 for n in range(3)]
    return Motion(clips, ["a/1", "a/2", "b/1"], ["a", "a", "b"])


def test_the_truth_of_a_pair_is_what_bones_of_true_lengths_give():
    """Up to perspective: the exact way has a small part of the error of doing nothing."""
    options = TransferEvalOptions(pairs=8, limb_scale=(0.7, 1.4))
    pairs = [evaluation.make_pair(motion(), options, number) for number in range(8)]
    done = evaluation.score(pairs, retarget_bones)
    nothing = evaluation.score(pairs, lambda source, _: source)
    assert done.mae < 0.25 * nothing.mae and done.mse < 0.1 * nothing.mse
    assert done.distance > 0


def test_nobody_walks_into_the_camera():
    """At 15 m/s somebody goes 60 m in a clip, from any side."""
    clip = swinging(120, seed=0) / 1363
    clip += 0.4 * torch.arange(120.0)[:, None, None] * torch.tensor([1.0, 0, 0])
    for number in range(8):
        pair = evaluation.make_pair(Motion([clip], ["a"], ["a"]), TransferEvalOptions(), number)
        for poses in (pair.source, pair.target):
            assert poses.root_camera is not None
            nearest = poses.root_camera[:, 2].min()
            assert evaluation.DISTANCES[0] <= nearest + 1 and nearest <= evaluation.DISTANCES[1] + 1


def test_perfect_joints_have_no_error_and_shifted_ones_that_of_the_shift():
    pair = evaluation.make_pair(motion(), TransferEvalOptions(), 0)
    exact = replace(pair.source, keypoints_2d=pair.truth.astype(np.float32) + 100)
    assert evaluation.score([pair], lambda *_: exact).mae < 1e-3
    moved = pair.truth.astype(np.float32) + 100
    moved[:, [j for j in range(15) if j != ROOT], 0] += 2
    one = evaluation.score([pair], lambda *_: replace(pair.source, keypoints_2d=moved))
    assert one.mae == pytest.approx(1, abs=1e-3) and one.mse == pytest.approx(2, abs=1e-3)
    assert one.distance == pytest.approx(2 * pair.millimetres, rel=1e-3)


def test_pairs_have_the_frame_rate_of_their_motion():
    options = TransferEvalOptions(data=MotionDataOptions(frame_rate=50.0))
    pair = evaluation.make_pair(motion(), options, 0)
    for poses in (pair.source, pair.target):
        np.testing.assert_allclose(np.diff(poses.time), 1 / 50)


def test_pairs_depend_on_seed_and_number_and_jitter_moves_what_is_seen():
    options = TransferEvalOptions()
    one, same = (evaluation.make_pair(motion(), options, 3) for _ in range(2))
    np.testing.assert_array_equal(one.source.keypoints_2d, same.source.keypoints_2d)
    other = evaluation.make_pair(motion(), options, 4)
    assert one.truth.shape != other.truth.shape or not np.allclose(one.truth, other.truth)
    shaken = evaluation.make_pair(motion(), replace(options, jitter=3.0), 3)
    away = shaken.source.keypoints_2d - one.source.keypoints_2d
    assert away.std() == pytest.approx(3, rel=0.15)
    np.testing.assert_array_equal(shaken.truth, one.truth)


def test_eval_compares_all_ways_in_one_table(
    tmp_path: Path,
    weights: TransferWeightsOptions,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.setattr(evaluation, "read_motion", lambda *_: [motion()])
    lifted: list[int] = []

    def lift(poses: Poses) -> Poses:
        assert poses.keypoints_3d is None
        lifted.append(len(poses))
        return poses

    options = TransferEvalOptions(
        data=MotionDataOptions(), weights=weights, pairs=2, output_dir=tmp_path
    )
    assert evaluation.evaluate(options, lift) == 0
    told = capsys.readouterr().out
    ways = ["nothing done", "scale", "bones, seen in 2D", "bones, lifted", "bones, true 3D"]
    assert [line for line in told.splitlines() if line.startswith("learned")]
    assert all(way in told for way in ways) and len(lifted) == 4
    lines = (tmp_path / "results.csv").read_text().splitlines()
    assert lines[0] == "method,mae_px,mse_px2,mean_mm" and len(lines) == 7
    assert lines[1].startswith("nothing done,")
    changes = (tmp_path / "invariance.csv").read_text().splitlines()
    assert len(changes) == 6 and "motion, on other limbs" in told
