"""The folder reader as `data/prepare.py mocap` calls it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.mocap_folder import MocapOptions, prepare_mocap
from tests.utils.mocap.motion_files import AMC, ASF, BVH
from twod_threed.training_data import read_motion
from twod_threed.views import stored_views
from utils.errors import UserError
from utils.mocap import read_store
from utils.mocap.joint_maps import built_in_map
from utils.mocap.store import MotionStore, write_store
from utils.skeletons import H36M_17

MAP = 'source = "studio"\nunit = 10\n[joints]\nhip = "{hip}"\nspine = "{spine}"\n'


@pytest.fixture
def folder(tmp_path):
    """Two BVH clips of two people, a map for them, and a place for the store."""
    for name in ("anna/walk", "ben/run"):
        path = tmp_path / f"clips/{name}.bvh"
        path.parent.mkdir(parents=True)
        path.write_text(BVH)
    (tmp_path / "my.toml").write_text(MAP.format(hip="Hips", spine="Chest"))
    return tmp_path


def run(folder, **options):
    output = folder / "out/store.npz"
    chosen = MocapOptions(folder / "clips", output, joint_map=str(folder / "my.toml"))
    return prepare_mocap(replace(chosen, **options)), read_store(output)


def test_a_folder_becomes_a_store(folder, capsys):
    code, store = run(folder)
    assert code == 0 and store.names.tolist() == ["walk", "run"]
    assert store.subjects.tolist() == ["studio/anna", "studio/ben"]
    assert store.actions.tolist() == ["walk", "run"] and store.frame_rates.tolist() == [120, 120]
    np.testing.assert_allclose(store.clip(0)[0, H36M_17.index("spine")], [10, 120, 30], atol=0.1)
    printed = capsys.readouterr().out
    assert "studio: 2 clips, 4 frames, 0.0 min, 2 subjects (studio/anna studio/ben)" in printed
    assert "store.npz: 0.0 MB" in printed


@pytest.mark.parametrize("words", [("clips", "."), (".", "clips")])
def test_stores_go_where_training_looks(folder, monkeypatch, words):
    named, working = words
    monkeypatch.chdir(folder / working)
    assert prepare_mocap(MocapOptions(Path(named), joint_map=str(folder / "my.toml"))) == 0
    motion = read_motion("")
    assert isinstance(motion, MotionStore) and motion.names.tolist() == ["walk", "run"]
    assert [path.name for path in Path("data/mocap").iterdir()] == ["clips.npz"]


def test_a_store_of_another_folder_is_not_replaced(folder, monkeypatch):
    monkeypatch.chdir(folder)
    other, place = folder / "other/clips", Path("data/mocap/clips.npz")
    other.mkdir(parents=True)
    (other / "jump.bvh").write_text(BVH)
    first = MocapOptions(Path("clips"), joint_map=str(folder / "my.toml"))
    second = replace(first, folder=other)
    # The same folder again, by another path.
    for options in (first, replace(first, folder=folder / "clips", frame_rate=60.0)):
        assert prepare_mocap(options) == 0
    assert read_store(place).frame_rates.tolist() == [60, 60]
    before = place.read_bytes()
    told = rf"{place} is there already, made from {folder}/clips: .*--output.*--source"
    with pytest.raises(UserError, match=told):
        prepare_mocap(second)
    assert place.read_bytes() == before
    assert prepare_mocap(replace(second, output=place)) == 0
    assert read_store(place).names.tolist() == ["jump"]
    with pytest.raises(UserError, match=r"made from .*other/clips"):
        prepare_mocap(first)
    write_store(place, read_store(place))
    with pytest.raises(UserError, match="does not say what it was made from"):
        prepare_mocap(second)


def test_files_of_the_same_name_in_several_folders_stay_apart(folder):
    for name in ("walk", "only"):
        (folder / f"clips/ben/{name}.bvh").write_text(BVH)
    code, store = run(folder)
    assert code == 0 and store.names.tolist() == ["anna/walk", "only", "run", "ben/walk"]
    assert store.subjects.tolist() == ["studio/anna"] + ["studio/ben"] * 3
    assert store.actions.tolist() == ["walk", "only", "run", "walk"]
    assert len(stored_views(store, seed=0)) == 8


@pytest.mark.parametrize("words", [("clips/anna", "."), (".", "clips/anna")])
def test_a_folder_without_folders_is_one_subject(folder, monkeypatch, words):
    named, working = words
    (folder / "clips/anna/run.bvh").write_text(BVH)
    monkeypatch.chdir(folder / working)
    options = MocapOptions(
        Path(named), folder / "store.npz", joint_map=str(folder / "my.toml"), source="lab"
    )
    assert prepare_mocap(options) == 0
    assert read_store(folder / "store.npz").subjects.tolist() == ["lab/anna"] * 2
    assert prepare_mocap(replace(options, subject_pattern="^(.)")) == 0
    assert read_store(folder / "store.npz").subjects.tolist() == ["lab/r", "lab/w"]


def test_folders_of_the_same_name_are_other_subjects(folder):
    for group in ("a", "b"):
        place = folder / f"clips/{group}/01/jump.bvh"
        place.parent.mkdir(parents=True)
        place.write_text(BVH)
    subjects = run(folder)[1].subjects.tolist()
    assert subjects == ["studio/a/01", "studio/anna", "studio/b/01", "studio/ben"]


def test_options_change_names_and_rates(folder):
    code, store = run(folder, source="lab", frame_rate=60.0, subject_pattern="/(.)")
    assert code == 0 and store.sources.tolist() == ["lab", "lab"]
    assert store.subjects.tolist() == ["lab/w", "lab/r"]
    assert store.lengths().tolist() == [1, 1] and store.frame_rates.tolist() == [60, 60]


def test_files_that_cannot_be_read_are_named_and_the_rest_is_done(folder, capsys):
    (folder / "clips/ben/run.bvh").write_text(BVH[:-20])
    (folder / "clips/ben/stand.amc").write_text(AMC)
    code, store = run(folder)
    assert code == 1 and store.names.tolist() == ["walk"]
    printed = capsys.readouterr().out
    assert "run.bvh announces 2 frames and has 1" in printed
    assert "stand.amc has no skeleton: put its .asf file beside it" in printed


def test_a_clip_in_another_unit_is_named_and_the_rest_is_done(folder, capsys):
    still = BVH.replace("90 0 0 0 90 0", "0 0 0 0 0 0")
    (folder / "clips/ben/run.bvh").write_text(still.replace("OFFSET 0 10 0", "OFFSET 0 1000 0"))
    np.savez(folder / "clips/lab_50hz.npz", far=np.full((2, 17, 3), 1e300))
    code, store = run(folder)
    assert code == 1 and store.names.tolist() == ["walk"]
    printed = capsys.readouterr().out
    assert "ben/run: a joint is more than 3.3 m from the hip; is the unit" in printed
    assert "clip far: it has joints that are not numbers, or too far away" in printed


def test_a_store_inside_its_folder_is_not_read_as_motion(folder):
    output = folder / "clips/store.npz"
    options = MocapOptions(folder / "clips", output, joint_map=str(folder / "my.toml"))
    for _ in range(2):
        assert prepare_mocap(options) == 0
    assert read_store(output).names.tolist() == ["walk", "run"]


def test_acclaim_clips_find_their_skeleton(folder):
    for name in ("a", "ab", "c"):
        (folder / f"clips/{name}.asf").write_text(ASF)
    (folder / "clips/ab_01.amc").write_text(AMC)
    (folder / "my.toml").write_text(MAP.format(hip="root", spine="back").replace("10", "1"))
    (folder / "clips/c.asf").write_text("nothing")
    for path in folder.glob("clips/*/*.bvh"):
        path.unlink()
    code, store = run(folder, amc_frame_rate=60.0)
    assert code == 0 and store.frame_rates.tolist() == [60]
    (folder / "clips/x_01.amc").write_text(AMC)
    assert run(folder)[0] == 1, "three skeletons, and none by its name"


def test_many_files_are_read_by_several_processes_in_order(folder):
    for i in range(40):
        (folder / f"clips/{i:02d}.bvh").write_text(BVH.replace("1 2 3", f"{i} 2 3"))
    code, store = run(folder)
    assert code == 0 and store.names.tolist()[:40] == [f"{i:02d}" for i in range(40)]
    hips = store.positions[store.starts[:40], H36M_17.index("hip"), 0]
    np.testing.assert_allclose(hips, np.arange(40) * 10)


def test_files_of_positions(tmp_path, capsys):
    pose = np.random.default_rng(0).integers(-500, 500, (17, 3)).astype(np.int16)
    clip = np.stack([pose, pose + 1, pose + 2])
    (tmp_path / "clips").mkdir()
    broken = {"m02_s01_e01": clip[:, :16], "m02_s01_e02": clip.astype(str)}
    np.savez(tmp_path / "clips/uiprmd_50hz.npz", m01_s02_e03=clip, **broken)
    np.savez(tmp_path / "clips/other.npz", clip)
    output = tmp_path / "store.npz"
    assert prepare_mocap(MocapOptions(tmp_path / "clips", output)) == 1
    store = read_store(output)
    assert store.subjects.tolist() == ["uiprmd/s02"] and store.actions.tolist() == ["m01"]
    assert store.frame_rates.tolist() == [50]
    np.testing.assert_array_equal(store.validity[0], built_in_map("uiprmd_points").validity)
    knee = H36M_17.index("left_knee")
    np.testing.assert_allclose(store.positions[:, knee], clip[:, knee], atol=0.06)
    printed = capsys.readouterr().out
    assert "clip m02_s01_e01: int16 of shape (3, 16, 3)" in printed
    assert "clip m02_s01_e02: " in printed and "other.npz: the name of a file of joints" in printed


def test_a_file_without_clips_is_named(tmp_path, capsys):
    (tmp_path / "clips").mkdir()
    np.savez(tmp_path / "clips/uiprmd_50hz.npz")
    options = MocapOptions(tmp_path / "clips", tmp_path / "store.npz")
    with pytest.raises(UserError, match=r"the first reason: .*uiprmd_50hz\.npz holds no clips"):
        prepare_mocap(options)
    assert capsys.readouterr().out == ""
    clip = np.random.default_rng(0).integers(-500, 500, (1, 17, 3)).repeat(2, 0)
    np.savez(tmp_path / "clips/uiprmd2_50hz.npz", m01_s02_e03=clip)
    assert prepare_mocap(options) == 1
    assert "uiprmd_50hz.npz holds no clips" in capsys.readouterr().out


def test_jumps_are_cut_out_and_told(folder, capsys):
    row = "0 0 0 0 0 0 0 0 0\n"
    rows = row * 40 + "500" + row[1:] + row * 50
    (folder / "clips/ben/run.bvh").write_text(
        BVH.replace("Frames: 2", "Frames: 91").partition(".0083333\n")[0] + ".0083333\n" + rows
    )
    code, store = run(folder)
    assert code == 0 and store.names.tolist() == ["walk", "run.1", "run.2"]
    assert store.lengths().tolist() == [2, 40, 50]
    assert "ben/run has jumps: 1 of 91 frames dropped, 2 parts left" in capsys.readouterr().out


def test_a_clip_that_only_jumps_is_named(folder, capsys):
    (folder / "my.toml").write_text(MAP.format(hip="Hips", spine="Chest").replace("10", "20"))
    with pytest.raises(UserError, match="anna/walk jumps too often"):
        run(folder)


def test_what_the_user_can_mend_is_said(folder):
    with pytest.raises(UserError, match="is not a folder"):
        prepare_mocap(MocapOptions(folder / "none"))
    (folder / "empty").mkdir()
    with pytest.raises(UserError, match=r"holds no \.bvh"):
        prepare_mocap(MocapOptions(folder / "empty"))
    with pytest.raises(UserError, match=r"no clip of .* is left; the first reason: .*--joint_map"):
        prepare_mocap(MocapOptions(folder / "clips", folder / "out.npz"))
    with pytest.raises(UserError, match=r"--frame_rate must be above 0 and .*, not 0"):
        MocapOptions(folder, frame_rate=0.0)
    with pytest.raises(UserError, match=r"--amc_frame_rate must be above 0 and .*, not -1"):
        MocapOptions(folder, amc_frame_rate=-1.0)
    with pytest.raises(UserError, match=r"--frame_rate .* at most 10000, not 20000"):
        MocapOptions(folder, frame_rate=20_000.0)
    with pytest.raises(UserError, match=r"--subject_pattern a\(\(: "):
        MocapOptions(folder, subject_pattern="a((")
    with pytest.raises(UserError, match="one group, not 0"):
        MocapOptions(folder, subject_pattern="abc")
