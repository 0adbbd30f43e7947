"""MPII in its three layouts."""

import json
import shutil
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io

from stacked_hourglass.mpii import mpii_box, read_mpii
from stacked_hourglass.mpii_matlab import convert_mpii, read_validation_people
from tests.stacked_hourglass.fake_data import (
    hrnet_record,
    mpii_matlab_person,
    pytorch_pose_record,
    write_mpii_matlab,
    write_picture,
)
from utils.errors import UserError
from utils.skeletons import MPII_16

# Centre (28, 35) counting from 1, scale 0.25: down by 15 * 0.25, side 250 * 0.25.
BOX = [27, 34 + 3.75, 62.5]
POINTS = [{"id": float(j), "x": 20.0 + j, "y": 30.0 + j, "is_visible": 1.0} for j in range(16)]


def write_hrnet(folder, name, records):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(records))


def write_heads(path, joints, missing, boxes):
    arrays = {"pos_gt_src": joints, "jnt_missing": missing, "headboxes_src": boxes}
    scipy.io.savemat(path, arrays)


def test_box_follows_the_published_rule():
    box = mpii_box(np.array([[966.0, 340.0]]), np.array([4.718488]))
    np.testing.assert_allclose(box[0], [966, 410.77732, 1179.622], atol=1e-4)


def test_hrnet_layout(tmp_path):
    image = write_picture(tmp_path / "images/a.jpg", seed=1)
    write_picture(tmp_path / "images/b.jpg")
    masked = hrnet_record("a.jpg", joints_vis=[0] + [1] * 15)
    masked["joints"][0] = [-1.0, -1.0]
    write_hrnet(tmp_path, "train.json", [hrnet_record("b.jpg"), masked])
    write_hrnet(tmp_path / "annot", "valid.json", [hrnet_record("b.jpg")])
    table = read_mpii(tmp_path)
    assert table.split.tolist() == ["train", "train", "val"]
    assert [table.picture_name(r) for r in range(3)] == ["b.jpg", "a.jpg", "b.jpg"]
    np.testing.assert_array_equal(table.read_picture(1).image, image)
    assert table.keypoints[0, MPII_16.index("left_wrist")].tolist() == [34, 44]
    assert np.isnan(table.keypoints[1, MPII_16.index("right_ankle")]).all()
    assert np.isnan(table.visibility).all()
    assert table.box.tolist() == [BOX] * 3
    for name, folder in (("train.json", "annot"), ("test_mpii.json", "")):  # the same once more
        write_hrnet(tmp_path / folder, name, [hrnet_record("b.jpg")])
    assert read_mpii(tmp_path).split.tolist() == ["train", "train", "val"]


def test_pytorch_pose_layout(tmp_path):
    write_picture(tmp_path / "images/a.jpg")
    record = pytorch_pose_record("a.jpg", isValidation=1.0, head_box=[11.0, 6.0, 17.0, 14.0])
    record["joint_self"][3] = [0.0, 0.0, 0.0]
    record["joint_self"][4][2] = 0.0
    write_hrnet(tmp_path, "mpii_annotations.json", [record, pytorch_pose_record("a.jpg")])
    table = read_mpii(tmp_path)
    assert table.split.tolist() == ["val", "train"] and table.picture.tolist() == [0, 0]
    left_hip, left_knee = MPII_16.indices("left_hip", "left_knee")
    assert np.isnan(table.keypoints[0, left_hip]).all() and np.isnan(table.visibility[0, left_hip])
    assert table.keypoints[0, left_knee].tolist() == [23, 33]
    assert table.visibility[:, left_knee].tolist() == [0, 1]
    assert table.head_box[0].tolist() == [10, 5, 16, 13] and np.isnan(table.head_box[1]).all()


