"""LSP, LSP extended and COCO: the published layouts read back by hand-checked values."""

import json

import numpy as np
import pytest
import scipy.io

from stacked_hourglass.coco import read_coco
from stacked_hourglass.readers import read_lsp, read_lsp_extended, to_mpii
from stacked_hourglass.sources import AbsentError
from tests.stacked_hourglass.fake_data import (
    coco_annotation,
    write_coco,
    write_lsp,
    write_lsp_extended,
    write_picture,
)
from utils.crops import box_around
from utils.errors import UserError
from utils.skeletons import COCO_17, LSP_14, MPII_16


def joint(values: np.ndarray, name: str) -> np.ndarray:
    return values[..., MPII_16.index(name), :]


def test_joints_go_by_name_and_middles_are_hidden_with_one_of_their_ends():
    points = np.random.default_rng(0).uniform(0, 50, (2, 14, 2))
    visibility = np.ones((2, 14))
    visibility[0, LSP_14.index("left_hip")] = 0
    visibility[1, LSP_14.index("right_shoulder")] = np.nan
    places, seen = to_mpii(points, visibility, LSP_14)
    for name in LSP_14.joints:
        np.testing.assert_array_equal(joint(places, name), points[:, LSP_14.index(name)])
    hips = points[:, LSP_14.indices("left_hip", "right_hip")].mean(axis=1)
    np.testing.assert_allclose(joint(places, "pelvis"), hips)
    assert seen[:, MPII_16.index("pelvis")].tolist() == [0, 1]
    assert seen[0, MPII_16.index("thorax")] == 1 and np.isnan(seen[1, MPII_16.index("thorax")])


def test_coco_keeps_neck_and_head_top_missing():
    places, seen = to_mpii(np.ones((1, 17, 2)), np.ones((1, 17)), COCO_17)
    missing = {MPII_16.joints[j] for j in np.flatnonzero(np.isnan(places[0, :, 0]))}
    assert missing == {"upper_neck", "head_top"}
    np.testing.assert_array_equal(np.isnan(seen), np.isnan(places[..., 0]))


def test_lsp_counts_from_one_marks_hidden_joints_and_takes_the_whole_picture(tmp_path):
    write_lsp(tmp_path)
    table = read_lsp(tmp_path)
    assert len(table) == 3 and not table.skipped and table.name == "lsp"
    # Person 1 (from 0), right ankle (joint 0): (11, 5) counted from 1, hidden.
    assert table.keypoints[1, MPII_16.index("right_ankle")].tolist() == [10, 4]
    assert table.visibility[1, MPII_16.index("right_ankle")] == 0
    assert table.visibility[0, MPII_16.index("right_ankle")] == 1
    assert table.keypoints[2, MPII_16.index("head_top")].tolist() == [24, 30]
    assert table.box.tolist() == [[29.5, 19.5, 60]] * 3
    assert np.isnan(table.head_box).all()
    assert table.picture_name(2) == "im0003.jpg"
    expected = write_picture(tmp_path / "images/im0003.jpg", seed=3)
    np.testing.assert_array_equal(table.read_picture(2).image, expected)


def test_lsp_splits_by_number_and_skips_pictures_that_are_not_there(tmp_path):
    write_lsp(tmp_path, count=1003, pictures=1)
    for number in (900, 901, 1000, 1001):
        write_picture(tmp_path / f"images/im{number:04d}.jpg")
    table = read_lsp(tmp_path)
    assert table.split.tolist() == ["train", "train", "val", "val", "test"]
    assert table.annotation_id.tolist() == [0, 899, 900, 999, 1000]
    assert len(table.skipped["picture missing"]) == 998
    assert "998 skipped, picture missing: im0002.jpg, im0003.jpg" in table.skipped_lines()[0]
    assert [table.picture_name(r) for r in (1, 4)] == ["im0900.jpg", "im1001.jpg"]
    assert len(table.of_split("train", "val")) == 4


def test_lsp_extended_masks_what_is_not_labelled(tmp_path):
    published = write_lsp_extended(tmp_path)
    table = read_lsp_extended(tmp_path)
    assert len(table) == 2 and set(table.split) == {"train"}
    assert table.skipped == {"fewer than two joints annotated": ("im00003.jpg",)}
    for name in ("left_hip", "pelvis"):
        assert np.isnan(joint(table.keypoints[0], name)).all()
    assert joint(table.keypoints[0], "right_hip").tolist() == [11, 8]
    assert np.isfinite(table.keypoints[1]).all() and np.isnan(table.visibility).all()
    np.testing.assert_allclose(table.box[1], box_around(published[:, :2, 1] - 1, 1.4))


@pytest.mark.parametrize(
    ("joints", "message"),
    [
        (np.zeros((14, 3, 2)), r"`joints` is \(14, 3, 2\), not \(3, 14, N\)"),
        (np.zeros((3, 14)), "not"),
        (np.array(["text"]), "no numeric variable"),
    ],
)
def test_lsp_of_another_layout_is_an_error(tmp_path, joints, message):
    write_lsp(tmp_path)
    scipy.io.savemat(tmp_path / "joints.mat", {"joints": joints})
    with pytest.raises(UserError, match=message):
        read_lsp(tmp_path)


