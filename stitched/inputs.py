"""What the user named, turned into pictures, videos and webcams, one `Source` each."""

import glob
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image

from utils.errors import UserError
from utils.images import IMAGE_SUFFIXES

# fmt: off
VIDEO_SUFFIXES = frozenset([
    ".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".wmv", ".asf", ".flv", ".mpg", ".mpeg",
    ".m2v", ".mts", ".m2ts", ".ts", ".vob", ".3gp", ".ogv",
])
# fmt: on
Kind = Literal["picture", "video", "webcam"]


@dataclass(frozen=True)
class Source:
    """One thing to look at. `name` is its path, or the webcam's number; `given` what named it."""

    kind: Kind
    name: str
    given: str


def expand_inputs(inputs: Iterable[str]) -> tuple[list[Source], list[UserError]]:
    """Turn paths, folders, glob patterns and webcam numbers into sources, in the order given.

    A folder stands for the pictures and videos directly in it, a pattern for what it matches, both
    in natural order (`2.jpg` before `10.jpg`). A file named twice is one source. What cannot be
    used comes back as errors, each naming its input.
    """
    sources: dict[str, Source] = {}
    errors: list[UserError] = []
    for given in inputs:
        try:
            for source in _expand(given):
                sources.setdefault(_identity(source), source)
        except UserError as error:
            errors.append(error)
        except OSError as error:
            errors.append(UserError(f"cannot read {given}: {error.strerror or error}"))
    return list(sources.values()), errors


def _expand(given: str) -> list[Source]:
    if not given.strip():
        raise UserError("an input with an empty name")
    if "://" in given:
        raise UserError(f"cannot read {given}: download it and name the file")
    path = _path(given)
    if path.is_dir():
        files = path.iterdir()
        return _known(given, files, "no picture or video in this folder")
    if path.exists():
        return [_file(path, given)]
    if given.isdecimal() and len(given) <= 2:
        return [Source("webcam", given, given)]
    if glob.has_magic(given):
        matches = map(Path, glob.glob(str(path), recursive=True))
        return _known(given, matches, "no picture or video matches this pattern")
    raise UserError(f"cannot read {given}: no such file or folder")


def _path(given: str) -> Path:
    try:
        return Path(given).expanduser()
    except RuntimeError:  # ~somebody who is not there: a file called so
        return Path(given)


def _known(given: str, files: Iterable[Path], otherwise: str) -> list[Source]:
    """The pictures and videos among the files; hidden files are none."""
    known = natural_order(file for file in files if _is_known(file))
    if not known:
        raise UserError(f"cannot read {given}: {otherwise}")
    return [_file(file, given) for file in known]


def _is_known(path: Path) -> bool:
    suffix = path.suffix.lower()
    by_name = suffix in IMAGE_SUFFIXES or suffix in VIDEO_SUFFIXES
    return by_name and not path.name.startswith(".") and path.is_file()


def _file(path: Path, given: str) -> Source:
    suffix = path.suffix.lower()
    moves = suffix in VIDEO_SUFFIXES or (suffix == ".gif" and _is_animated(path))
    return Source("video" if moves else "picture", str(path), given)


def _is_animated(path: Path) -> bool:
    try:
        with Image.open(path, formats=["GIF"]) as picture:
            return getattr(picture, "n_frames", 1) > 1
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False  # broken: whoever reads it says how


def _identity(source: Source) -> str:
    return source.name if source.kind == "webcam" else os.path.realpath(source.name)


def natural_order(paths: Iterable[Path]) -> list[Path]:
    """Sort paths as people count: digits by value, letters without regard to case."""
    return sorted(paths, key=_natural_key)


def _natural_key(path: Path) -> tuple[list[tuple[int, str]], str]:
    # A split at digits alternates text and number, so like is compared with like.
    parts = re.split(r"(\d+)", str(path).casefold())
    return [(int(part) if part.isdecimal() else 0, part) for part in parts], str(path)
