"""Pictures in and out: every kind of file becomes uint8 RGB, exactly as a viewer shows it."""

import io
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageCms

from utils.atomic import atomic_path
from utils.errors import UserError

# fmt: off
IMAGE_SUFFIXES = frozenset([
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp",
    ".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".avif",
])
# fmt: on
# Only these are tried: other formats that Pillow knows start programs (EPS) or are no pictures.
_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "JPEG2000", "AVIF")
_WRITE_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
_JPEG_LONGEST_SIDE = 65_500  # of libjpeg

MAX_PIXELS = 300_000_000
# Pillow's own limit (89 million) would warn about pictures that are welcome here.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
# What Pillow logs about broken files it also raises; unheard, the log would go to the terminal.
logging.getLogger("PIL").addHandler(logging.NullHandler())

# Pixels converted at a time: bounds the memory that is needed beside the decoded picture.
_STRIP_PIXELS = 4_000_000

# EXIF orientation -> how the stored picture becomes the shown one: (transpose, flip x, flip y).
_ORIENTATIONS = {
    1: (False, False, False),
    2: (False, True, False),
    3: (False, True, True),
    4: (False, False, True),
    5: (True, False, False),
    6: (True, True, False),
    7: (True, True, True),
    8: (True, False, True),
}


def open_file(path: str | Path) -> BinaryIO:
    """Open a file for reading. UserError if it is missing, a folder, empty or not ours to read."""
    path = Path(path)
    if path.is_dir():
        raise UserError(f"cannot read {path}: it is a folder")
    if path.exists() and not path.is_file():
        raise UserError(f"cannot read {path}: it is not an ordinary file")
    try:
        file = path.open("rb")
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {_cause(error)}") from error
    if not file.peek(1):
        file.close()
        raise UserError(f"cannot read {path}: it is empty (zero bytes)")
    return file


