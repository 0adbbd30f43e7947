"""Folders of dancers in every layout."""

from pathlib import Path

import numpy as np
import pytest

from generative_models.skeleton_to_image.dancer_data import load_frames
from generative_models.skeleton_to_image.dancer_readers import open_dancer, read_landmarks
from generative_models.skeleton_to_image.options import DancerOptions
from tests.generative_models.skeleton_to_image.small_dancer import write_small_dancer
from utils.errors import UserError
from utils.images import write_image
from utils.skeletons import BLAZEPOSE_33, DANCE_13


def grey(level: int) -> np.ndarray:
    return np.full((20, 24, 3), level, np.uint8)


def opened(folder: Path):
    return open_dancer(DancerOptions(dancer=str(folder)))


def test_our_own_folder(tmp_path: Path) -> None:
    dancer = opened(write_small_dancer(tmp_path / "mine"))
    assert (dancer.name, len(dancer), dancer.image_size) == ("mine", 40, (18, 18))
    assert dancer.fps == pytest.approx(10)


def test_landmarks_and_frames_meet_by_number(tmp_path: Path) -> None:
    """Frames 10, 20, 30, 40; landmarks of 40, 20, 30, 50 of which 30 has nobody."""
    for number in (10, 20, 30, 40):
        write_image(tmp_path / "frames" / f"{number:05d}.png", grey(number))
    landmarks = np.full((4, 33, 3), 0.5)
    landmarks[:, BLAZEPOSE_33.index("nose"), 0] = [0.4, 0.2, 0.3, 0.5]
    landmarks[2] = np.nan
    np.savez(
        tmp_path / "landmarks.npz", landmarks=landmarks, frame_index=np.array([40, 20, 30, 50])
    )
    dancer = opened(tmp_path)
    assert dancer.frame.tolist() == [20, 40]
    assert [int(dancer.read(row)[0, 0, 0]) for row in (0, 1)] == [20, 40]
    nose = dancer.keypoints[:, DANCE_13.index("nose")]
    assert np.allclose(nose, [[0.2 * 24 - 0.5, 9.5], [0.4 * 24 - 0.5, 9.5]])


def test_files_that_are_no_landmarks_are_told(tmp_path: Path) -> None:
    path = tmp_path / "landmarks.npz"
    with pytest.raises(UserError, match="cannot read"):
        read_landmarks(path)
    path.write_bytes(b"PK")
    with pytest.raises(UserError, match="no file of landmarks"):
        read_landmarks(path)
    np.savez(path, landmarks=np.zeros((5, 17, 3)))
    with pytest.raises(UserError, match=r"landmarks must be \(N, 33, 2 or 3\)"):
        read_landmarks(path)


def write_pairs(folder: Path, phase: str, numbers: range) -> None:
    for number in numbers:
        write_image(folder / f"{phase}_A" / f"{number}.png", grey(number))
        write_image(folder / f"{phase}_B" / f"{number}.jpg", grey(100 + number))


def test_aligned_pictures_keep_their_phases(tmp_path: Path) -> None:
    write_pairs(tmp_path, "train", range(8, 28))
    write_pairs(tmp_path, "test", range(60, 64))
    frames = load_frames(opened(tmp_path), 20, DancerOptions(gap=2))
    assert frames.skeletons is not None and np.isnan(frames.keypoints).all()
    pairs = frames.images[:, 10, 10, 0].astype(int) - frames.skeletons[:, 10, 10, 0]
    assert (abs(pairs - 100) < 4).all()
    assert [(frames.part == name).sum() for name in ("train", "val", "test")] == [16, 2, 4]
    assert np.diff(frames.frame)[19] == 2


def test_a_skeleton_without_its_frame_is_told(tmp_path: Path) -> None:
    write_pairs(tmp_path, "train", range(4))
    (tmp_path / "train_B" / "2.jpg").unlink()
    with pytest.raises(UserError, match="2 is in train_A alone"):
        opened(tmp_path)


def test_pictures_of_two_sizes_are_told(tmp_path: Path) -> None:
    write_pairs(tmp_path, "train", range(4))
    write_image(tmp_path / "train_B" / "3.jpg", grey(5)[:10])
    with pytest.raises(UserError, match="must have one size"):
        opened(tmp_path)


def test_a_folder_without_a_dancer_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data/prepare.py dancer.*--dancer mannequin"):
        opened(tmp_path)


def test_the_tai_chi_frames(real_data: Path) -> None:
    dancer = opened(real_data / "taichi")
    assert (len(dancer), dancer.image_size) == (1497, (256, 209))
    low, high = np.nanmin(dancer.keypoints, (0, 1)), np.nanmax(dancer.keypoints, (0, 1))
    assert (low > -40).all() and (high < np.array([296, 249])).all()