@pytest.mark.parametrize(
    ("reader", "words"),
    [
        (read_lsp, ("Leeds Sports Pose", "im0001.jpg", "prepare.py lsp")),
        (read_lsp_extended, ("extended", "im00001.jpg", "prepare.py lsp --extended")),
        (read_coco, ("COCO", "annotations/person_keypoints_{train,val}2017.json", "coco")),
    ],
)
def test_absent_data_set_gives_one_line_that_says_all(tmp_path, reader, words):
    with pytest.raises(AbsentError) as caught:
        reader(tmp_path / "nowhere")
    text = caught.value.and_prepare
    assert text.startswith(str(caught.value)) and "prepare.py" not in str(caught.value)
    assert "\n" not in text and "http" in text and "there is no such folder" in text
    assert str(tmp_path / "nowhere") in text and all(word in text for word in words)


def test_lsp_without_any_picture_is_an_error(tmp_path):
    write_lsp(tmp_path, pictures=0)
    (tmp_path / "images").mkdir()
    with pytest.raises(UserError, match=r"none of its pictures \(im0001.jpg"):
        read_lsp(tmp_path)


def test_broken_picture_is_named(tmp_path):
    write_lsp_extended(tmp_path)
    (tmp_path / "images/im00001.jpg").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"im00001\.jpg is not a readable picture"):
        read_lsp_extended(tmp_path).read_picture(0)
    (tmp_path / "images/im00002.jpg").write_bytes(b"")
    with pytest.raises(UserError, match=r"im00002\.jpg"):
        read_lsp_extended(tmp_path).read_picture(1)


def test_coco_reads_flags_box_and_splits(tmp_path):
    flags = coco_annotation(7, 1)
    left_knee, nose = COCO_17.index("left_knee"), COCO_17.index("nose")
    flags["keypoints"][3 * left_knee + 2] = 1
    flags["keypoints"][3 * nose : 3 * nose + 3] = [0, 0, 0]
    left_wrist = COCO_17.index("left_wrist")
    flags["keypoints"][3 * left_wrist : 3 * left_wrist + 3] = [0, 0, 0]
    write_coco(tmp_path, "train", [coco_annotation(5, 1)])
    write_coco(tmp_path, "val", [flags])
    table = read_coco(tmp_path)
    assert table.split.tolist() == ["train", "val"] and table.annotation_id.tolist() == [5, 7]
    assert table.picture_name(1) == "val2017/000000000001.jpg"
    assert joint(table.keypoints[0], "left_knee").tolist() == [left_knee, 2 * left_knee]
    assert np.isnan(joint(table.keypoints[1], "left_wrist")).all()
    seen = table.visibility[:, MPII_16.index("left_knee")]
    assert seen.tolist() == [1, 0]
    # x 10 to 30 and y 5 to 35 from the outer edge: pixel centres lie half a pixel lower.
    assert table.box[0].tolist() == [19.5, 19.5, 37.5]
    assert table.read_picture(0).image.shape == (40, 60, 3)


def test_coco_skips_are_counted_by_reason(tmp_path):
    blind = [0] * 51
    face = [value for k in range(17) for value in ((3, 4, 2) if k == 0 else (0, 0, 0))]
    people = [
        coco_annotation(1, 1),
        coco_annotation(2, 1, iscrowd=1),
        coco_annotation(3, 1, keypoints=blind),
        coco_annotation(4, 1, keypoints=face),
        coco_annotation(5, 2),
        coco_annotation(6, 1, bbox=[1, 1, 0, 5]),
    ]
    write_coco(tmp_path, "train", people)
    table = read_coco(tmp_path)
    assert table.annotation_id.tolist() == [1]
    counts = {reason: len(names) for reason, names in table.skipped.items()}
    assert counts == {"crowd": 1, "no joints": 2, "picture missing": 1, "no box": 1}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("images"), "lacks 'images'"),
        (lambda c: c["annotations"][0].pop("image_id"), "lacks 'image_id'"),
        (lambda c: c["annotations"][0].update(keypoints=[1, 2, 2]), "annotation 1 has 3"),
        (lambda c: c["categories"][0]["keypoints"].reverse(), "17 joints of COCO"),
    ],
)
def test_coco_with_missing_or_wrong_fields_is_an_error(tmp_path, change, message):
    write_coco(tmp_path, "train", [coco_annotation(1, 1)])
    path = tmp_path / "annotations/person_keypoints_train2017.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=message):
        read_coco(tmp_path)
    path.write_text("{")
    with pytest.raises(UserError, match="not JSON"):
        read_coco(tmp_path)


def test_real_lsp_and_its_extension_agree_on_joints(real_data):
    lsp, extended = read_lsp(real_data / "lsp"), read_lsp_extended(real_data / "lspet")
    assert {s: int((lsp.split == s).sum()) for s in set(lsp.split)} == {
        "train": 900,
        "val": 100,
        "test": 500,
    }
    assert len(extended) == 10000 and not lsp.skipped and not extended.skipped
    np.testing.assert_allclose(
        joint(lsp.keypoints[0], "right_ankle"), [28.74646, 142.34544], atol=1e-4
    )
    for table in (lsp, extended):
        # Most people stand: the head above the pelvis, the pelvis above the ankles.
        heights = [
            np.nanmedian(joint(table.keypoints, n)[:, 1])
            for n in ("head_top", "thorax", "pelvis", "right_knee", "right_ankle")
        ]
        assert heights == sorted(heights)
        # Sides are the person's own. Most face the camera: their right is on the left.
        right, left = (joint(table.keypoints, f"{s}_shoulder")[:, 0] for s in ("right", "left"))
        assert np.nanmedian(left - right) > 5
