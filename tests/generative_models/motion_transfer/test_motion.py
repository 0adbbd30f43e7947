"""Where motion comes from: stores, mannequins, folders as Mixamo's."""

from pathlib import Path

import numpy as np
import pytest
import torch

from generative_models.motion_transfer.limbs import (
    LIMB_NAMES,
    SKELETON,
    STANDARD_SIZE,
    limb_lengths,
)
from generative_models.motion_transfer.motion import of_store, read_mixamo, read_motion
from generative_models.motion_transfer.normalisation import centred, local_rows
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
    write_store(tmp_path / "b.npz", store(["mannequin/0"]))
    options = MotionDataOptions("mocap", data_dir=str(tmp_path))
    found = read_motion(options, ("train", "validation", "test"), 0)
    assert [part.subjects for part in found] == [["cmu/01"], ["cmu/06"], ["cmu/07"]]


def test_absent_data_are_named_with_what_makes_them(tmp_path: Path):
    with pytest.raises(UserError, match=r"prepare\.py mocap.*motion_transfer_mannequin"):
        read_motion(MotionDataOptions("mocap", data_dir=str(tmp_path / "none")), ["train"], 0)
    write_store(tmp_path / "a.npz", store(["cmu/01"]))
    with pytest.raises(UserError, match="--subjects_test names none of it"):
        read_motion(MotionDataOptions("mocap", data_dir=str(tmp_path)), ["test"], 0)
    misspelt = MotionDataOptions("mocap", data_dir=str(tmp_path), subjects_test=("cmu/1",))
    with pytest.raises(UserError, match=r"the test subject cmu/1 is not in the data.*cmu/01"):
        read_motion(misspelt, ["train"], 0)


def write_character(folder: Path, character: str, points: np.ndarray) -> Path:
    """A motion (T, 15, 3) of a character as Mixamo has it: an array x, depth, vertical."""
    array = (points[..., [0, 2, 1]] * np.array([-1, 1, -1])).transpose(1, 2, 0)
    path = folder / character / "walk" / "walk.npy"
    path.parent.mkdir(parents=True)
    np.save(path, array.astype(np.float32))
    return path


def write_mixamo(folder: Path) -> None:
    """Two characters, one twice as large, with a motion each."""
    for character, size in (("Ann", 1.0), ("Bob", 2.0)):
        write_character(folder, character, swinging(40).numpy() * size / 10)


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
    training, validation = read_motion(options, ("train", "validation"), 0)
    assert training.subjects == ["mixamo/Ann"] and validation.subjects == ["mixamo/Bob"]


def test_a_damaged_mixamo_file_is_named(tmp_path: Path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    np.save(tmp_path / "a" / "b" / "b.npy", np.zeros((3, 15, 9)))
    with pytest.raises(UserError, match=r"b\.npy is no motion of 15 joints"):
        read_mixamo(tmp_path)
    (tmp_path / "a" / "b" / "b.npy").write_bytes(b"\x80nothing")
    with pytest.raises(UserError, match=r"cannot read .*b\.npy"):
        read_mixamo(tmp_path)
    np.save(tmp_path / "a" / "b" / "b.npy", np.zeros((15, 3, 0), np.float32))
    with pytest.raises(UserError, match=r"b\.npy has no frames"):
        read_mixamo(tmp_path)
    np.save(tmp_path / "a" / "b" / "b.npy", np.full((15, 3, 9), "x"))
    with pytest.raises(UserError, match=r"b\.npy is no motion of 15 joints: it needs numbers"):
        read_mixamo(tmp_path)


def test_mixamo_s_own_neck_and_hips_give_way_to_the_middles(tmp_path: Path):
    """So the root is where `centred` puts that of what is made."""
    points = swinging(40).numpy() / 10
    write_character(tmp_path / "plain", "Ann", points)
    points[:, SKELETON.indices("mid_hip", "neck"), 1] -= 9
    write_character(tmp_path / "own", "Ann", points)
    (plain,), (own,) = (read_mixamo(tmp_path / name).clips for name in ("plain", "own"))
    torch.testing.assert_close(own, plain)
    rows = local_rows(own)
    torch.testing.assert_close(centred(rows), rows, atol=1e-6, rtol=0)


def without(*joints: str) -> np.ndarray:
    """Somebody of whom these joints are never seen."""
    points = swinging(40).numpy() / 10
    points[:, SKELETON.indices(*joints)] = np.nan
    return points


LEGS = ("left_knee", "right_knee", "left_ankle", "right_ankle")
NO_BODY = {
    "nobody": np.full((40, 15, 3), np.nan),
    "no trunk and legs": without("left_shoulder", "right_shoulder", *LEGS),
    "one hip": without("left_hip"),
    "a point": np.zeros((40, 15, 3)),
    "infinite": np.full((40, 15, 3), np.inf),
}


@pytest.mark.parametrize("points", NO_BODY.values(), ids=NO_BODY)
def test_a_clip_without_a_body_is_named_and_spoils_no_other(
    points: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    write_mixamo(tmp_path)
    (tmp_path / "alone").mkdir()
    wanted = read_mixamo(tmp_path)
    path = write_character(tmp_path, "Abe", points)
    found = read_mixamo(tmp_path)
    (line,) = capsys.readouterr().err.splitlines()
    assert str(path) in line and line.endswith("left out")
    assert found.subjects == wanted.subjects
    torch.testing.assert_close(found.clips, wanted.clips)
    alone = write_character(tmp_path / "alone", "Abe", points)
    with pytest.raises(UserError, match=r"walk\.npy shows no body") as caught:
        read_mixamo(tmp_path / "alone")
    assert str(alone) in str(caught.value)


def test_joints_that_a_mixamo_clip_lacks_in_part_do_not_count_against_it(tmp_path: Path):
    points = swinging(40).numpy() / 10
    points[:30, SKELETON.index("left_hip")] = np.nan
    write_character(tmp_path, "Ann", points)
    (clip,) = read_mixamo(tmp_path).clips
    lengths = limb_lengths(clip)
    thigh = LENGTHS["thighs"] / (LENGTHS["spine"] + LENGTHS["thighs"] + LENGTHS["shins"])
    assert lengths[LIMB_NAMES.index("thighs")] == pytest.approx(thigh, rel=1e-3)


def test_mannequins_of_the_parts_are_different_bodies():
    options = MotionDataOptions("mannequin", mannequin_count=2)
    bodies = read_motion(options, ("train", "validation"), 0)
    assert len(bodies[0].clips) == 2 and len(bodies[0].clips[0]) == 30
    assert not set(bodies[0].subjects) & set(bodies[1].subjects)
    lengths = limb_lengths(bodies[0].clips[0]) * STANDARD_SIZE
    assert 250 < lengths[LIMB_NAMES.index("thighs")] < 600
