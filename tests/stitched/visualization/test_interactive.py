"""The interactive page: what is in it, and that it can be turned, played and pointed at."""

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from stitched.visualization.interactive import draw_interactive, thinned, to_jpeg, write_page
from stitched.visualization.options import InteractiveOptions, ViewOptions
from stitched.visualization.stage import make_stage
from tests.stitched.visualization.chromium import Browser, find_chromium
from tests.stitched.visualization.people import SIZE, person, walk
from utils.errors import UserError
from utils.frames import Frame
from utils.images import write_image
from utils.pose_file import Poses, write_poses
from utils.skeletons import H36M_17
from utils.video import VideoWriter

FRAMES = 12


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A video of grey frames, each 10 lighter than the last."""
    path = tmp_path / "clip.mp4"
    with VideoWriter(path, *SIZE, 10) as video:
        for number in range(FRAMES):
            video.write(np.full((SIZE[1], SIZE[0], 3), 60 + 10 * number, np.uint8))
    return path


def content(path: Path) -> dict:
    """The data of a page."""
    found = re.search(r'id="data">(.*?)</script>', path.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return json.loads(found[1])


def grey(jpeg: str) -> float:
    pixels = np.frombuffer(base64.b64decode(jpeg), np.uint8)
    return float(np.asarray(cv2.imdecode(pixels, cv2.IMREAD_GRAYSCALE)).mean())


def test_the_page_holds_all_frames_joints_and_pictures(clip, tmp_path):
    poses = walk(FRAMES, people=2)
    page = write_page(poses, tmp_path / "page.html", clip)
    assert page == (FRAMES, FRAMES, 1, None)
    data = content(tmp_path / "page.html")
    assert data["people"] == [0, 1] and len(data["rows"]) == 2 * FRAMES
    np.testing.assert_allclose(data["times"], np.arange(FRAMES) / 10)
    assert data["pictureOf"] == list(range(FRAMES))
    assert [grey(jpeg) for jpeg in data["pictures"]] == pytest.approx(
        [60 + 10 * n for n in range(FRAMES)], abs=3
    )
    frame, who, points, keypoints, confidence = data["rows"][5]
    assert (frame, who) == (2, 1)
    np.testing.assert_allclose(keypoints, poses.keypoints_2d[5], atol=0.06)
    assert confidence == [1.0] * 16
    stage = make_stage(poses)
    up = stage.joints[5] @ stage.view.ground[1] - stage.floor
    np.testing.assert_allclose(np.array(points)[:, 1], up, atol=0.6)
    assert abs(min(height for _, height, _ in points)) < 2  # the feet are on the floor


def test_missing_joints_are_null_and_empty_frames_stay(tmp_path):
    poses = walk(3)
    assert poses.keypoints_3d is not None
    hand = H36M_17.index("left_wrist")
    poses.keypoints_3d[0, hand] = np.nan
    poses.keypoints_3d[1] = np.nan
    poses.keypoints_2d[1], poses.confidence[1] = np.nan, 0
    write_page(poses, tmp_path / "page.html")
    data = content(tmp_path / "page.html")
    assert data["rows"][0][2][hand] is None and data["rows"][0][2][0] is not None
    assert data["rows"][1][2:4] == [[None] * 17, [None] * 16]
    assert data["pictureOf"] == [-1] * 3 and len(data["centres"]) == 3


def test_long_videos_are_thinned_until_they_fit():
    image = np.random.default_rng(0).integers(0, 255, (40, 40, 3)).astype(np.uint8)
    one = len(to_jpeg(image, 40, 80)) * 4 / 3
    frames = [Frame(10 + n, n / 5, image) for n in range(9)]
    for room, step, numbers in (
        (9.5, 1, list(range(10, 19))),
        (8.5, 2, [10, 12, 14, 16, 18]),
        (3.5, 4, [10, 14, 18]),
        (0.5, 16, [10]),
    ):
        found = thinned(frames, 40, 80, room * one)
        assert (found.step, list(found.jpegs)) == (step, numbers)


def test_pictures_are_shrunk_never_enlarged():
    image = np.zeros((30, 60, 3), np.uint8)
    for size, shape in ((20, (10, 20)), (100, (30, 60))):
        decoded = cv2.imdecode(np.frombuffer(to_jpeg(image, size, 80), np.uint8), 1)
        assert np.asarray(decoded).shape[:2] == shape


def test_names_cannot_break_out_of_the_page(tmp_path):
    name = "</script><script>bad()</script>.mp4"
    write_page(walk(2, source=name), tmp_path / "page.html")
    assert "<script>bad" not in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_names_that_are_no_text_leave_the_page_readable(tmp_path):
    write_page(walk(2, source="caf\udce9.mp4"), tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<title>caf\\udce9.mp4</title>" in page and content(tmp_path / "page.html")["rows"]


def run(tmp_path: Path, poses: Poses, **options: Any) -> int:
    write_poses(tmp_path / "poses.npz", poses)
    return draw_interactive(InteractiveOptions(tmp_path / "poses.npz", tmp_path / "out", **options))


def test_the_command_says_what_it_left_out(clip, tmp_path, capsys):
    assert run(tmp_path, walk(FRAMES), video=clip, max_megabytes=0.0035, image_size=64) == 0
    told = capsys.readouterr().out
    page = content(tmp_path / "out" / "clip_interactive.html")
    assert 1 < len(page["pictures"]) < FRAMES and len(page["frames"]) == FRAMES
    assert re.search(r"a picture of one frame in \d+;", told)
    assert run(tmp_path, walk(FRAMES)) == 0
    assert content(tmp_path / "out" / "clip_interactive.html")["pictures"] == []


def test_a_picture_is_shown_as_well(tmp_path):
    write_image(tmp_path / "a.png", np.full((SIZE[1], SIZE[0], 3), 90, np.uint8))
    poses = person("photos/a.png")
    assert run(tmp_path, poses, video=tmp_path / "a.png") == 0
    page = content(tmp_path / "out" / "a_interactive.html")
    assert page["pictureOf"] == [0] and page["times"] == [0.0]


def test_poses_of_another_picture_are_refused(tmp_path):
    write_image(tmp_path / "a.png", np.zeros((50, 50, 3), np.uint8))
    with pytest.raises(UserError, match=r"is 50 x 50 px, the poses are of .*, which has 160 x 120"):
        run(tmp_path, person("a.png"), video=tmp_path / "a.png")
    with pytest.raises(UserError, match="has no 3D poses of"):
        run(tmp_path, replace(person("a.png"), keypoints_3d=None, skeleton_3d=None))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_size": 8}, "--image_size must be at least 16"),
        ({"quality": 0}, "--quality must be 1 to 100"),
        ({"max_megabytes": 0}, "--max_megabytes must be above 0"),
        ({"source": "a", "video": Path("a")}, "give --video or --source, not both"),
    ],
)
def test_options_that_make_no_sense_are_refused(change, message):
    with pytest.raises(UserError, match=message):
        InteractiveOptions(Path("poses.npz"), Path("out"), **change)


# In a browser ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[Browser]:
    program = find_chromium()
    if program is None:
        pytest.skip("needs Chromium: none is on the PATH (Debian: apt-get install chromium)")
    with Browser(program, tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture
def opened(browser, clip, tmp_path) -> Browser:
    """The page of two people, open."""
    write_page(walk(FRAMES, people=2), tmp_path / "page.html", clip)
    browser.requests.clear()
    browser.errors.clear()
    browser.open(tmp_path / "page.html")
    return browser


def middle(browser: Browser, canvas: str) -> tuple[float, float]:
    box = browser.evaluate(f"document.getElementById('{canvas}').getBoundingClientRect().toJSON()")
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_it_opens_without_network_or_errors(opened):
    opened.wait_for("image.naturalWidth > 0")
    assert opened.errors == []
    assert all(url.startswith(("file:", "data:")) for url in opened.requests)
    assert opened.evaluate("marks3d.length") == 34 and opened.evaluate("marks2d.length") == 32
    left, right = "[255,130,30]", "[40,140,255]"
    for colour in (left, right):
        assert opened.evaluate(
            f"""(() => {{ const c = document.getElementById('space');
            const p = c.getContext('2d').getImageData(0, 0, c.width, c.height).data, w = {colour};
            let n = 0;
            for (let i = 0; i < p.length; i += 4)
              n += w.every((v, k) => Math.abs(v - p[i + k]) < 3);
            return n; }})()"""
        )


def test_it_shows_what_the_panels_show(opened):
    """The page's projection is that of the panels, from everywhere."""
    stage = make_stage(walk(FRAMES, people=2))
    for azimuth, elevation in ((0, 0), (35, 12), (-120, -40), (200, 80)):
        view = replace(stage.view, azimuth=azimuth, elevation=elevation)
        points = stage.joints[0] - stage.framing(0).centre
        seen = points @ view.axes.T
        depth = seen[:, 2] + 5 * stage.radius
        focal = 0.92 * 200 * np.sqrt(24)
        expected = seen[:, :2] / depth[:, None] * focal + 200
        places = opened.evaluate(
            f"""viewer.azimuth = {azimuth}; viewer.elevation = {elevation};
            rowsOf[0][0].points.map(makeLens(400, 400))"""
        )
        np.testing.assert_allclose(np.array(places)[:, :2], expected, atol=0.3)


