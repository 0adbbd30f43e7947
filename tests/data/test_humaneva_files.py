"""The files of HumanEva-I's download, one by one."""

from pathlib import Path

import numpy as np
import pytest
import scipy.io

from data.humaneva_files import (
    Offset,
    read_calibration,
    read_markers,
    read_measurements,
    read_offset,
)
from tests.data.humaneva_download import (
    DISTORTION,
    LABELS,
    SKEW,
    Cameras,
    captured,
    expected_pixels,
    write_c3d,
    write_calibration,
    write_matlab,
    write_offset,
)
from utils.errors import UserError


def test_a_calibration_projects_as_its_formula(tmp_path: Path) -> None:
    write_calibration(tmp_path / "C2.cal", 1)
    camera = read_calibration(tmp_path / "C2.cal")
    assert camera.skew == SKEW and tuple(camera.distortion) == DISTORTION
    np.testing.assert_allclose(camera.position, Cameras().positions[1], atol=1e-4)
    points = np.random.default_rng(0).uniform(-900, 900, (4, 15, 3))
    found = camera.project(camera.to_camera(points))
    np.testing.assert_allclose(found, expected_pixels(points, 1), atol=1e-5)


def test_what_is_behind_the_camera_or_missing_has_no_pixel(tmp_path: Path) -> None:
    write_calibration(tmp_path / "C1.cal", 0)
    camera = read_calibration(tmp_path / "C1.cal")
    points = np.array([[0, 0, -100.0], [np.nan] * 3, [0, 0, 100]])
    assert np.isnan(camera.project(points)[:, 0]).tolist() == [True, True, False]
    assert np.isnan(camera.project(points[:2])).all()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 2 3", "3 numbers, not 22"),
        ("focal 2", "holds more than numbers"),
        (" ".join(["1"] * 22), "its rotation or its focal lengths"),
        (" ".join(["nan"] * 22), "not 22"),
    ],
)
def test_what_is_no_calibration(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "C1.cal"
    path.write_text(text)
    with pytest.raises(UserError, match=rf"C1.cal is no(t a)? calibration: .*{words}"):
        read_calibration(path)


def test_offsets(tmp_path: Path) -> None:
    path = tmp_path / "one.ofs"
    write_offset(path, 82, 1.5, 2)
    assert read_offset(path) == Offset(82, 1.5, 2)
    write_offset(path, 82, 1.5, 0)
    with pytest.raises(UserError, match="0 frames in a frame"):
        read_offset(path)
    with pytest.raises(UserError, match=r"cannot read .*two.ofs: No such file"):
        read_offset(tmp_path / "two.ofs")


def test_measurements(tmp_path: Path) -> None:
    path = tmp_path / "S1.mp"
    path.write_text("$BodyMass = 70.5\r\n$LShoulderOffset=40\r\nHeadOffset = -1e-2\nnote\n")
    found = {"BodyMass": 70.5, "LShoulderOffset": 40, "HeadOffset": -0.01}
    assert read_measurements(path) == found
    path.write_text("$BodyMass = 1-2")
    with pytest.raises(UserError, match=r"S1.mp is no file of measurements"):
        read_measurements(path)


@pytest.mark.parametrize("write", [write_c3d, write_matlab])
def test_markers_by_name_lost_ones_missing(tmp_path: Path, write) -> None:
    positions = captured(5)
    positions[2, 7] = 0
    stem = tmp_path / "Walking_1"
    write(stem.with_name("Walking_1.c3d" if write is write_c3d else "Walking_1.mat"), positions)
    markers, note = read_markers(stem)
    assert note == "" and [label.split(":")[-1] for label in markers.labels] == LABELS
    positions[2, 7] = np.nan
    np.testing.assert_allclose(markers.positions, positions, atol=1e-3)
    assert markers.place("LFEP", stem) == LABELS.index("LFEP")
    with pytest.raises(UserError, match="Walking_1 has no marker TAIL"):
        markers.place("TAIL", stem)


def test_a_mat_that_cannot_be_read_gives_way_to_the_c3d(tmp_path: Path) -> None:
    stem = tmp_path / "Jog_1"
    scipy.io.savemat(tmp_path / "Jog_1.mat", {"Stream": np.arange(3)})
    with pytest.raises(UserError, match=r"Jog_1.mat has no `Markers`"):
        read_markers(stem)
    write_c3d(tmp_path / "Jog_1.c3d", captured(3))
    markers, note = read_markers(stem)
    assert len(markers.positions) == 3
    assert "Jog_1.mat has no `Markers` that can be read here; Jog_1.c3d is taken instead" in note
    scipy.io.savemat(tmp_path / "Jog_1.mat", {"Markers": np.zeros((3, 2, 3))})
    assert "has no names of markers" in read_markers(stem)[1]


def test_damaged_captures(tmp_path: Path) -> None:
    stem = tmp_path / "Jog_1"
    with pytest.raises(UserError, match=r"there is neither .*Jog_1.mat nor Jog_1.c3d"):
        read_markers(stem)
    path = tmp_path / "Jog_1.c3d"
    write_c3d(path, captured(40))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"Jog_1.c3d breaks off after \d+ of 40 frames"):
        read_markers(stem)
    path.write_text("nothing of the kind")
    with pytest.raises(UserError, match=r"Jog_1.c3d is not a readable C3D file"):
        read_markers(stem)
