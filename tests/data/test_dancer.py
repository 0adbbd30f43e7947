"""`data/prepare.py dancer` with a stand-in for the pose model."""

from pathlib import Path

import numpy as np
import pytest

from data.dancer import DancerVideoOptions, prepare_dancer
from generative_models.skeleton_to_image.dancer_making import PoseFinder
from generative_models.skeleton_to_image.dancer_readers import read_dancer
from utils import dataset_statistics
from utils.errors import UserError
from utils.frames import Frame
from utils.skeletons import DANCE_13
from utils.video import VideoWriter


@pytest.fixture
def video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(dataset_statistics, "CACHE", tmp_path / "cache")
    with VideoWriter("walk.mp4", 64, 48, 10) as writer:
        for number in range(9):
            writer.write(np.full((48, 64, 3), 20 * number, np.uint8))
    return Path("walk.mp4")


def finder(_: DancerVideoOptions) -> PoseFinder:
    """Finds the same joints in every frame but frame 4."""
    spread = np.linspace(-8, 8, 13)
    pose = np.stack([30 + spread, 24 - spread], axis=-1)

    def find(frame: Frame) -> np.ndarray:
        return np.full((13, 2), np.nan) if frame.index == 4 else pose

    return PoseFinder(DANCE_13.name, lambda: find)


def test_frames_without_anybody_are_left_out_and_counted(
    video: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prepare_dancer(DancerVideoOptions(str(video), every=2, width=128), finder) == 0
    dancer = read_dancer(Path("data/dancers/walk"))
    assert dancer.frame.tolist() == [0, 2, 6, 8] and dancer.image_size == (40, 40)
    told = capsys.readouterr().out
    assert "4 pictures of 40 x 40 px" in told and "1 of 5 frames left out" in told


def test_landmarks_may_be_given(video: Path) -> None:
    landmarks = np.full((9, 33, 3), 0.5)
    landmarks[7] = np.nan
    np.savez("marks.npz", landmarks=landmarks)
    options = DancerVideoOptions(str(video), "mine", landmarks="marks.npz", crop="none", width=-1)
    assert prepare_dancer(options, finder) == 0
    dancer = read_dancer(Path("mine"))
    assert dancer.frame.tolist() == [0, 1, 2, 3, 4, 5, 6, 8]
    assert np.allclose(dancer.keypoints, [31.5, 23.5])


@pytest.mark.parametrize(
    "wrong",
    [
        {"every": 0},
        {"width": 3},
        {"padding": 0.5},
        {"landmarks": "a", "load": "b"},
        {"landmarks": "a", "min_confidence": 0.5},
        {"landmarks": "a", "accelerator": "cpu"},
        {"crop": "none", "padding": 2.0},
    ],
    ids=str,
)
def test_options_that_make_no_sense(wrong: dict) -> None:
    with pytest.raises(UserError, match="--"):
        DancerVideoOptions("walk.mp4", **wrong)
