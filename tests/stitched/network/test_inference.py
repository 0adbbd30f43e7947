"""`run.py stitched_*` and `eval.py stitched_*` on mannequins and on a folder of pictures."""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stacked_hourglass.predictor import Predictor
from stitched.network.evaluation import evaluate, place_errors
from stitched.network.inference import run
from stitched.network.mannequin_pictures import mannequin_pictures
from stitched.network.options import (
    JoinOptions,
    StitchedEvalOptions,
    StitchedRunOptions,
    WeightsOptions,
)
from stitched.network.predictor import StitchedModel, find_pairs
from tests.stitched.network.conftest import write_h36m
from tests.stitched.network.small_networks import write_networks
from twod_threed.pairs import read_pairs
from twod_threed.pose_rows import rows_of_pairs
from twod_threed.predictor import guess_intrinsics
from utils.errors import UserError
from utils.images import write_image
from utils.pose_file import read_poses
from utils.skeletons import MPII_16

CPU = WeightsOptions(accelerator="cpu", test_batch_size=2, flip=False)


def options(out: Path, halves: JoinOptions, **changes: Any) -> StitchedRunOptions:
    few: dict[str, Any] = {} if "dataset" in changes else {"mannequin_count": 3}
    given = {"weights": CPU, "join": halves, "output_dir": str(out)} | few | changes
    return StitchedRunOptions(**given)


def test_mannequins_come_with_their_truth(tmp_path: Path, halves: JoinOptions):
    assert run(options(tmp_path, halves)) == 0
    poses, truth = read_poses(tmp_path / "poses.npz"), read_pairs(tmp_path / "ground_truth.npz")
    assert (tmp_path / "poses.json").is_file()
    assert poses.source.tolist() == truth.source_names().tolist()
    assert poses.keypoints_3d is not None and np.isfinite(poses.keypoints_3d).all()
    assert poses.intrinsics is not None and poses.root_camera is not None
    np.testing.assert_allclose(poses.intrinsics, truth.intrinsics, rtol=1e-6)
    assert np.isfinite(poses.keypoints_2d).all() and (poses.confidence > 0).all()


def test_the_file_says_what_the_network_says(halves: JoinOptions):
    people = mannequin_pictures("val", 3, seed=234)
    model = StitchedModel.load(join=halves, accelerator="cpu", precision="32-true")
    poses = model.lift(find_pairs(model, people, False, 2), people.pairs.intrinsics)
    crops = [people.pictures.read(i).crop(people.boxes()[i], 64) for i in range(3)]
    images = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float() / 255
    lenses = torch.tensor(people.pairs.intrinsics, dtype=torch.float32)
    with torch.no_grad():
        _, lift = model.network(images, torch.from_numpy(people.boxes()), lenses)
    assert poses.keypoints_3d is not None
    np.testing.assert_allclose(poses.keypoints_2d, lift.keypoints_2d.numpy(), atol=0.02)
    np.testing.assert_allclose(poses.keypoints_3d, lift.poses_3d.numpy(), atol=0.2)


def test_confidence_is_the_hourglasses_own(halves: JoinOptions):
    people = mannequin_pictures("val", 3, seed=234)
    images = [people.pictures.read(row).image for row in range(3)]
    model = StitchedModel.load(join=halves, accelerator="cpu", precision="32-true")
    predictor = Predictor.load(halves.load_hourglass, "cpu", "32-true")
    found = find_pairs(model, people, False, 3)
    confidence = predictor(images, people.boxes(), flip=False).confidence
    np.testing.assert_allclose(found.confidence, confidence, atol=1e-3)


def test_mirrored_pictures_give_mirrored_joints(halves: JoinOptions):
    model = StitchedModel.load(join=halves, accelerator="cpu", precision="32-true")
    generator = torch.Generator().manual_seed(3)
    crops = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8, generator=generator)
    boxes = np.array([[31.5, 31.5, 64.0]] * 2, np.float32)
    points, sure = model.keypoints(crops, boxes, flip=True)
    mirrored, sure_too = model.keypoints(crops.flip(-1), boxes, flip=True)
    order = list(MPII_16.flip_order)
    np.testing.assert_allclose(63 - mirrored[:, order, 0], points[..., 0], atol=1e-2)
    np.testing.assert_allclose(sure_too[:, order], sure, atol=1e-3)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    people = mannequin_pictures("val", 3, seed=234)
    for row in range(2):
        write_image(folder / f"{row}.png", people.pictures.read(row).image)
    return folder


def test_any_folder_of_pictures(photos: Path, tmp_path: Path, halves: JoinOptions, capsys):
    out = tmp_path / "out"
    chosen = options(out, halves, dataset="mpii", data_dir=str(photos))
    assert run(chosen) == 0
    poses = read_poses(out / "poses.npz")
    assert poses.source.tolist() == ["0.png", "1.png"]
    np.testing.assert_allclose(poses.box, [[127.5, 127.5, 256]] * 2)
    assert poses.keypoints_3d is not None and np.isfinite(poses.keypoints_3d).all()
    assert poses.intrinsics is not None
    np.testing.assert_allclose(poses.intrinsics, guess_intrinsics(np.array([[256, 256]] * 2)))
    assert not (out / "ground_truth.npz").exists()
    assert run(replace(chosen, focal=500.0, height=1600.0)) == 0
    tall = read_poses(out / "poses.npz")
    assert tall.intrinsics is not None and tall.intrinsics[0, 0] == 500
    (photos / "broken.jpg").write_bytes(b"no picture")
    assert run(chosen) == 1
    assert "broken.jpg" in capsys.readouterr().err


