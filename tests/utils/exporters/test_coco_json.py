"""COCO JSON: loaded and scored by pycocotools, which others use."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from stacked_hourglass.coco import read_coco
from tests.utils.exporters.exported_poses import film
from utils.exporters.coco_json import write_coco
from utils.images import write_image
from utils.pose_file import Poses, concatenate, empty_row
from utils.skeletons import COCO_17, MPII_16

FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")


def pictures() -> Poses:
    """Two people in one picture, one in another, nobody in the third."""
    two = concatenate([film("a.jpg", 1), film("a.jpg", 1, person=1)])
    return concatenate([two, film("b.jpg", 1, seed=5), empty_row("c.jpg", (64, 48), "mpii_16")])


@pytest.fixture
def loaded(tmp_path: Path) -> tuple[Any, Any]:
    truth = COCO(write_coco(tmp_path, pictures())[0])
    return truth, truth.loadRes(str(tmp_path / "coco_results.json"))


def test_pycocotools_finds_pictures_and_people(loaded: tuple[Any, Any]):
    truth, results = loaded
    images = truth.loadImgs(truth.getImgIds())
    assert [image["file_name"] for image in images] == ["a.jpg", "b.jpg", "c.jpg"]
    assert [(image["width"], image["height"]) for image in images[1:]] == [(640, 480), (64, 48)]
    assert [len(truth.getAnnIds(imgIds=image["id"])) for image in images] == [2, 1, 0]
    assert len(results.getAnnIds()) == 3
    (person,) = truth.loadCats(truth.getCatIds(catNms=["person"]))
    assert person["keypoints"] == list(COCO_17.joints)


def test_joints_are_those_of_the_pose_file_by_name(loaded: tuple[Any, Any]):
    truth, results = loaded
    poses = pictures()
    for row, (one, result) in enumerate(
        zip(truth.anns.values(), results.anns.values(), strict=True)
    ):
        joints = dict(zip(COCO_17.joints, np.reshape(one["keypoints"], (-1, 3)), strict=True))
        scored = dict(zip(COCO_17.joints, np.reshape(result["keypoints"], (-1, 3)), strict=True))
        for name in FACE:
            # MPII has no face; a nose could only be guessed.
            assert not joints[name].any() and not scored[name].any()
        for name in COCO_17.joints[5:]:
            place = MPII_16.index(name)
            np.testing.assert_allclose(joints[name][:2], poses.keypoints_2d[row, place], atol=0.006)
            np.testing.assert_allclose(scored[name][:2], joints[name][:2])
            assert joints[name][2] == 2
            assert scored[name][2] == pytest.approx(poses.confidence[row, place], abs=1e-4)
        assert one["num_keypoints"] == 12 and one["track_id"] == poses.person[row]


def test_the_box_goes_around_the_joints(loaded: tuple[Any, Any]):
    one = loaded[0].anns[1]
    joints = np.reshape(one["keypoints"], (-1, 3))
    known = joints[joints[:, 2] > 0, :2]
    x, y, width, height = one["bbox"]
    np.testing.assert_allclose([x, y], known.min(0), atol=0.006)
    np.testing.assert_allclose([x + width, y + height], known.max(0) + 1, atol=0.006)
    assert one["area"] == pytest.approx(width * height)


def test_results_score_fully_against_themselves(loaded: tuple[Any, Any]):
    evaluation = COCOeval(*loaded, "keypoints")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1.0)


def test_hidden_missing_and_partly_known(tmp_path: Path):
    poses = film("a.jpg", 1)
    keypoints, confidence = poses.keypoints_2d.copy(), poses.confidence.copy()
    keypoints[0, MPII_16.index("left_knee")] = np.nan
    confidence[0, MPII_16.index("left_knee")] = 0
    visibility = np.ones((1, 16))
    visibility[0, MPII_16.index("right_wrist")] = 0.3
    changed = replace(poses, keypoints_2d=keypoints, confidence=confidence, visibility=visibility)
    write_coco(tmp_path, changed)
    (one,) = json.loads((tmp_path / "coco.json").read_text())["annotations"]
    flags = dict(zip(COCO_17.joints, one["keypoints"][2::3], strict=True))
    assert (flags["left_knee"], flags["right_wrist"], flags["left_wrist"]) == (0, 1, 2)
    assert one["num_keypoints"] == 11


def test_frames_of_a_video_are_pictures_of_their_own(tmp_path: Path):
    write_coco(tmp_path, film(frames=3))
    images = json.loads((tmp_path / "coco.json").read_text())["images"]
    assert [(one["id"], one["frame"]) for one in images] == [(1, 0), (2, 1), (3, 2)]


def test_our_own_reader_takes_it_for_a_data_set(tmp_path: Path):
    poses = film("000.png", 1)
    write_coco(tmp_path, poses)
    (tmp_path / "annotations").mkdir()
    (tmp_path / "coco.json").rename(tmp_path / "annotations" / "person_keypoints_val2017.json")
    write_image(tmp_path / "val2017" / "000.png", np.zeros((480, 640, 3), np.uint8))
    table = read_coco(tmp_path)
    known = [MPII_16.index(name) for name in COCO_17.joints[5:]]
    np.testing.assert_allclose(table.keypoints[0, known], poses.keypoints_2d[0, known], atol=0.006)
    middle = (poses.keypoints_2d[0, known].min(0) + poses.keypoints_2d[0, known].max(0)) / 2
    np.testing.assert_allclose(table.box[0, :2], middle, atol=0.01)