def test_people_without_box_joints_or_picture_are_skipped_and_named(tmp_path):
    write_picture(tmp_path / "images/a.jpg")
    nobody = [0] * 16
    records = [
        hrnet_record("a.jpg"),
        hrnet_record("gone.jpg"),
        hrnet_record("a.jpg", center=[-1.0, -1.0]),
        hrnet_record("a.jpg", joints_vis=nobody),
    ]
    write_hrnet(tmp_path, "train.json", records)
    table = read_mpii(tmp_path)
    assert table.annotation_id.tolist() == [0]
    assert table.skipped == {
        "picture missing": ("gone.jpg",),
        "no box": ("a.jpg",),
        "no joints": ("a.jpg",),
    }
    write_hrnet(tmp_path, "train.json", records[1:2])
    with pytest.raises(UserError, match="none of the 1 people annotated has a picture"):
        read_mpii(tmp_path)


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([hrnet_record("a.jpg"), {"image": "a.jpg"}], "entry 1 lacks the field 'joints'"),
        ([hrnet_record("a.jpg", joints=[[1, 2]])], r"entry 0 is malformed: joints has shape"),
        ([hrnet_record("a.jpg", scale=None)], "entry 0 is malformed"),
        (["text"], "entry 0 is malformed"),
        ({}, "no list of people"),
    ],
)
def test_missing_fields_and_wrong_shapes_name_the_entry(tmp_path, records, message):
    write_hrnet(tmp_path, "train.json", records)
    with pytest.raises(UserError, match=f"train.json.*{message}"):
        read_mpii(tmp_path)


def test_absent_mpii_says_how_to_get_it(tmp_path):
    with pytest.raises(UserError, match=r"the folder lacks its files; get it from .*mpi-inf"):
        read_mpii(tmp_path)


def test_head_boxes_find_their_people_in_any_order(tmp_path):
    write_picture(tmp_path / "images/a.jpg")
    other = hrnet_record("a.jpg", joints_vis=[0] + [1] * 15)
    other["joints"] = [[x + 3, y] for x, y in other["joints"]]
    write_hrnet(tmp_path, "valid.json", [hrnet_record("a.jpg"), other])
    joints = np.array([other["joints"], hrnet_record("a.jpg")["joints"]]).transpose(1, 2, 0)
    missing = np.zeros((16, 2))
    missing[0, 0] = 1
    boxes = np.arange(8.0).reshape(2, 2, 2)
    write_heads(tmp_path / "detections_our_format.mat", joints, missing, boxes)
    table = read_mpii(tmp_path)
    # headboxes_src is corner, axis, person.
    assert table.head_box.tolist() == [[0, 2, 4, 6], [-1, 1, 3, 5]]
    write_heads(tmp_path / "detections_our_format.mat", joints + 50, missing, boxes)
    with pytest.raises(UserError, match="none of the validation people"):
        read_mpii(tmp_path)
    scipy.io.savemat(tmp_path / "detections_our_format.mat", {"other": 1})
    with pytest.raises(UserError, match="not the published evaluation file"):
        read_mpii(tmp_path)


def test_official_file_in_its_nested_structs(tmp_path):
    points: list[dict[str, Any]] = [dict(point) for point in POINTS]
    del points[8]["is_visible"], points[9]["is_visible"]
    points[1]["is_visible"] = "0"
    points[2]["is_visible"] = "1"
    del points[5]
    people = [
        mpii_matlab_person(points),
        mpii_matlab_person(None),
        mpii_matlab_person(POINTS, scale=np.zeros((0, 0))),
        mpii_matlab_person(POINTS, objpos=np.zeros((0, 0))),
    ]
    path = tmp_path / "official.mat"
    pictures = [
        ("a.jpg", 1, people),
        ("test.jpg", 0, [mpii_matlab_person(POINTS)]),
        ("e.jpg", 1, []),
    ]
    write_mpii_matlab(path, pictures)
    records, skipped = convert_mpii(path, None)
    assert skipped == {"no joints": 1, "no box": 2}
    (record,) = records
    assert record["img_paths"] == "a.jpg" and record["objpos"] == [28, 35]
    assert record["scale_provided"] == 0.25 and record["head_box"] == [11, 6, 17, 14]
    assert (record["annolist_index"], record["people_index"]) == (1, 1)
    joints = record["joint_self"]
    assert joints[0] == [20, 30, 1] and joints[1] == [21, 31, 0] and joints[2] == [22, 32, 1]
    assert joints[5] == [0, 0, 0] and joints[8][2] == joints[9][2] == 1

    write_picture(tmp_path / "images/a.jpg")
    write_hrnet(tmp_path, "mpii_annotations.json", records)
    table = read_mpii(tmp_path)
    assert table.box.tolist() == [BOX] and table.head_box.tolist() == [[10, 5, 16, 13]]
    assert np.isnan(table.keypoints[0, MPII_16.index("left_ankle")]).all()
    assert table.visibility[0, MPII_16.index("right_knee")] == 0


