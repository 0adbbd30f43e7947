"""A training pack: the crops of whole data sets, with their annotations, in one small file.

A `.npz` of plain arrays. The crops are WebP pictures laid end to end in one byte array: at the
same size they are about 2 dB nearer to the original than JPEG, which spends a quarter of such a
small picture on its tables. Annotations stay in px of the original pictures, unchanged; each crop
says which part of the original it shows, and how large.
"""

import io
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from stacked_hourglass.person_table import (
    ROW_ARRAYS,
    PersonTable,
    Picture,
    decode_annotated,
    make_table,
)
from utils.array_files import load_arrays
from utils.atomic import atomic_path
from utils.errors import UserError

FORMAT_VERSION = 1
PACK_SUFFIX = ".pack"
QUALITY = 32
MARGIN = 1.8
_KEPT = tuple(name for name in ROW_ARRAYS if name not in ("source", "picture"))
_LATER = ("film",)
"""Columns that packs had not at first; they are read where they are there."""
_ARRAYS = (
    *(name for name in _KEPT if name not in _LATER),
    "name",
    "picture_names",
    "corners",
    "scales",
    "sizes",
    "offsets",
    "crops",
)
_PICTURE_ARRAYS = {
    "picture_names": ("U", 1),
    "corners": ("iuf", 2),
    "scales": ("iuf", 1),
    "sizes": ("iuf", 2),
    "offsets": ("iu", 1),
    "crops": ("u", 1),
}
"""Kinds of numbers, and dimensions."""


@dataclass(frozen=True)
class PackedPictures:
    """The crops of a pack, decoded when asked for."""

    path: str
    crops: np.ndarray
    """(bytes,) uint8, encoded pictures end to end"""
    offsets: np.ndarray
    """(P + 1,) where each begins, and the end"""
    corners: np.ndarray
    """(P, 2) and `scales` (P,): see `Picture`"""
    scales: np.ndarray
    sizes: np.ndarray
    """(P, 2) width and height of the original pictures"""
    names: np.ndarray
    """(P,) file names of the original pictures"""

    def __len__(self) -> int:
        return len(self.names)

    def name(self, index: int) -> str:
        """File name of the original picture."""
        return str(self.names[index])

    def cache_parts(self, indices: np.ndarray) -> tuple[list[Path], dict[str, Any]]:
        """The pack's own file; see `Pictures`."""
        return [Path(self.path)], {}

    def read(self, index: int) -> Picture:
        """Decode one crop. Raises UserError if it is damaged."""
        data = self.crops[self.offsets[index] : self.offsets[index + 1]]
        image = decode_annotated(data, f"{self.path}: crop {index} ({self.name(index)})")
        x, y = self.corners[index].tolist()
        width, height = self.sizes[index].tolist()
        return Picture(image, (x, y), float(self.scales[index]), (width, height))


def cut_part(picture: Picture, box: np.ndarray, size: int, margin: float) -> Picture:
    """The part of a picture that `margin` times the box (3,) covers, its box `size` px at most.

    Never enlarged, never beyond the picture; where nothing is scaled, pixels are copied exactly.
    """
    side = float(box[2])
    scale = min(picture.scale, size / side)
    length = int(np.ceil(margin * side * scale))
    # On the grid of the picture's pixels, so that a crop that is not scaled is not smoothed.
    start = np.array(picture.corner)
    steps = np.floor((box[:2].astype(float) - length / scale / 2 - start) * picture.scale)
    corner = start + steps / picture.scale
    image = picture.crop(np.array([*(corner + length / scale / 2), length / scale]), length)
    extent = np.array(picture.image.shape[1::-1]) / picture.scale
    low = np.clip(np.floor((start - corner) * scale), 0, length - 1).astype(int)
    high = np.clip(np.ceil((start + extent - corner) * scale), low + 1, length).astype(int)
    x, y = (corner + low / scale).tolist()
    return Picture(image[low[1] : high[1], low[0] : high[0]], (x, y), scale, picture.size)


