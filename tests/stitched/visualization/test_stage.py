"""Who stands where in 3D panels, which way up, and what is looked at."""

from dataclasses import replace

import numpy as np
import pytest

from stitched.visualization.stage import find_places, make_stage
from tests.stitched.visualization.people import person, standing, walk
from utils.pose_file import concatenate
from utils.pose_panels import BACKGROUND
from utils.skeletons import H36M_17, SIDE_COLOURS

SIZE = 200


def columns_of(image: np.ndarray, side: str) -> np.ndarray:
    return np.nonzero((image == SIDE_COLOURS[side]).all(axis=-1))[1]


def test_joints_are_where_the_file_says():
    poses = walk(4, people=2)
    assert poses.root_camera is not None
    stage = make_stage(poses)
    np.testing.assert_allclose(stage.joints[:, 0], poses.root_camera, atol=1e-3)
    np.testing.assert_allclose(stage.joints - stage.joints[:, :1], [standing()] * 8, atol=1e-3)
    assert stage.frames.tolist() == [0, 1, 2, 3]


def test_people_stand_upright_before_a_tilted_camera():
    tilt = np.radians(25)
    turn = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    poses = walk(30)
    assert poses.keypoints_3d is not None and poses.root_camera is not None
    tilted = replace(
        poses, keypoints_3d=poses.keypoints_3d @ turn.T, root_camera=poses.root_camera @ turn.T
    )
    for rows in (tilted, tilted.select([0])):
        up = make_stage(rows).view.ground[1]
        np.testing.assert_allclose(up, turn @ [0, -1, 0], atol=0.01)


def test_a_film_follows_the_people_over_one_floor():
    stage = make_stage(walk(20, people=2))
    heights = stage.centres @ stage.view.ground[1]
    np.testing.assert_allclose(heights, heights[0], atol=1)
    np.testing.assert_allclose(np.diff(stage.centres[:, 0]), 50, atol=1)
    assert stage.floor == pytest.approx(-900, abs=15)  # the ankles are 900 mm below the camera
    away = np.linalg.norm(stage.joints - stage.centres[stage.frame][:, None], axis=-1)
    assert away.max() <= stage.radius * 1.01


def test_unknown_places_lie_between_known_ones():
    poses = walk(5)
    assert poses.root_camera is not None
    poses.root_camera[[0, 2]] = np.nan
    expected = [[-250, 0, 5000], [-250, 0, 5000], [-200, 0, 5000], [-150, 0, 5000], [-100, 0, 5000]]
    np.testing.assert_allclose(find_places(poses), expected)


def test_people_without_places_stand_side_by_side():
    poses = replace(walk(2, people=3), root_camera=None)
    places = find_places(poses).reshape(2, 3, 3)
    np.testing.assert_array_equal(places[0], places[1])
    assert (np.diff(places[0, :, 0]) > 1000).all()


def test_a_panel_shows_its_own_frame_and_turns():
    stage = make_stage(walk(5), azimuth=0, elevation=0)
    front = stage.panel(2, SIZE)
    left, right = (columns_of(front, side).mean() for side in ("left", "right"))
    assert left > right + 10  # who faces the camera has the left hand on its right
    behind = stage.panel(2, SIZE, turned=180)
    assert columns_of(behind, "left").mean() < columns_of(behind, "right").mean() - 10
    np.testing.assert_array_equal(stage.panel(2, SIZE, turned=360), front)
    with pytest.raises(ValueError, match="there is no frame 7"):
        stage.panel(7, SIZE)


def test_nobody_is_an_empty_floor():
    poses = walk(3)
    assert poses.keypoints_3d is not None
    poses.keypoints_3d[:] = np.nan
    for rows in (poses, replace(poses, keypoints_3d=None, skeleton_3d=None)):
        image = make_stage(rows).panel(1, SIZE, title="")
        assert not len(columns_of(image, "left"))
        assert (image != BACKGROUND).any()


def test_a_lost_person_keeps_the_film_going():
    poses = walk(6)
    assert poses.keypoints_3d is not None and poses.root_camera is not None
    poses.keypoints_3d[2], poses.root_camera[2] = np.nan, np.nan
    stage = make_stage(poses)
    assert np.isfinite(stage.centres).all()
    assert not len(columns_of(stage.panel(2, SIZE), "middle"))
    assert len(columns_of(stage.panel(3, SIZE), "middle"))


def test_many_people_fit_into_the_panel():
    crowd = concatenate([person(number=n, place=(900.0 * n, 0, 5000)) for n in range(5)])
    image = make_stage(crowd).panel(0, SIZE, title="")
    border = np.concatenate([image[0], image[:, 0], image[:, -1]])
    for colour in SIDE_COLOURS.values():
        assert not (border == colour).all(axis=-1).any()
    assert H36M_17.name == crowd.skeleton_3d
