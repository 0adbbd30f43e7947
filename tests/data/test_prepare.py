"""The preparing commands as a user runs them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from data.prepare import SUBCOMMANDS, main
from stacked_hourglass.data import read_people
from stacked_hourglass.sources import ORIGINS
from tests.stacked_hourglass.fake_data import (
    coco_annotation,
    hrnet_record,
    mpii_matlab_person,
    write_coco,
    write_lsp,
    write_lsp_extended,
    write_mpii_matlab,
    write_picture,
)

ROOT = Path(__file__).resolve().parents[2]
POINTS = [{"id": float(j), "x": 20.0 + j, "y": 10.0 + j, "is_visible": 1.0} for j in range(16)]


@pytest.fixture
def sources(tmp_path):
    """LSP and its extension."""
    write_lsp(tmp_path / "lsp")
    write_lsp_extended(tmp_path / "lspet")
    return [f"lsp={tmp_path / 'lsp'}", f"lspet={tmp_path / 'lspet'}"]


def test_runs_as_a_script_from_the_repository():
    command = [sys.executable, "data/prepare.py", "--help"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0 and all(name in result.stdout for name in SUBCOMMANDS)


WATCH = """
import os, runpy, sys
class Watch:
    def find_spec(self, name, *_):
        if name == "torch":
            print("torch finds", os.environ.get("OMP_WAIT_POLICY"))
