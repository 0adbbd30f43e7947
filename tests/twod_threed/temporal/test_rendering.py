"""Rendering: what is in each viewport, which frames, the floor, the video underneath, streaming."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.twod_threed.temporal.small_films import films
from tests.twod_threed.temporal.walking import RATE, walk
from twod_threed.pose_rows import rows_of_pairs
from twod_threed.temporal import rendering
from twod_threed.temporal.rendered_films import Film
from twod_threed.temporal.rendering import (
    Scene,
    backgrounds,
    draw_frame,
    draw_input,
    filled,
    make_scene,
    render,
    shown_part,
)
from utils.drawing import draw_pose
from utils.errors import UserError
from utils.pose_file import Poses
from utils.pose_panels import Framing, PanelPose, draw_panel
from utils.skeletons import H36M_17, MPII_16
from utils.video import VideoReader
from utils.video_writer import VideoWriter

SIZE = 100
HIP = H36M_17.index("hip")


def with_3d(poses: Poses, joints: np.ndarray) -> Poses:
    """Rows with 3D joints (T, 17, 3) mm of the camera frame."""
    return replace(
        poses,
        keypoints_3d=joints - joints[:, HIP : HIP + 1],
        root_camera=joints[:, HIP],
        skeleton_3d="h36m_17",
    )


def some_film(length: int = 9) -> tuple[Film, Poses]:
    """A film with its truth, and the truth as what was lifted."""
    pairs = films((length,), bent=False)
    poses = rows_of_pairs(pairs)
    film = Film("S1/Walking", poses, 50.0, pairs.poses_3d, H36M_17, pairs.up)
    return film, with_3d(poses, pairs.poses_3d)


@pytest.fixture
def scene() -> Scene:
    return make_scene(*some_film())


def frames_of(path: Path) -> list[np.ndarray]:
    with VideoReader(path) as video:
        return [frame.image for frame in video]


def write_video(path: Path, count: int, shape: tuple[int, int] = (100, 100)) -> Path:
    """Frame n is all of grey 10 n."""
    with VideoWriter(path, shape[0], shape[1], 50) as writer:
        for n in range(count):
            writer.write(np.full((shape[1], shape[0], 3), 10 * n, np.uint8))
    return path


def viewport(image: np.ndarray, column: int, size: int = SIZE) -> np.ndarray:
    return image[:, column * (size + 2) : column * (size + 2) + size]


def test_reconstruction_and_truth_are_drawn_alike(scene):
    image = draw_frame(scene, 4, None, shown_part(scene.poses, True), SIZE)
    assert image.shape == (SIZE, 3 * SIZE + 4, 3)
    below = slice(SIZE // 5, None)
    np.testing.assert_array_equal(viewport(image, 1)[below], viewport(image, 2)[below])
    framing = Framing(scene.centres[4], scene.radius, scene.floor)
    truth = PanelPose(scene.viewports[1].joints[4], H36M_17)
    expected = draw_panel([truth], SIZE, scene.view, framing, title="Ground truth")
    np.testing.assert_array_equal(viewport(image, 2), expected)


def test_a_reconstruction_stands_where_the_truth_stands():
    film, lifted = some_film()
    assert lifted.keypoints_3d is not None and lifted.root_camera is not None
    away = replace(lifted, root_camera=lifted.root_camera + np.array([500, 0, 900]))
    assert film.truth is not None
    for with_truth in (True, False):
        scene = make_scene(film, away, with_truth)
        np.testing.assert_allclose(scene.viewports[0].joints, film.truth, atol=0.1)
        assert len(scene.viewports) == 1 + with_truth


def test_other_skeletons_are_drawn_as_they_are(scene):
    film, lifted = some_film()
    assert lifted.keypoints_3d is not None and film.truth is not None
    order = [H36M_17.index(joint) for joint in ("hip", "thorax")] + [0] * 13
    other = replace(lifted, keypoints_3d=lifted.keypoints_3d[:, order], skeleton_3d="humaneva_15")
    scene = make_scene(film, other)
    assert [one.skeleton.name for one in scene.viewports] == ["humaneva_15", "h36m_17"]
    draw_frame(scene, 0, None, shown_part(scene.poses, True), SIZE)


def test_the_view_follows_the_person_over_a_floor_that_stays():
    one = walk(seed=3)
    pairs = films((len(one.root),), bent=False)
    poses = replace(rows_of_pairs(pairs), keypoints_2d=one.keypoints)
    film = Film("w", poses, RATE, one.camera, H36M_17, one.up)
    scene = make_scene(film, with_3d(poses, one.camera))
    right, up, forward = scene.view.ground
    np.testing.assert_allclose(up, one.up)
    for axis in (right, forward):
        np.testing.assert_allclose(scene.centres @ axis, one.root @ axis, atol=1e-6)
    assert np.ptp(one.root @ forward) > 500 or np.ptp(one.root @ right) > 500
    np.testing.assert_allclose(np.ptp(scene.centres @ up), 0, atol=1e-6)
    lowest = (one.camera @ up).min(axis=1)
    assert abs(scene.floor - lowest.min()) < 25
    away = np.linalg.norm(one.camera - scene.centres[:, None], axis=-1).max(axis=1)
    assert np.mean(away <= scene.radius) >= 0.98
    assert scene.radius < 1.1 * away.max()


def test_without_truth_the_lowest_point_rests_on_the_floor_and_people_are_upright():
    one = walk(seed=3)
    tilt = np.radians(20)
    turn = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    camera = one.camera @ turn.T
    poses = rows_of_pairs(films((len(camera),), bent=False))
    scene = make_scene(Film("w", poses, RATE), with_3d(poses, camera))
    assert len(scene.viewports) == 1
    up = scene.view.ground[1]
    assert np.degrees(np.arccos(up @ turn @ one.up)) < 1
    assert abs(scene.floor - (camera @ up).min()) < 25


def test_frames_without_a_pose_are_an_empty_floor(scene):
    film, lifted = some_film()
    assert lifted.keypoints_3d is not None and lifted.root_camera is not None
    lifted.keypoints_3d[3] = lifted.root_camera[3] = np.nan
    scene = make_scene(replace(film, truth=None), lifted)
    assert np.isfinite(scene.centres).all()
    image = draw_frame(scene, 3, None, shown_part(scene.poses, True), SIZE)
    framing = Framing(scene.centres[3], scene.radius, scene.floor)
    empty = draw_panel([], SIZE, scene.view, framing, title="Reconstruction")
    np.testing.assert_array_equal(viewport(image, 1), empty)
    lifted.keypoints_3d[:] = np.nan
    with pytest.raises(UserError, match="S1/Walking: none of its frames"):
        make_scene(film, lifted)


def test_missing_places_are_filled_from_their_neighbours():
    places = np.full((6, 3), np.nan)
    places[1], places[3] = [0, 0, 4], [2, 4, 8]
    found = filled(places)
    np.testing.assert_allclose(found[[0, 1, 2, 3, 5], 2], [4, 4, 6, 8, 8])
    np.testing.assert_allclose(found[2], [1, 2, 6])
    np.testing.assert_array_equal(filled(np.full((2, 3), np.nan)), np.zeros((2, 3)))


def test_the_input_is_the_pose_on_its_picture(scene):
    size, picture = 500, np.full((1002, 1000, 3), 90, np.uint8)
    whole = shown_part(scene.poses, whole=True)
    np.testing.assert_array_equal(whole, [-0.5, -0.5, 999.5, 1001.5])
    panel = draw_input(picture, scene.poses, 2, whole, size, "t")
    small = np.full((450, 449, 3), 90, np.uint8)
    scale = np.array([449 / 1000, 450 / 1002])
    points = (scene.poses.keypoints_2d[2] + 0.5) * scale - 0.5
    expected = draw_pose(small, points, scene.poses.confidence[2], MPII_16)
    np.testing.assert_array_equal(panel[50:, 25 : 25 + 449], expected)
    assert (panel[:40] < 200).any()  # the title


def test_on_black_the_part_is_shown_that_the_person_moves_through(scene):
    left, top, right, bottom = shown_part(scene.poses, whole=False)
    points = scene.poses.keypoints_2d.reshape(-1, 2)
    assert left < points[:, 0].min() and points[:, 0].max() < right
    assert top < points[:, 1].min() and points[:, 1].max() < bottom
    assert (right - left) / (bottom - top) == pytest.approx(1000 / 1002)
    extent = np.ptp(points, axis=0).max()
    assert extent < max(right - left, bottom - top) < 1.25 * extent
    nothing = np.full_like(scene.poses.keypoints_2d, np.nan)
    unsure = np.zeros(nothing.shape[:2])
    nobody = replace(scene.poses, keypoints_2d=nothing, confidence=unsure)
    np.testing.assert_array_equal(shown_part(nobody, False), shown_part(nobody, True))


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_films_have_all_frames_at_the_right_rate(scene, tmp_path, suffix):
    path = tmp_path / f"film{suffix}"
    assert render(scene, range(9), path, 50.0, SIZE, 3000) == 9
    with VideoReader(path) as video:
        assert (video.width, video.height) == (3 * SIZE + 4, SIZE)
        assert video.fps == pytest.approx(50)
        images = [frame.image for frame in video]
    assert len(images) == 9
    window = shown_part(scene.poses, False)
    for row in (0, 8):
        exact = draw_frame(scene, row, None, window, SIZE)
        assert np.abs(images[row].astype(float) - exact).mean() < 8


def test_fewer_frames_are_as_long_as_more(scene, tmp_path):
    render(scene, range(0, 9, 4), tmp_path / "film.mp4", 50.0, SIZE, 3000)
    with VideoReader(tmp_path / "film.mp4") as video:
        assert [frame.time for frame in video] == pytest.approx([0, 0.08, 0.16], abs=1e-3)


def test_frames_that_are_left_out_take_their_time(tmp_path):
    film, lifted = some_film()
    rows = [0, 1, 2, 6, 7]
    kept = replace(film, poses=film.poses.select(rows), truth=None)
    scene = make_scene(kept, lifted.select(rows))
    render(scene, range(5), tmp_path / "film.mp4", 50.0, SIZE, 3000)
    with VideoReader(tmp_path / "film.mp4") as video:
        times = [frame.time for frame in video]
    assert times == pytest.approx([0, 0.02, 0.04, 0.12, 0.14], abs=1e-3)


def test_frames_of_a_video_lie_under_the_poses_of_their_numbers(scene, tmp_path, monkeypatch):
    video = write_video(tmp_path / "v.mp4", 15)
    asked = []
    monkeypatch.setattr(
        rendering,
        "draw_frame",
        lambda scene, row, image, window, size: (
            asked.append((row, round(float(image.mean()) / 10)))
            or np.zeros((size, 3 * size + 4, 3), np.uint8)
        ),
    )
    path = tmp_path / "film.mp4"
    assert render(scene, range(0, 9, 2), path, 50.0, SIZE, 3000, video) == 5
    assert asked == [(0, 0), (2, 2), (4, 4), (6, 6), (8, 8)]
    asked.clear()
    assert render(scene, range(4), path, 50.0, SIZE, 3000, video, skip=5) == 4
    assert asked == [(0, 5), (1, 6), (2, 7), (3, 8)]
    # Where the video ends, the film does.
    asked.clear()
    assert render(scene, range(9), path, 50.0, SIZE, 3000, video, skip=12) == 3
    assert asked == [(0, 12), (1, 13), (2, 14)]


def test_a_video_that_does_not_fit_is_refused(scene, tmp_path):
    path = tmp_path / "film.mp4"
    video = write_video(tmp_path / "v.mp4", 3)
    with pytest.raises(UserError, match="ends before frame 7, the first to be drawn"):
        render(scene, range(9), path, 50.0, SIZE, 3000, video, skip=7)
    wide = write_video(tmp_path / "w.mp4", 3, (160, 90))
    with pytest.raises(UserError, match=r"is 160 x 90, but .* 1000 x 1002: it is not their video"):
        render(scene, range(9), path, 50.0, SIZE, 3000, wide)
    with pytest.raises(UserError, match=r"cannot read .*nothing.mp4"):
        render(scene, range(9), path, 50.0, SIZE, 3000, tmp_path / "nothing.mp4")
    assert not path.exists()


def test_frames_are_read_and_written_one_after_another(scene, tmp_path, monkeypatch):
    events = []

    def slow(path, numbers):
        for number in numbers:
            events.append(f"read {number}")
            yield np.zeros((100, 100, 3), np.uint8)

    write = VideoWriter.write
    monkeypatch.setattr(rendering, "backgrounds", slow)
    monkeypatch.setattr(
        VideoWriter, "write", lambda *words: events.append("write") or write(*words)
    )
    render(scene, range(3), tmp_path / "film.mp4", 50.0, SIZE, 3000, Path("v.mp4"))
    assert events == ["read 0", "write", "read 1", "write", "read 2", "write"]


def test_backgrounds_without_a_video_are_nothing():
    assert list(backgrounds(None, [3, 4, 9])) == [None] * 3


def test_the_bitrate_is_kept(scene, tmp_path, monkeypatch):
    noise = np.random.default_rng(0).integers(0, 255, (40, 200, 404, 3), np.uint8)
    drawn = iter(np.concatenate([noise, noise]))
    monkeypatch.setattr(rendering, "draw_frame", lambda *_: next(drawn))
    monkeypatch.setattr(rendering, "grid", lambda *_: noise[0])
    long = make_scene(*some_film(40))
    sizes = []
    for bitrate in (500, 3000):
        path = tmp_path / f"{bitrate}.mp4"
        render(long, range(40), path, 50.0, SIZE, bitrate)
        sizes.append(path.stat().st_size * 8 / 0.8 / 1000)
    assert sizes[0] < 1500 < sizes[1] < 6000