def read_image(path: str | Path) -> np.ndarray:
    """Read a picture as uint8 RGB (H, W, 3), contiguous, the way a viewer shows it.

    The EXIF orientation is applied; transparency lies on white; 16-bit grey is scaled to 8; CMYK
    goes through its colour profile where it has one; of an animation comes the first frame. Other
    colour profiles are not applied: pixels keep their stored values, as in vision data sets.

    Needs about 7 bytes of memory per pixel (12,000 x 9,000: 0.8 GB), a progressive JPEG up to 10.
    Raises UserError if the file cannot be read, is damaged, or exceeds `MAX_PIXELS`.
    """
    with _opened(Path(path)) as picture:
        picture.load()
        _check_values(picture)
        orientation = _orientation(picture)
        transposed = orientation[0]
        width, height = picture.size
        image = np.empty((width, height, 3) if transposed else (height, width, 3), np.uint8)
        stored = _as_stored(image, *orientation)
        to_srgb = _cmyk_transform(picture)
        rows = max(_STRIP_PIXELS // width, 1)
        for top in range(0, height, rows):
            bottom = min(top + rows, height)
            stored[top:bottom] = _rgb(picture.crop((0, top, width, bottom)), to_srgb)
    return image


def read_image_size(path: str | Path) -> tuple[int, int]:
    """(width, height) in px of the picture as shown, from the head of the file.

    Only a PNG is decoded, unless its EXIF block comes first. Raises UserError like `read_image`.
    """
    with _opened(Path(path)) as picture:
        width, height = picture.size
        # Pillow gives TIFF sizes as shown.
        if picture.format != "TIFF" and _orientation(picture)[0]:
            return height, width
        return width, height


def write_image(path: str | Path, image: np.ndarray) -> None:
    """Write uint8 RGB (H, W, 3) as PNG or, at quality 95, as JPEG, by the suffix of `path`.

    The file is either whole or not there. Raises UserError for another suffix, a place that cannot
    be written, or more than 65,500 px a side in a JPEG; ValueError if `image` is something else.
    """
    path = Path(path)
    check_image(image)
    file_format = _WRITE_FORMATS.get(path.suffix.lower())
    if file_format is None:
        raise UserError(f"cannot write {path}: pictures end in {', '.join(_WRITE_FORMATS)}")
    if file_format == "JPEG" and max(image.shape) > _JPEG_LONGEST_SIDE:
        raise UserError(f"cannot write {path}: a JPEG holds at most {_JPEG_LONGEST_SIDE} px a side")
    with atomic_path(path) as temporary:
        Image.fromarray(image).save(temporary, file_format, quality=95, subsampling=0)


def list_images(folder: str | Path, allow_empty: bool = False) -> list[Path]:
    """Pictures directly in `folder`, by suffix, in natural order (im2 before im10).

    Hidden files are left out. Raises UserError if `folder` is not a readable folder, or if it has
    no picture and `allow_empty` is False.
    """
    folder = Path(folder)
    try:
        files = [
            path
            for path in folder.iterdir()
            if path.suffix.lower() in IMAGE_SUFFIXES
            and not path.name.startswith(".")
            and path.is_file()
        ]
    except OSError as error:
        raise UserError(f"cannot read folder {folder}: {_cause(error)}") from error
    if not files and not allow_empty:
        raise UserError(f"no pictures in {folder} (looked for {' '.join(sorted(IMAGE_SUFFIXES))})")
    return sorted(files, key=_natural_key)


def check_image(image: np.ndarray) -> None:
    """ValueError unless `image` is uint8 RGB (H, W, 3) with at least one pixel."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(f"expected uint8 (H, W, 3), got {image.dtype} {image.shape}")


def orient(image: np.ndarray, transpose: bool, flip_x: bool, flip_y: bool) -> np.ndarray:
    """View of `image` (H, W, C), first transposed, then flipped left-right and top-bottom."""
    if transpose:
        image = image.transpose(1, 0, 2)
    return image[:: -1 if flip_y else 1, :: -1 if flip_x else 1]


def on_white(rgba: np.ndarray) -> np.ndarray:
    """Lay uint8 RGBA (H, W, 4) on white: uint8 RGB (H, W, 3)."""
    alpha = rgba[..., 3:].astype(np.uint16)
    mixed = rgba[..., :3] * alpha + 255 * (255 - alpha) + 127
    return (mixed // 255).astype(np.uint8)


def _as_stored(shown: np.ndarray, transpose: bool, flip_x: bool, flip_y: bool) -> np.ndarray:
    """Inverse of `orient`: the view of a shown picture in which its rows are those of the file."""
    view = orient(shown, False, flip_x, flip_y)
    return view.transpose(1, 0, 2) if transpose else view


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Open a picture with Pillow; whatever is wrong with the file becomes a UserError."""
    too_large = UserError(
        f"cannot read {path}: more than {MAX_PIXELS // 10**6} million pixels; shrink it first"
    )
    with open_file(path) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on odd metadata; what matters here is the pixels
        try:
            with Image.open(file, formats=_FORMATS) as picture:
                if picture.width * picture.height > MAX_PIXELS:
                    raise too_large
                yield picture
        except UserError:
            raise
        except Image.DecompressionBombError as error:
            raise too_large from error
        except Image.UnidentifiedImageError as error:
            raise UserError(f"cannot read {path}: not a picture, or of an unknown kind") from error
        except MemoryError as error:
            raise UserError(f"cannot read {path}: not enough memory for its pixels") from error
        except Exception as error:
            # Pillow's decoders answer broken files with nearly every kind of exception.
            raise UserError(f"cannot read {path}: damaged picture ({_cause(error)})") from error


def _cause(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text.splitlines()[0]


def _orientation(picture: Image.Image) -> tuple[bool, bool, bool]:
    orientation = picture.getexif().get(ExifTags.Base.Orientation, 1)
    return _ORIENTATIONS.get(orientation, _ORIENTATIONS[1])


def _check_values(picture: Image.Image) -> None:
    """ValueError if nobody can say which pixel value is white."""
    if picture.mode == "F":
        raise ValueError("floating-point pixels; save it with 8 or 16 bits")
    if picture.mode == "I":
        extremes = np.asarray(picture.getextrema())
        if extremes.min() < 0 or extremes.max() > 65535:
            raise ValueError("32-bit pixels; save it with 8 or 16 bits")


def _cmyk_transform(picture: Image.Image) -> ImageCms.ImageCmsTransform | None:
    """From the ink colours of the embedded profile to sRGB; None without a usable profile."""
    profile = picture.info.get("icc_profile")
    if picture.mode != "CMYK" or not profile:
        return None
    try:
        return ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            "CMYK",
            "RGB",
        )
    except (ImageCms.PyCMSError, OSError):
        return None  # viewers, too, show a picture with a broken profile as if it had none


def _rgb(strip: Image.Image, to_srgb: ImageCms.ImageCmsTransform | None) -> np.ndarray:
    """uint8, (H, W, 3) or, for grey, (H, W, 1), of a piece of a picture in any mode."""
    if strip.mode.startswith("I"):
        # Pillow would clip at 255.
        values = np.asarray(strip).astype(np.uint32)
        return ((values * 255 + 32767) // 65535).astype(np.uint8)[..., None]
    if strip.has_transparency_data:
        return on_white(np.asarray(strip.convert("RGBA")))
    if to_srgb is not None:
        return np.asarray(ImageCms.applyTransform(strip, to_srgb))
    return np.asarray(strip.convert("RGB"))


def _natural_key(path: Path) -> tuple[list[str | int], str]:
    parts = re.split(r"([0-9]+)", path.name.lower())
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], path.name
