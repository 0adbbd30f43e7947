"""Pictures cut from videos by the numbers of their frames."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from utils.atomic import atomic_path
from utils.errors import UserError
from utils.video import VideoReader


def cut_frames(
    video: Path, wanted: Mapping[int, Path], quality: int, size: tuple[int, int] | None = None
) -> None:
    """Write frames of a video, counted from 0, as JPEG pictures of a quality of 1 to 100; pictures
    that are there already are kept.

    size: width and height that the video must have, px. Raises UserError if some cannot be had,
    once the others are written.
    """
    lacking = {frame: path for frame, path in wanted.items() if not path.is_file()}
    if not lacking:
        return
    with VideoReader(video) as reader:
        if size is not None and size != (reader.width, reader.height):
            found = f"{reader.width}x{reader.height}"
            raise UserError(f"{video} is {found} px, not {size[0]}x{size[1]}")
        for frame, image in _frames(reader, max(lacking)):
            if frame in lacking:
                _write(lacking.pop(frame), image, quality)
    if lacking:
        reason = reader.damage or f"{video} ends before frame {min(lacking)}"
        raise UserError(f"{len(lacking)} pictures are missing: {reason}")


def _frames(video: VideoReader, last: int) -> Iterator[tuple[int, np.ndarray]]:
    """Frames up to the last one wanted: number and uint8 RGB. None behind damage, where frames may
    be lost and numbers would be wrong."""
    for frame in video:
        if video.damage:
            return
        yield frame.index, frame.image
        if frame.index >= last:
            return


def _write(path: Path, image: np.ndarray, quality: int) -> None:
    with atomic_path(path) as temporary:
        Image.fromarray(image).save(temporary, "JPEG", quality=quality)