@pytest.mark.parametrize("kind", ["h5", "json"])
def test_validation_list_decides_and_clears_its_pictures(tmp_path, kind):
    far = {"objpos": {"x": 50.0, "y": 35.0}}
    people = [mpii_matlab_person(POINTS), mpii_matlab_person(POINTS, **far)]
    write_mpii_matlab(tmp_path / "o.mat", [("a.jpg", 1, people), ("b.jpg", 1, people[:1])])
    path = tmp_path / f"valid.{kind}"
    if kind == "json":
        path.write_text(json.dumps([hrnet_record("a.jpg")]))
    else:
        with h5py.File(path, "w") as file:
            file["imgname"] = np.array([b"a.jpg"])
            file["center"], file["scale"] = [[28.0, 38.75]], [0.3125]
    records, skipped = convert_mpii(tmp_path / "o.mat", read_validation_people(path))
    assert [(r["img_paths"], r["isValidation"]) for r in records] == [("a.jpg", 1), ("b.jpg", 0)]
    assert skipped == {"in a picture with somebody who validates": 1}


def test_without_a_list_about_a_tenth_of_the_pictures_validate(tmp_path):
    pictures = [(f"{n:09d}.jpg", 1, [mpii_matlab_person(POINTS)] * 2) for n in range(200)]
    write_mpii_matlab(tmp_path / "o.mat", pictures)
    records, _ = convert_mpii(tmp_path / "o.mat", None)
    validating = [r["img_paths"] for r in records if r["isValidation"]]
    assert 10 <= len(set(validating)) <= 30 and len(validating) == 2 * len(set(validating))


def test_other_files_are_no_annotations(tmp_path):
    scipy.io.savemat(tmp_path / "o.mat", {"joints": np.zeros(3)})
    with pytest.raises(UserError, match="not MPII's annotation file"):
        convert_mpii(tmp_path / "o.mat", None)
    (tmp_path / "v.json").write_text("[1]")
    with pytest.raises(UserError, match="no list of MPII's validation people"):
        read_validation_people(tmp_path / "v.json")
    with pytest.raises(UserError, match=r"gone\.h5"):
        read_validation_people(tmp_path / "gone.h5")


def test_real_sample_agrees_with_the_published_validation_list(real_data, tmp_path):
    for path in (real_data / "mpii_sample").iterdir():
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "detections_our_format.mat").symlink_to(
        real_data / "mpii_eval/detections_our_format.mat"
    )
    table = read_mpii(tmp_path)
    assert len(table) == 5 and np.isfinite(table.head_box).all()
    with h5py.File(real_data / "mpii_eval/valid.h5") as file:
        names = [bytes(name).decode() for name in np.asarray(file["imgname"])]
        for row in range(5):
            entry = names.index(table.picture_name(row))
            centre, scale = np.asarray(file["center"])[entry], np.asarray(file["scale"])[entry]
            np.testing.assert_allclose(table.box[row], [*(centre - 1), 200 * scale], atol=1e-3)
            published = np.asarray(file["part"])[entry].astype(float)
            known = np.isfinite(table.keypoints[row, :, 0])
            assert (known == (published > 0).all(axis=-1)).all()
            difference = table.keypoints[row][known] - (published[known] - 1)
            assert (np.abs(difference) < 1).all()  # this list is cut to whole pixels
    head = table.keypoints[0, MPII_16.index("head_top")]
    x1, y1, x2, y2 = table.head_box[0]
    assert x1 < head[0] < x2 and y1 - 5 < head[1] < y2


def test_real_validation_list_reads(real_data, tmp_path):
    shutil.copy(real_data / "mpii_eval/valid.h5", tmp_path / "valid.h5")
    people = read_validation_people(tmp_path / "valid.h5")
    assert sum(map(len, people.boxes.values())) == 2958
