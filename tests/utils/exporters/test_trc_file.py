"""TRC: against the published layout, another reader, and OpenSim where it is installed."""

from pathlib import Path

import numpy as np
import pytest
from trc import TRCData

from tests.utils.exporters.exported_poses import film, upright, without_joint
from utils.exporters.trc_file import write_trc
from utils.skeletons import H36M_17

MICROMETRE = 1.01e-3
GAPS = (("left_wrist", slice(2, 5)), (H36M_17.joints[-1], slice(4, 6)), ("hip", slice(0, 1)))


def gappy():
    """A film in which joints are missing, among them the last of a line."""
    poses = film()
    for joint, frames in GAPS:
        poses = without_joint(poses, joint, frames)
    return poses


def test_the_header_is_as_published(tmp_path: Path):
    (path,) = write_trc(tmp_path, film(frames=3))
    assert path == tmp_path / "dance_person0.trc"
    lines = [line.split("\t") for line in path.read_text().splitlines()]
    assert lines[0] == ["PathFileType", "4", "(X/Y/Z)", "dance_person0.trc"]
    header = dict(zip(lines[1], lines[2], strict=True))
    assert header == {
        "DataRate": "25",
        "CameraRate": "25",
        "NumFrames": "3",
        "NumMarkers": "17",
        "Units": "mm",
        "OrigDataRate": "25",
        "OrigDataStartFrame": "1",
        "OrigNumFrames": "3",
    }
    assert lines[3][:2] == ["Frame#", "Time"] and lines[3][2::3] == list(H36M_17.joints)
    assert not any(lines[3][3::3]) and not any(lines[3][4::3])
    assert lines[4][:6] == ["", "", "X1", "Y1", "Z1", "X2"] and lines[4][-1] == "Z17"
    assert lines[5] == [""]
    assert [line[:2] for line in lines[6:]] == [
        ["1", "1.500000"],
        ["2", "1.540000"],
        ["3", "1.580000"],
    ]


def test_another_reader_finds_the_markers(tmp_path: Path):
    poses = film()
    (path,) = write_trc(tmp_path, poses)
    data = TRCData()
    data.load(str(path))
    assert data["Markers"] == list(H36M_17.joints)
    read = np.stack([np.array(data[joint]) for joint in H36M_17.joints], axis=1)
    np.testing.assert_allclose(read, upright(poses), atol=MICROMETRE)
    np.testing.assert_allclose(data["Time"], poses.time, atol=1e-6)


def test_missing_joints_are_blank(tmp_path: Path):
    poses = gappy()
    (path,) = write_trc(tmp_path, poses)
    # 53 numbers; the tab at the end makes one blank column more.
    table = np.genfromtxt(path, delimiter="\t", skip_header=6)[:, 2:-1]
    expected = upright(poses).reshape(12, -1)
    assert np.isnan(expected).sum() == 3 * (3 + 2 + 1)
    np.testing.assert_allclose(table, expected, atol=MICROMETRE)


def test_opensim_reads_it(tmp_path: Path):
    opensim = pytest.importorskip(
        "opensim", reason="OpenSim is not installed (pip install opensim)"
    )
    poses = gappy()
    (path,) = write_trc(tmp_path, poses)
    table = opensim.TimeSeriesTableVec3(str(path))
    assert table.getColumnLabels() == H36M_17.joints
    assert table.getTableMetaDataAsString("Units") == "mm"
    rows = [table.getRowAtIndex(frame) for frame in range(table.getNumRows())]
    read = [[[row[j][axis] for axis in range(3)] for j in range(len(H36M_17))] for row in rows]
    np.testing.assert_allclose(np.array(read), upright(poses), atol=MICROMETRE)
    np.testing.assert_allclose(table.getIndependentColumn(), poses.time, atol=1e-6)
