"""Which rows belong to a video: by its whole name, its file's name, or because it is the only."""

from dataclasses import replace

import pytest

from stitched.visualization.sources import read_rows, rows_of
from tests.stitched.visualization.people import person, walk
from utils.errors import UserError
from utils.pose_file import concatenate, write_poses


def poses_of(*sources: str):
    return concatenate([person(source, frame=n) for n, source in enumerate(sources)])


@pytest.mark.parametrize(
    ("sources", "asked", "frame"),
    [
        (("a/clip.mp4", "b/clip.mp4"), "b/clip.mp4", 1),
        (("a/clip.mp4", "b/other.mp4"), "elsewhere/clip.mp4", 0),
        (("C:\\films\\clip.mp4", "b/other.mp4"), "clip.mp4", 0),
        (("a/clip.mp4",), "renamed.mp4", 0),
        (("a/clip.mp4",), "", 0),
    ],
)
def test_the_right_rows_are_found(sources, asked, frame):
    assert rows_of(poses_of(*sources), asked).frame.tolist() == [frame]


def test_rows_come_in_order_of_frames():
    shuffled = walk(4, people=2).select([5, 0, 7, 2, 1, 6, 3, 4])
    assert rows_of(shuffled, "clip.mp4").frame.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize(
    ("sources", "asked", "message"),
    [
        (("a/clip.mp4", "b/clip.mp4"), "clip.mp4", "has no clip.mp4, or several; it has a/clip"),
        (
            ("a.mp4", "b.mp4"),
            "",
            "has several sources: say which with --source; it has a.mp4, b.mp4",
        ),
    ],
)
def test_doubt_is_an_error(sources, asked, message):
    with pytest.raises(UserError, match=message):
        rows_of(poses_of(*sources), asked)


def test_files_without_3d_or_rows_are_refused(tmp_path):
    flat = replace(walk(2), keypoints_3d=None, skeleton_3d=None)
    write_poses(tmp_path / "flat.npz", flat)
    with pytest.raises(UserError, match=r"flat.npz has no 3D poses of clip.mp4: lift them"):
        read_rows(tmp_path / "flat.npz", "clip.mp4")
    write_poses(tmp_path / "empty.npz", flat.select([]))
    with pytest.raises(UserError, match=r"empty.npz has no poses"):
        read_rows(tmp_path / "empty.npz", "clip.mp4")
