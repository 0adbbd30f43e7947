"""Training packs: small, exact where it matters, and safe to open."""

from dataclasses import replace

import numpy as np
import pytest

from stacked_hourglass.data import PeopleDataset
from stacked_hourglass.pack import PackedPictures, cut_part, encode, read_pack, write_pack
from stacked_hourglass.person_table import ROW_ARRAYS, Picture, decode_annotated, mix
from stacked_hourglass.readers import read_lsp, read_lsp_extended
from tests.stacked_hourglass.fake_data import write_lsp, write_lsp_extended
from utils.crops import image_to_crop
from utils.errors import UserError


@pytest.fixture
def table(tmp_path):
    """Five people of two data sets."""
    write_lsp(tmp_path / "lsp")
    write_lsp_extended(tmp_path / "lspet")
    return mix([read_lsp(tmp_path / "lsp"), read_lsp_extended(tmp_path / "lspet")])


def gradient(width: int, height: int) -> np.ndarray:
    """A picture that says where each pixel is: red is x, green is y."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x, y, np.full_like(x, 99)], axis=-1).astype(np.uint8)


def test_annotations_come_back_bit_for_bit(table, tmp_path):
    written = write_pack(tmp_path / "p.pack", table, 64)
    packed = read_pack(tmp_path / "p.pack")
    assert packed.name == "lsp+lspet" and not written.skipped
    for name in set(ROW_ARRAYS) - {"source", "picture"}:
        expected = getattr(table, name)
        for read in (written, packed):
            np.testing.assert_array_equal(getattr(read, name), expected, strict=True)
    for row in range(len(table)):
        assert packed.picture_name(row) == table.picture_name(row)
        assert packed.read_picture(row).size == table.read_picture(row).size == (60, 40)


def test_an_unscaled_part_has_the_pixels_of_the_picture():
    image = gradient(90, 70)
    part = cut_part(Picture(image), np.array([30.3, 40.7, 21.4]), 64, 1.8)
    x, y = (int(v + 0.5) for v in part.corner)
    assert part.scale == 1 and (x, y) == (11, 21)
    height, width = part.image.shape[:2]
    assert width == height == np.ceil(21.4 * 1.8)
    np.testing.assert_array_equal(part.image, image[y : y + height, x : x + width])


def test_a_part_ends_where_the_picture_ends():
    image = gradient(40, 30)
    part = cut_part(Picture(image), np.array([2.0, 3.0, 500.0]), 500, 1.8)
    np.testing.assert_array_equal(part.image, image)
    assert part.corner == (-0.5, -0.5)


def blob(at: tuple[float, float], sigma: float) -> np.ndarray:
    """A picture of 240 x 200 with one round light in it."""
    y, x = np.mgrid[:200, :240]
    light = 250 * np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / (2 * sigma**2))
    return np.repeat(light[..., None], 3, axis=2).astype(np.uint8)


def centre_of_light(image: np.ndarray) -> np.ndarray:
    light = image[..., 0].astype(float)
    y, x = np.indices(light.shape)
    return np.array([(light * x).sum(), (light * y).sum()]) / light.sum()


@pytest.mark.parametrize(
    ("box", "at"),
    [
        ((60.2, 50.9, 97.3), (66, 57)),
        ((5.0, 95.0, 150.0), (30, 90)),
        ((120.3, 100.2, 190.0), (100, 120)),
        ((60.0, 50.0, 30.0), (62, 47)),
    ],
)
def test_a_crop_of_a_part_shows_things_at_their_places(box, at):
    """Also of a part of a part, as when a pack is packed again: within 0.03 px of the crop."""
    box = np.array(box)
    whole = Picture(blob(at, sigma=box[2] / 20))
    first = cut_part(whole, box, 90, 1.8)
    second = cut_part(first, box, 48, 1.8)
    assert first.scale == min(1, 90 / box[2]) and second.scale == min(1, 48 / box[2])
    assert second.size == first.size == (240, 200)
    expected = image_to_crop(np.array(at, float), box, 40)
    for picture in (whole, first, second):
        np.testing.assert_allclose(centre_of_light(picture.crop(box, 40)), expected, atol=0.03)


def test_a_pack_can_be_packed_again(table, tmp_path):
    once = write_pack(tmp_path / "once.pack", table, 40)
    twice = write_pack(tmp_path / "twice.pack", once, 20)
    assert twice.read_picture(0).size == (60, 40) and twice.sources[0].read(0).scale == 1 / 3
    np.testing.assert_array_equal(twice.keypoints, table.keypoints)


def test_items_of_a_pack_are_those_of_the_files(table, tmp_path):
    packed = write_pack(tmp_path / "p.pack", table, 64, quality=95)
    for row in (0, 4):
        item, other = PeopleDataset(table, 64)[row], PeopleDataset(packed, 64)[row]
        np.testing.assert_allclose(other["keypoints"], item["keypoints"], atol=1e-4)
        assert np.abs(item["image"].astype(int) - other["image"]).mean() < 3


def test_unreadable_pictures_are_skipped_and_named(table, tmp_path):
    (tmp_path / "lsp/images/im0002.jpg").write_bytes(b"broken")
    packed = write_pack(tmp_path / "p.pack", table, 64)
    assert len(packed) == 4 and packed.skipped == {"picture unreadable": ("im0002.jpg",)}
    kept = [table.picture_name(row) for row in (0, 2, 3, 4)]
    assert [packed.picture_name(row) for row in range(4)] == kept
    np.testing.assert_array_equal(packed.keypoints, table.keypoints[[0, 2, 3, 4]])
    with pytest.raises(UserError, match="none of the pictures"):
        write_pack(tmp_path / "q.pack", table.rows(np.array([1])), 64)


def test_another_suffix_is_refused(table, tmp_path):
    with pytest.raises(UserError, match=r"\.pack"):
        write_pack(tmp_path / "people.zip", table, 64)


def test_damaged_and_hostile_packs_are_errors(table, tmp_path):
    path = tmp_path / "p.pack"
    write_pack(path, table, 64)
    whole = path.read_bytes()
    with np.load(path) as file:
        arrays = dict(file)

    def rejects(message: str, **changes):
        np.savez(path.open("wb"), **(arrays | changes))
        with pytest.raises(UserError, match=message):
            read_pack(path)

    rejects("version", format_version=np.array(99))
    rejects("contradict", offsets=arrays["offsets"][:-1])
    rejects("contradict", offsets=arrays["offsets"][::-1])
    rejects("damaged", keypoints=arrays["keypoints"][:, :3])
    rejects("no training pack", names=np.array([1]), name=np.array([{}], object))
    for content in (b"", b"text", whole[: len(whole) // 2], whole[:-9]):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"p\.pack"):
            read_pack(path)
    with pytest.raises(UserError, match=r"cannot read .*gone\.pack"):
        read_pack(tmp_path / "gone.pack")


def test_a_damaged_crop_is_named(table, tmp_path):
    packed = write_pack(tmp_path / "p.pack", table, 64)
    (source,) = packed.sources
    assert isinstance(source, PackedPictures)
    broken = replace(packed, sources=(replace(source, crops=np.zeros_like(source.crops)),))
    with pytest.raises(UserError, match=r"crop 1 \(im0002\.jpg\)"):
        broken.read_picture(1)


def test_real_lsp_fits_the_promised_size(real_data, tmp_path):
    tables = [read_lsp(real_data / "lsp"), read_lsp_extended(real_data / "lspet")]
    sizes = [len(table) for table in tables]
    rows = [np.arange(0, size, 40) for size in sizes]
    sample = mix([table.rows(chosen) for table, chosen in zip(tables, rows, strict=True)])
    packed = write_pack(tmp_path / "people.pack", sample, 192)
    share = len(sample) / sum(sizes)
    assert (tmp_path / "people.pack").stat().st_size / share < 30e6
    noise = []
    for row in range(0, len(sample), 10):
        a, b = (t.read_picture(row).crop(t.box[row], 192).astype(float) for t in (sample, packed))
        noise.append(10 * np.log10(255**2 / np.mean((a - b) ** 2)))
    assert np.mean(noise) > 32


def test_encode_keeps_colours_in_order():
    image = np.full((32, 32, 3), (200, 100, 20), np.uint8)
    decoded = decode_annotated(np.frombuffer(encode(image, 90), np.uint8), "x")
    assert np.abs(decoded.astype(int) - image).max() < 6