sys.meta_path.insert(0, Watch())
sys.path.insert(0, "data")
sys.argv = ["data/prepare.py", "--help"]
runpy.run_path("data/prepare.py", run_name="__main__")
"""


def test_threads_are_told_not_to_spin_before_torch_is_imported():
    environment = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    result = subprocess.run(
        [sys.executable, "-c", WATCH], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert result.stdout.startswith("torch finds PASSIVE\n"), result.stderr


def test_every_command_that_errors_recommend_exists(capsys):
    for origin in ORIGINS.values():
        words = origin.prepare.format(folder="nowhere").split()
        assert words[:2] == ["python", "data/prepare.py"]
        assert main(words[2:]) == 2
        error = capsys.readouterr().err
        assert f"{origin.title} is not in nowhere" in error and origin.where in error
        assert "prepare.py" not in error and "hourglass" not in error, "it is this very command"


def test_mpii_is_converted_and_readable(tmp_path, capsys):
    folder = tmp_path / "mpii"
    far = {"objpos": {"x": 50.0, "y": 35.0}}
    people = [mpii_matlab_person(POINTS), mpii_matlab_person(POINTS, **far)]
    pictures = [("a.jpg", 1, people), ("b.jpg", 1, people[:1]), ("c.jpg", 1, people[:1])]
    write_mpii_matlab(folder / "mpii_human_pose_v1_u12_1.mat", pictures)
    for name in "ab":
        write_picture(folder / f"images/{name}.jpg")
    (tmp_path / "valid.json").write_text(json.dumps([hrnet_record("b.jpg")]))
    options = ["--data_dir", str(folder), "--validation_list", str(tmp_path / "valid.json")]
    assert main(["mpii", *options]) == 1, "a picture is missing"
    printed = capsys.readouterr().out
    assert "4 people" in printed and "picture missing: c.jpg" in printed
    assert "mpii: 3 people (train 2, val 1)" in printed
    table = read_people("mpii", folder)
    assert table.split.tolist() == ["train", "train", "val"]
    np.testing.assert_array_equal(table.keypoints[2, 3], [22, 12])


def test_mpii_in_another_layout_is_checked(tmp_path, capsys):
    write_picture(tmp_path / "images/b.jpg")
    (tmp_path / "annot").mkdir()
    (tmp_path / "annot/valid.json").write_text(json.dumps([hrnet_record("b.jpg")]))
    assert main(["mpii", "--data_dir", str(tmp_path)]) == 0
    assert "mpii: 1 people (val 1)" in capsys.readouterr().out
    assert main(["mpii", "--data_dir", str(tmp_path), "--validation_list", "valid.h5"]) == 2
    assert "there is no" in capsys.readouterr().err


def test_mpii_elsewhere(tmp_path):
    write_mpii_matlab(tmp_path / "x.mat", [("a.jpg", 1, [mpii_matlab_person(POINTS)])])
    write_picture(tmp_path / "mpii/images/a.jpg")
    options = ["--data_dir", str(tmp_path / "mpii"), "--annotations", str(tmp_path / "x.mat")]
    assert main(["mpii", *options]) == 0
    assert len(read_people("mpii", tmp_path / "mpii")) == 1


def test_absent_data_are_told_from_folders_without_their_files(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    reasons = {"none": "there is no such", "empty": "lacks its files", "file": "it is not a folder"}
    for name, reason in reasons.items():
        for data_set in ("lsp", "coco"):
            assert main([data_set, "--data_dir", str(tmp_path / name)]) == 2
            assert f"{name}: " in (error := capsys.readouterr().err) and reason in error
    assert main(["pack", "--sources", f"coco={tmp_path / 'none'}"]) == 2
    error = capsys.readouterr().err
    assert "then run `python data/prepare.py coco" in error and "hourglass" not in error


def test_lsp_check_counts_splits_and_names_faults(tmp_path, sources, capsys):
    folder = tmp_path / "lsp"
    assert main(["lsp", "--data_dir", str(folder)]) == 0
    assert "lsp: 3 people (train 3)" in capsys.readouterr().out
    (folder / "images/im0002.jpg").write_bytes(b"x" * 100)
    assert main(["lsp", "--data_dir", str(folder)]) == 2, "its size is needed for the box"
    assert "im0002.jpg" in capsys.readouterr().err
    extended = ["lsp", "--extended", "--data_dir", str(tmp_path / "lspet")]
    assert main(extended) == 0
    assert "lspet: 2 people (train 2)" in capsys.readouterr().out
    (tmp_path / "lspet/images/im00002.jpg").write_bytes(b"x" * 100)
    assert main(extended) == 1
    assert "im00002.jpg is not a readable picture" in capsys.readouterr().out


def test_check_counts_joints_outside_their_picture(tmp_path, capsys):
    # Joint k at (k, 2 k): all inside 60 x 40, but not those with y above 39.5.
    keypoints = [value for k in range(17) for value in (k, 3 * k, 2)]
    people = [coco_annotation(1, 1, keypoints=keypoints), coco_annotation(2, 1)]
    write_coco(tmp_path, "val", people)
    assert main(["coco", "--data_dir", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "coco: 2 people (val 2)" in printed
    # y = 3 k > 39.5 for k = 14, 15, 16: right knee and both ankles.
    assert "3 joints lie outside" in printed


def test_pack_takes_sources_splits_and_size(tmp_path, sources, capsys):
    output = tmp_path / "out/people.pack"
    assert main(["pack", "--sources", *sources, "--output", str(output), "--size", "32"]) == 0
    printed = capsys.readouterr().out
    assert "lsp+lspet: 5 people (train 5)" in printed and " MB" in printed
    table = read_people("", output)
    assert len(table) == 5
    assert table.sources[0].scales[:3].tolist() == [32 / 60] * 3  # pyright: ignore
    assert main(["pack", "--sources", *sources, "--output", str(output), "--splits", "val"]) == 2
    assert "lsp has nobody in val" in capsys.readouterr().err
    (tmp_path / "lspet/images/im00001.jpg").write_bytes(b"x" * 50)
    assert main(["pack", "--sources", sources[1], "--output", str(output)]) == 1
    assert "picture unreadable: im00001.jpg" in capsys.readouterr().out


def test_pack_quality_and_margin_have_their_effect(tmp_path, sources):
    def size(*more: str) -> tuple[int, int]:
        output = tmp_path / "p.pack"
        words = ["pack", "--sources", sources[1], "--output", str(output), *more]
        assert main(words) == 0
        table = read_people("", output)
        return len(table.sources[0].crops), table.read_picture(0).image.size  # pyright: ignore

    plain, better, narrow = size(), size("--quality", "95"), size("--margin", "1")
    assert better[0] > plain[0] and better[1] == plain[1]
    assert narrow[1] < plain[1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--size", "4"], "--size"),
        (["--quality", "0"], "--quality"),
        (["--margin", "0.5"], "--margin"),
        (["--output", "people.npz"], ".pack"),
    ],
)
def test_pack_options_out_of_range_are_one_line_errors(sources, words, message, capsys):
    assert main(["pack", "--sources", sources[0], *words]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1 and message in error
