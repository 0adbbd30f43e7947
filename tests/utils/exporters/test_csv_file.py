"""CSV: read back by Python's own reader, number for number."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.utils.exporters.exported_poses import film, points_3d, roots
from utils.exporters.csv_file import write_csv
from utils.pose_file import Poses, empty_row
from utils.skeletons import H36M_17, MPII_16


def read(poses: Poses, folder: Path) -> dict[str, list[str]]:
    (path,) = write_csv(folder, poses)
    assert path == folder / "poses.csv"
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    return {name: [row[name] for row in rows] for name in rows[0]}


def numbers(words: list[str]) -> np.ndarray:
    return np.array([float(word) if word else np.nan for word in words])


def test_every_number_is_there_and_reads_back_as_itself(tmp_path: Path):
    poses = replace(film('a, "b"\n.mp4'), visibility=np.full((12, 16), 0.25))
    visibility, lens = poses.visibility, poses.intrinsics
    assert visibility is not None and lens is not None
    table = read(poses, tmp_path)
    assert table["source"] == poses.source.tolist()
    for name in ("frame", "time", "person"):
        np.testing.assert_array_equal(numbers(table[name]), getattr(poses, name))
    expected = {
        **{f"box_{part}": poses.box[:, k] for k, part in enumerate(("cx", "cy", "side"))},
        **{f"image_{part}": poses.image_size[:, k] for k, part in enumerate(("width", "height"))},
        **{f"root_camera_{axis}": roots(poses)[:, k] for k, axis in enumerate("xyz")},
        **{f"intrinsics_{p}": lens[:, k] for k, p in enumerate(("fx", "fy", "cx", "cy"))},
    }
    for j, joint in enumerate(MPII_16.joints):
        expected |= {f"{joint}_{axis}": poses.keypoints_2d[:, j, k] for k, axis in enumerate("xy")}
        expected[f"{joint}_confidence"] = poses.confidence[:, j]
        expected[f"{joint}_visibility"] = visibility[:, j]
    for j, joint in enumerate(H36M_17.joints):
        columns = {f"{joint}_3d_{axis}": points_3d(poses)[:, j, k] for k, axis in enumerate("xyz")}
        expected |= columns
    assert set(table) == {"source", "frame", "time", "person", *expected}
    for name, values in expected.items():
        read_back = numbers(table[name]).astype(values.dtype)
        np.testing.assert_array_equal(read_back, values, err_msg=name)


def test_what_is_missing_is_empty(tmp_path: Path):
    table = read(empty_row("nobody.jpg", (64, 48), "mpii_16"), tmp_path)
    assert table["time"] == table["box_cx"] == table["head_top_x"] == [""]
    assert table["head_top_confidence"] == ["0.0"]
    assert not [name for name in table if "3d" in name or "camera" in name]


def test_long_films_are_whole(tmp_path: Path):
    poses = empty_row("long.mp4", (64, 48), "lsp_14").select(np.zeros(2500, int))
    poses = replace(poses, frame=np.arange(2500))
    assert read(poses, tmp_path)["frame"] == [str(i) for i in range(2500)]
