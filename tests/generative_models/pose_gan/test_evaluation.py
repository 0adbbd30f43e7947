"""`eval.py 3d_pose_gan`: who wins, the table, and its options."""

import csv
from pathlib import Path

import numpy as np
import pytest

from generative_models.pose_gan import evaluation
from generative_models.pose_gan.data import pose_pools
from generative_models.pose_gan.evaluation import MEASURES, evaluate
from generative_models.pose_gan.evaluation_options import EvalPoseGanOptions
from generative_models.pose_gan.gaussian import GaussianModel
from generative_models.pose_gan.predictor import Sampler
from tests.generative_models.pose_gan.small_poses import write_small_store
from utils.command_line import Options, parse_options
from utils.errors import UserError
from utils.option_checks import named_models

COUNT = 120


class Repeating:
    """A "model" that says again what it was told, a little off."""

    def __init__(self, poses: np.ndarray, noise: float) -> None:
        self.poses, self.noise = poses, noise

    def sample(self, count: int, seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        poses = self.poses[rng.integers(len(self.poses), size=count)]
        return (poses + rng.normal(0, self.noise, poses.shape)).astype(np.float32)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, dict[str, float]]]:
    """Two models: one that knows the held-out poses, and one that is far off."""
    folder = tmp_path_factory.mktemp("evaluation")
    options = EvalPoseGanOptions(
        models=("good=a", "bad=b"),
        dataset="mocap",
        data_dir=str(write_small_store(folder)),
        count=COUNT,
        output_dir=folder / "out",
    )
    (held_out,) = pose_pools(options.data, ("test",), 0)
    poses = held_out.even_poses(COUNT)
    models: dict[str, Sampler] = {"a": Repeating(poses, 0.0), "b": Repeating(poses, 200.0)}
    return folder / "out", evaluate(options, lambda name: models[name], lambda name: [])


def test_people_who_trained_a_model_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data_dir = str(write_small_store(tmp_path))
    options = EvalPoseGanOptions(("mine=a",), "mocap", data_dir, count=COUNT, output_dir=tmp_path)
    (held_out,) = pose_pools(options.data, ("test",), 0)
    model = Repeating(held_out.even_poses(8), 0.0)
    evaluate(options, lambda _: model, lambda _: held_out.subjects[:1])
    assert f"note: {held_out.subjects[0]} trained mine, whose" in capsys.readouterr().err


def test_all_stand_side_by_side(found: tuple[Path, dict[str, dict[str, float]]]) -> None:
    folder, scores = found
    assert list(scores) == ["real", "good", "bad", "Gaussian"]
    assert all(set(values) == set(MEASURES) for values in scores.values())
    with (folder / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 * len(MEASURES)
    assert {row["unit"] for row in rows} == {"m2", "1e-3", "%", "mm", ""}
    for row in rows:
        expected = scores[row["model"]][row["measure"]]
        assert float(row["value"]) == pytest.approx(expected, rel=1e-5)


def test_the_better_model_scores_better(found: tuple[Path, dict[str, dict[str, float]]]) -> None:
    _, scores = found
    good, bad = scores["good"], scores["bad"]
    for measure, unit in MEASURES.items():
        if unit.endswith("low"):
            assert good[measure] < bad[measure], measure
        if unit.endswith("high"):
            assert good[measure] > bad[measure] or measure == "recall", measure
    assert good["both"] > 60 and bad["both"] < 1
    assert good["left unlike right"] < 5 < bad["left unlike right"]
    assert good["nearest training pose, median"] < bad["nearest training pose, median"]


def test_copies_of_training_poses_are_found_out(tmp_path: Path) -> None:
    options = EvalPoseGanOptions(data_dir=str(write_small_store(tmp_path)), count=COUNT)
    train, held_out = (
        pool.even_poses(COUNT) for pool in pose_pools(options.data, ("train", "test"), 0)
    )
    yardstick = evaluation.Yardstick.of(train, held_out, train)
    copied = evaluation.of_single_poses(Repeating(train, 0).sample(COUNT, 0), yardstick)
    new = evaluation.of_single_poses(held_out, yardstick)
    assert copied["nearest training pose, median"] == pytest.approx(0, abs=1e-3)
    assert new["nearest training pose, median"] > 10
    gaussian = GaussianModel.fit(train).sample(COUNT, 0)
    assert evaluation.of_single_poses(gaussian, yardstick)["left unlike right"] > 1


def test_distances_are_mm_per_joint(tmp_path: Path) -> None:
    """Every joint but the hip moved by 30 mm."""
    options = EvalPoseGanOptions(data_dir=str(write_small_store(tmp_path)), count=COUNT)
    train = pose_pools(options.data, ("train",), 0)[0].even_poses(COUNT)[:1]
    moved = np.repeat(train, 2, axis=0)
    moved[:, 1:, 1] += 30
    yardstick = evaluation.Yardstick.of(train, train, train)
    scores = evaluation.of_single_poses(moved, yardstick)
    assert scores["nearest training pose, median"] == pytest.approx(30, rel=1e-4)


def test_names_of_models() -> None:
    assert named_models(("a=x/y", "runs/b")) == {"a": "x/y", "b": "runs/b"}
    for words, message in (
        (("=x",), "name=path"),
        (("a=",), "name=path"),
        (("a=x", "y/a"), "given twice"),
    ):
        with pytest.raises(UserError, match=message):
            named_models(words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--count", "99"], "--count must be at least 100"),
        (["--seed", "-1"], "--seed must not be negative"),
        (["--models", "real=x"], "choose other names"),
    ],
)
def test_values_that_make_no_sense_are_refused(words: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse_options(Options("Score.", EvalPoseGanOptions), words, "eval.py")


def test_held_out_people_are_those_of_the_split() -> None:
    assert EvalPoseGanOptions().data.test_subjects == ("cmu/07", "hdm05/mm", "uiprmd/s08")
    validation = EvalPoseGanOptions(split="val", held_out_subjects=("cmu/01",)).data
    assert validation.val_subjects == ("cmu/01",)
