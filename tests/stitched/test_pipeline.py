"""`PosePipeline` gives what the command gives."""

import numpy as np
import pytest

from stitched import PosePipeline, pipeline
from stitched.options import LiftOptions, VideoOptions
from utils.errors import UserError
from utils.images import read_image
from utils.pose_file import read_poses


@pytest.fixture
def flat(predictor, monkeypatch):
    """A pipeline of the stand-in, 2D alone."""
    monkeypatch.setattr(pipeline, "load_predictor", lambda *_: predictor)
    return lambda **options: PosePipeline(lifting=LiftOptions(lift=False), **options)


def test_paths_give_the_rows_of_the_command(flat, run_pose, photo, clip, out):
    assert run_pose(photo[0], clip[0], overlay=False) == 0
    expected, found = read_poses(out / "poses.npz"), flat()([photo[0], str(clip[0])])
    for name, value in expected.arrays().items():
        np.testing.assert_array_equal(value, getattr(found, name))


def test_arrays_are_pictures_and_a_list_is_looked_at_together(flat, photo, predictor):
    image = read_image(photo[0])
    one = flat()(image)
    assert one.source.tolist() == ["0"] and one.found.all()
    predictor.batches.clear()
    several = flat()([image, np.zeros_like(image), image])
    assert several.source.tolist() == ["0", "1", "2"]
    assert several.found.tolist() == [True, False, True]
    assert predictor.batches[0] == 3
    np.testing.assert_array_equal(several.keypoints_2d[2], one.keypoints_2d[0])


def test_options_of_videos_hold(flat, clip):
    poses = flat(video=VideoOptions(start=1.0, end=2.0, fps=5.0))(clip[0])
    assert poses.frame.tolist() == [10, 12, 14, 16, 18]


def test_what_cannot_be_looked_at(flat, tmp_path):
    with pytest.raises(UserError, match="no such file"):
        flat()(tmp_path / "missing.jpg")
    with pytest.raises(ValueError):
        flat()(np.zeros((4, 4), np.uint8))


def test_large_pictures_are_looked_at_a_few_at_a_time(flat, photo, predictor, monkeypatch):
    image = read_image(photo[0])
    monkeypatch.setattr("stitched.pictures.BATCH_PIXELS", 2 * image.shape[0] * image.shape[1])
    assert len(flat()([image] * 3)) == 3
    assert predictor.batches[0] == 2


def test_nothing_to_look_at_is_said(flat):
    with pytest.raises(ValueError, match="nothing to look at"):
        flat()([])
