"""Results that are kept: `--skip_done`, and what a run that was killed leaves."""

import numpy as np

from stitched.results import earlier_rows, part_path
from utils.images import write_image
from utils.pose_file import read_poses, write_poses


def test_what_is_done_is_not_looked_at_again_and_stays(
    run_pose, photo, clip, tmp_path, predictor, out, capsys
):
    assert run_pose(clip[0], photo[0]) == 0
    before = read_poses(out / "poses.npz")
    predictor.batches.clear()
    assert run_pose(clip[0], photo[0], skip_done=True) == 0
    assert predictor.batches == [] and "2 of 2" in capsys.readouterr().out
    write_image(tmp_path / "new.png", np.zeros((50, 60, 3), np.uint8))
    assert run_pose(clip[0], tmp_path / "new.png", photo[0], skip_done=True) == 0
    after = read_poses(out / "poses.npz")
    # In the order of the inputs: 30 rows of the clip, one of the new picture, the old one.
    assert after.source[30] == str(tmp_path / "new.png")
    stayed = after.select(np.arange(len(after)) != 30)
    for name, value in before.arrays().items():
        np.testing.assert_array_equal(value, getattr(stayed, name))


def test_half_a_video_is_looked_at_again(run_pose, clip, predictor, out):
    assert run_pose(clip[0], end=1.0) == 0
    assert run_pose(clip[0], skip_done=True) == 0
    assert read_poses(out / "poses.npz").frame.tolist() == list(range(30))
    predictor.batches.clear()
    assert run_pose(clip[0], end=2.0, skip_done=True) == 0
    assert predictor.batches == []


def test_parts_of_processes_that_were_killed_count(run_pose, photo, tmp_path, out):
    assert run_pose(photo[0], overlay=False) == 0
    poses = read_poses(out / "poses.npz")
    other = poses.select(np.zeros(1, int))
    other.source[:] = "b"
    write_poses(part_path(out, 1), other)
    rows = earlier_rows(out)
    assert rows is not None and rows.source.tolist() == [str(photo[0]), "b"]
    assert earlier_rows(tmp_path / "nothing") is None
