"""Joints made from markers, and frames that several films share."""

from pathlib import Path

import numpy as np
import pytest

from data.humaneva_files import Markers, Offset
from data.humaneva_joints import Body, body_joints, measure_body, synchronise
from tests.data.humaneva_download import (
    FIRST_IN_CAPTURE,
    FIRST_IN_FILM,
    LABELS,
    OFFSETS,
    SHOULDER_OFFSET,
    SHOULDERS,
    captured,
    expected_joints,
)
from utils.errors import UserError
from utils.skeletons import HUMANEVA_20

TAKE = Path("Walking_1")
BODY = Body(SHOULDERS / 2 - 7, SHOULDER_OFFSET)


def markers(frames: int) -> Markers:
    return Markers(tuple(LABELS), captured(frames))


def test_joints_on_and_between_frames_are_those_of_the_closed_form() -> None:
    times = np.array([1, 3.5, 4.25, 9.9, 12])
    found = body_joints(markers(12), TAKE, times, BODY)
    expected = expected_joints(times)
    for number, name in enumerate(HUMANEVA_20.joints):
        np.testing.assert_allclose(found[:, number], expected[name], atol=1e-6, err_msg=name)


def test_left_is_left() -> None:
    """The person faces along x at time 0, so that left is along y."""
    pose = body_joints(markers(2), TAKE, np.array([1.0]), BODY)[0]
    for joint in ("shoulder", "elbow_upper", "wrist", "hip", "ankle"):
        left, right = HUMANEVA_20.indices(f"left_{joint}", f"right_{joint}")
        assert pose[left, 1] > pose[right, 1] + 100


def test_times_without_all_markers_have_no_joints() -> None:
    one = markers(10)
    one.positions[4, LABELS.index("RTOE")] = np.nan  # the fifth frame
    times = np.array([0.5, 1, 4, 4.1, 5, 5.9, 6, 10, 10.1])
    found = np.isfinite(body_joints(one, TAKE, times, BODY)).all(axis=(1, 2))
    assert found.tolist() == [False, True, True, False, False, False, True, True, False]


def test_markers_that_joints_need_are_named() -> None:
    without = Markers(tuple(n for n in LABELS if n != "RTIO"), np.ones((3, len(LABELS) - 1, 3)))
    with pytest.raises(UserError, match="Walking_1 has no marker RTIO"):
        body_joints(without, TAKE, np.array([1.0]), BODY)
    cut = Markers(tuple(LABELS[:-1]), captured(3)[:, :-1])
    with pytest.raises(UserError, match="its last segment has no axes"):
        body_joints(cut, TAKE, np.array([1.0]), BODY)


def test_the_body_is_measured_where_it_stands() -> None:
    mp = Path("S1.mp")
    measured = {"LShoulderOffset": 40.0, "RShoulderOffset": 30.0}
    still = markers(3)
    still.positions[1, LABELS.index("LSHO")] = np.nan
    body = measure_body(still, TAKE, measured, mp)
    assert body.trunk_radius == pytest.approx(BODY.trunk_radius)
    assert body.shoulder_offset == SHOULDER_OFFSET
    with pytest.raises(UserError, match=r"S1.mp has no RShoulderOffset"):
        measure_body(still, TAKE, {"LShoulderOffset": 40.0}, mp)
    still.positions[:, LABELS.index("LSHO")] = np.nan
    with pytest.raises(UserError, match="both shoulders are never seen"):
        measure_body(still, TAKE, measured, mp)


def test_frames_are_counted_from_the_film_that_begins_last() -> None:
    shared = synchronise({f"C{n + 1}": Offset(*values) for n, values in enumerate(OFFSETS)})
    films = [shared.in_video(f"C{n + 1}", 1) for n in range(3)]
    assert tuple(films) == FIRST_IN_FILM
    assert shared.in_mocap(np.array([1, 4])).tolist() == [FIRST_IN_CAPTURE, FIRST_IN_CAPTURE + 6]


def test_frames_are_counted_from_the_capture_if_that_begins_later() -> None:
    offsets = {"C1": (82, 1, 2), "C2": (90, 18.8, 2), "C3": (92, 21, 2)}
    shared = synchronise({camera: Offset(*values) for camera, values in offsets.items()})
    assert shared.first_video == {"C1": 82, "C2": 81, "C3": 82}
    assert shared.in_mocap(np.array([1, 2])).tolist() == [1, 3]
    # As VideoPose3D counts S1's first walk: frame 6 is picture 86, from 0.
    assert shared.in_video("C1", 6) == 86


def test_every_camera_sees_the_moment_that_its_offset_says() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        offsets = {
            f"C{n}": Offset(float(rng.integers(1, 200)), float(rng.uniform(1, 400)), 2.0)
            for n in range(1, 4)
        }
        shared = synchronise(offsets)
        assert min(shared.first_video.values()) >= 1 and shared.first_mocap >= 1
        for camera, offset in offsets.items():
            moment = offset.mocap + (shared.in_video(camera, 7) + 1 - offset.video) * offset.step
            assert abs(moment - shared.in_mocap(np.array([7]))[0]) <= 1.0 + 1e-6
