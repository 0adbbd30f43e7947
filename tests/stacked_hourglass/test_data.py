"""Tables, crops and batches of people."""

import pickle
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from stacked_hourglass.augmentation import (
    CROP_MARGIN,
    Views,
    plain_views,
    view_images,
    view_keypoints,
)
from stacked_hourglass.data import READERS, PeopleDataset, collate, crop_size, read_people
from stacked_hourglass.pack import write_pack
from stacked_hourglass.person_table import Picture, mix
from stacked_hourglass.sources import ORIGINS, AbsentError
from tests.stacked_hourglass.fake_data import write_lsp, write_lsp_extended
from utils.crops import image_to_crop
from utils.errors import UserError
from utils.skeletons import MPII_16


@pytest.fixture
def lsp(tmp_path):
    """Three people of LSP, in pictures of 60 x 40."""
    write_lsp(tmp_path / "lsp")
    return read_people("lsp", tmp_path / "lsp")


def test_joints_in_a_crop_lie_where_the_wide_box_puts_them(lsp):
    item = PeopleDataset(lsp, 64)[1]
    size = crop_size(64)
    assert size == 116 and item["image"].shape == (size, size, 3)
    assert item["image"].dtype == np.uint8 and item["row"] == 1
    ankle = MPII_16.index("right_ankle")
    # Joint (10, 4) in a picture of 60 x 40, box centre (29.5, 19.5), side 60 * 1.8 = 108.
    expected = [(p - (c - 54)) * size / 108 - 0.5 for p, c in ((10, 29.5), (4, 19.5))]
    np.testing.assert_allclose(item["keypoints"][ankle], expected, atol=1e-4)
    assert item["visibility"][ankle] == 0
    np.testing.assert_array_equal(item["keypoints_image"], lsp.keypoints[1])
    np.testing.assert_array_equal(item["box"], lsp.box[1])


def test_pixels_and_joints_of_a_crop_agree(lsp, tmp_path):
    """A bright dot painted at a joint is found at the joint's place in the crop."""
    picture = lsp.read_picture(0)
    knee = lsp.keypoints[0, MPII_16.index("right_knee")]

    class Dot:
        def read(self, _):
            image = np.zeros_like(picture.image)
            image[int(knee[1]), int(knee[0])] = 255
            return Picture(image)

    item = PeopleDataset(replace(lsp, sources=(Dot(),)), 128)[0]  # pyright: ignore
    light = item["image"][..., 0].astype(float)
    y, x = np.indices(light.shape)
    centre = [(light * axis).sum() / light.sum() for axis in (x, y)]
    np.testing.assert_allclose(centre, item["keypoints"][MPII_16.index("right_knee")], atol=0.1)


def test_joints_outside_the_picture_are_not_trained_on(lsp):
    keypoints = lsp.keypoints.copy()
    keypoints[0, :4] = [(-0.6, 5), (59.6, 5), (5, 39.4), (-0.4, 5)]
    item = PeopleDataset(replace(lsp, keypoints=keypoints), 64)[0]
    assert np.isnan(item["keypoints"][:4, 0]).tolist() == [True, True, False, False]
    np.testing.assert_array_equal(item["keypoints_image"][:4], keypoints[0, :4])


def test_collate_gives_channels_last_bytes(lsp):
    dataset = PeopleDataset(lsp, 64)
    batch = collate([dataset[row] for row in (2, 0)])
    assert batch["image"].dtype == torch.uint8 and batch["image"].shape[:2] == (2, 3)
    assert batch["image"].is_contiguous(memory_format=torch.channels_last)
    np.testing.assert_array_equal(batch["image"][1].permute(1, 2, 0), dataset[0]["image"])
    assert batch["keypoints"].shape == (2, 16, 2) and batch["keypoints"].dtype == torch.float32
    assert batch["row"].tolist() == [2, 0] and batch["head_box"].shape == (2, 4)


def test_worker_processes_give_the_same_items(lsp, tmp_path):
    write_pack(tmp_path / "p.pack", lsp, 64)
    for table in (lsp, read_people("lsp", tmp_path / "p.pack")):
        dataset = PeopleDataset(table, 64)
        copied = pickle.loads(pickle.dumps(dataset))
        np.testing.assert_array_equal(copied[1]["image"], dataset[1]["image"])
    dataset = PeopleDataset(lsp, 64)
    (batch,) = DataLoader(dataset, batch_size=3, num_workers=1, collate_fn=collate)
    expected = collate([dataset[row] for row in range(3)])
    for name, values in expected.items():
        torch.testing.assert_close(batch[name], values, equal_nan=True, rtol=0, atol=0)


