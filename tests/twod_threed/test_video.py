import numpy as np

from twod_threed.video import fill_gaps, sequences
from utils.pose_file import Poses


def test_short_gaps_are_filled_on_a_line_and_others_left() -> None:
    frames = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 20])
    points = np.stack([frames * 2.0, 5 - frames], axis=-1)[:, None]
    known = points.copy()
    points[[0, 2, 3, 5, 6, 7, 8]] = np.nan
    filled = fill_gaps(points, frames, longest=2)
    assert np.allclose(filled[[2, 3]], known[[2, 3]])
    assert np.isnan(filled[[0, 5, 6, 7, 8]]).all()
    assert np.allclose(fill_gaps(points, frames, longest=4)[1:], known[1:])
    # A gap is as long as the frames that are not there, in the file or at all.
    points[:] = known
    points[9] = np.nan
    assert np.isnan(fill_gaps(points, frames, longest=10)[9]).all()
    assert np.allclose(fill_gaps(points, frames, longest=11)[9], known[9])


def test_nothing_to_go_by_stays_nothing() -> None:
    points = np.full((4, 2, 2), np.nan)
    points[1, 0] = 3.0
    filled = fill_gaps(points, np.arange(4), longest=5)
    assert np.array_equal(filled, points, equal_nan=True)


def test_rows_of_one_source_and_person_are_one_video_in_order() -> None:
    rows = len(source := np.array(["b", "a", "b", "a", "a"]))
    poses = Poses(
        source=source,
        frame=np.array([1, 5, 0, 4, 4]),
        time=np.zeros(rows),
        person=np.array([0, 0, 0, 0, 1]),
        box=np.full((rows, 3), np.nan),
        image_size=np.full((rows, 2), 100),
        keypoints_2d=np.zeros((rows, 16, 2)),
        confidence=np.ones((rows, 16)),
        skeleton_2d="mpii_16",
    )
    assert [rows.tolist() for rows in sequences(poses)] == [[3, 1], [4], [2, 0]]
