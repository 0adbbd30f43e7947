"""Pictures beside 3D panels: which pose is on which picture, and what is left out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stitched.visualization.options import OverlayPredictionOptions, OverlayTruthOptions
from stitched.visualization.pictures import draw_overlay_3d_gt_3d_pred, draw_overlay_3d_pred
from stitched.visualization.stage import Stage
from tests.stitched.visualization.people import SIZE, person, walk
from utils.command_line import Options, parse_options
from utils.errors import UserError
from utils.images import read_image, write_image
from utils.pose_file import Poses, concatenate, write_poses
from utils.skeletons import SIDE_COLOURS

HEIGHT = 320
WIDTH = round(SIZE[0] * HEIGHT / SIZE[1])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.png", "b.png"):
        write_image(tmp_path / "img" / name, np.full((SIZE[1], SIZE[0], 3), 100, np.uint8))
    return tmp_path


def options(folder: Path, poses: Poses, lifted: Poses | None = None, **others):
    write_poses(folder / "2d.npz", poses)
    write_poses(folder / "3d.npz", poses if lifted is None else lifted)
    return OverlayPredictionOptions(
        folder / "img", folder / "2d.npz", folder / "3d.npz", folder / "out", **others
    )


def compare(folder: Path, lifted: Poses, truth: Poses) -> np.ndarray:
    chosen = options(folder, truth, lifted)
    assert draw_overlay_3d_gt_3d_pred(OverlayTruthOptions(chosen, folder / "2d.npz")) == 0
    return read_image(folder / "out" / "a.png")


def panel(image: np.ndarray, number: int) -> np.ndarray:
    start = WIDTH + 2 + number * (HEIGHT + 2)
    return image[:, start : start + HEIGHT]


def has(image: np.ndarray, side: str) -> bool:
    return bool((image == SIDE_COLOURS[side]).all(axis=-1).any())


def test_overlay_and_panel_of_each_picture(folder, capsys):
    both = concatenate([person("x/b.png"), person("x/a.png")])
    lifted = both.select([1, 0])
    assert lifted.keypoints_3d is not None
    lifted.keypoints_3d[0] = np.nan  # of a.png
    assert draw_overlay_3d_pred(options(folder, both, lifted)) == 0
    assert "drew 2 of 2 pictures" in capsys.readouterr().out
    a, b = (read_image(folder / "out" / f"{name}.png") for name in "ab")
    assert a.shape == b.shape == (HEIGHT, WIDTH + 2 + HEIGHT, 3)
    assert has(a[:, :WIDTH], "left") and has(b[:, :WIDTH], "left")
    assert has(panel(b, 0), "left") and not has(panel(a, 0), "left")


def test_truth_and_prediction_differ_by_the_pose_alone(folder):
    truth = person("a.png")
    assert truth.keypoints_3d is not None
    far = replace(truth, root_camera=np.array([[3000, 500, 9000]]))
    image = compare(folder, far, truth)
    assert image.shape == (HEIGHT, WIDTH + 2 * (2 + HEIGHT), 3)
    below = slice(HEIGHT // 10, None)  # the titles, which differ
    np.testing.assert_array_equal(panel(image, 0)[below], panel(image, 1)[below])
    other = compare(folder, replace(far, keypoints_3d=1.2 * truth.keypoints_3d), truth)
    assert (panel(other, 0)[below] != panel(other, 1)[below]).any()


def test_the_title_has_the_errors_of_the_same_people(folder, monkeypatch):
    titles = []
    real = Stage.panel
    monkeypatch.setattr(
        Stage,
        "panel",
        lambda *words: titles.append(words[-1]) or real(*words),
    )
    truth = concatenate([person("a.png"), person("a.png", number=4, place=(900, 0, 5000))])
    lifted = truth.select([1])
    assert lifted.keypoints_3d is not None
    moved = lifted.keypoints_3d + np.array([34.0, 0, 0]) * (np.arange(17) != 0)[:, None]
    compare(folder, replace(lifted, keypoints_3d=moved), truth)
    assert titles[0] == "truth" and titles[1].startswith("prediction: 32 mm, aligned ")
    titles.clear()
    compare(folder, replace(lifted, person=np.array([9])), truth)
    assert titles == ["truth", "prediction"]


def test_what_cannot_be_drawn_is_named(folder, capsys):
    write_image(folder / "img" / "small.png", np.zeros((20, 20, 3), np.uint8))
    names = ["a.png", "absent.png", "small.png"]
    poses = concatenate([*(person(name) for name in names), walk(2, source="clip.mp4")])
    assert draw_overlay_3d_pred(options(folder, poses, person("a.png"))) == 1
    told = capsys.readouterr()
    assert "drew 1 of 4 pictures" in told.out
    lines = told.err.splitlines()
    assert len(lines) == 3 and all(line.startswith("skipped: ") for line in lines)
    for words in ("no picture absent.png", "clip.mp4 is a video", "is 20 x 20 px"):
        assert words in told.err
    with pytest.raises(UserError, match=r"3d.npz has no 3D poses of b.png"):
        draw_overlay_3d_pred(options(folder, person("b.png"), person("a.png")))


def test_only_so_many_pictures(folder):
    both = concatenate([person("a.png"), person("b.png")])
    assert draw_overlay_3d_pred(options(folder, both, limit=1)) == 0
    assert [path.name for path in (folder / "out").iterdir()] == ["a.png"]
    with pytest.raises(UserError, match="--limit must be at least 1"):
        options(folder, both, limit=0)


def test_pictures_are_not_drawn_over(folder):
    chosen = options(folder, person("a.png"))
    with pytest.raises(UserError, match="--output_dir is --img_dir"):
        draw_overlay_3d_pred(replace(chosen, output_dir=folder / "img"))
    with pytest.raises(UserError, match="is not a folder"):
        draw_overlay_3d_pred(replace(chosen, img_dir=folder / "absent"))


def test_the_established_spellings_are_taken():
    words = "--img_dir i --2d_pose_estimations d.npz --3d_pose_estimation p.npz --output_dir o"
    chosen = parse_options(Options("Draw.", OverlayPredictionOptions), words.split(), "viz.py x")
    assert chosen.twod_pose_estimations == Path("d.npz") and chosen.view.azimuth == 35
    words += " --3d_pose_ground_truths t.npz --azimuth 90"
    chosen = parse_options(Options("Draw.", OverlayTruthOptions), words.split(), "viz.py x")
    assert chosen.threed_pose_ground_truths == Path("t.npz")
    assert chosen.pictures.threed_pose_estimation == Path("p.npz")
    assert chosen.pictures.view.azimuth == 90
