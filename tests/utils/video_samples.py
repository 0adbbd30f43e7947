"""Small videos with known pictures, and how the tests read them."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from utils.video import Frame, VideoReader

CONTAINERS = {
    "mp4": "libx264",
    "mkv": "libx264",
    "webm": "libvpx-vp9",
    "avi": "mpeg4",
    "ts": "libx264",
    "flv": "libx264",
    "mpg": "mpeg2video",
    "h264": "libx264",
}


def quadrants(height: int = 48, width: int = 64) -> np.ndarray:
    """Red, green over blue, white: no two of its eight turns look alike."""
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2, : width // 2, 0] = 255
    image[: height // 2, width // 2 :, 1] = 255
    image[height // 2 :, : width // 2, 2] = 255
    image[height // 2 :, width // 2 :] = 255
    return image


def numbered(index: int, height: int = 48, width: int = 64) -> np.ndarray:
    return np.full((height, width, 3), index * 2, np.uint8)


def encode(
    path: Path,
    images: list[np.ndarray],
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    pts: list[int] | None = None,
    **settings: object,
) -> Path:
    """Video at 25 frames a second as other programs write them; `settings` go to the stream."""
    rotation = settings.pop("rotation", None)
    matrix = settings.pop("matrix", None)
    tags = settings.pop("tags", {})
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=25)
        assert isinstance(stream, av.VideoStream) and isinstance(tags, dict)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.metadata.update(tags)
        for name, value in settings.items():
            setattr(stream.codec_context, name, value)
        if isinstance(rotation, tuple):
            stream.set_display_rotation(*rotation)
        if isinstance(matrix, list):
            stream.set_display_matrix(matrix)
        for i, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image)
            frame.pts, frame.time_base = (pts[i] if pts else i), Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def read(
    path: Path, start: float | None = None, end: float | None = None
) -> tuple[VideoReader, list[Frame]]:
    with VideoReader(path, start, end) as reader:
        frames = list(reader)
    for frame in frames:
        assert frame.image.shape == (reader.height, reader.width, 3)
        assert frame.image.dtype == np.uint8
        assert frame.image.flags.c_contiguous and frame.image.flags.writeable
    return reader, frames


def difference(image: np.ndarray, expected: np.ndarray) -> int:
    """Largest difference away from the edges between patches, where chroma mixes."""
    height, width = expected.shape[:2]
    assert image.shape == expected.shape
    at_y = np.linspace(0, height - 1, 9).astype(int)[1::2]
    at_x = np.linspace(0, width - 1, 9).astype(int)[1::2]
    return np.abs(image.astype(int) - expected)[np.ix_(at_y, at_x)].max()
