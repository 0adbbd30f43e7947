"""HumanEva-I from a download: pictures, joints in 2D and 3D, parts and films."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data import humaneva_takes
from data.humaneva import HumanEvaOptions, prepare_humaneva
from data.humaneva_takes import Take
from data.prepare import main
from stacked_hourglass.data import read_people
from stacked_hourglass.humaneva import read_frames
from stacked_hourglass.sources import AbsentError
from tests.data.humaneva_download import (
    FIRST_IN_CAPTURE,
    FIRST_IN_FILM,
    SIZE,
    Cameras,
    expected_joints,
    expected_pixels,
    grey,
    write_subject,
)
from twod_threed.humaneva import read_humaneva
from utils.errors import UserError
from utils.skeleton_conversion import convert
from utils.skeletons import HUMANEVA_15, HUMANEVA_20, MPII_16

MIDDLE, LAST, FILM = 14, 26, 29


@pytest.fixture(autouse=True)
def short_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = {"S1": {"Walking": (MIDDLE, LAST)}, "S2": {"Box": (9, 12)}, "S3": {}}
    monkeypatch.setattr(humaneva_takes, "_PARTITION", parts)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_subject(tmp_path_factory.mktemp("humaneva"), FILM)


@pytest.fixture
def download(original: Path, tmp_path: Path) -> Path:
    """One that may be damaged."""
    return shutil.copytree(original, tmp_path / "download")


def moments(frames: np.ndarray) -> np.ndarray:
    """Times in frames of the capture."""
    return FIRST_IN_CAPTURE + 2 * (frames - 1)


def expected_world(frames: np.ndarray) -> np.ndarray:
    """(F, 15, 3) mm."""
    joints = expected_joints(moments(frames))
    poses = np.stack([joints[name] for name in HUMANEVA_20.joints], axis=1)
    return convert(poses, HUMANEVA_20, HUMANEVA_15).poses


def test_2d_joints_are_those_of_the_closed_form(original: Path, tmp_path: Path, capsys) -> None:
    assert prepare_humaneva(HumanEvaOptions(original, tmp_path, every=2)) == 0
    assert "index.npz: train 18, val 15 pictures, 6 films" in capsys.readouterr().out
    frames = read_frames(tmp_path)
    for number in range(3):
        rows = frames.camera == f"C{number + 1}"
        world = expected_world(frames.frame[rows])
        pixels = expected_pixels(world, number)
        np.testing.assert_allclose(frames.keypoints_2d[rows], pixels, atol=1e-3)
        rotation, position = Cameras().rotation(number), np.array(Cameras().positions[number])
        away = (world - position) @ rotation.T
        np.testing.assert_allclose(frames.keypoints_3d_camera[rows], away, atol=0.01)
    assert set(frames.subject) == {"S1"} and set(frames.action) == {"Walking"}


def test_parts_are_the_published_ones_and_every_picture_shows_its_frame(
    original: Path, tmp_path: Path
) -> None:
    prepare_humaneva(HumanEvaOptions(original, tmp_path, every=3))
    frames = read_frames(tmp_path)
    for camera in range(3):
        of_camera = frames.camera == f"C{camera + 1}"
        for split, numbers in (("val", range(6, 15, 3)), ("train", range(15, 27, 3))):
            assert frames.frame[of_camera & (frames.split == split)].tolist() == [*numbers]
    table = read_people("eva", tmp_path)
    for row, frame in enumerate(frames.frame.tolist()):
        camera = int(frames.camera[row][1]) - 1
        picture = table.read_picture(row)
        assert picture.size == SIZE
        shown = grey(camera, FIRST_IN_FILM[camera] + frame - 1)
        assert abs(picture.image.mean() - shown) < 2.4  # the next frame is 5 brighter


def test_where_a_marker_is_lost_there_is_no_picture_and_a_film_ends(tmp_path: Path) -> None:
    lost_frame = 10
    lost = round(moments(np.array([lost_frame]))[0] + 0.5)
    folder = write_subject(tmp_path / "download", FILM, lost=[lost])
    prepare_humaneva(HumanEvaOptions(folder, tmp_path / "out", cameras=("C1",), every=1))
    frames = read_frames(tmp_path / "out")
    assert frames.frame[frames.split == "val"].tolist() == [6, 7, 8, 9, 11, 12, 13, 14]
    assert frames.film.tolist() == [0] * 4 + [1] * 4 + [2] * 12
    pairs = read_humaneva(tmp_path / "out", ("Train/S1", "Validate/S1"), skeleton_2d=None)
    assert set(pairs.clip_names.tolist()) == {
        "Validate/S1/Walking 1 chunk0",
        "Validate/S1/Walking 1 chunk2",
        "Train/S1/Walking 1 chunk0",
    }


def test_the_temporal_lifter_reads_whole_takes(original: Path, tmp_path: Path) -> None:
    prepare_humaneva(HumanEvaOptions(original, tmp_path, every=6))
    pairs = read_humaneva(tmp_path, ("Validate/S1",), skeleton_2d=None)
    first = pairs.camera == 0
    numbers = np.arange(6, MIDDLE + 1)
    assert pairs.frame[first].tolist() == [*range(len(numbers))]
    pixels = expected_pixels(expected_world(numbers), 0)
    np.testing.assert_allclose(pairs.poses_2d[first], pixels, atol=1e-3)
    world, found = expected_world(numbers), pairs.poses_3d[first]
    spans = [np.linalg.norm(poses[:, 14] - poses[:, 0], axis=-1) for poses in (found, world)]
    np.testing.assert_allclose(*spans, rtol=1e-4)


def test_files_of_the_lifter_that_are_there_stay(original: Path, tmp_path: Path, capsys) -> None:
    (tmp_path / "data_3d_humaneva15.npz").write_text("mine")
    assert prepare_humaneva(HumanEvaOptions(original, tmp_path)) == 0
    assert (tmp_path / "data_3d_humaneva15.npz").read_text() == "mine"
    assert "is there already and stays as it is" in capsys.readouterr().out


def test_people_have_mpii_joints_films_and_boxes(original: Path, tmp_path: Path) -> None:
    prepare_humaneva(HumanEvaOptions(original, tmp_path, every=2))
    table, frames = read_people("eva", tmp_path), read_frames(tmp_path)
    assert np.isfinite(table.keypoints).all() and np.isnan(table.visibility).all()
    ankle = HUMANEVA_15.index("left_ankle"), MPII_16.index("left_ankle")
    np.testing.assert_array_equal(table.keypoints[:, ankle[1]], frames.keypoints_2d[:, ankle[0]])
    low, high = frames.keypoints_2d.min(axis=1), frames.keypoints_2d.max(axis=1)
    np.testing.assert_allclose(table.box[:, :2], (low + high) / 2, atol=1e-3)
    np.testing.assert_allclose(table.box[:, 2], 1.4 * (high - low).max(axis=1), rtol=1e-5)
    assert table.film.tolist() == np.repeat(range(6), [5, 6] * 3).tolist()
    assert table.picture_name(0) == "S1/Walking_1_C1/000006.jpg"


def test_pictures_that_are_there_are_kept(original: Path, tmp_path: Path) -> None:
    prepare_humaneva(HumanEvaOptions(original, tmp_path))
    one, other = sorted(tmp_path.glob("images/S1/Walking_1_C1/*.jpg"))[:2]
    before = other.stat().st_mtime_ns
    one.unlink()
    assert prepare_humaneva(HumanEvaOptions(original, tmp_path)) == 0
    assert one.is_file() and other.stat().st_mtime_ns == before


def test_what_is_amiss_is_named_and_the_rest_done(download: Path, tmp_path: Path, capsys) -> None:
    (download / "S1/Image_Data/Walking_1_(C1).avi").unlink()
    (download / "S1/Sync_Data/Walking_1_(C2).ofs").unlink()
    (download / "S1/Image_Data/Walking_2_(C1).avi").touch()
    shutil.copytree(download / "S1/Mocap_Data", download / "S2/Mocap_Data")
    (download / "S2/Mocap_Data/Walking_1.c3d").rename(download / "S2/Mocap_Data/Box_1.c3d")
    assert prepare_humaneva(HumanEvaOptions(download, tmp_path / "out")) == 1
    told = capsys.readouterr()
    for words in (
        "error: S1 Walking 1 (C1): there is no ",
        "error: S1 Walking 1 (C2): there is no ",
        "error: S2 Box 1: cannot read ",
    ):
        assert told.err.count(words) == 1, told.err
    assert told.err.count("\n") == 3 and "1 films without motion capture" in told.out
    assert set(read_frames(tmp_path / "out").camera) == {"C3"}


def test_a_film_that_ends_early_gives_what_it_has(download: Path, tmp_path: Path, capsys) -> None:
    shutil.copy(
        write_subject(tmp_path / "short", 12) / "S1/Image_Data/Walking_1_(C1).avi",
        download / "S1/Image_Data/Walking_1_(C1).avi",
    )
    options = HumanEvaOptions(download, tmp_path / "out", cameras=("C1",), every=2)
    assert prepare_humaneva(options) == 1
    assert "ends before frame 12" in capsys.readouterr().err
    assert read_frames(tmp_path / "out").frame.tolist() == [6, 8, 10]


def test_errors_are_one_line(original: Path, download: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"HumanEva-I is not in .*looked for S1/Mocap_Data"):
        prepare_humaneva(HumanEvaOptions(tmp_path / "nowhere"))
    (download / "S1/Mocap_Data/S1.mp").unlink()
    with pytest.raises(UserError, match=r"S1 Walking 1: cannot read .*S1.mp: No such file"):
        prepare_humaneva(HumanEvaOptions(download, tmp_path / "out"))
    shutil.rmtree(download / "S1/Image_Data")
    shutil.copy(original / "S1/Mocap_Data/S1.mp", download / "S1/Mocap_Data/S1.mp")
    with pytest.raises(UserError, match="no picture could be made of HumanEva-I, for 3 reasons"):
        prepare_humaneva(HumanEvaOptions(download, tmp_path / "out"))
    for wrong in ({"every": 0}, {"quality": 0}, {"subjects": ()}, {"cameras": ()}):
        with pytest.raises(UserError, match=f"--{next(iter(wrong))}"):
            replace(HumanEvaOptions(download), **wrong)
    with pytest.raises(AbsentError) as absent:
        read_people("eva", tmp_path / "out")
    assert "then run `python data/prepare.py humaneva " in absent.value.and_prepare


def test_a_damaged_index_is_named(tmp_path: Path) -> None:
    (tmp_path / "index.npz").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(UserError, match=r"index.npz is not what data/prepare.py humaneva writes"):
        read_people("eva", tmp_path)


def test_as_a_command(original: Path, tmp_path: Path, capsys) -> None:
    words = ["humaneva", str(original), "--output", str(tmp_path), "--cameras", "C1"]
    assert main([*words, "--every", "4"]) == 0
    assert "train 3, val 3 pictures, 2 films" in capsys.readouterr().out
    assert main(["humaneva", str(tmp_path / "nowhere")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_official_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    take = Take(Path(), "S1", "Walking")
    # VideoPose3D has 5 to 589 and 590 to 1202, counted from 0.
    assert (take.frames["val"][[0, -1]] - 1).tolist() == [5, 589]
    assert (take.frames["train"][[0, -1]] - 1).tolist() == [590, 1202]
    parts = [Take(Path(), s, a).frames for s in ("S1", "S2", "S3") for a in ("Jog", "Box")]
    assert [len(part["train"]) for part in parts] == [373, 404, 397, 352, 441, 509]
