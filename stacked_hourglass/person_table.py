"""Annotated people of any data set in one table of arrays, and where their pictures come from."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from utils.crops import cut_crop
from utils.dataset_statistics import cache_key
from utils.errors import UserError
from utils.images import read_image
from utils.skeletons import MPII_16, skeleton_named

JOINTS = len(MPII_16.joints)
SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Picture:
    """A decoded picture, which may be a part of an original one, scaled.

    Picture px p shows the place (p + 0.5) / scale + corner of the original, so a whole picture
    has corner (-0.5, -0.5), the outer edge of its top-left pixel, and scale 1.
    """

    image: np.ndarray
    corner: tuple[float, float] = (-0.5, -0.5)
    scale: float = 1.0
    original_size: tuple[int, int] | None = None
    """width, height of the original; None: this is the original"""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the original picture, px."""
        height, width = self.image.shape[:2]
        return self.original_size or (width, height)

    def contains(self, points: np.ndarray) -> np.ndarray:
        """Which points (..., 2) in original px lie inside the picture: bool (...)."""
        height, width = self.image.shape[:2]
        place = (points - np.array(self.corner)) * self.scale
        inside = np.logical_and(place >= 0, place <= (width, height))
        return np.all(inside, axis=-1)

    def crop(self, box: np.ndarray, size: int) -> np.ndarray:
        """Cut box (3,) in original px as uint8 (size, size, 3); black where nothing is known."""
        x, y = self.corner
        centre = ((box[0] - x) * self.scale - 0.5, (box[1] - y) * self.scale - 0.5)
        return cut_crop(self.image, np.array([*centre, box[2] * self.scale]), size)


class Pictures(Protocol):
    """Pictures by number. Must be cheap to pickle, for it goes to every worker process."""

    def __len__(self) -> int: ...

    def read(self, index: int) -> Picture:
        """Decode one picture. Raises UserError naming the file if it cannot be read."""
        ...

    def name(self, index: int) -> str:
        """File name of the original picture, relative to its data set's picture folder."""
        ...

    def cache_parts(self, indices: np.ndarray) -> tuple[list[Path], dict[str, Any]]:
        """What these pictures depend on: files, and values that JSON can hold."""
        ...


def decode_annotated(data: np.ndarray, name: str) -> np.ndarray:
    """Decode the bytes (n,) of a picture that has annotations -> RGB uint8 (H, W, 3).

    The EXIF rotation is ignored, for published data sets annotate the pixels as stored. Raises
    UserError.
    """
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    image = cv2.imdecode(data, flags) if len(data) else None
    if image is None:
        raise UserError(f"{name} is not a readable picture")
    return image


@dataclass(frozen=True)
class PictureFiles:
    """Pictures of a data set as files in one folder."""

    folder: Path
    names: np.ndarray
    """(P,) file names relative to the folder"""
    as_shown: bool = False
    """turned by their EXIF data, what is transparent on white, as a viewer shows them; else as
    stored"""

    def __len__(self) -> int:
        return len(self.names)

    def name(self, index: int) -> str:
        """File name relative to the folder."""
        return str(self.names[index])

    def cache_parts(self, indices: np.ndarray) -> tuple[list[Path], dict[str, Any]]:
        """The files themselves; see `Pictures`."""
        return [self.folder / self.name(index) for index in indices.tolist()], {}

    def read(self, index: int) -> Picture:
        """Decode one file. Raises UserError naming it if it is absent or no picture."""
        path = self.folder / self.name(index)
        if self.as_shown:
            return Picture(read_image(path))
        try:
            data = np.fromfile(path, np.uint8)
        except OSError as error:
            raise UserError(f"cannot read {path}: {error.strerror or error}") from error
        return Picture(decode_annotated(data, str(path)))


