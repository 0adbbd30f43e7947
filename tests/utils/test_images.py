"""Pictures of every kind, whole and broken, against Pillow and closed forms."""

import functools
import io
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageOps

from utils import images
from utils.errors import UserError
from utils.images import list_images, read_image, read_image_size, write_image


def noise(height: int, width: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), np.uint8)


def smooth(height: int, width: int) -> np.ndarray:
    """Colour ramps, which JPEG keeps within a few levels."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return np.stack([x, y, 255 - x], axis=-1).astype(np.uint8)


def complaint(path: Path) -> str:
    """The one line that reading `path` answers, the same fault for size and pixels."""
    with pytest.raises(UserError) as caught:
        read_image(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


# --- what is right


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".jpeg", ".PNG"])
def test_written_pictures_come_back(tmp_path: Path, suffix: str) -> None:
    image = smooth(40, 61)
    path = tmp_path / f"new/picture{suffix}"
    write_image(path, image)
    back = read_image(path)
    assert back.dtype == np.uint8 and back.flags.c_contiguous and back.flags.writeable
    tolerance = 0 if suffix.lower() == ".png" else 4
    assert np.abs(back.astype(int) - image).max() <= tolerance
    assert read_image_size(path) == (61, 40)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, suffix: str, orientation: int) -> None:
    path = tmp_path / f"turned.{suffix}"
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    Image.fromarray(noise(24, 40)).save(path, exif=exif)
    with Image.open(path) as picture:
        expected = np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))
    image = read_image(path)
    assert image.flags.c_contiguous
    np.testing.assert_array_equal(image, expected)
    assert read_image_size(path) == expected.shape[1::-1]


def test_orientation_6_turns_clockwise(tmp_path: Path) -> None:
    stored = np.array([[[255, 0, 0], [0, 255, 0]]], np.uint8)  # red left, green right
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.fromarray(stored).save(tmp_path / "phone.png", exif=exif)
    shown = read_image(tmp_path / "phone.png")
    assert shown[:, 0].tolist() == [[255, 0, 0], [0, 255, 0]]  # red above green


def test_orientation_does_not_depend_on_the_strips(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "turned.png"
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 7
    Image.fromarray(noise(23, 40)).save(path, exif=exif)
    at_once = read_image(path)
    monkeypatch.setattr(images, "_STRIP_PIXELS", 100)
    np.testing.assert_array_equal(read_image(path), at_once)


def test_grey_and_one_bit(tmp_path: Path) -> None:
    grey = noise(9, 11, 1)[..., 0]
    Image.fromarray(grey).save(tmp_path / "grey.png")
    np.testing.assert_array_equal(read_image(tmp_path / "grey.png"), grey[..., None].repeat(3, 2))
    bits = grey > 127
    Image.fromarray(bits).save(tmp_path / "bits.png")
    expected = bits[..., None].repeat(3, 2) * np.uint8(255)
    np.testing.assert_array_equal(read_image(tmp_path / "bits.png"), expected)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_lies_on_white(tmp_path: Path, mode: str) -> None:
    pixels = noise(9, 11, len(mode))
    pixels[0, 0, -1], pixels[0, 1, -1] = 0, 255
    Image.fromarray(pixels, mode).save(tmp_path / "clear.png")
    image = read_image(tmp_path / "clear.png")
    alpha = pixels[..., -1:] / 255
    expected = np.broadcast_to(pixels[..., :-1] * alpha + 255 * (1 - alpha), (9, 11, 3))
    assert np.abs(image - expected).max() <= 0.5 + 1e-9
    assert image[0, 0].tolist() == [255, 255, 255]


def test_palette_with_a_transparent_entry(tmp_path: Path) -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([10, 20, 30, 200, 100, 50])
    picture.putpixel((1, 0), 1)
    picture.save(tmp_path / "opaque.png")
    picture.save(tmp_path / "clear.png", transparency=0)
    assert read_image(tmp_path / "opaque.png").tolist() == [[[10, 20, 30], [200, 100, 50]]]
    assert read_image(tmp_path / "clear.png").tolist() == [[[255, 255, 255], [200, 100, 50]]]


@pytest.mark.parametrize("suffix", ["png", "tif", "pgm"])
def test_16_bit_grey_is_scaled(tmp_path: Path, suffix: str) -> None:
    values = np.linspace(0, 65535, 5000).round().astype(np.uint16).reshape(50, 100)
    path = tmp_path / f"deep.{suffix}"
    Image.fromarray(values).save(path)
    image = read_image(path)
    assert np.abs(image - values[..., None] / 257.0).max() <= 0.51
    assert image.min() == 0 and image.max() == 255


def test_16_bit_colour_is_scaled(tmp_path: Path) -> None:
    import cv2

    values = np.random.default_rng(0).integers(0, 65536, (20, 30, 3), np.uint16)
    cv2.imwrite(str(tmp_path / "deep.png"), values[..., ::-1])
    assert np.abs(read_image(tmp_path / "deep.png") - values / 257.0).max() <= 1.0


def test_pixels_without_a_known_white_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4), 0.5, np.float32)).save(tmp_path / "float.tif")
    assert "floating-point" in complaint(tmp_path / "float.tif")
    Image.fromarray(np.full((4, 4), 2**20, np.int32)).save(tmp_path / "int.tif")
    assert "32-bit" in complaint(tmp_path / "int.tif")


INKS = {(255, 0, 0, 0): (0, 255, 255), (0, 255, 255, 0): (255, 0, 0), (0, 0, 0, 128): (127,) * 3}


@pytest.mark.parametrize(("ink", "colour"), INKS.items())
def test_cmyk_without_profile(
    tmp_path: Path, ink: tuple[int, ...], colour: tuple[int, ...]
) -> None:
    Image.new("CMYK", (16, 16), ink).save(tmp_path / "print.jpg", quality=95)
    assert np.abs(read_image(tmp_path / "print.jpg").astype(int) - colour).max() <= 3


def cmyk_profile(lightness: int) -> bytes:
    """ICC profile (version 2, lut8): `lightness` (0-255) without black ink, 0 with it."""
    ramp = bytes(range(256))
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0])
    table += struct.pack(">9i", *(65536 * (i % 4 == 0) for i in range(9)))
    table += ramp * 4 + bytes([lightness, 128, 128, 0, 128, 128]) * 8 + ramp * 3
    head = struct.pack(">I4sI4s4s4s", 144 + len(table), b"", 0x02400000, b"prtr", b"CMYK", b"Lab ")
    head += struct.pack(">6H4s", 2000, 1, 1, 0, 0, 0, b"acsp") + bytes(28)
    head += struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D)  # illuminant D50
    return head.ljust(128, b"\0") + struct.pack(">I4sII", 1, b"A2B0", 144, len(table)) + table


def test_cmyk_goes_through_its_profile(tmp_path: Path) -> None:
    picture = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    picture.save(tmp_path / "print.jpg", icc_profile=cmyk_profile(lightness=136))
    # CIE L* = 100 * 136 / 255 = 53.3 is the grey 127 of sRGB (IEC 61966-2-1).
    assert np.abs(read_image(tmp_path / "print.jpg").astype(int) - 127).max() <= 2
    picture.save(tmp_path / "broken.jpg", icc_profile=b"no profile at all")
    assert np.abs(read_image(tmp_path / "broken.jpg").astype(int) - [0, 255, 255]).max() <= 3


def test_first_frame_of_an_animation(tmp_path: Path) -> None:
    first, second = (Image.new("RGB", (5, 4), colour) for colour in ("red", "blue"))
    first.save(tmp_path / "moving.gif", save_all=True, append_images=[second])
    expected = np.broadcast_to(np.array([255, 0, 0], np.uint8), (4, 5, 3))
    np.testing.assert_array_equal(read_image(tmp_path / "moving.gif"), expected)


def test_one_pixel(tmp_path: Path) -> None:
    write_image(tmp_path / "dot.png", np.array([[[1, 2, 3]]], np.uint8))
    assert read_image(tmp_path / "dot.png").tolist() == [[[1, 2, 3]]]


def test_large_picture(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    """Above the 89 million pixels at which Pillow warns by itself."""
    picture = Image.new("1", (12_000, 9_000))
    picture.putpixel((11_999, 8_999), 1)
    picture.save(tmp_path / "large.png")
    assert read_image_size(tmp_path / "large.png") == (12_000, 9_000)
    image = read_image(tmp_path / "large.png")
    assert image.shape == (9_000, 12_000, 3)
    assert image[-1, -1].tolist() == [255] * 3 and not image[-1, -2].any()
    assert not recwarn.list


# --- what is wrong


def test_too_large_a_picture(tmp_path: Path) -> None:
    head = b"P5 %d 30000 255\n" % (images.MAX_PIXELS // 30_000 + 1)
    (tmp_path / "huge.pgm").write_bytes(head)
    assert "300 million" in complaint(tmp_path / "huge.pgm")
    (tmp_path / "bomb.pgm").write_bytes(b"P5 100000 100000 255\n")
    assert "300 million" in complaint(tmp_path / "bomb.pgm")


def test_broken_files(tmp_path: Path) -> None:
    write_image(tmp_path / "whole.jpg", noise(64, 64))
    whole = (tmp_path / "whole.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    assert "truncated" in complaint(tmp_path / "cut.jpg")
    (tmp_path / "text.jpg").write_text("not a picture")
    assert "not a picture" in complaint(tmp_path / "text.jpg")
    (tmp_path / "empty.png").touch()
    assert "empty" in complaint(tmp_path / "empty.png")
    (tmp_path / "folder.jpg").mkdir()
    assert "folder" in complaint(tmp_path / "folder.jpg")
    assert "No such file" in complaint(tmp_path / "missing.jpg")


def test_file_of_someone_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "private.png").write_bytes(b"x")
    monkeypatch.setattr(Path, "open", refuse)
    assert "Permission denied" in complaint(tmp_path / "private.png")


def test_postscript_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "program.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    assert "not a picture" in complaint(tmp_path / "program.eps")


def test_what_write_image_refuses(tmp_path: Path) -> None:
    image = noise(4, 4)
    with pytest.raises(UserError, match=r"\.png"):
        write_image(tmp_path / "a.bmp", image)
    with pytest.raises(UserError, match="65500"):
        write_image(tmp_path / "a.jpg", np.zeros((1, 65_501, 3), np.uint8))
    for wrong in (image / 255.0, image[..., 0], image[:0], noise(4, 4, 4)):
        with pytest.raises(ValueError, match="uint8"):
            write_image(tmp_path / "a.png", wrong)
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot write"):
        write_image(tmp_path / "file" / "a.png", image)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_list_images(tmp_path: Path) -> None:
    for name in ("im10.jpg", "im2.JPG", "im1.png", "b3.webp", "notes.txt", "._im1.png"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    names = [path.name for path in list_images(tmp_path)]
    assert names == ["b3.webp", "im1.png", "im2.JPG", "im10.jpg"]
    with pytest.raises(UserError, match="no pictures"):
        list_images(tmp_path / "folder.png")
    assert list_images(tmp_path / "folder.png", allow_empty=True) == []
    for wrong in ("missing", "notes.txt"):
        with pytest.raises(UserError, match="cannot read folder"):
            list_images(tmp_path / wrong)


@functools.cache
def sample(file_format: str) -> bytes:
    memory = io.BytesIO()
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    arguments = {"exif": exif} if file_format in ("JPEG", "PNG", "TIFF", "WEBP") else {}
    Image.fromarray(smooth(12, 17)).save(memory, file_format, **arguments)
    return memory.getvalue()


@st.composite
def broken_file(draw: st.DrawFn) -> bytes:
    """Random bytes, or a good file that is cut and has some bytes changed."""
    if draw(st.integers(0, 4)) == 0:
        return draw(st.binary(max_size=300))
    formats = ["JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP", "PPM", "JPEG2000", "AVIF"]
    data = bytearray(sample(draw(st.sampled_from(formats))))
    del data[draw(st.integers(0, len(data))) :]
    for _ in range(draw(st.integers(0, 3)) if data else 0):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data)


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=broken_file())
def test_broken_bytes_only_give_user_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    monkeypatch.setattr(images, "MAX_PIXELS", 10**6)
    path = tmp_path / "broken"
    path.write_bytes(data)
    try:
        image = read_image(path)
        assert image.dtype == np.uint8 and image.shape[1::-1] == read_image_size(path)
    except UserError as error:
        assert "\n" not in str(error)
