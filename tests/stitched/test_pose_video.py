"""`run.py pose` on videos and webcams, with a network that sees coloured squares."""

import os
import weakref

import av
import numpy as np
import pytest
from PIL import Image

from stitched import videos
from utils.images import read_image
from utils.pose_file import read_poses
from utils.video import Frame, VideoReader


def test_video_has_a_row_and_an_overlay_frame_for_every_frame(run_pose, clip, out, capsys):
    path, joints = clip
    assert run_pose(path) == 0
    poses = read_poses(out / "poses.npz")
    assert poses.frame.tolist() == list(range(30))
    np.testing.assert_allclose(poses.time, np.arange(30) / 10, atol=1e-3)
    assert poses.found.tolist() == [5 <= i < 25 for i in range(30)]
    # The compression smears a few squares into others' colours.
    errors = np.linalg.norm(poses.keypoints_2d[5:25] - joints[5:25], axis=-1)
    assert np.median(errors, axis=1).max() < 4 and np.median(errors) < 1.5
    assert "a person in 20 of 30 frames" in capsys.readouterr().out
    with VideoReader(out / "clip_pose.mp4") as overlay:
        times = [frame.time for frame in overlay]
    np.testing.assert_allclose(times, np.arange(30) / 10, atol=1e-3)
    with av.open(str(out / "clip_pose.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")


def test_part_of_a_video(run_pose, clip, out):
    assert run_pose(clip[0], start=1.0, end=1.5) == 0
    poses = read_poses(out / "poses.npz")
    assert poses.frame.tolist() == [10, 11, 12, 13, 14]
    np.testing.assert_allclose(poses.time, [1.0, 1.1, 1.2, 1.3, 1.4], atol=1e-3)


def test_so_many_frames_a_second(run_pose, clip, out):
    assert run_pose(clip[0], fps=4.0) == 0
    poses = read_poses(out / "poses.npz")
    assert poses.frame.tolist() == [0, 3, 5, 8, 10, 13, 15, 18, 20, 23, 25, 28]
    with VideoReader(out / "clip_pose.mp4") as overlay:
        times = [frame.time for frame in overlay]
    np.testing.assert_allclose(times, poses.time, atol=1e-3)


@pytest.mark.parametrize("smooth", ["one_euro", "savitzky_golay"])
def test_smoothing_leaves_as_many_rows_and_frames(run_pose, clip, out, smooth):
    assert run_pose(clip[0], smooth=smooth) == 0
    poses = read_poses(out / "poses.npz")
    assert poses.found.tolist() == [5 <= i < 25 for i in range(30)]
    errors = np.linalg.norm(poses.keypoints_2d[5:25] - clip[1][5:25], axis=-1)
    assert np.median(errors) < 5
    with VideoReader(out / "clip_pose.mp4") as overlay:
        assert len(list(overlay)) == 30


def test_video_that_breaks_half_way_keeps_what_was_read(run_pose, clip, photo, out, capsys):
    content = clip[0].read_bytes()
    clip[0].write_bytes(content[: len(content) * 2 // 3])
    assert run_pose(clip[0], photo[0]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and str(clip[0]) in line
    poses = read_poses(out / "poses.npz")
    assert poses.source.tolist()[-1] == str(photo[0])
    read = len(poses) - 1
    assert 8 < read < 28
    assert poses.frame.tolist() == [*range(read), 0]
    with VideoReader(out / "clip_pose.mp4") as overlay:
        assert overlay.damage is None and sum(1 for _ in overlay) == read


def test_broken_video_alone_names_the_damage(run_pose, clip, out, capsys):
    content = clip[0].read_bytes()
    clip[0].write_bytes(content[: len(content) * 2 // 3])
    assert run_pose(clip[0]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and str(clip[0]) in line


def test_animated_gif_is_a_video_and_a_still_one_a_picture(run_pose, photo, tmp_path, out):
    still = Image.fromarray(read_image(photo[0]))
    still.save(
        tmp_path / "moves.gif", save_all=True, append_images=[still.rotate(a) for a in (90, 180)]
    )
    still.save(tmp_path / "still.gif")
    assert run_pose(tmp_path / "moves.gif", tmp_path / "still.gif") == 0
    assert read_poses(out / "poses.npz").frame.tolist() == [0, 1, 2, 0]
    assert (out / "moves_pose.mp4").exists() and (out / "still_pose.png").exists()


class FakeWebcam:
    """A camera that gives frames for ever and counts those that someone still holds."""

    width, height, fps, frame_count, duration, damage = 64, 48, 20.0, None, None, None

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.given: list[weakref.ref] = []
        self.most_alive = 0
        self.closed = False

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        self.closed = True

    def __iter__(self):
        index = 0
        while True:
            if index == self.stop_after:
                raise KeyboardInterrupt
            image = np.zeros((48, 64, 3), np.uint8)
            self.given.append(weakref.ref(image))
            alive = sum(reference() is not None for reference in self.given)
            self.most_alive = max(self.most_alive, alive)
            yield Frame(index, index / 20, image)
            index += 1


@pytest.fixture
def webcam(monkeypatch):
    def plug_in(**arguments):
        camera = FakeWebcam(**arguments)
        monkeypatch.setattr(videos, "open_webcam", lambda number: camera)
        return camera

    return plug_in


def test_webcam_until_the_end_in_bounded_memory(run_pose, webcam, out):
    camera = webcam()
    assert run_pose("0", end=5.0) == 0
    poses = read_poses(out / "poses.npz")
    assert len(poses) == 100 and set(poses.source) == {"0"}
    assert (out / "webcam0_pose.mp4").exists()
    assert camera.closed
    assert camera.most_alive <= 6


def test_webcam_until_ctrl_c(run_pose, webcam, photo, out):
    webcam(stop_after=7)
    assert run_pose("0", photo[0]) == 0
    assert len(read_poses(out / "poses.npz")) == 8


def test_ctrl_c_in_a_video_keeps_what_was_done_and_goes_no_further(
    run_pose, clip, photo, predictor, out
):
    looks = 0
    look = predictor._one

    def interrupted(image, box):
        nonlocal looks
        looks += 1
        if looks > 35:
            raise KeyboardInterrupt
        return look(image, box)

    predictor._one = interrupted
    assert run_pose(clip[0], photo[0]) == 130
    poses = read_poses(out / "poses.npz")
    assert 2 < len(poses) < 20
    with VideoReader(out / "clip_pose.mp4") as overlay:
        assert sum(1 for _ in overlay) == len(poses)


def test_ctrl_c_before_anything_was_done(run_pose, clip, predictor, out):
    def interrupted(image, box):
        raise KeyboardInterrupt

    predictor._one = interrupted
    with pytest.raises(KeyboardInterrupt):
        run_pose(clip[0])
    assert os.listdir(out) == []
