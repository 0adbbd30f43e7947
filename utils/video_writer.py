"""Videos out: H.264 in MP4 that plays in browsers, or GIF."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.error import FFmpegError
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter
from PIL import Image

from utils.atomic import atomic_path
from utils.errors import UserError
from utils.images import check_image

_CODECS = {".mp4": "libx264", ".gif": "gif"}
# Constant quality that hides the compression, at a speed that leaves the processor to others.
# No B-frames: with them an MP4 of variable frame rate states too short a duration.
_X264_OPTIONS = {"preset": "superfast", "crf": "20", "bf": "0"}
_TICKS = 90_000  # a second, about: the clock of MP4 times
_GIF_TICKS = 100  # a second: the clock of GIF times
_GIF_SHORTEST = 2  # ticks; browsers slow a GIF down where a picture lasts less
_AVCOL_SPC_BT709 = 1


class VideoWriter:
    """Write frames to `path`: `.mp4` (H.264, yuv420p, BT.709, index in front) or `.gif`.

    Use as a context manager. The file appears when the block ends; after an error, or without a
    frame, nothing does. width, height: px of every frame; in an MP4 an odd side grows by one px,
    which repeats the edge. fps: frames a second where `write` is given no time. bitrate: kbit/s of
    an MP4, on average, instead of one quality. A GIF shows at most 50 pictures a second and leaves
    out those between.

    Raises UserError for another suffix or a place that cannot be written; ValueError for a size, a
    frame rate or a bitrate that is not positive.
    """

    def __init__(
        self,
        path: str | Path,
        width: int,
        height: int,
        fps: float | Fraction,
        bitrate: int | None = None,
    ) -> None:
        self.path = Path(path)
        self.width, self.height = width, height
        if width < 1 or height < 1 or not 0 < fps < float("inf"):
            raise ValueError(f"no video has {width} x {height} px at {fps} frames a second")
        if bitrate is not None and bitrate < 1:
            raise ValueError(f"no video has {bitrate} kbit/s")
        self._bitrate = bitrate
        suffix = self.path.suffix.lower()
        if suffix not in _CODECS:
            raise UserError(f"cannot write {path}: videos end in {', '.join(_CODECS)}")
        self._is_gif = suffix == ".gif"
        # Denominators to 1001 hold the broadcast rates exactly (30000 / 1001).
        self._rate = max(Fraction(fps).limit_denominator(1001), Fraction(1, 1001))
        # A multiple of the rate: frames at a constant rate fall on whole ticks.
        per_numerator = max(round(_TICKS / self._rate.numerator), 1)
        ticks = _GIF_TICKS if self._is_gif else self._rate.numerator * per_numerator
        self._tick = Fraction(1, ticks)
        self._reformatter = VideoReformatter()
        self._first_time: Fraction | None = None
        self._last_time = Fraction(0)
        self._last_tick = 0
        self._is_open = False

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            temporary = stack.enter_context(atomic_path(self.path))
            stack.enter_context(self._errors_named())
            options = {} if self._is_gif else {"movflags": "+faststart"}
            self._container = av.open(f"file:{temporary}", "w", options=options)
            stack.push(self._finish)
            self._add_stream()
            self._cleanup = stack.pop_all()
        self._is_open = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._cleanup.__exit__(kind, error, trace)

    def write(self, image: np.ndarray, time: float | None = None) -> None:
        """Add uint8 RGB (height, width, 3), shown from `time` (s) until the next frame's time.

        Without a time it follows the last at 1 / fps. The first time given is where the video
        begins. Raises ValueError for another size or type, for a time that is not after the last
        and outside the `with` block; UserError if the disk refuses.
        """
        check_image(image)
        if not self._is_open:
            raise ValueError(f"write to {self.path} inside its `with` block")
        if image.shape[:2] != (self.height, self.width):
            raise ValueError(f"frame of {image.shape}, video of ({self.height}, {self.width}, 3)")
        tick = self._next_tick(time)
        if tick is None:
            return
        frame = self._gif_frame(image) if self._is_gif else self._h264_frame(image)
        frame.pts, frame.time_base = tick, self._tick
        frame.duration = round(1 / (self._rate * self._tick))
        with self._errors_named():
            self._container.mux(self._stream.encode(frame))

    def _next_tick(self, time: float | None) -> int | None:
        """Time stamp of the next frame; None if it comes too soon for a GIF."""
        if self._first_time is None:
            self._first_time = self._last_time = Fraction(time or 0)
            return 0
        now = self._last_time + 1 / self._rate if time is None else Fraction(time)
        if now <= self._last_time:
            raise ValueError(f"time {time} s is not after {float(self._last_time)} s")
        self._last_time = now
        tick = round((now - self._first_time) / self._tick)
        if self._is_gif and tick < self._last_tick + _GIF_SHORTEST:
            return None
        self._last_tick = max(tick, self._last_tick + 1)
        return self._last_tick

    def _add_stream(self) -> None:
        codec = "gif" if self._is_gif else "libx264"
        options = {} if self._is_gif else dict(_X264_OPTIONS)
        if self._bitrate is not None:
            options.pop("crf", None)  # a quality would outweigh the bitrate
        stream = self._container.add_stream(codec, rate=self._rate, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = self.width, self.height
        stream.pix_fmt = "pal8"
        if not self._is_gif:
            stream.width, stream.height = self.width + self.width % 2, self.height + self.height % 2
            stream.pix_fmt = "yuv420p"
            context = stream.codec_context
            if self._bitrate is not None:
                context.bit_rate = 1000 * self._bitrate
            context.color_range = ColorRange.MPEG
            context.colorspace = _AVCOL_SPC_BT709
            context.color_primaries = ColorPrimaries.BT709
            context.color_trc = ColorTrc.BT709
        stream.codec_context.time_base = stream.time_base = self._tick
        self._stream = stream

    def _h264_frame(self, image: np.ndarray) -> av.VideoFrame:
        if self.width % 2 or self.height % 2:
            image = np.pad(image, ((0, self.height % 2), (0, self.width % 2), (0, 0)), "edge")
        return self._reformatter.reformat(
            av.VideoFrame.from_ndarray(np.ascontiguousarray(image)),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )

    def _gif_frame(self, image: np.ndarray) -> av.VideoFrame:
        """Picture with its own palette of 256 colours."""
        quantized = Image.fromarray(image).quantize(256)
        colours = np.array(quantized.getpalette("RGB"), np.uint8).reshape(-1, 3)
        palette = np.zeros((256, 4), np.uint8)
        palette[:, 0] = 255
        palette[: len(colours), 1:] = colours
        pixels = (np.asarray(quantized), palette)  # the one format that PyAV takes as a pair
        return av.VideoFrame.from_ndarray(pixels, "pal8")  # pyright: ignore[reportArgumentType]

    def _finish(self, kind: type[BaseException] | None, *_: object) -> None:
        """Write what the encoder still holds and close; after an error only close."""
        self._is_open = False
        if kind is not None:
            with suppress(FFmpegError):  # the file is thrown away, the first error is told
                self._container.close()
            return
        try:
            if self._first_time is None:
                raise UserError(f"cannot write {self.path}: there is no frame for it")
            self._container.mux(self._stream.encode(None))
        finally:
            self._container.close()

    @contextmanager
    def _errors_named(self) -> Iterator[None]:
        try:
            yield
        except FFmpegError as error:
            raise UserError(f"cannot write {self.path}: {error.strerror or error}") from error