def test_the_person_has_the_height_that_is_said(photos: Path, tmp_path: Path, halves: JoinOptions):
    chosen = options(tmp_path / "out", halves, dataset="mpii", data_dir=str(photos))
    found = []
    for height in (1500.0, 1800.0):
        run(replace(chosen, height=height))
        found.append(read_poses(tmp_path / "out/poses.npz").keypoints_3d)
    np.testing.assert_allclose(found[1], np.asarray(found[0]) * 1.2, rtol=1e-4, atol=0.1)


def test_pictures_of_which_none_can_be_read(tmp_path: Path, halves: JoinOptions):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"broken\.jpg"):
        run(options(tmp_path / "out", halves, dataset="mpii", data_dir=str(folder)))


def test_scores_of_mannequins(tmp_path: Path, halves: JoinOptions, capsys):
    chosen = StitchedEvalOptions(
        weights=CPU, join=halves, output_dir=str(tmp_path), mannequin_count=4
    )
    assert evaluate(chosen) == 0
    printed = capsys.readouterr().out
    assert "P-MPJPE" in printed and "2D error by joint" in printed and "joined" in printed
    written = {"poses.npz", "ground_truth.npz", "results.csv", "2d.csv", "MPJPE_by_joint.png"}
    assert written <= {path.name for path in tmp_path.iterdir()}
    with (tmp_path / "2d.csv").open() as file:
        rows = {row["joint"]: row for row in csv.DictReader(file)}
    assert list(rows) == [*MPII_16.joints, "mean"] and float(rows["mean"]["pixels"]) > 0


def test_pictures_of_human36m_are_found_and_scored(
    tmp_path: Path, halves: JoinOptions, capsys
) -> None:
    folder, out = str(write_h36m(tmp_path / "images", "S9", "S11")), tmp_path / "out"
    assert run(options(out, halves, dataset="h36m", data_dir=folder, split="test")) == 0
    assert read_pairs(out / "ground_truth.npz").subjects.tolist() == ["S9"] * 3 + ["S11"] * 3
    chosen = StitchedEvalOptions("h36m", CPU, halves, folder, output_dir=str(out))
    assert evaluate(chosen) == 0
    assert "6 poses" in capsys.readouterr().out
    with pytest.raises(UserError, match="--seed does nothing for h36m"):
        replace(chosen, seed=3)


def test_2d_errors_against_a_shift_that_is_known():
    people = mannequin_pictures("val", 3, seed=234)
    rows = rows_of_pairs(people.pairs)
    moved = replace(rows, keypoints_2d=rows.keypoints_2d + np.array([3, 4], np.float32))
    errors = place_errors(moved, people)
    assert errors["mean"][0] == pytest.approx(5, abs=1e-3)
    wrist = MPII_16.index("left_wrist")
    size = people.pairs.image_size[:, None]
    inside = (rows.keypoints_2d >= -0.5) & (rows.keypoints_2d < size - 0.5)
    shown = np.asarray(inside.all(-1))[:, wrist]
    expected = 100 * 5 / people.boxes()[shown, 2]
    assert errors["left_wrist"][1] == pytest.approx(expected.mean(), rel=1e-4)
    known = replace(people, supervised=("left_wrist",))
    assert np.isnan(place_errors(moved, known)["right_wrist"][0])


def test_a_whole_network_by_load(tmp_path: Path, halves: JoinOptions):
    model = StitchedModel.load(join=halves, accelerator="cpu", precision="32-true")
    assert model.resolution == 64 and model.skeleton == "mpii_16"
    write_networks(tmp_path)
    network = StitchedModel.load(join=replace(halves, window="none")).description
    assert network.window == "none"
    with pytest.raises(UserError, match="not a stitched"):
        run(options(tmp_path, halves, weights=replace(CPU, load=halves.load_2d3d)))


def test_options_that_make_no_sense():
    with pytest.raises(UserError, match="--focal or --fov"):
        StitchedRunOptions(focal=500.0, fov=60.0)
    wrongs: tuple[dict[str, Any], ...] = (
        {"focal": -1.0},
        {"fov": 180.0},
        {"height": 10.0},
        {"mannequin_count": 0},
    )
    for wrong in wrongs:
        with pytest.raises(UserError, match=f"--{next(iter(wrong))}"):
            StitchedRunOptions(**wrong)
    with pytest.raises(UserError, match="--test_batch_size"):
        WeightsOptions(test_batch_size=0)
    with pytest.raises(UserError, match="--mannequin_count"):
        StitchedEvalOptions(mannequin_count=0)
