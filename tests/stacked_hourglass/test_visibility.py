"""Whether joints are seen: the head, its loss, its scores, and the way to the pose file."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stacked_hourglass.architecture import Architecture
from stacked_hourglass.losses import visibility_loss
from stacked_hourglass.masking import hide
from stacked_hourglass.model import StackedHourglass, VisibilityHead
from stacked_hourglass.options import (
    DataOptions,
    HeatmapOptions,
    HourglassTrainOptions,
    NetworkOptions,
)
from stacked_hourglass.predictor import Predictor
from stacked_hourglass.training import train
from stacked_hourglass.visibility import average_precision, score_visibility, visibility_table
from utils.errors import UserError
from utils.options import LoopOptions, OptimizerOptions, RunOptions
from utils.pose_file import read_poses
from utils.weights import load_weights


@pytest.fixture(autouse=True)
def few_validation_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stacked_hourglass.training_data.MANNEQUIN_VALIDATION", 8)


def test_the_answer_is_that_of_the_place_where_the_joint_is() -> None:
    head = VisibilityHead(8, 2)
    features, score = torch.randn(1, 8, 4, 4), torch.full((1, 2, 4, 4), -100.0)
    score[0, 0, 1, 2] = score[0, 1, 3, 0] = 100.0
    answers = head.answer(torch.relu(head.hidden(features)))
    expected = torch.stack([answers[0, 0, 1, 2], answers[0, 1, 3, 0]])
    torch.testing.assert_close(head(features, score)[0], expected)


def test_heatmaps_learn_nothing_from_the_answer() -> None:
    model = StackedHourglass(Architecture(2, 16, visibility=True))
    _, logits = model(torch.randn(2, 3, 64, 64), visibility=True)
    assert logits is not None and logits.shape == (2, 16)
    logits.sum().backward()
    gradients = {name: p.grad for name, p in model.named_parameters()}
    assert gradients["stacks.1.score.weight"] is None
    assert gradients["stem.conv.weight"] is not None


def test_scores_are_the_same_with_and_without_the_question() -> None:
    model = StackedHourglass(Architecture(2, 16, visibility=True)).eval()
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(model(images), model(images, visibility=True)[0])
    plain = StackedHourglass(Architecture(2, 16))
    assert plain(images, visibility=True)[1] is None


def test_unknown_joints_do_not_enter_the_loss() -> None:
    logits = torch.tensor([[2.0, -1.0, 5.0]], requires_grad=True)
    total, count = visibility_loss(logits, torch.tensor([[1.0, 0.0, torch.nan]]))
    expected = np.log1p(np.exp(-2.0)) + np.log1p(np.exp(-1.0))
    assert int(count) == 2 and total.item() == pytest.approx(expected, rel=1e-6)
    total.backward()
    assert logits.grad is not None and logits.grad[0, 2] == 0


def test_joints_under_a_bar_are_hidden() -> None:
    covered = torch.zeros(2, 10, 10, dtype=torch.bool)
    covered[0, :, 4:6] = True
    points = torch.tensor([[[4.2, 9.0], [3.0, 9.0], [5.0, 0.0]]]).repeat(2, 1, 1)
    seen = torch.tensor([[1.0, 1.0, torch.nan]]).repeat(2, 1)
    found = hide(seen, points, covered)
    assert found[0, :2].tolist() == [0, 1] and found[0, 2].isnan()
    torch.testing.assert_close(found[1], seen[1], equal_nan=True)


@pytest.mark.parametrize(
    ("score", "positive", "expected"),
    [
        ([3, 2, 1], [1, 1, 0], 1.0),
        ([3, 2, 1], [0, 0, 1], 1 / 3),
        ([4, 3, 2, 1], [1, 0, 1, 0], (1 + 2 / 3) / 2),
        ([1, 1, 1, 1], [1, 0, 0, 0], 0.25),  # says nothing: the share of positives
    ],
)
def test_average_precision_by_hand(score: list, positive: list, expected: float) -> None:
    found = average_precision(np.array(score, float), np.array(positive, bool))
    assert found == pytest.approx(expected)


def test_scores_by_joint() -> None:
    seen = np.array([[1, 0, np.nan], [1, 1, np.nan], [0, 1, np.nan], [1, np.nan, np.nan]])
    says = np.array([[0.9, 0.2, 0.5], [0.4, 0.6, 0.5], [0.3, 0.7, 0.5], [0.8, 0.1, 0.5]])
    scores = score_visibility(says, seen)
    assert scores.known.tolist() == [4, 3, 0]
    np.testing.assert_allclose(scores.hidden, [25, 100 / 3, np.nan])
    np.testing.assert_allclose(scores.accuracy, [75, 100, np.nan])
    np.testing.assert_allclose(scores.average_precision, [100, 100, np.nan])
    lines = visibility_table(scores, ("nose", "left_eye", "tail")).splitlines()
    assert lines[1].split() == ["nose", "4", "25.0", "75.0", "100.0"]
    assert lines[3].split() == ["tail", "0", "-", "-", "-"]
    assert lines[-1].split()[3:] == ["7", "29.2", "87.5", "100.0"]


def options(folder: Path, **heatmaps: Any) -> HourglassTrainOptions:
    return HourglassTrainOptions(
        run=RunOptions(checkpoint_dir=str(folder / "runs"), tb_dir=str(folder / "tb")),
        loop=LoopOptions(
            epochs=1, train_batch_size=4, test_batch_size=8, workers=0, accelerator="cpu"
        ),
        optim=OptimizerOptions(optimizer="adam", lr=1e-3),
        network=NetworkOptions(stacks=1, features=16, resolution=64, predict_joint_visibility=True),
        heatmaps=HeatmapOptions(**heatmaps),
        data=DataOptions(dataset="mannequin", mannequin_count=16),
    )


def test_the_head_is_trained_saved_loaded_scored_and_in_the_pose_file(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert train(options(tmp_path)) == 0
    folder = tmp_path / "runs" / "hourglass_mannequin_default"
    assert "hidden or seen, per cent" in capsys.readouterr().out
    header = (folder / "history.csv").read_text().splitlines()[0]
    assert {"train_visibility", "validation_visibility_wrong"} <= set(header.split(","))
    visibility = read_poses(folder / "predictions.npz").visibility
    assert visibility is not None and visibility.shape == (8, 16)
    assert ((visibility > 0) & (visibility < 1)).all()
    fresh = StackedHourglass(Architecture(1, 16, visibility=True)).state_dict()
    trained, _ = load_weights(folder / "best.safetensors")
    assert {name for name in trained if name.startswith("visibility.")} == {
        name for name in fresh if name.startswith("visibility.")
    }
    assert not (trained["visibility.sharpness"] == 1).all()


def test_the_coefficient_changes_what_is_learnt(tmp_path: Path) -> None:
    losses = []
    for name, coefficient in (("little", 0.1), ("much", 10.0)):
        train(options(tmp_path / name, joint_visibility_loss_coeff=coefficient))
        rows = (tmp_path / name / "runs/hourglass_mannequin_default/history.csv").read_text()
        header, row = (line.split(",") for line in rows.splitlines()[:2])
        losses.append(dict(zip(header, row, strict=True)))
    little, much = ({k: float(v) for k, v in row.items()} for row in losses)
    assert much["train_loss"] > little["train_loss"] + 1
    assert much["validation_loss"] != little["validation_loss"]


def test_mirrored_pictures_exchange_the_sides_of_the_answer(tmp_path: Path) -> None:
    train(options(tmp_path))
    predictor = Predictor.load(str(tmp_path / "runs" / "hourglass_mannequin_default"), "cpu")
    crops = torch.randint(0, 256, (3, 3, 64, 64), dtype=torch.uint8)
    seen = predictor.maps_and_visibility(crops)[1]
    mirrored = predictor.maps_and_visibility(crops.flip(-1))[1]
    assert seen is not None and mirrored is not None
    torch.testing.assert_close(seen, mirrored[:, predictor.flip_order])


def test_what_cannot_be_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="needs --predict_joint_visibility"):
        HourglassTrainOptions(heatmaps=HeatmapOptions(joint_visibility_loss_coeff=0.5))
    with pytest.raises(UserError, match="--joint_visibility_loss_coeff must be above 0"):
        HeatmapOptions(joint_visibility_loss_coeff=0)
    from stacked_hourglass import training

    people = training.training_people

    def untold(*given: object) -> object:
        found = people(*given)  # pyright: ignore[reportArgumentType]
        nothing = np.full_like(found.train.visibility, np.nan)
        table = type(found.train)(**{**vars(found.train), "visibility": nothing})
        return replace(found, train=table)

    monkeypatch.setattr(training, "training_people", untold)
    with pytest.raises(UserError, match="needs data that tell which joints are hidden"):
        train(options(tmp_path))
