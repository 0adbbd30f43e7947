"""The drawing commands: what is in each panel, which rows are drawn, and misuse."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.twod_threed.scored_pairs import as_poses, hip_relative, make_pairs, write_predictions
from twod_threed import visualization
from twod_threed.description import LifterDescription
from twod_threed.model import Lifter, LifterArchitecture
from twod_threed.pairs import write_pairs
from twod_threed.predictor import Lifted, LiftingModel
from twod_threed.views import project_mpii
from twod_threed.visualization import (
    draw_2d_gt_3d_gt_3d_pred,
    draw_example,
    draw_orthog_augmentation,
    turned,
)
from twod_threed.visualization_options import ExamplesOptions, OrthogonalOptions
from utils.command_line import Options, parse_options
from utils.errors import UserError
from utils.images import read_image
from utils.pose_file import write_poses
from utils.pose_panels import GREY, draw_keypoints
from utils.skeletons import H36M_17, MPII_16

CLIPS = [("S9", "Walking", "h36m", 3), ("S9", "Sitting", "h36m", 2)]
SIZE = 300


class FakeLifter:
    """Stands in for a trained one: gives every pose the same 3D, and keeps what it was asked."""

    class description:
        statistics = None

    def __init__(self) -> None:
        self.keypoints = np.zeros((0, 16, 2))

    def lift(self, keypoints: np.ndarray, skeleton: str, intrinsics: np.ndarray) -> Lifted:
        assert skeleton == "mpii_16" and intrinsics.shape == (len(keypoints), 4)
        self.keypoints = keypoints
        poses = np.repeat(hip_relative(make_pairs(CLIPS))[:1], len(keypoints), axis=0)
        return Lifted(poses, np.zeros((len(keypoints), 3)))


@pytest.fixture
def lifter(monkeypatch) -> FakeLifter:
    fake = FakeLifter()
    monkeypatch.setattr(visualization.LiftingModel, "load", lambda *_: fake)
    return fake


@pytest.fixture
def pairs(tmp_path: Path):
    pairs = make_pairs(CLIPS)
    write_pairs(tmp_path / "pairs.npz", pairs)
    write_predictions(tmp_path / "p.npz", pairs, hip_relative(pairs))
    return pairs


def options(folder: Path, **others: Any) -> ExamplesOptions:
    chosen: dict[str, Any] = {"threed_pose_estimation": folder / "p.npz"} | others
    return ExamplesOptions(folder / "pairs.npz", folder / "out", **chosen)


def picture(folder: Path, name: str = "2d_gt_3d_gt_3d_pred") -> np.ndarray:
    return read_image(folder / "out" / f"{name}.png")


def panel(image: np.ndarray, row: int, column: int) -> np.ndarray:
    step = SIZE + 2
    return image[row * step : row * step + SIZE, column * step : column * step + SIZE]


def test_a_row_for_each_example(pairs, tmp_path, capsys):
    draw_2d_gt_3d_gt_3d_pred(options(tmp_path, index=(3, 1)))
    image = picture(tmp_path)
    assert image.shape == (2 * SIZE + 2, 4 * SIZE + 6, 3)
    assert capsys.readouterr().out.startswith("drew 2 examples: ")
    names = pairs.source_names()
    for row, source in enumerate((3, 1)):
        title = f"{names[source]}, frame {pairs.frame[source]}"
        expected = draw_keypoints(pairs.poses_2d[source], MPII_16, SIZE, title)
        np.testing.assert_array_equal(panel(image, row, 0), expected)
        # The prediction is the truth: the same below the titles, which are not.
        below = slice(SIZE // 10, None)
        true, lifted = (panel(image, row, column)[below] for column in (1, 2))
        np.testing.assert_array_equal(true, lifted)
        assert (panel(image, row, 3) == GREY).all(axis=-1).any()
    assert (panel(image, 0, 1) != panel(image, 1, 1)).any()


def test_examples_are_spread_over_the_file(pairs, tmp_path):
    draw_2d_gt_3d_gt_3d_pred(options(tmp_path, num_examples=2))
    spread = picture(tmp_path)
    draw_2d_gt_3d_gt_3d_pred(options(tmp_path, index=(0, 4)))
    np.testing.assert_array_equal(picture(tmp_path), spread)
    draw_2d_gt_3d_gt_3d_pred(options(tmp_path, num_examples=50))
    assert picture(tmp_path).shape[0] == 5 * SIZE + 4 * 2


def test_other_2d_poses_are_drawn_and_lifted(pairs, tmp_path, lifter):
    seen = replace(pairs, poses_2d=pairs.poses_2d * [1, 0.5])
    write_poses(tmp_path / "seen.npz", as_poses(seen, None))
    chosen = {"threed_pose_estimation": None, "load": "some", "index": (2,)}
    draw_2d_gt_3d_gt_3d_pred(
        options(tmp_path, twod_pose_ground_truths=tmp_path / "seen.npz", **chosen)
    )
    np.testing.assert_allclose(lifter.keypoints, seen.poses_2d[[2]])
    squeezed = panel(picture(tmp_path), 0, 0)
    draw_2d_gt_3d_gt_3d_pred(options(tmp_path, **chosen))
    np.testing.assert_allclose(lifter.keypoints, pairs.poses_2d[[2]])
    assert (panel(picture(tmp_path), 0, 0) != squeezed).any()


def test_errors_in_the_title_are_of_valid_joints(pairs, tmp_path, monkeypatch):
    titles = []
    real = visualization.draw_panel
    monkeypatch.setattr(
        visualization, "draw_panel", lambda *a, title, **b: titles.append(title) or real(*a, **b)
    )
    joints, head = hip_relative(pairs)[0], H36M_17.index("head")
    moved = joints.copy()
    moved[1:, 0] += 17
    moved[head] += 1000
    valid = np.arange(17) != head
    example = visualization.Example(
        "", pairs.poses_2d[0], MPII_16, joints, moved, valid, np.array([0, -1, 0])
    )
    assert len(draw_example(example)) == 4
    assert titles[1].startswith("prediction: 16 mm, aligned ")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"index": (5,)}, "has rows 0 to 4, not 5"),
        ({"index": (-1,)}, "has rows 0 to 4, not -1"),
        ({"load": "x"}, "give either --3d_pose_estimation or --load"),
        ({"threed_pose_estimation": None}, "give either --3d_pose_estimation or --load"),
        ({"num_examples": 0}, "--num_examples must be at least 1"),
    ],
)
def test_what_cannot_be_drawn_is_refused(pairs, tmp_path, change, message):
    with pytest.raises(UserError, match=message):
        draw_2d_gt_3d_gt_3d_pred(options(tmp_path, **change))


def test_predictions_of_other_rows_are_refused(pairs, tmp_path):
    write_poses(tmp_path / "p.npz", as_poses(pairs, hip_relative(pairs)).select([0, 1]))
    with pytest.raises(UserError, match=r"p.npz lacks 1 of the 1 poses"):
        draw_2d_gt_3d_gt_3d_pred(options(tmp_path, index=(3,)))


def test_the_seeds_spellings_are_taken():
    words = "--3d_pose_ground_truths t.npz --2d_pose_ground_truths d.npz --3d_pose_estimation p.npz"
    known = Options("Draw.", ExamplesOptions)
    chosen = parse_options(known, f"{words} --output_dir o".split(), "viz.py 2d_gt_3d_gt_3d_pred")
    assert (chosen.threed_pose_ground_truths, chosen.output_dir) == (Path("t.npz"), Path("o"))
    assert chosen.twod_pose_ground_truths == Path("d.npz")
    words = "--z_rotations_only --data_dir d --load m --index 3 --num_orientations 5"
    known = Options("Draw.", OrthogonalOptions)
    line = f"{words} --dataset_normalization --output_dir o"
    chosen = parse_options(known, line.split(), "viz.py orthog_augmentation")
    assert chosen.z_rotations_only and chosen.dataset_normalization and chosen.index == 3


@pytest.mark.parametrize("z_only", [False, True])
def test_turned_poses_are_the_pose_turned_and_seen_again(z_only):
    pair = make_pairs(CLIPS).select([1])
    batch = turned(pair, 6, z_only, seed=1)
    poses = batch["poses_3d"]
    assert poses.shape == (7, 17, 3)
    np.testing.assert_array_equal(poses[0], pair.poses_3d[0])
    np.testing.assert_allclose(batch["poses_2d"][0], pair.poses_2d[0], atol=1e-3)
    again = project_mpii(torch.from_numpy(poses), torch.from_numpy(batch["intrinsics"]))
    np.testing.assert_allclose(batch["poses_2d"], again.numpy(), atol=1e-2)
    offsets = poses - poses[:, :1]
    gram = np.einsum("bik,bjk->bij", offsets, offsets)
    np.testing.assert_allclose(gram, np.broadcast_to(gram[:1], gram.shape), rtol=1e-3, atol=50)
    heights = offsets @ np.array([0, -1, 0])
    same_height = np.abs(heights - heights[0]).max(axis=1) < 0.1
    assert same_height.tolist() == [True] + [z_only] * 6
    assert (np.ptp(offsets[:, 10], axis=0) > 10).any()  # they do turn


def test_orthogonal_augmentation_is_drawn(lifter, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        visualization, "fixed_pairs", lambda *words: asked.append(words) or make_pairs(CLIPS)
    )
    chosen = OrthogonalOptions(tmp_path / "out", data_dir="there", index=2, num_orientations=3)
    draw_orthog_augmentation(chosen)
    ((data, split, seed),) = asked
    assert (data.dataset, data.data_dir, split, seed) == ("h36m", "there", "test", 234)
    image = picture(tmp_path, "orthog_augmentation")
    assert image.shape == (4 * SIZE + 3 * 2, 4 * SIZE + 3 * 2, 3)
    np.testing.assert_allclose(lifter.keypoints[0], make_pairs(CLIPS).poses_2d[2], atol=1e-3)
    draw_orthog_augmentation(replace(chosen, z_rotations_only=True))
    upright = picture(tmp_path, "orthog_augmentation")
    np.testing.assert_array_equal(panel(upright, 0, 1), panel(image, 0, 1))
    assert (panel(upright, 1, 1) != panel(image, 1, 1)).any()
    with pytest.raises(UserError, match="--index 5: the test data end with row 4"):
        draw_orthog_augmentation(replace(chosen, index=5))
    with pytest.raises(UserError, match="was not trained with dataset normalisation"):
        draw_orthog_augmentation(replace(chosen, dataset_normalization=True))


def test_a_real_lifter_is_asked_the_right_way(pairs, tmp_path, monkeypatch):
    architecture = LifterArchitecture(linear_size=8, num_stage=1)
    model = LiftingModel(Lifter(architecture), LifterDescription(architecture, 3200.0), "cpu")
    monkeypatch.setattr(LiftingModel, "load", lambda *_: model)
    draw_2d_gt_3d_gt_3d_pred(
        options(tmp_path, threed_pose_estimation=None, load="some", index=(4,))
    )
    lens = pairs.intrinsics[pairs.camera[4:5]]
    lifted = model.lift(pairs.poses_2d[4:5], "mpii_16", intrinsics=lens).poses
    write_predictions(tmp_path / "p.npz", pairs.select([4]), lifted)
    by_model = picture(tmp_path)
    draw_2d_gt_3d_gt_3d_pred(options(tmp_path, index=(4,)))
    np.testing.assert_array_equal(picture(tmp_path), by_model)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_orientations": 0}, "--num_orientations must be at least 1"),
        ({"index": -1}, "--index and --seed must not be negative"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(tmp_path, change, message):
    with pytest.raises(UserError, match=message):
        OrthogonalOptions(tmp_path, **change)
