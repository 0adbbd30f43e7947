"""`run.py pose` from inputs to files, with a network that sees coloured squares."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stacked_hourglass.multi_scale import MultiScale
from stacked_hourglass.predictor import Predictor
from stitched import pictures, pose
from stitched.inputs import Source
from stitched.options import MachineOptions, PoseOptions
from stitched.outputs import OverlayNames
from utils.command_line import Options, run_script
from utils.errors import UserError
from utils.images import read_image, write_image
from utils.pose_file import read_poses
from utils.pose_json import read_pose_json


def furthest(found, truth):
    return np.linalg.norm(found - truth, axis=-1).max()


def test_picture_becomes_a_row_and_an_overlay(run_pose, photo, out, capsys):
    path, joints = photo
    assert run_pose(path) == 0
    poses = read_poses(out / "poses.npz")
    assert poses.source.tolist() == [str(path)]
    assert poses.frame.tolist() == [0] and np.isnan(poses.time).all()
    assert poses.image_size.tolist() == [[320, 240]]
    assert poses.skeleton_2d == "mpii_16"
    assert furthest(poses.keypoints_2d[0], joints) < 1.5
    assert (poses.confidence > 0.9).all()
    drawn, image = read_image(out / "photo_pose.png"), read_image(path)
    assert drawn.shape == image.shape
    assert (drawn != image).any()
    said = capsys.readouterr()
    assert said.err == ""
    assert f"{path}: a person\n" in said.out and str(out) in said.out
    assert sorted(os.listdir(out)) == ["photo_pose.png", "poses.json", "poses.npz"]


def test_json_says_the_same_with_null_for_nan(run_pose, photo, tmp_path, out):
    write_image(tmp_path / "nobody.png", np.zeros((50, 60, 3), np.uint8))
    assert run_pose(photo[0], tmp_path / "nobody.png") == 0
    poses, same = read_poses(out / "poses.npz"), read_pose_json(out / "poses.json")
    for name, value in poses.arrays().items():
        np.testing.assert_array_equal(value, getattr(same, name))
    assert np.isnan(poses.keypoints_2d[1]).all() and (poses.confidence[1] == 0).all()
    rows = json.loads((out / "poses.json").read_text())["poses"]
    assert rows[1]["keypoints_2d"] == [[None, None]] * 16


def save_kinds(folder, image):
    """The picture as JPEG and in kinds that are not plain RGB; -> the names that keep colour."""
    picture = Image.fromarray(image)
    picture.save(folder / "plain.jpg", quality=95, subsampling=0)
    picture.convert("RGBA").save(folder / "rgba.png")
    picture.convert("CMYK").save(folder / "cmyk.tif")
    picture.convert("P", palette=Image.Palette.ADAPTIVE).save(folder / "palette.gif")
    exif = Image.Exif()
    exif[0x0112] = 6  # shown after a quarter turn clockwise
    picture.rotate(90, expand=True).save(
        folder / "turned.jpg", exif=exif, quality=95, subsampling=0
    )
    picture.convert("L").save(folder / "grey.png")
    Image.fromarray(image[..., 0].astype(np.uint16) * 257).save(folder / "grey16.png")
    Image.new("L", (1, 1)).save(folder / "tiny.png")
    return ["plain.jpg", "rgba.png", "cmyk.tif", "palette.gif", "turned.jpg"]


def test_every_kind_of_picture(run_pose, photo, tmp_path, out):
    kinds = tmp_path / "kinds"
    kinds.mkdir()
    coloured = save_kinds(kinds, read_image(photo[0]))
    assert run_pose(kinds) == 0
    poses = read_poses(out / "poses.npz")
    names = [Path(source).name for source in poses.source]
    assert sorted(names) == sorted(os.listdir(kinds))
    for name in names:
        row = names.index(name)
        suffix = ".jpg" if name.endswith(".jpg") else ".png"
        drawn = read_image(out / f"{Path(name).stem}_pose{suffix}")
        assert drawn.shape[1::-1] == tuple(poses.image_size[row])
        if name in coloured:
            assert drawn.shape == (240, 320, 3)
            assert furthest(poses.keypoints_2d[row], photo[1]) < 2, name
        else:
            assert np.isnan(poses.keypoints_2d[row]).all()


def test_enormous_picture(run_pose, tmp_path, out):
    Image.new("L", (12_000, 9_000), 200).save(tmp_path / "enormous.jpg")
    assert run_pose(tmp_path / "enormous.jpg", overlay=False) == 0
    assert read_poses(out / "poses.npz").image_size.tolist() == [[12_000, 9_000]]


def make_bad(folder, clip):
    """Files that cannot be read; -> inputs and what must be said about each."""
    (folder / "notes.jpg").write_text("these are notes")
    Image.new("RGB", (640, 480)).save(folder / "whole.jpg")
    whole = (folder / "whole.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "whole.jpg").unlink()
    (folder / "zero.jpg").touch()
    (folder / "zero.mp4").touch()
    (folder / "text.mp4").write_text("no video at all")
    (folder / "headless.mp4").write_bytes(clip.read_bytes()[:200])
    (folder / "empty").mkdir()
    return {
        **{str(folder / name): name for name in sorted(os.listdir(folder)) if name != clip.name},
        str(folder / "missing.jpg"): "no such file",
        str(folder / "*.webp"): "no picture or video matches",
        "https://example.org/a.jpg": "download",
        "97": "camera 97",
    }


BAD = [
    "notes.jpg", "cut.jpg", "zero.jpg", "zero.mp4", "text.mp4", "headless.mp4", "empty",
    "missing.jpg",
]  # fmt: skip


def test_bad_inputs_are_named_once_and_the_rest_is_done(
    run_pose, photo, clip, tmp_path, out, capsys
):
    folder = tmp_path / "bad"
    folder.mkdir()
    bad = make_bad(folder, clip[0])
    assert run_pose(*list(bad)[:5], photo[0], *list(bad)[5:]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(bad) >= 11
    for given, words in bad.items():
        # Both words, as a number may be a part of the folder's name.
        asked = [line for line in lines if given in line and words in line]
        assert len(asked) == 1 and asked[0].startswith("error: ")
    assert read_poses(out / "poses.npz").source.tolist() == [str(photo[0])]
    assert (out / "photo_pose.png").exists()


@pytest.mark.parametrize("name", BAD)
def test_bad_input_alone_is_one_error_and_leaves_nothing(
    run_pose, clip, tmp_path, out, capsys, name
):
    folder = tmp_path / "bad"
    folder.mkdir()
    make_bad(folder, clip[0])
    with pytest.raises(UserError, match=name) as raised:
        run_pose(folder / name)
    assert "\n" not in str(raised.value)
    assert capsys.readouterr().err == ""
    assert not out.exists() or os.listdir(out) == []


def test_several_bad_inputs_and_no_good_one(run_pose, tmp_path, capsys):
    (tmp_path / "zero.jpg").touch()
    with pytest.raises(UserError, match="none of the inputs"):
        run_pose(tmp_path / "zero.jpg", tmp_path / "missing.jpg")
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_output_folder_that_cannot_be_written_stops_before_any_work(photo, tmp_path):
    (tmp_path / "file").touch()

    def load(*_):
        raise AssertionError("the network must not be loaded")

    with pytest.raises(UserError, match=r"cannot write to .*file"):
        pose.run(PoseOptions((str(photo[0]),), str(tmp_path / "file" / "out")), load)
    with pytest.raises(UserError, match=r"file is a file: --output_dir is a folder"):
        pose.run(PoseOptions((str(photo[0]),), str(tmp_path / "file")), load)


def test_motion_files_of_nobody_are_none_and_that_is_said(run_pose, photo, tmp_path, out, capsys):
    write_image(tmp_path / "black.png", np.zeros((50, 60, 3), np.uint8))
    assert run_pose(tmp_path / "black.png", lift=True, export="bvh,trc", overlay_3d=False) == 0
    told = capsys.readouterr().out
    assert "no bvh file: nobody was found" in told and "no trc file: nobody was found" in told
    assert not list(out.glob("*.bvh"))
    assert run_pose(tmp_path / "black.png", photo[0], lift=True, export="bvh") == 0
    assert [path.name for path in out.glob("*.bvh")] == ["photo_person0.bvh"]


def test_same_names_do_not_overwrite_each_other_nor_an_input(run_pose, photo, tmp_path, out):
    image = read_image(photo[0])
    out.mkdir()
    for name in ("a/x.jpg", "b/x.jpg", "b/X.jpeg", "out/x_pose.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_image(tmp_path / name, image)
    mine = (out / "x_pose.jpg").read_bytes()
    inputs = [tmp_path / n for n in ("a/x.jpg", "b/x.jpg", "b/X.jpeg", "out/x_pose.jpg")]
    assert run_pose(*inputs) == 0
    assert (out / "x_pose.jpg").read_bytes() == mine
    overlays = {"x_pose_2.jpg", "x_pose_3.jpg", "X_pose_4.jpg", "x_pose_pose.jpg"}
    assert {name for name in os.listdir(out) if "_pose" in name} == overlays | {"x_pose.jpg"}


def test_overlay_that_cannot_be_written_is_named_and_the_pose_kept(run_pose, photo, out, capsys):
    (out / "photo_pose.png").mkdir(parents=True)
    assert run_pose(photo[0]) == 1
    assert "photo_pose.png" in capsys.readouterr().err
    assert len(read_poses(out / "poses.npz")) == 1


def test_without_overlay_there_are_only_the_pose_files(run_pose, photo, clip, out):
    assert run_pose(photo[0], clip[0], overlay=False) == 0
    assert sorted(os.listdir(out)) == ["poses.json", "poses.npz"]


def test_min_confidence_decides_who_is_there(run_pose, tmp_path, paint, out):
    image = np.zeros((240, 240, 3), np.uint8)
    paint(image, 30, 30, 180)
    write_image(tmp_path / "faint.png", image // 2)
    assert run_pose(tmp_path / "faint.png", min_confidence=0.6) == 0
    assert not read_poses(out / "poses.npz").found.any()
    assert run_pose(tmp_path / "faint.png", min_confidence=0.4) == 0
    assert read_poses(out / "poses.npz").found.all()


def test_pictures_are_read_in_batches_of_bounded_size(
    run_pose, photo, tmp_path, predictor, monkeypatch
):
    folder = tmp_path / "many"
    folder.mkdir()
    for i in range(20):
        (folder / f"{i}.png").write_bytes(photo[0].read_bytes())
    assert run_pose(folder, overlay=False) == 0
    assert predictor.batches[0] == 16
    assert max(predictor.batches) == 16
    predictor.batches.clear()
    monkeypatch.setattr(pictures, "BATCH_PIXELS", 3 * 320 * 240)
    assert run_pose(folder, overlay=False) == 0
    assert max(predictor.batches) == 3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"inputs": ()}, "name a picture"),
        ({"min_confidence": 1.5}, "--min_confidence"),
        ({"min_confidence": float("nan")}, "--min_confidence"),
        ({"start": -1.0}, "--start"),
        ({"start": 2.0, "end": 2.0}, "--end"),
    ],
)
def test_options_that_make_no_sense(options_of, options, words):
    with pytest.raises(UserError, match=words):
        options_of(*options.pop("inputs", ("a.jpg",)), **options)


def test_each_input_gets_one_line_with_the_share_that_was_found(
    run_pose, photo, clip, tmp_path, capsys
):
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("1.png", "2.png", "clip.mp4"):
        (folder / name).write_bytes((photo if name.endswith("png") else clip)[0].read_bytes())
    write_image(folder / "3.png", np.zeros((50, 60, 3), np.uint8))
    assert run_pose(photo[0], folder, folder / "*.png", overlay=False) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{photo[0]}: a person"
    # The pattern names nothing that the folder has not, and so has no line.
    assert lines[1].startswith(f"{folder}: a person in 22 of 33 pictures and frames")
    assert len(lines) == 4


@pytest.mark.skipif(sys.platform != "linux", reason="other disks take no such names")
def test_a_name_that_is_no_text(predictor, photo, out, capsys):
    path = os.fsdecode(os.fsencode(photo[0].parent) + b"/caf\xe9.png")
    photo[0].rename(path)
    words = ["pose", path, "--output_dir", str(out), "--lift", "False", "--export", "json,csv,coco"]
    functions = {"pose": lambda options: pose.run(options, lambda *_: predictor)}
    assert run_script("run.py", "", {"pose": Options("", PoseOptions)}, functions, words) == 0
    assert "caf\\udce9.png: a person\n" in capsys.readouterr().out
    poses, same = read_poses(out / "poses.npz"), read_pose_json(out / "poses.json")
    assert poses.source.tolist() == same.source.tolist() == [path]
    assert os.fsencode("caf\udce9_pose.png") in os.listdir(os.fsencode(out))
    assert (
        run_script(
            "run.py", "", {"pose": Options("", PoseOptions)}, functions, [*words, "--skip_done"]
        )
        == 0
    )
    assert "1 of 1 inputs were done already" in capsys.readouterr().out


def test_visibility_reaches_the_pose_file_where_the_network_tells(
    run_pose, photo, clip, predictor, out
):
    assert run_pose(photo[0]) == 0
    assert read_poses(out / "poses.npz").visibility is None
    predictor.tells_visibility = True
    assert run_pose(photo[0], clip[0], smooth="one_euro") == 0
    poses = read_poses(out / "poses.npz")
    assert poses.visibility is not None
    np.testing.assert_array_equal(np.isnan(poses.visibility).all(axis=1), ~poses.found)
    seen, hidden = poses.visibility[0, :8], poses.visibility[0, 8:]
    assert (seen > 0.9).all() and (hidden < 0.1).all()
    same = read_pose_json(out / "poses.json")
    np.testing.assert_array_equal(same.visibility, poses.visibility)


@pytest.mark.parametrize(
    "option", [{"smooth": "one_euro"}, {"fps": 5.0}, {"end": 2.0}, {"flip_video": True}]
)
def test_options_of_films_are_refused_with_pictures_alone(run_pose, photo, clip, out, option):
    with pytest.raises(UserError, match=f"--{next(iter(option))} does nothing with pictures alone"):
        run_pose(photo[0], **option)
    assert not out.exists()
    assert run_pose(photo[0], clip[0], **option) == 0


def test_scales_reach_the_network(predictor, photo, out, options_of):
    asked = []

    def load(*words):
        asked.append(words[3])
        return predictor

    options = options_of(photo[0], output_dir=str(out), lift=False, scales=(1.0, 1.2))
    assert pose.run(options, load) == 0
    assert asked == [(1.0, 1.2)]
    machine = MachineOptions(accelerator="cpu", backend="torch")
    assert isinstance(pose.load_predictor("", "lightweight", machine), Predictor)
    wrapped = pose.load_predictor("", "lightweight", machine, (1.0, 1.2))
    assert isinstance(wrapped, MultiScale) and wrapped.scales == (1.0, 1.2)


def test_options_of_webcams_and_files_are_refused_with_the_other_alone(run_pose, clip, out):
    with pytest.raises(UserError, match="--window does nothing without a webcam"):
        run_pose(clip[0], window=False)
    with pytest.raises(UserError, match="--start does nothing with a webcam alone"):
        run_pose("0", start=1.0)
    assert not out.exists()


def test_many_pictures_of_one_name_are_named_quickly(tmp_path, monkeypatch):
    resolved = []
    monkeypatch.setattr("stitched.outputs._key", lambda path: resolved.append(path) or str(path))
    sources = [Source("picture", f"{number}/x.png", "") for number in range(200)]
    names = OverlayNames(tmp_path, sources)
    assert names.of(sources[-1])[0].name == "x_pose_200.png"
    assert len(resolved) < 4 * len(sources)