def test_mouse_and_keys_turn_and_zoom(opened):
    x, y = middle(opened, "space")
    opened.drag((x, y), (x + 60, y + 20))
    assert opened.evaluate("[viewer.azimuth, viewer.elevation]") == [35 - 30, 12 + 10]
    opened.mouse("mouseWheel", x, y, deltaX=0, deltaY=-250)
    assert opened.evaluate("viewer.zoom") == pytest.approx(np.exp(0.5))
    opened.key("ArrowRight", shift=True)
    opened.key("ArrowUp")
    assert opened.evaluate("[viewer.azimuth, viewer.elevation]") == [10, 27]
    opened.key("-")
    assert opened.evaluate("viewer.zoom") == pytest.approx(np.exp(0.5) / 1.2)
    opened.key("r")
    assert opened.evaluate("[viewer.azimuth, viewer.elevation, viewer.zoom]") == [35, 12, 1]


def test_fingers_turn_and_zoom(opened):
    x, y = middle(opened, "space")
    opened.touch("touchStart", (x, y))
    opened.touch("touchMove", (x - 40, y))
    opened.touch("touchEnd")
    turned = opened.evaluate("viewer.azimuth")
    assert turned > 40
    opened.touch("touchStart", (x - 50, y), (x + 50, y))
    opened.touch("touchMove", (x - 100, y), (x + 100, y))
    opened.touch("touchEnd")
    assert opened.evaluate("viewer.zoom") == pytest.approx(2, abs=0.2)
    assert opened.evaluate("viewer.azimuth") == turned


