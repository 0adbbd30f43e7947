"""Which rows belong to a video: by its whole name, its file's name, or because it is the only."""

import pytest

from tests.stitched.visualization.people import person, walk
from utils.errors import UserError
from utils.pose_file import concatenate
from utils.pose_sources import rows_of


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
