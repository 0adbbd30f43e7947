"""The built-in dancer."""

from pathlib import Path

import numpy as np
import pytest

from generative_models.skeleton_to_image.dancer_data import clip_starts
from generative_models.skeleton_to_image.mannequin_dancer import MOTION_FRAMES, mannequin_dancer
from utils import dataset_statistics


def test_it_stays_in_the_picture_and_is_always_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset_statistics, "CACHE", tmp_path)
    dancer = mannequin_dancer(3, 22, 32)
    images = np.stack([dancer.read(row) for row in range(22)])
    assert images.shape == (22, 32, 32, 3)
    known = dancer.keypoints[np.isfinite(dancer.keypoints).all(axis=-1)]
    assert len(known) > 0.8 * 22 * 13 and (known > -2).all() and (known < 33).all()
    # It moves, and the place behind it does not.
    moved = np.abs(np.diff(images.astype(int), axis=0)).max(axis=(0, 3))
    assert moved.max() > 30 and moved[0].max() <= 2
    again = mannequin_dancer(3, 22, 32)
    assert all((again.read(row) == images[row]).all() for row in range(22))
    assert not (mannequin_dancer(4, 22, 32).read(0) == images[0]).all()


def test_no_frame_of_one_activity_follows_one_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset_statistics, "CACHE", tmp_path)
    dancer = mannequin_dancer(0, MOTION_FRAMES + 20, 16)
    starts = clip_starts(dancer.frame, 2)
    assert MOTION_FRAMES - 1 not in starts and len(starts) == MOTION_FRAMES + 20 - 2
