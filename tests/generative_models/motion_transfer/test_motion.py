"""Where motion comes from: stores, mannequins, folders as Mixamo's."""

from pathlib import Path

import numpy as np
import pytest
import torch

from generative_models.motion_transfer.limbs import LIMB_NAMES, STANDARD_SIZE, limb_lengths
from generative_models.motion_transfer.motion import of_store, read_mixamo, read_motion
from generative_models.motion_transfer.options import MotionDataOptions
from tests.generative_models.motion_transfer.moving import LENGTHS, swinging
from utils.errors import UserError
from utils.mocap import make_store, write_store
from utils.mocap.store import MotionStore
from utils.skeletons import H36M_17


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("utils.dataset_statistics.CACHE", tmp_path / "cache")
    monkeypatch.setattr("generative_models.motion_transfer.motion.MANNEQUIN_SECONDS", 1.0)


def store(subjects: list[str], nose: bool = True) -> MotionStore:
    """A second of standing at 60 frames per second, y up; each subject walks a little."""
    clip = np.random.default_rng(0).normal(size=(1, 17, 3)) * 300 + np.zeros((60, 1, 1))
    validity = np.zeros(17, np.uint8)
    if not nose:
        for joint in ("neck_nose", "head"):
            validity[H36M_17.index(joint)] = 2
            clip[:, H36M_17.index(joint)] = np.nan
    count = len(subjects)
    return make_store(
        [clip] * count, [f"{s}/walk" for s in subjects], [s.split("/")[0] for s in subjects],
        subjects, ["walk"] * count, [60.0] * count, [validity] * count,
    )  # fmt: skip


def test_stores_turn_upright_motion_to_the_frame_of_pictures():
    there = store(["cmu/01"])
    (clip,) = of_store(there, 30.0).clips
    assert len(clip) == 30
    ankle, place = H36M_17.index("left_ankle"), 14
    wanted = there.positions[0, ankle] / STANDARD_SIZE * np.array([1, -1, -1])
    np.testing.assert_allclose(clip[0, place].numpy(), wanted, rtol=1e-5)


def test_a_joint_that_a_store_lacks_is_nan_and_no_other():
    (clip,) = of_store(store(["cmu/01"], nose=False), 30.0).clips
    assert clip.isnan().any(-1).any(0).nonzero().tolist() == [[0]]


def test_people_train_validate_and_test_apart(tmp_path: Path):
    write_store(tmp_path / "a.npz", store(["cmu/01", "cmu/06", "cmu/07"]))
    options = MotionDataOptions("mocap", data_dir=str(tmp_path))
    found = {
        part: read_motion(options, part, 0).subjects for part in ("train", "validation", "test")
    }
    assert found == {"train": ["cmu/01"], "validation": ["cmu/06"], "test": ["cmu/07"]}


def test_absent_data_are_named_with_what_makes_them(tmp_path: Path):
    with pytest.raises(UserError, match=r"prepare\.py mocap.*motion_transfer_mannequin"):
        read_motion(MotionDataOptions("mocap", data_dir=str(tmp_path / "none")), "train", 0)
    write_store(tmp_path / "a.npz", store(["cmu/01"]))
    with pytest.raises(UserError, match="--subjects_test names none of it"):
        read_motion(MotionDataOptions("mocap", data_dir=str(tmp_path)), "test", 0)


def write_mixamo(folder: Path) -> None:
    """Two characters, one twice as large, with a motion each: arrays x, depth, vertical."""
    for character, size in (("Ann", 1.0), ("Bob", 2.0)):
        points = swinging(40).numpy() * size / 10
        array = (points[..., [0, 2, 1]] * np.array([-1, 1, -1])).transpose(1, 2, 0)
        place = folder / character / "walk"
        place.mkdir(parents=True)
        np.save(place / "walk.npy", array.astype(np.float32))


def test_mixamo_folders_are_read_in_our_frame_and_scale(tmp_path: Path):
    write_mixamo(tmp_path)
    found = read_mixamo(tmp_path)
    assert found.subjects == ["mixamo/Ann", "mixamo/Bob"]
    ann, bob = found.clips
    torch.testing.assert_close(2 * ann, bob)
    # The median of two is the smaller: it has size 1.
    wanted = swinging(40) / (LENGTHS["spine"] + LENGTHS["thighs"] + LENGTHS["shins"])
    torch.testing.assert_close(ann, wanted, atol=1e-4, rtol=1e-3)


def test_mixamo_characters_can_be_held_out(tmp_path: Path):
    write_mixamo(tmp_path)
    options = MotionDataOptions(
        "mocap", str(tmp_path), subjects_validation=("mixamo/Bob",), subjects_test=()
    )
    assert read_motion(options, "train", 0).subjects == ["mixamo/Ann"]
    assert read_motion(options, "validation", 0).subjects == ["mixamo/Bob"]


def test_a_damaged_mixamo_file_is_named(tmp_path: Path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    np.save(tmp_path / "a" / "b" / "b.npy", np.zeros((3, 15, 9)))
    with pytest.raises(UserError, match=r"b\.npy is no motion of 15 joints"):
        read_mixamo(tmp_path)
    (tmp_path / "a" / "b" / "b.npy").write_bytes(b"\x80nothing")
    with pytest.raises(UserError, match=r"cannot read .*b\.npy"):
        read_mixamo(tmp_path)


def test_mannequins_of_the_parts_are_different_bodies():
    options = MotionDataOptions("mannequin", mannequin_count=2)
    bodies = [read_motion(options, part, 0) for part in ("train", "validation")]
    assert len(bodies[0].clips) == 2 and len(bodies[0].clips[0]) == 30
    assert not set(bodies[0].subjects) & set(bodies[1].subjects)
    lengths = limb_lengths(bodies[0].clips[0]) * STANDARD_SIZE
    assert 250 < lengths[LIMB_NAMES.index("thighs")] < 600
