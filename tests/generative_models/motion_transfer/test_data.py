"""Windows of motion, and batches of them."""

import numpy as np
import pytest
import torch

from generative_models.motion_transfer.data import WindowBatches, Windows
from generative_models.motion_transfer.limbs import ROOT, STANDARD_SIZE
from generative_models.motion_transfer.motion import Motion
from tests.generative_models.motion_transfer.moving import swinging
from utils.errors import UserError


def motion(*lengths: int) -> Motion:
    """Clips of so many frames, each of a subject of its own, all of one data set."""
    clips = [swinging(count, seed=n) / STANDARD_SIZE for n, count in enumerate(lengths)]
    return Motion(clips, [f"set/{n}" for n in range(len(lengths))], ["set"] * len(lengths))


def test_windows_are_cut_out_of_clips_and_begin_at_the_origin():
    one = motion(40)
    windows = Windows(one, 16)
    assert windows.starts["set/0"].tolist() == list(range(25))
    (found,) = windows.at(np.array([7]))
    wanted = one.clips[0][7:23]
    torch.testing.assert_close(found, wanted - wanted[0, ROOT])


def test_short_clips_run_there_and_back_and_shorter_ones_are_left_out():
    windows = Windows(motion(10, 5), 16)
    assert set(windows.starts) == {"set/0"}
    (found,) = windows.at(np.array([0]))
    torch.testing.assert_close(found[10], found[8])
    with pytest.raises(UserError, match="no clip has the 16 frames that --window needs"):
        Windows(motion(10), 32)


def test_pairs_are_of_one_person_evenly_over_data_sets():
    one = motion(40, 400, 40)
    one = Motion(one.clips, one.subjects, ["few", "few", "other"])
    windows = Windows(one, 16)
    ranges = {name: (starts.min(), starts.max()) for name, starts in windows.starts.items()}
    asked: list[np.ndarray] = []
    windows.at = lambda starts: asked.append(starts) or torch.zeros(1)  # type: ignore[method-assign]
    windows.draw(np.random.default_rng(0), 600)
    first, second = asked
    inside = [[(a <= one) & (one <= b) for a, b in ranges.values()] for one in (first, second)]
    owner = [np.argmax(one, axis=0) for one in inside]
    assert (owner[0] == owner[1]).all()
    np.testing.assert_allclose(np.bincount(owner[0]) / 600, [0.25, 0.25, 0.5], atol=0.06)


def test_batches_depend_on_seed_epoch_and_step_alone():
    windows = Windows(motion(60, 60), 16)
    batches = WindowBatches(windows, 4, 3, seed=1)
    whole = [batch["clips"] for batch in batches.epoch(2)]
    (last,) = [batch["clips"] for batch in batches.epoch(2, start=2)]
    torch.testing.assert_close(whole[2], last)
    assert not torch.equal(whole[0], whole[1])
    assert not torch.equal(whole[0], next(batches.epoch(3))["clips"])
    assert not torch.equal(whole[0], next(WindowBatches(windows, 4, 3, 2).epoch(2))["clips"])