def test_time_steps_slides_and_plays(opened):
    opened.key("ArrowRight")
    opened.key("ArrowRight")
    opened.key("ArrowLeft")
    assert opened.evaluate("viewer.frame") == 1
    assert opened.evaluate("at('clock').value") == "0:00.10, frame 1"
    opened.evaluate(
        "at('slider').value = 7; at('slider').dispatchEvent(new Event('input')); undefined"
    )
    assert opened.evaluate("[viewer.frame, loaded]") == [7, 7]
    opened.key(" ")
    opened.wait_for("viewer.frame > 7")
    opened.wait_for("viewer.frame < 7")  # it begins anew
    opened.key(" ")
    assert opened.evaluate("viewer.playing") is False


def test_joints_say_their_names(opened):
    mark = "marks3d.find((m) => m.joint === 'left_wrist' && m.person === 1)"
    for canvas, marks, expected in (
        ("space", mark, "left wrist, person 1"),
        ("picture", mark.replace("3d", "2d"), "left wrist, person 1, 100 % sure"),
    ):
        found = opened.evaluate(marks)
        box = opened.evaluate(f"at('{canvas}').getBoundingClientRect().toJSON()")
        opened.mouse("mouseMoved", box["x"] + found["x"], box["y"] + found["y"])
        assert opened.evaluate("[at('tip').hidden, at('tip').textContent]") == [False, expected]
    opened.mouse("mouseMoved", *[box["x"] + 3, box["y"] + 3])
    assert opened.evaluate("at('tip').hidden") is True


def test_people_can_be_hidden(opened):
    opened.evaluate("document.querySelectorAll('#people input')[1].click()")
    assert opened.evaluate("marks3d.map((m) => m.person).every((p) => p === 0)")
    assert opened.evaluate("[marks3d.length, marks2d.length]") == [17, 16]


def test_a_picture_needs_no_time(browser, tmp_path):
    write_page(person("a.png"), tmp_path / "page.html", view=ViewOptions(10, 20))
    browser.open(tmp_path / "page.html")
    assert browser.evaluate("[viewer.azimuth, viewer.elevation]") == [10, 20]
    assert browser.evaluate("at('slider').hidden && at('play').hidden")
    browser.key(" ")
    assert browser.evaluate("viewer.playing") is False