@dataclass(frozen=True)
class PersonTable:
    """N annotated people; all coordinates are original picture px, float32. Their J joints are
    MPII-16, in other data sets the custom skeleton of their annotations.

    Raises ValueError when the shapes of the arrays contradict each other.
    """

    name: str
    """data set, `a+b` for several"""
    sources: tuple[Pictures, ...]
    """where the pictures are"""
    source: np.ndarray
    """(N,) int: which of the sources"""
    picture: np.ndarray
    """(N,) int: which picture of that source"""
    keypoints: np.ndarray
    """(N, J, 2) px, NaN where the data set has no such joint or the person lacks it"""
    visibility: np.ndarray
    """(N, J): 1 seen, 0 annotated though hidden, NaN missing or not told"""
    box: np.ndarray
    """(N, 3) centre x, centre y, side"""
    split: np.ndarray
    """(N,) one of `SPLITS`"""
    annotation_id: np.ndarray
    """(N,) int64: the data set's own id of the person, or the number of the row, from 0"""
    head_box: np.ndarray
    """(N, 4) x1, y1, x2, y2, NaN where not annotated"""
    film: np.ndarray
    """(N,) int64: the film whose frames, one after another, are rows one after another; -1 for
    pictures that stand alone"""
    skipped: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """what was left out while reading: reason -> pictures, one entry for each person"""
    skeleton: str = MPII_16.name

    def __post_init__(self) -> None:
        count = len(self.keypoints)
        joints = len(skeleton_named(self.skeleton))
        expected = {"keypoints": (count, joints, 2), "visibility": (count, joints)}
        expected |= {"box": (count, 3), "head_box": (count, 4)}
        expected |= dict.fromkeys(_VECTORS, (count,))
        for name, shape in expected.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} is {getattr(self, name).shape}, not {shape}")

    def __len__(self) -> int:
        return len(self.keypoints)

    def rows(self, choice: np.ndarray) -> "PersonTable":
        """The people that an index array or a mask chooses."""
        return replace(self, **{name: getattr(self, name)[choice] for name in ROW_ARRAYS})

    def of_split(self, *splits: str) -> "PersonTable":
        """The people of one split or of several joined. Raises UserError if there are none."""
        chosen = self.rows(np.isin(self.split, splits))
        if len(chosen) == 0:
            held = ", ".join(sorted(set(self.split.tolist()))) or "nobody"
            raise UserError(f"{self.name}: nobody in split {'+'.join(splits)}; it holds {held}")
        return chosen

    def skipped_lines(self) -> list[str]:
        """What was left out while reading, a line for each reason, with the first few pictures."""
        return [
            f"{self.name}: {len(names)} skipped, {reason}: {', '.join(names[:3])}"
            + (", ..." if len(names) > 3 else "")
            for reason, names in self.skipped.items()
        ]

    def read_picture(self, row: int) -> Picture:
        """Decode the picture of one person. Raises UserError naming the file."""
        return self.sources[int(self.source[row])].read(int(self.picture[row]))

    def picture_name(self, row: int) -> str:
        """File name of the original picture of one person."""
        return self.sources[int(self.source[row])].name(int(self.picture[row]))

    def cache_key(self, what: str, rows: np.ndarray, version: int) -> str:
        """Key for `utils.dataset_statistics.cached` of something measured on pictures of `rows`.

        Raises UserError if one of their files is absent.
        """
        files: set[Path] = set()
        options: list[list[Any]] = []
        for number, source in enumerate(self.sources):
            indices = np.unique(self.picture[rows][self.source[rows] == number])
            if len(indices):
                more, values = source.cache_parts(indices)
                files.update(more)
                options.append([values, indices.tolist()])
        try:
            return cache_key(f"{self.name}_{what}", files, {"sources": options}, version)
        except OSError as error:
            raise UserError(f"cannot read {error.filename}: {error.strerror}") from error


_VECTORS = ("source", "picture", "split", "annotation_id", "film")
ROW_ARRAYS = (*_VECTORS, "keypoints", "visibility", "box", "head_box")


def make_table(
    name: str,
    pictures: Pictures,
    keypoints: np.ndarray,
    visibility: np.ndarray,
    box: np.ndarray,
    split: np.ndarray,
    *,
    picture: np.ndarray | None = None,
    annotation_id: np.ndarray | None = None,
    head_box: np.ndarray | None = None,
    film: np.ndarray | None = None,
    skipped: dict[str, list[str]] | None = None,
    skeleton: str = MPII_16.name,
) -> PersonTable:
    """A table of one data set; by default row i shows picture i and nobody has a head box."""
    count = len(keypoints)
    numbers = np.arange(count)
    return PersonTable(
        name=name,
        sources=(pictures,),
        source=np.zeros(count, np.int64),
        picture=numbers if picture is None else picture.astype(np.int64),
        keypoints=keypoints.astype(np.float32),
        visibility=visibility.astype(np.float32),
        box=box.astype(np.float32),
        split=np.asarray(split, "U5"),
        annotation_id=numbers if annotation_id is None else annotation_id.astype(np.int64),
        head_box=(np.full((count, 4), np.nan) if head_box is None else head_box).astype(np.float32),
        film=np.full(count, -1) if film is None else film.astype(np.int64),
        skipped={why: tuple(map(str, names)) for why, names in (skipped or {}).items() if names},
        skeleton=skeleton,
    )


def _renumbered(films: Sequence[np.ndarray]) -> np.ndarray:
    """Films of several tables, so that no two have the same number."""
    counts = [int(one.max(initial=-1)) + 1 for one in films]
    firsts = np.cumsum([0, *counts])
    shifted = (
        np.where(one < 0, -1, one + first) for one, first in zip(films, firsts, strict=False)
    )
    return np.concatenate(list(shifted))


def mix(tables: Sequence[PersonTable]) -> PersonTable:
    """One table with the people of all, laid end to end in the given order.

    How often each data set is drawn in training is the business of `utils.batches.Order`, which
    takes the sizes of the tables and their weights. Raises UserError for no table, and for tables
    of different joints.
    """
    if not tables:
        raise UserError("no data set to mix")
    skeletons = {table.skeleton for table in tables}
    if len(skeletons) > 1:
        raise UserError(f"{' and '.join(table.name for table in tables)} have different joints")
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(table, name) for table in tables]) for name in ROW_ARRAYS
    }
    firsts = np.cumsum([0, *(len(table.sources) for table in tables)])
    shifted = [table.source + first for table, first in zip(tables, firsts, strict=False)]
    columns["source"] = np.concatenate(shifted)
    columns["film"] = _renumbered([table.film for table in tables])
    skipped: dict[str, tuple[str, ...]] = {}
    for table in tables:
        for reason, names in table.skipped.items():
            skipped[reason] = skipped.get(reason, ()) + names
    return PersonTable(
        name="+".join(table.name for table in tables),
        sources=tuple(source for table in tables for source in table.sources),
        skipped=skipped,
        skeleton=skeletons.pop(),
        **columns,
    )