def test_a_rotated_view_of_a_crop_has_joints_on_their_pixels(lsp):
    """The wide crop holds what turning by 60 degrees at scale 1.25 shows."""
    assert np.sqrt(2) * 1.25 <= CROP_MARGIN
    batch = collate([PeopleDataset(lsp, 64)[0]])
    plain = plain_views(1)
    turned = Views(torch.tensor([1.25]), torch.tensor([1.0]), torch.tensor([True]), plain.colour)
    knee, other = MPII_16.index("right_knee"), MPII_16.index("left_knee")
    marked = torch.zeros_like(batch["image"])
    x, y = batch["keypoints"][0, knee].round().int().tolist()
    marked[0, :, y, x] = 255
    light = view_images(marked, turned, 64)[0, 0]
    points = batch["keypoints"].clone()
    points[0, knee] = torch.tensor([x, y], dtype=torch.float32)
    place = view_keypoints(points, turned, marked.shape[-1], 64, MPII_16.flip_order)[0, other]
    peak = divmod(int(light.argmax()), 64)
    assert light.max() > 0 and abs(place[0] - peak[1]) <= 0.75 and abs(place[1] - peak[0]) <= 0.75


def test_mixing_lays_data_sets_end_to_end(lsp, tmp_path):
    write_lsp_extended(tmp_path / "lspet")
    extended = read_people("lspet", tmp_path / "lspet")
    both = mix([lsp, extended])
    assert len(both) == 5 and both.name == "lsp+lspet" and both.source.tolist() == [0, 0, 0, 1, 1]
    assert [both.picture_name(r) for r in (2, 3)] == ["im0003.jpg", "im00001.jpg"]
    np.testing.assert_array_equal(both.read_picture(4).image, extended.read_picture(1).image)
    np.testing.assert_array_equal(both.keypoints[3:], extended.keypoints)
    assert both.skipped == extended.skipped
    nested = mix([both, lsp])
    assert nested.source.tolist() == [0, 0, 0, 1, 1, 2, 2, 2] and len(nested.sources) == 3
    with pytest.raises(UserError, match="no data set"):
        mix([])


def test_splits_that_are_not_there_are_named(lsp):
    with pytest.raises(UserError, match="lsp: nobody in split val; it holds train"):
        lsp.of_split("val")


def test_a_table_of_contradicting_shapes_is_refused(lsp):
    with pytest.raises(ValueError, match="visibility"):
        replace(lsp, visibility=lsp.visibility[:2])
    with pytest.raises(ValueError, match="box"):
        replace(lsp, box=lsp.box[:, :2])


def test_unknown_data_sets_are_named(tmp_path):
    with pytest.raises(UserError, match=r"unknown data set lps: known are lsp, lspet, mpii, coco"):
        read_people("lps", tmp_path)


def test_who_lacks_a_data_set_is_told_where_it_comes_from(tmp_path):
    assert ORIGINS.keys() == READERS.keys()
    for name in READERS:
        with pytest.raises(AbsentError, match=re.escape(ORIGINS[name].where)):
            read_people(name, tmp_path / "nowhere")


def test_cache_key_changes_with_what_is_measured(lsp, tmp_path):
    rows = np.array([0, 1])
    key = lsp.cache_key("colour", rows, 1)
    assert key == read_people("lsp", tmp_path / "lsp").cache_key("colour", rows, 1)
    packed = write_pack(tmp_path / "p.pack", lsp, 64)
    others = [
        lsp.cache_key("other", rows, 1),
        lsp.cache_key("colour", rows[:1], 1),
        lsp.cache_key("colour", rows, 2),
        packed.cache_key("colour", rows, 1),
        packed.cache_key("colour", rows[:1], 1),
    ]
    (tmp_path / "lsp/images/im0002.jpg").write_bytes(b"other")
    others.append(lsp.cache_key("colour", rows, 1))
    assert len({key, *others}) == 7
    (tmp_path / "lsp/images/im0002.jpg").unlink()
    with pytest.raises(UserError, match=r"im0002\.jpg"):
        lsp.cache_key("colour", rows, 1)


def test_real_crops_keep_every_joint_that_the_picture_has(real_data):
    table = read_people("lspet", real_data / "lspet").rows(np.arange(0, 10000, 500))
    dataset = PeopleDataset(table, 64)
    for row in range(len(table)):
        item = dataset[row]
        width, height = table.read_picture(row).size
        with np.errstate(invalid="ignore"):
            inside = (table.keypoints[row] >= -0.5) & (
                table.keypoints[row] <= np.array([width, height]) - 0.5
            )
        np.testing.assert_array_equal(np.isfinite(item["keypoints"][:, 0]), inside.all(axis=-1))
        wide = table.box[row] * np.array([1, 1, CROP_MARGIN], np.float32)
        known = np.isfinite(item["keypoints"][:, 0])
        expected = image_to_crop(table.keypoints[row], wide, dataset.size)
        np.testing.assert_allclose(item["keypoints"][known], expected[known], atol=1e-3)
        assert (item["keypoints"][known] > -0.5).all()
