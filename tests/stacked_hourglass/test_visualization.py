"""Overlays: the right pose on the right picture, and pictures that cannot be drawn on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stacked_hourglass.evaluation_options import Overlay2dOptions
from stacked_hourglass.visualization import overlay_2d
from utils.command_line import Options, parse_options
from utils.errors import UserError
from utils.images import read_image, write_image
from utils.pose_file import Poses, concatenate, empty_row, write_poses
from utils.pose_json import write_pose_json
from utils.skeletons import MPII_16

WIDTH, HEIGHT = 80, 60


def person_at(source: str, x: float, y: float, size=(WIDTH, HEIGHT), person: int = 0) -> Poses:
    """A person of 10 px, all of whose joints are sure, with the pelvis at (x, y)."""
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    joints = np.stack([x + 5 * np.cos(angles), y + 5 * np.sin(angles)], axis=-1)
    joints[MPII_16.index("pelvis")] = (x, y)
    row = empty_row(source, size, "mpii_16", person=person)
    return replace(row, keypoints_2d=joints[None], confidence=np.ones((1, 16)))


def grey(folder: Path, name: str, value: int = 100, size=(WIDTH, HEIGHT)) -> np.ndarray:
    image = np.full((size[1], size[0], 3), value, np.uint8)
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    write_image(folder / name, image)
    return image


def draw(tmp_path: Path, *parts: Poses, **options) -> int:
    write_poses(tmp_path / "poses.npz", concatenate(parts))
    chosen = Overlay2dOptions(tmp_path / "img", tmp_path / "poses.npz", tmp_path / "out", **options)
    return overlay_2d(chosen)


def changed(tmp_path: Path, name: str, value: int = 100) -> np.ndarray:
    """Mask of the pixels that are no longer as `grey` made them."""
    return (read_image(tmp_path / "out" / name) != value).any(axis=-1)


def centre_of(mask: np.ndarray) -> tuple[float, float]:
    rows, columns = np.nonzero(mask)
    return columns.mean(), rows.mean()


def test_each_pose_is_on_its_own_picture(tmp_path):
    grey(tmp_path / "img", "a.png")
    grey(tmp_path / "img", "b.png")
    code = draw(tmp_path, person_at("b.png", 60, 40), person_at("a.png", 20, 20))
    assert code == 0
    assert centre_of(changed(tmp_path, "a.png")) == pytest.approx((20, 20), abs=1.5)
    assert centre_of(changed(tmp_path, "b.png")) == pytest.approx((60, 40), abs=1.5)


def test_all_people_of_a_picture_are_on_one(tmp_path):
    grey(tmp_path / "img", "a.png")
    left, right = person_at("a.png", 15, 30), person_at("a.png", 65, 30, person=1)
    assert draw(tmp_path, left, right) == 0
    drawn = changed(tmp_path, "a.png")
    assert centre_of(drawn[:, :40]) == pytest.approx((15, 30), abs=1.5)
    assert centre_of(drawn[:, 40:])[0] + 40 == pytest.approx(65, abs=1.5)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.png"]


def test_nobody_found_leaves_the_picture_as_it_is(tmp_path):
    grey(tmp_path / "img", "a.png")
    assert draw(tmp_path, empty_row("a.png", (WIDTH, HEIGHT), "mpii_16")) == 0
    assert not changed(tmp_path, "a.png").any()


def test_only_pictures_with_somebody_count_as_drawn_on(tmp_path, capsys):
    for name in ("a.png", "b.png", "c.png"):
        grey(tmp_path / "img", name)
    nobody = [empty_row(name, (WIDTH, HEIGHT), "mpii_16") for name in ("a.png", "b.png")]
    assert draw(tmp_path, *nobody, person_at("c.png", 20, 20)) == 0
    expected = f"drew poses on 1 of 3 pictures, in {tmp_path / 'out'}; in 2 nobody was found\n"
    assert capsys.readouterr().out == expected
    assert draw(tmp_path, person_at("c.png", 20, 20)) == 0
    assert capsys.readouterr().out == f"drew poses on 1 of 1 pictures, in {tmp_path / 'out'}\n"


def frame_of(source: str, frame: int) -> Poses:
    """A person in a frame of a video."""
    row = person_at(source, 20, 20)
    return replace(row, frame=np.array([frame]), time=np.array([frame / 25]))


def test_videos_are_named_and_left_out(tmp_path, capsys):
    grey(tmp_path / "img", "a.png")
    frames = [frame_of("clip.mp4", number) for number in range(3)]
    assert draw(tmp_path, *frames, person_at("a.png", 20, 20), limit=1) == 1
    output = capsys.readouterr()
    assert "drew poses on 1 of 1 pictures" in output.out
    lines = [line for line in output.err.splitlines() if line.startswith("skipped: ")]
    assert len(lines) == 1 and "clip.mp4 is a video" in lines[0] and "run.py pose" in lines[0]
    with pytest.raises(UserError, match=r"clip.mp4 is a video, and only pictures are drawn on"):
        draw(tmp_path, *frames)


def test_nothing_to_draw_on_is_one_error(tmp_path, capsys):
    (tmp_path / "img").mkdir()
    with pytest.raises(UserError, match=r"^no picture a.png in "):
        draw(tmp_path, person_at("a.png", 20, 20))
    people = [person_at(f"{number}.png", 20, 20) for number in range(12)]
    with pytest.raises(UserError, match=r"nothing to draw on, for 12 reasons.*no picture 0.png"):
        draw(tmp_path, *people)
    output = capsys.readouterr()
    assert output.out == "" and "skipped" not in output.err


def test_poses_may_be_json(tmp_path):
    grey(tmp_path / "img", "a.png")
    write_pose_json(tmp_path / "poses.json", person_at("a.png", 20, 20))
    folders = tmp_path / "img", tmp_path / "poses.json", tmp_path / "out"
    assert overlay_2d(Overlay2dOptions(*folders)) == 0
    assert changed(tmp_path, "a.png").any()


def test_same_names_in_different_folders_stay_apart(tmp_path):
    for number, name in enumerate(("x/a.png", "y/a.png", "a.png")):
        grey(tmp_path / "img", name, 100 + number)
    people = [person_at(name, 20, 20) for name in ("x/a.png", "y/a.png", "a.png")]
    assert draw(tmp_path, *people) == 0
    for number, name in enumerate(("x/a.png", "y/a.png", "a.png")):
        drawn = changed(tmp_path, name, 100 + number)
        assert 0 < drawn.mean() < 0.2


@pytest.mark.parametrize("source", ["{img}/sub/a.png", "elsewhere/sub/a.png", "../sub/a.png"])
def test_folders_before_the_picture_may_be_others(tmp_path, source):
    grey(tmp_path / "img", "sub/a.png")
    assert draw(tmp_path, person_at(source.format(img=tmp_path / "img"), 20, 20)) == 0
    assert changed(tmp_path, "sub/a.png").any()


def test_a_picture_that_two_sources_lead_to_is_not_drawn(tmp_path, capsys):
    """Only one of them can be the picture, and nothing tells which."""
    grey(tmp_path / "img", "a.png")
    grey(tmp_path / "img", "b.png")
    people = [person_at(name, 20, 20) for name in ("x/a.png", "y/a.png", "b.png")]
    assert draw(tmp_path, *people) == 1
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.png"]
    errors = capsys.readouterr().err
    assert "x/a.png" in errors
    assert "y/a.png" in errors


def test_what_cannot_be_drawn_is_named_and_the_rest_is_done(tmp_path, capsys):
    grey(tmp_path / "img", "good.png")
    grey(tmp_path / "img", "other_size.png", size=(HEIGHT, WIDTH))
    (tmp_path / "img" / "broken.png").write_bytes(b"not a picture")
    names = ("missing.png", "broken.png", "other_size.png", "good.png")
    assert draw(tmp_path, *(person_at(name, 20, 20) for name in names)) == 1
    output = capsys.readouterr()
    lines = [line for line in output.err.splitlines() if line.startswith("skipped: ")]
    assert len(lines) == 3
    for name in names[:3]:
        assert sum(name in line for line in lines) == 1
    assert "1 of 4 pictures" in output.out
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["good.png"]


def test_kinds_that_are_not_written_become_png(tmp_path):
    from PIL import Image

    (tmp_path / "img").mkdir()
    Image.new("RGB", (WIDTH, HEIGHT), (100, 100, 100)).save(tmp_path / "img" / "a.bmp")
    grey(tmp_path / "img", "a.png")
    assert draw(tmp_path, person_at("a.bmp", 20, 20), person_at("a.png", 60, 40)) == 0
    assert centre_of(changed(tmp_path, "a.bmp.png")) == pytest.approx((20, 20), abs=1.5)
    assert centre_of(changed(tmp_path, "a.png")) == pytest.approx((60, 40), abs=1.5)


def test_limit_counts_pictures_not_people(tmp_path):
    people = []
    for name in ("a.png", "b.png", "c.png"):
        grey(tmp_path / "img", name)
        people += [person_at(name, 20, 20), person_at(name, 60, 40, person=1)]
    assert draw(tmp_path, *people, limit=2) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "b.png"]
    with pytest.raises(UserError, match="--limit must be at least 1"):
        draw(tmp_path, *people, limit=0)


def test_pictures_are_never_drawn_over(tmp_path):
    original = grey(tmp_path / "img", "a.png")
    write_poses(tmp_path / "poses.npz", person_at("a.png", 20, 20))
    folder = tmp_path / "img"
    with pytest.raises(UserError, match="choose another"):
        overlay_2d(Overlay2dOptions(folder, tmp_path / "poses.npz", folder / ".." / "img"))
    np.testing.assert_array_equal(read_image(folder / "a.png"), original)


def test_folder_and_file_must_be_there(tmp_path):
    write_poses(tmp_path / "poses.npz", person_at("a.png", 20, 20))
    write_poses(tmp_path / "empty.npz", person_at("a.png", 20, 20).select([]))
    (tmp_path / "img").mkdir()
    for folder, poses, message in (
        ("nowhere", "poses.npz", "nowhere is not a folder"),
        ("img", "nothing.npz", "nothing.npz"),
        ("img", "empty.npz", "empty.npz has no poses"),
        ("img", "img", r"img is a folder; a pose file is wanted \(poses.npz or poses.json\)"),
    ):
        with pytest.raises(UserError, match=message):
            overlay_2d(Overlay2dOptions(tmp_path / folder, tmp_path / poses, tmp_path / "out"))


@pytest.mark.parametrize(
    "spelling",
    [
        "--2d_pose_estimations",
        "--twod_pose_estimations",
        "--2d-pose-estimations",
        "--twod-pose-estimations",
    ],
)
def test_option_that_begins_with_a_digit(spelling):
    arguments = ["--img_dir", "i", spelling, "p.npz", "--output_dir", "o"]
    chosen = parse_options(Options("Draw.", Overlay2dOptions), arguments, "viz.py 2d_overlay")
    assert chosen == Overlay2dOptions(Path("i"), Path("p.npz"), Path("o"))
