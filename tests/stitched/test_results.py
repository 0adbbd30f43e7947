"""Results that are kept: `--skip_done`, what a run that was killed leaves, and old drawings."""

import os

import numpy as np
import pytest
from PIL import Image

from stitched.inputs import expand_inputs
from stitched.results import earlier_rows, part_path, without_drawings
from utils.errors import UserError
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


def test_a_drawing_of_an_earlier_picture_of_this_name_stays(run_pose, photo, tmp_path, out):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.png").write_bytes(photo[0].read_bytes())
    assert run_pose(tmp_path / "a/x.png") == 0
    before = (out / "x_pose.png").stat().st_mtime_ns
    assert run_pose(tmp_path / "b/x.png", skip_done=True) == 0
    assert (out / "x_pose_2.png").exists() and (out / "x_pose.png").stat().st_mtime_ns == before
    assert len(read_poses(out / "poses.npz")) == 2


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
    (out / "poses.part1_of_anna.npz").write_text("hers")
    assert run_pose(photo[0], overlay=False) == 0
    assert not part_path(out, 1).exists() and (out / "poses.part1_of_anna.npz").exists()


@pytest.mark.parametrize("skip_done", [False, True])
def test_drawings_in_the_folder_of_the_inputs_are_no_inputs(
    run_pose, photo, clip, tmp_path, skip_done
):
    folder = tmp_path / "fold"
    folder.mkdir()
    # The second of these is the user's, whatever it is called.
    sources = [folder / "clip.mp4", folder / "me.png", folder / "me_pose.png"]
    for source, origin in zip(sources, (clip, photo, photo), strict=True):
        source.write_bytes(origin[0].read_bytes())
    before = sources[2].read_bytes()
    options = {"output_dir": str(folder), "lift": True, "skip_done": skip_done}
    assert run_pose(folder, **options) == 0
    listed = sorted(os.listdir(folder))
    assert len(listed) == 3 + 2 + 6
    for given in (folder, folder / "*.[mp][pn][4g]"):
        assert run_pose(given, **options) == 0
        assert sorted(os.listdir(folder)) == listed
        poses = read_poses(folder / "poses.npz")
        assert sorted(set(poses.source)) == list(map(str, sources))
    assert sources[2].read_bytes() == before


def test_drawings_are_inputs_where_they_are_named_or_another_folder_is_written(
    run_pose, photo, tmp_path, out
):
    folder = photo[0].parent
    assert run_pose(photo[0], output_dir=str(folder)) == 0
    drawing = folder / "photo_pose.png"

    def left(output, *inputs):
        sources, _ = expand_inputs(map(str, inputs))
        return {source.name for source in without_drawings(sources, output)}

    both = {str(photo[0]), str(drawing)}
    assert left(folder, folder) == {str(photo[0])}
    assert left(folder, photo[0], drawing) == left(out, folder) == both
    photo[0].unlink()
    assert left(folder, folder) == {str(drawing)}


def test_drawings_are_known_after_a_run_of_one_picture_alone(run_pose, photo, tmp_path):
    folder = tmp_path / "fold"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(photo[0].read_bytes())
    assert run_pose(folder, output_dir=str(folder)) == 0
    assert run_pose(folder / "b.png", output_dir=str(folder)) == 0
    sources, _ = expand_inputs([str(folder)])
    assert len(sources) == 4
    kept = without_drawings(sources, folder)
    assert [source.name for source in kept] == [str(folder / "a.png"), str(folder / "b.png")]


def test_pictures_called_like_drawings_of_no_earlier_run_are_inputs(tmp_path):
    for name in ("me.png", "me_pose.png"):
        write_image(tmp_path / name, np.zeros((50, 60, 3), np.uint8))
    sources, _ = expand_inputs([str(tmp_path)])
    assert without_drawings(sources, tmp_path) == sources
    (tmp_path / "poses.npz").write_text("no poses")
    with pytest.raises(UserError, match=r"poses\.npz is not a readable pose file"):
        without_drawings(sources, tmp_path)


def test_a_film_that_shows_its_last_frame_for_long_is_done(run_pose, tmp_path, predictor, capsys):
    path = tmp_path / "still.gif"
    frames = [Image.fromarray(np.full((40, 60, 3), 20 * i, np.uint8)) for i in range(6)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=[100] * 5 + [3000])
    assert run_pose(path, overlay=False) == 0
    predictor.batches.clear()
    assert run_pose(path, overlay=False, skip_done=True) == 0
    assert predictor.batches == [] and "1 of 1" in capsys.readouterr().out
