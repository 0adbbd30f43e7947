"""Keypoints of any kind: from annotations in COCO's layout through train, run, viz and eval."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from stacked_hourglass.architecture import Architecture
from stacked_hourglass.custom import pairs_by_name, read_custom
from stacked_hourglass.custom_predictions import person_lengths, read_custom_predictions
from stacked_hourglass.description import Description
from stacked_hourglass.evaluation import evaluate_custom_pck, score_custom
from stacked_hourglass.evaluation_options import EvalCustomOptions, Overlay2dOptions
from stacked_hourglass.inference import find_people, run
from stacked_hourglass.model import StackedHourglass
from stacked_hourglass.options import (
    CustomOptions,
    DataOptions,
    HourglassRunOptions,
    HourglassTrainOptions,
    NetworkOptions,
)
from stacked_hourglass.predictor import Predictor
from stacked_hourglass.starting import for_joints
from stacked_hourglass.training import train
from stacked_hourglass.training_data import training_people
from stacked_hourglass.visualization import overlay_2d
from stitched import pose
from stitched.options import MachineOptions, PoseOptions
from tests.stacked_hourglass.fake_data import write_picture
from utils.errors import UserError
from utils.images import read_image
from utils.options import LoopOptions, OptimizerOptions, RunOptions
from utils.pose_file import Poses, read_poses, write_poses
from utils.skeletons import MPII_16, skeleton_named
from utils.weights import save_weights

JOINTS = ["snout", "l_ear", "r_ear", "tail"]
BONES = [[1, 2], [1, 3], [1, 4]]


def animal(number: int, picture: int, **changes: Any) -> dict[str, Any]:
    """Snout (20, 10) seen, left ear (24, 6) hidden, right ear absent, tail (40, 30) seen."""
    keypoints = [20, 10, 2, 24, 6, 1, 0, 0, 0, 40, 30, 2]
    box = {"bbox": [10, 5, 40, 30], "keypoints": keypoints, "category_id": 7}
    return {"id": number, "image_id": picture} | box | changes


def write_animals(folder: Path, count: int, annotations: list[dict] | None = None) -> Path:
    """Pictures of 60 x 40 px in images/, one animal in each; -> the folder."""
    names = [f"herd/{number}.png" for number in range(count)]
    for number, name in enumerate(names):
        (folder / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        write_picture(folder / "images" / name, seed=number)
    chosen = [animal(100 + n, n) for n in range(count)] if annotations is None else annotations
    content = {
        "images": [{"id": number, "file_name": name} for number, name in enumerate(names)],
        "annotations": chosen,
        "categories": [
            {"id": 3, "name": "tree"},
            {"id": 7, "name": "dog", "keypoints": JOINTS, "skeleton": BONES},
        ],
    }
    (folder / "annotations.json").write_text(json.dumps(content))
    return folder


def change(folder: Path, what) -> None:
    path = folder / "annotations.json"
    content = json.loads(path.read_text())
    what(content)
    path.write_text(json.dumps(content))


def test_joints_flags_boxes_and_skeleton(tmp_path: Path) -> None:
    without_box = {k: v for k, v in animal(8, 1).items() if k != "bbox"}
    table = read_custom(write_animals(tmp_path, 2, [animal(5, 0), without_box]), CustomOptions())
    skeleton = skeleton_named(table.skeleton)
    assert list(skeleton.joints) == JOINTS and skeleton.pairs == ((1, 2),)
    assert set(skeleton.bones) == {(0, 1), (0, 2), (0, 3)}
    expected = [[20, 10], [24, 6], [np.nan, np.nan], [40, 30]]
    np.testing.assert_array_equal(table.keypoints[0], expected)
    np.testing.assert_array_equal(table.visibility[0], [1, 0, np.nan, 1])
    assert table.box[0].tolist() == [29.5, 19.5, 50]
    assert table.box[1].tolist() == pytest.approx([30, 18, 33.6])  # of the keypoints, 24 px
    assert table.annotation_id.tolist() == [5, 8]
    assert table.picture_name(1) == "images/herd/1.png"
    assert table.read_picture(1).image.shape == (40, 60, 3)


def test_transparent_pictures_are_seen_as_everywhere_else(tmp_path: Path) -> None:
    path = write_animals(tmp_path, 1) / "images/herd/0.png"
    pixels = np.zeros((40, 60, 4), np.uint8)
    pixels[10:20, 10:20] = (200, 100, 50, 255)
    Image.fromarray(pixels).save(path)
    image = read_custom(tmp_path, CustomOptions()).read_picture(0).image
    np.testing.assert_array_equal(image, read_image(path))
    assert image[0, 0].tolist() == [255, 255, 255]


def test_bones_may_be_numbered_from_0(tmp_path: Path) -> None:
    write_animals(tmp_path, 1)
    change(tmp_path, lambda c: c["categories"][1].update(skeleton=[[0, 3], [1, 2]]))
    table = read_custom(tmp_path, CustomOptions())
    assert set(skeleton_named(table.skeleton).bones) == {(0, 3), (1, 2)}


def test_one_picture_in_twenty_validates_with_all_that_are_in_it(tmp_path: Path) -> None:
    herd = [animal(n, n // 2) for n in range(80)]
    table = read_custom(write_animals(tmp_path, 40, herd), CustomOptions())
    assert (table.split == "val").sum() == 4
    parts = [set(table.picture[table.split == split].tolist()) for split in ("train", "val")]
    assert not parts[0] & parts[1]


@pytest.mark.parametrize("count", [1, 2, 10])
def test_of_few_pictures_one_validates_in_training_and_in_run(
    tmp_path: Path, count: int, capsys: pytest.CaptureFixture
) -> None:
    herd = [animal(n, n // 2) for n in range(2 * count)]
    data = write_animals(tmp_path, count, herd)
    trained = training_people(DataOptions("custom", data_dir=str(data)), seed=0)
    found, _ = find_people(HourglassRunOptions("custom", data_dir=str(data)))
    assert len(trained.train) == max(2 * count - 2, 2)
    assert trained.validation.annotation_id.tolist() == found.annotation_id.tolist()
    assert found.annotation_id.tolist() == [2 * count - 2, 2 * count - 1]
    is_told = "its only picture trains and validates" in capsys.readouterr().out
    assert is_told == (count == 1)


def test_a_second_file_validates(tmp_path: Path) -> None:
    write_animals(tmp_path, 3)
    content = json.loads((tmp_path / "annotations.json").read_text())
    content["annotations"] = [animal(900, 2)]
    (tmp_path / "val.json").write_text(json.dumps(content))
    options = CustomOptions(validation_annotations="val.json")
    table = read_custom(tmp_path, options)
    assert table.annotation_id[table.split == "val"].tolist() == [900]
    content["categories"][1]["keypoints"] = JOINTS[::-1]
    (tmp_path / "val.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match="different joints"):
        read_custom(tmp_path, options)


def test_who_is_left_out_is_counted_by_reason(tmp_path: Path) -> None:
    one_joint = animal(6, 0, keypoints=[20, 10, 2, *[0] * 9])
    del one_joint["bbox"]
    herd = [
        animal(1, 0),
        animal(2, 0, category_id=3),  # a tree: nobody's business
        animal(3, 0, keypoints=[0] * 12),
        animal(4, 0, iscrowd=1),
        animal(5, 1),
        one_joint,
        {"id": 7, "image_id": 0, "category_id": 7},
    ]
    write_animals(tmp_path, 2, herd)
    (tmp_path / "images/herd/1.png").unlink()
    table = read_custom(tmp_path, CustomOptions())
    assert set(table.annotation_id.tolist()) == {1}
    counts = {reason: len(names) for reason, names in table.skipped.items()}
    assert counts == {"no joints": 2, "crowd": 1, "picture missing": 1, "no box": 1}


@pytest.mark.parametrize(
    ("joints", "expected"),
    [
        (["left_eye", "right_eye", "nose"], [(0, 1)]),
        (["Right Eye", "Left Eye"], [(1, 0)]),
        (["eyeLeft", "eyeRight"], [(0, 1)]),
        (["l_paw", "r_paw", "L-ear", "R-ear"], [(0, 1), (2, 3)]),
        (["eye.r", "eye.l", "tail", "lip"], [(1, 0)]),
        (["left_eye", "tail"], []),
    ],
)
def test_pairs_by_name(joints: list[str], expected: list[tuple[int, int]]) -> None:
    assert pairs_by_name(joints) == expected


def test_pairs_by_option(tmp_path: Path) -> None:
    write_animals(tmp_path, 1)
    table = read_custom(tmp_path, CustomOptions(flip_pairs=("snout:tail",)))
    assert skeleton_named(table.skeleton).pairs == ((0, 3),)
    with pytest.raises(UserError, match="--flip_pairs snout:wing is no left:right of snout"):
        read_custom(tmp_path, CustomOptions(flip_pairs=("snout:wing",)))


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (lambda c: c.pop("categories"), "lacks 'categories'"),
        (lambda c: c["categories"].pop(), "has not one category with keypoints; it has none"),
        (lambda c: c["categories"].append({"name": "cat", "keypoints": ["a"]}), "it has dog, cat"),
        (lambda c: c["categories"][1].update(skeleton=[[1, 9]]), "`dog`: a bone .* beyond the 4"),
        (lambda c: c["categories"][1].update(keypoints=["a"] * 4), "a name of its own"),
        (lambda c: c["annotations"][0].update(keypoints=[1, 2, 2]), "annotation 100 has 3"),
        (lambda c: c.update(annotations=[]), r"nobody can be used \(it is empty\)"),
        (lambda c: c["annotations"].append("x"), "is malformed"),
    ],
)
def test_annotations_of_another_layout_are_one_clear_error(tmp_path: Path, what, words) -> None:
    change(write_animals(tmp_path, 1), what)
    with pytest.raises(UserError, match=words):
        read_custom(tmp_path, CustomOptions())


def test_absent_files_and_categories(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no .*annotations.json: --data_dir is"):
        read_custom(tmp_path, CustomOptions())
    with pytest.raises(UserError, match="no category `cow` with keypoints; it has dog"):
        read_custom(write_animals(tmp_path, 1), CustomOptions(category="cow"))


def test_options_of_other_data_sets_and_the_number_of_classes() -> None:
    with pytest.raises(UserError, match="--category is for hourglass_custom"):
        DataOptions(dataset="lsp", custom=CustomOptions(category="dog"))
    with pytest.raises(UserError, match="leave out --num_classes"):
        HourglassTrainOptions(
            network=NetworkOptions(num_classes=14), data=DataOptions(dataset="custom")
        )


def options(folder: Path, data: Path, load: str = "", exp: str = "default") -> Any:
    return HourglassTrainOptions(
        run=RunOptions(
            checkpoint_dir=str(folder / "runs"), tb_dir=str(folder / "tb"), load=load, exp=exp
        ),
        loop=LoopOptions(
            epochs=1, train_batch_size=4, test_batch_size=8, workers=0, accelerator="cpu"
        ),
        optim=OptimizerOptions(optimizer="adam", lr=1e-3),
        network=NetworkOptions(stacks=2, features=16, resolution=64),
        data=DataOptions(dataset="custom", data_dir=str(data)),
    )


def test_train_run_viz_eval_and_pose(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    data = write_animals(tmp_path / "dogs", 24)
    assert train(options(tmp_path, data)) == 0
    weights = tmp_path / "runs/hourglass_custom_default/best.safetensors"
    found = read_poses(weights.with_name("predictions.npz"))
    assert found.joint_names_2d == tuple(JOINTS) and len(found) == 1

    out = tmp_path / "out"
    asked = HourglassRunOptions(
        dataset="custom", load=str(weights), data_dir=str(data), output_dir=str(out)
    )
    assert run(replace(asked, split="train")) == 0
    poses = read_poses(out / "poses.npz")
    assert poses.keypoints_2d.shape == (23, 4, 2) and poses.source[0] == "images/herd/0.png"
    overlay_2d(Overlay2dOptions(data, out / "poses.npz", out / "drawn", limit=2))
    assert len(list((out / "drawn").rglob("*.png"))) == 2

    scored = EvalCustomOptions((out / "poses.npz",), data_dir=data, split="train")
    evaluate_custom_pck(replace(scored, output_dir=out / "scores"))
    said = capsys.readouterr().out
    assert "PCK@0.05 in per cent, 23 people" in said and "l ear" in said
    assert (out / "scores/results.json").is_file()

    plain = replace(asked, data_dir=str(data / "images/herd"), output_dir=str(tmp_path / "plain"))
    assert run(plain) == 0
    assert len(read_poses(tmp_path / "plain/poses.npz")) == 24

    machine = MachineOptions(accelerator="cpu")
    picture = str(data / "images/herd/0.png")
    shown = PoseOptions((picture,), str(tmp_path / "pose"), load=str(weights), machine=machine)
    assert pose.run(shown) == 0
    assert "poses stay in 2D" in capsys.readouterr().out
    assert read_poses(tmp_path / "pose/poses.npz").joint_names_2d == tuple(JOINTS)


def test_scores_are_what_the_poses_deserve(tmp_path: Path) -> None:
    data = write_animals(tmp_path, 24)
    table = read_custom(data, CustomOptions()).of_split("train")
    found = table.keypoints.copy()
    # The box that is cut out is 1.25 times the annotated one, by which is measured.
    found[:, 3] += 0.06 / 1.25 * table.box[:, 2:]
    poses = write_poses_like(table, found, tmp_path / "poses.npz")
    near = EvalCustomOptions((poses,), data_dir=data, split="train")
    metric_rows = [
        score_custom(near)[0].distances,
        score_custom(replace(near, length_joints=("snout", "tail")))[0].distances,
    ]
    np.testing.assert_allclose(metric_rows[0][0, [0, 1, 3]], [0, 0, 0.06 * 2**0.5], atol=1e-6)
    length = np.hypot(20, 20)
    np.testing.assert_allclose(metric_rows[1][0, 3], 0.06 * 2**0.5 * 40 / length, rtol=1e-5)
    assert np.isnan(metric_rows[0][:, 2]).all()


def write_poses_like(table, keypoints: np.ndarray, path: Path) -> Path:
    """A pose file of all but the last person of a table, who is absent."""
    count = len(table) - 1
    names = [table.picture_name(row) for row in range(count)]
    confidence = np.isfinite(keypoints[:count, :, 0]).astype(np.float32)
    poses = Poses(
        np.array(names),
        np.zeros(count, np.int64),
        np.full(count, np.nan),
        table.annotation_id[:count],
        table.box[:count],
        np.full((count, 2), 60),
        keypoints[:count],
        confidence,
        table.skeleton,
    )
    write_poses(path, poses)
    return path


def test_who_is_absent_is_wrong_and_other_files_are_refused(tmp_path: Path) -> None:
    data = write_animals(tmp_path, 4)
    table = read_custom(data, CustomOptions())
    path = write_poses_like(table, table.keypoints, tmp_path / "poses.npz")
    predictions, absent = read_custom_predictions(path, table)
    assert absent == 1 and np.isnan(predictions[-1]).all()
    np.testing.assert_array_equal(predictions[:-1], table.keypoints[:-1])
    others = replace(table, annotation_id=table.annotation_id + 1000)
    with pytest.raises(UserError, match="has none of the 4 annotations"):
        read_custom_predictions(path, others)
    with pytest.raises(UserError, match="--length_joints: no joint is wing; they are snout"):
        person_lengths(table, ("snout", "wing"))
    with pytest.raises(UserError, match="nobody has both snout and r_ear"):
        person_lengths(table, ("snout", "r_ear"))


def test_joints_known_by_name_keep_their_weights() -> None:
    torch.manual_seed(0)
    old = StackedHourglass(Architecture(2, 16, num_classes=16))
    joints = ("left_wrist", "tail", "right_wrist")
    new = StackedHourglass(Architecture(2, 16, num_classes=3))
    own = {name: value.clone() for name, value in new.state_dict().items()}
    new.load_state_dict(for_joints(old.state_dict(), own, MPII_16.joints, joints))
    images = torch.randn(1, 3, 64, 64)
    left, right = MPII_16.indices("left_wrist", "right_wrist")
    with torch.no_grad():
        expected, found = old.eval()(images)[0], new.eval()(images)[0]
    torch.testing.assert_close(found[:, [0, 2]], expected[:, [left, right]])
    name = "stacks.0.score.weight"
    torch.testing.assert_close(new.state_dict()[name][1], own[name][1])


def test_training_starts_from_a_network_of_other_joints(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)
    description = Description(Architecture(2, 16), 64, "cross_entropy", "dark", mean, std)
    path = tmp_path / "people.safetensors"
    save_weights(
        path, StackedHourglass(description.architecture).state_dict(), description.as_metadata()
    )
    data = write_animals(tmp_path / "dogs", 24)
    assert train(options(tmp_path, data, str(path), "moved")) == 0
    assert "knows 0 of the 4 joints; the others begin anew" in capsys.readouterr().out
    run_weights = tmp_path / "runs/hourglass_custom_moved/best.safetensors"
    assert Predictor.load(str(run_weights), "cpu").skeleton.startswith("custom:")
    wide = options(tmp_path, data, str(path), "wide")
    wide = replace(wide, network=replace(wide.network, features=24))
    with pytest.raises(
        UserError, match="needs --stacks 2 --blocks 1 and --features 16 or a multiple"
    ):
        train(wide)
