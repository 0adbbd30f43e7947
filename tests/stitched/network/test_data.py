"""Pictured people: mannequins against the renderer, Human3.6M's against what was written."""

from pathlib import Path

import numpy as np
import pytest

from stitched.network.data import PicturedDataset, PicturedPairs, plain_crops
from stitched.network.h36m_pictures import KNOWN_JOINTS, read_h36m_pictures
from stitched.network.mannequin_pictures import mannequin_pictures
from stitched.network.options import DataOptions
from stitched.network.training_data import pictures_of
from twod_threed.alignment import SIZE_PER_HEIGHT
from utils import mannequin
from utils.cameras import project
from utils.crops import image_to_crop
from utils.errors import UserError
from utils.skeletons import H36M_17, MPII_16


def test_mannequins_are_those_that_the_renderer_makes(own_cache: Path):
    people = mannequin_pictures("train", 3, seed=5)
    assert list(own_cache.glob("mannequin_pictures-*.npz"))
    for row in range(3):
        sample = mannequin.render_sample(5, row)
        person = sample.people[0]
        np.testing.assert_allclose(people.pairs.poses_2d[row], person.keypoints_2d_mpii, rtol=1e-6)
        np.testing.assert_allclose(people.pairs.poses_3d[row], person.keypoints_3d_h36m, rtol=1e-6)
        difference = people.pictures.read(row).image.astype(float) - sample.image
        assert np.sqrt((difference**2).mean()) < 12, "the same picture, but for compression"
        np.testing.assert_allclose(people.boxes()[row], person.box, rtol=1e-4)
    assert people.pairs.source_names().tolist()[2] == "mannequin/train2/0"
    heights = people.bodies().size / SIZE_PER_HEIGHT
    assert ((heights > 1300) & (heights < 2200)).all()


def test_splits_show_other_people():
    parts = [mannequin_pictures(split, 2, seed=5).pairs for split in ("train", "val", "test")]
    places = [part.poses_2d for part in parts]
    assert not any(np.array_equal(places[a], places[b]) for a, b in ((0, 1), (0, 2), (1, 2)))
    data = DataOptions(dataset="mannequin", mannequin_count=3, held_out_count=2)
    counts = {split: len(pictures_of(data, split, 5)) for split in ("train", "val", "test")}
    assert counts == {"train": 3, "val": 2, "test": 2}


def test_crops_and_their_joints_agree_with_the_camera():
    people = mannequin_pictures("train", 3, seed=5)
    dataset = PicturedDataset(people, resolution=64)
    wrist = "left_wrist"
    for row in range(3):
        item = dataset[row]
        place = project(item["poses_3d"], item["intrinsics"])[H36M_17.index(wrist)]
        wide = item["box"] * np.array([1, 1, 1.8], np.float32)
        expected = image_to_crop(place, wide, item["image"].shape[0])
        found = item["keypoints"][MPII_16.index(wrist)]
        if not np.isnan(found).any():
            np.testing.assert_allclose(found, expected, atol=0.01)
        inside = people.pictures.read(row).contains(item["keypoints_image"])
        np.testing.assert_array_equal(np.isnan(item["keypoints"][:, 0]), ~inside)
    batches = list(plain_crops(people, 64, batch_size=2))
    assert [crops.shape for crops, _, _ in batches] == [(2, 3, 64, 64), (1, 3, 64, 64)]
    assert np.concatenate([rows for _, _, rows in batches]).tolist() == [0, 1, 2]


def test_pictures_of_human36m(h36m: Path):
    people = read_h36m_pictures(h36m, ("S9",))
    assert people.pairs.subjects.tolist() == ["S9"] * 3
    greys = [people.pictures.read(row).image.mean() for row in range(3)]
    np.testing.assert_allclose(greys, [30, 40, 50], atol=2)
    assert people.supervised == KNOWN_JOINTS
    assert set(MPII_16.joints) - set(KNOWN_JOINTS) == {"head_top"}
    assert np.isnan(PicturedDataset(people, 64)[0]["keypoints"][MPII_16.index("head_top")]).all()
    fewer = read_h36m_pictures(h36m, ("S1", "S9"), every=2)
    assert fewer.pairs.frame.tolist() == [0, 10, 0, 10]


def test_what_is_absent_is_named(h36m: Path, tmp_path: Path):
    with pytest.raises(UserError, match=r"h36m_images --output .*stitched_mannequin needs no data"):
        read_h36m_pictures(tmp_path / "nowhere", ("S1",))
    with pytest.raises(UserError, match=r"no pictures of S5, only of S1, S9"):
        read_h36m_pictures(h36m, ("S1", "S5"))
    subjects = {"val_subjects": ("S9",), "test_subjects": ("S8", "S11")}
    data = DataOptions(dataset="fine_tune", data_dir=str(h36m), **subjects)
    assert len(pictures_of(data, "val", 0)) == 3
    with pytest.raises(UserError, match="no pictures of S5, S6, S7"):
        pictures_of(data, "train", 0)
    misspelt = DataOptions("h36m", data_dir=str(h36m), test_subjects=("9",))
    with pytest.raises(UserError, match="the test subject 9 is not in the data; near names: S9"):
        pictures_of(misspelt, "train", 0)
    with pytest.raises(UserError, match="more than one of training, validation and test: S9"):
        DataOptions("h36m", train_subjects=("S9",))


def test_pictures_belong_to_their_poses():
    people = mannequin_pictures("train", 3, seed=5)
    with pytest.raises(ValueError, match="2 poses, 3 pictures"):
        PicturedPairs(people.pairs.select([0, 1]), people.pictures)