def encode(image: np.ndarray, quality: int) -> bytes:
    """RGB uint8 (H, W, 3) -> WebP; quality 0 to 100."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "WEBP", quality=quality, method=6)
    return buffer.getvalue()


def write_pack(
    path: str | Path,
    table: PersonTable,
    size: int,
    quality: int = QUALITY,
    margin: float = MARGIN,
    progress: Callable[[Iterable], Iterable] = iter,
) -> PersonTable:
    """Write the crops of all people of a table to `path`, and return what could be written.

    size: px that the side of a person's box gets at most; margin: side of the crop over the box's.
    progress: wraps the iterator over the people. A person whose picture cannot be read is skipped
    and named. Raises UserError if nobody is left, or if `path` cannot be written.
    """
    path = Path(path)
    if path.suffix != PACK_SUFFIX:
        raise UserError(f"a training pack is called something{PACK_SUFFIX}, not {path.name}")

    def packed(row: int) -> tuple[bytes, Picture] | None:
        return _packed(table, row, size, quality, margin)

    with ThreadPoolExecutor() as pool:
        crops = list(progress(pool.map(packed, range(len(table)))))
    rows = np.array([row for row, crop in enumerate(crops) if crop is not None], int)
    if len(rows) == 0:
        raise UserError(f"none of the pictures of {table.name} can be read")
    kept = table.rows(rows)
    write_crops(
        path,
        table.name,
        {name: getattr(kept, name) for name in _KEPT},
        [kept.picture_name(row) for row in range(len(kept))],
        [crop for crop in crops if crop is not None],
    )
    unread = [table.picture_name(row) for row, crop in enumerate(crops) if crop is None]
    return read_pack(path, {"picture unreadable": unread})


def _packed(
    table: PersonTable, row: int, size: int, quality: int, margin: float
) -> tuple[bytes, Picture] | None:
    """The encoded crop of one person and, without its pixels, what it shows; None if unreadable."""
    try:
        picture = table.read_picture(row)
    except UserError:
        return None
    part = cut_part(picture, table.box[row], size, margin)
    return encode(part.image, quality), replace(part, image=part.image[:0, :0])


def write_crops(
    path: Path,
    name: str,
    columns: dict[str, np.ndarray],
    picture_names: list[str],
    crops: list[tuple[bytes, Picture]],
) -> None:
    """Write crops that are encoded already: each with the `Picture` that says what part it is.

    columns: the arrays of `PersonTable` of the same people, without `source` and `picture`.
    Raises UserError if `path` cannot be written.
    """
    blobs, parts = zip(*crops, strict=True)
    arrays = columns | {
        "format_version": np.array(FORMAT_VERSION),
        "name": np.array(name),
        "picture_names": np.array(picture_names),
        "corners": np.array([part.corner for part in parts]),
        "scales": np.array([part.scale for part in parts]),
        "sizes": np.array([part.size for part in parts]),
        "offsets": np.cumsum([0, *map(len, blobs)]),
        "crops": np.frombuffer(b"".join(blobs), np.uint8),
    }
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def read_pack(path: str | Path, skipped: dict[str, list[str]] | None = None) -> PersonTable:
    """Read a training pack. Raises UserError if it is absent, damaged or of another version."""
    path = Path(path)
    arrays = _read_arrays(path)
    try:
        pictures = PackedPictures(
            str(path),
            arrays["crops"],
            arrays["offsets"],
            arrays["corners"],
            arrays["scales"],
            arrays["sizes"],
            arrays["picture_names"],
        )
        columns: dict[str, Any] = {name: arrays[name] for name in _KEPT if name in arrays}
        table = make_table(str(arrays["name"]), pictures, skipped=skipped, **columns)
        _check(arrays)
    except (TypeError, ValueError, IndexError, RuntimeError) as error:
        raise UserError(f"{path} is a damaged training pack: {error}") from error
    return table


def _check(arrays: dict[str, np.ndarray]) -> None:
    """ValueError (or what NumPy trips over) if there is not one of everything for each crop."""
    for name, (kinds, ndim) in _PICTURE_ARRAYS.items():
        if arrays[name].dtype.kind not in kinds or arrays[name].ndim != ndim:
            raise ValueError(f"its {name} are {arrays[name].dtype} {arrays[name].shape}")
    lengths = {len(arrays[name]) for name in ("box", "picture_names", "corners", "scales", "sizes")}
    ends, crops = arrays["offsets"], arrays["crops"]
    if lengths != {len(ends) - 1} or (np.diff(ends) < 0).any() or ends[-1] != len(crops):
        raise ValueError("its arrays contradict each other")
    if not arrays["corners"].shape[1] == arrays["sizes"].shape[1] == 2 or crops.itemsize != 1:
        raise ValueError("its pictures are not as they should be")


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    arrays = load_arrays(path, "training pack")
    if arrays.get("format_version", np.array(0)).tolist() != FORMAT_VERSION:
        raise UserError(f"{path} is no training pack of version {FORMAT_VERSION}")
    if missing := [name for name in _ARRAYS if name not in arrays]:
        raise UserError(f"{path} is a damaged training pack: it has no {missing[0]}")
    return {name: arrays[name] for name in (*_ARRAYS, *_LATER) if name in arrays}
