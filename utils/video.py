"""Videos in, frame by frame: memory does not grow with the length."""

import re
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import chain, dropwhile, islice
from pathlib import Path
from typing import Self

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.reformatter import Colorspace, VideoReformatter
from av.video.stream import VideoStream

from utils.errors import UserError
from utils.frames import Frame, FrameSource, frame_rate
from utils.images import MAX_PIXELS, on_white, open_file, orient
from utils.video_writer import VideoWriter
from utils.webcam import open_webcam

__all__ = ["Frame", "FrameSource", "VideoReader", "VideoWriter", "open_webcam"]

# Seeking finds key frames by decoding time, which runs ahead of the time shown by a few frames.
_SEEK_MARGIN = 1.0  # s
_FASTEST = 240.0  # frames a second of a camera; more are doubted
_PACKETS_COUNTED = 250
# Containers whose head states the duration, so that an early end shows.
_STATED_DURATION = re.compile("mov|matroska|avi|flv|asf")
# Files that hold video or sound themselves: no playlists (which name other files), no pictures.
_FORMATS = (
    "mov,matroska,avi,mpegts,mpeg,flv,asf,ogg,gif,apng,h264,hevc,m4v,mpegvideo,obu,ivf,mxf,dv,rm,"
    "yuv4mpegpipe,wav,mp3,flac,aac"
)
# AVColorSpace values that swscale converts: BT.709, FCC, BT.601 (two names), SMPTE 240M, BT.2020.
_KNOWN_MATRICES = (1, 4, 5, 6, 7, 9)

# Clockwise quarter turns -> (transpose, flip x, flip y).
_TURNS = {
    0: (False, False, False),
    1: (True, True, False),
    2: (False, True, True),
    3: (True, False, True),
}


class VideoReader:
    """Frames of a video file with start <= time < end (s), as a player shows them.

    Rotation, mirroring and pixel aspect ratio are applied (by stretching one side), transparency
    lies on white. Times are the container's own, so a variable frame rate is kept; the first frame
    of the file has time 0 and index 0, also when reading starts later. Every frame has the size of
    the first. Interlaced pictures stay woven; high dynamic range is not mapped to screen range.

    A broken file gives the frames that can be read; `damage` then tells what is wrong.
    Raises UserError if there is no frame to be had. Use as a context manager, or call `close`.
    """

    def __init__(
        self, path: str | Path, start: float | None = None, end: float | None = None
    ) -> None:
        self.path = Path(path)
        self.damage: str | None = None
        self._start, self._end = start or 0.0, float("inf") if end is None else end
        if not 0 <= self._start < self._end:
            raise UserError(f"cannot read {path} from {start} s to {end} s: not a stretch of time")
        self._reformatter = VideoReformatter()
        self._closed = False
        self._container, self._stream = _open(self.path)
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        while True:
            if self._closed:
                raise ValueError(f"{self.path} was closed")  # FFmpeg would read freed memory
            index, (seconds, frame) = next(self._numbered, (0, (self._end, None)))
            if frame is None or seconds >= self._end:
                return
            try:
                image = self._image(frame)
            except FFmpegError as error:
                self._note_damage(error.strerror)
                continue
            yield Frame(index, seconds, image)

    @property
    def clock_start(self) -> float:
        """Where the file's own clock, which its sound follows, stands at the first frame, s."""
        return float((self._origin or 0) * (self._stream.time_base or Fraction(1)))

    def close(self) -> None:
        """Let go of the file."""
        self._closed = True
        self._container.close()

    def _prepare(self) -> None:
        """Decode the first frame, which settles size and time zero; then go to the start."""
        self.fps = self._frame_rate()
        stream = self._stream
        self._origin: int | None = None
        frames = self._timed()
        first = next(frames, None)
        if first is None:
            raise UserError(f"cannot read {self.path}: no frame can be decoded, the file is broken")
        self._settle_size(first[1])
        self.duration = _duration(self._container, stream)
        self.frame_count = self._estimate_count()
        self._numbered = enumerate(chain([first], frames))
        if self._start > 0:
            self._skip_to_start()

    def _frame_rate(self) -> float:
        """Frames a second. A browser's recording does not state them, and FFmpeg takes the ticks of
        its clock, 1000 a second, for them: then they are counted."""
        rate = float(self._stream.average_rate or self._stream.guessed_rate or 25)
        tick = float(self._stream.time_base or 1)
        if rate > _FASTEST and rate * tick >= 1:
            with suppress(FFmpegError):  # reading the frames finds the damage again, and tells it
                packets = islice(self._container.demux(self._stream), _PACKETS_COUNTED)
                shown = sorted(packet.pts for packet in packets if packet.pts is not None)
                rate = frame_rate(np.array(shown) * tick, rate)
            self._reopen()
        return rate

    def _settle_size(self, frame: av.VideoFrame) -> None:
        self._orientation = _orientation(frame, self._stream)
        self._stored_size = _square_pixels(
            frame.width, frame.height, self._stream.sample_aspect_ratio
        )
        width, height = self._stored_size
        _check_size(self.path, width, height)
        self.width, self.height = (height, width) if self._orientation[0] else (width, height)

    def _estimate_count(self) -> int | None:
        if self._start == 0 and self._end == float("inf") and self._stream.frames:
            return self._stream.frames
        if self.duration is None:
            return None
        return max(round((min(self._end, self.duration) - self._start) * self.fps), 1)

    def _skip_to_start(self) -> None:
        """Let `_numbered` begin at the start, by seeking where the file allows that."""
        index = self._count_before_start()
        frames = self._sought() if index else None
        if frames is None:
            self._reopen()
            numbered = enumerate(self._timed())
            numbered = dropwhile(lambda item: item[1][0] < self._start, numbered)
        else:
            numbered = enumerate(dropwhile(lambda item: item[0] < self._start, frames), index or 0)
        first = next(numbered, None)
        if first is None:
            raise UserError(f"cannot read {self.path} from {self._start} s: it ends before that")
        if first[1][0] >= self._end:
            stretch = f"from {self._start} s to {self._end} s"
            raise UserError(f"cannot read {self.path} {stretch}: no frame lies in between")
        self._numbered = chain([first], numbered)

    def _count_before_start(self) -> int | None:
        """Frames shown before the start, from the packets' times alone; None if these are amiss."""
        self._reopen()
        number = 0
        try:
            for packet in self._container.demux(self._stream):
                if not packet.size:
                    continue
                if packet.pts is None or packet.is_corrupt:
                    return None
                if packet.dts is not None and self._seconds(packet.dts) >= self._start:
                    break  # nothing is shown before it is decoded
                number += 0 <= self._seconds(packet.pts) < self._start and not packet.is_discard
        except FFmpegError:
            return None
        return number

    def _sought(self) -> Iterator[tuple[float, av.VideoFrame]] | None:
        """Frames from some point before the start on; None if seeking does not lead there."""
        self._reopen()
        origin = self._origin or 0
        target = max(self._start - _SEEK_MARGIN, 0) / float(self._stream.time_base or 1)
        try:
            self._container.seek(origin + int(target), stream=self._stream)
        except FFmpegError:
            return None
        frames = self._timed()
        first = next(frames, None)
        return chain([first], frames) if first and first[0] < self._start else None

    def _reopen(self) -> None:
        self._container.close()
        self._container, self._stream = _open(self.path)
        self.damage = None

    def _seconds(self, pts: int) -> float:
        return float((pts - (self._origin or 0)) * (self._stream.time_base or Fraction(1)))

    def _timed(self) -> Iterator[tuple[float, av.VideoFrame]]:
        """Decoded frames with their time in s; one without a (later) time follows at 1 / fps."""
        last = None
        for frame in self._decoded():
            if self._origin is None:
                self._origin = frame.pts
            if frame.pts is not None:
                seconds = self._seconds(frame.pts)
            else:
                seconds = 0.0 if last is None else last
            if last is not None and seconds <= last:
                seconds = last + 1 / self.fps
            last = seconds
            self._seen = max(self._seen, seconds)
            yield seconds, frame

    def _decoded(self) -> Iterator[av.VideoFrame]:
        """Decode from where the container stands. What cannot be read is noted and passed over."""
        packets = self._container.demux()
        self._seen = 0.0
        while True:
            try:
                packet = next(packets, None)
            except FFmpegError as error:
                self._note_damage(error.strerror)
                break
            if packet is None:
                break
            if packet.pts is not None and packet.time_base is not None:
                end = (packet.pts + (packet.duration or 0)) * packet.time_base
                end = float(end) - (self._container.start_time or 0) / av.time_base
                self._seen = max(self._seen, end)
            if packet.stream is self._stream and packet.size:
                yield from self._decode_packet(packet)
        yield from self._decode_packet(None)
        self._check_length()

    def _decode_packet(self, packet: av.Packet | None) -> list[av.VideoFrame]:
        """Frames that `packet` completes; those still inside the decoder for None."""
        if packet is not None and packet.is_corrupt:
            self._note_damage("a piece is incomplete")
            return []
        try:
            frames = self._stream.decode(packet)
        except FFmpegError as error:
            self._note_damage(error.strerror)
            return []
        if any(frame.is_corrupt for frame in frames):
            self._note_damage("parts of a picture are guessed")
        return frames

    def _note_damage(self, cause: str | None) -> None:
        if self.damage is None:
            self.damage = f"{self.path} is damaged at about {self._seen:.2f} s: {cause}"

    def _check_length(self) -> None:
        """Note if the file ends well before the duration that its head states."""
        stated = (self._container.duration or 0) / av.time_base
        slack = 0.25 + 2 / self.fps
        if _STATED_DURATION.search(self._container.format.name) and self._seen + slack < stated:
            self.damage = f"{self.path} breaks off at about {self._seen:.2f} s of {stated:.2f} s"

    def _image(self, frame: av.VideoFrame) -> np.ndarray:
        """uint8 RGB (height, width, 3), contiguous, as shown."""
        width, height = self._stored_size
        colorspace = None
        if frame.colorspace not in _KNOWN_MATRICES and not frame.format.is_rgb:
            # Unstated or nonsense. As players guess: high definition is BT.709, the rest BT.601.
            high_definition = frame.width >= 1280 or frame.height > 576
            colorspace = Colorspace.ITU709 if high_definition else Colorspace.ITU601
        has_alpha = frame.format.name == "pal8" or len(frame.format.components) in (2, 4)
        shown = self._reformatter.reformat(
            frame, width, height, "rgba" if has_alpha else "rgb24", src_colorspace=colorspace
        ).to_ndarray()
        image = on_white(shown) if has_alpha else shown
        return np.ascontiguousarray(orient(image, *self._orientation))


def _open(path: Path) -> tuple[InputContainer, VideoStream]:
    """The file and its main video stream; UserError if it has none."""
    open_file(path).close()
    try:
        # As a file, whatever its name looks like.
        container = av.open(
            f"file:{path}", options={"format_whitelist": _FORMATS}, metadata_errors="replace"
        )
    except (FFmpegError, UnicodeError) as error:
        raise UserError(f"cannot read {path}: not a video, or its index is missing") from error
    try:
        return container, _video_stream(container, path)
    except BaseException:
        container.close()
        raise


def _video_stream(container: InputContainer, path: Path) -> VideoStream:
    stream = container.streams.best("video")
    if not isinstance(stream, VideoStream) or stream.disposition & Disposition.attached_pic:
        raise UserError(f"cannot read {path}: it has no video, only sound or other data")
    if stream.codec_context is None:
        raise UserError(f"cannot read {path}: its kind of video compression is unknown")
    _check_size(path, stream.codec_context.width, stream.codec_context.height)
    return stream


def _check_size(path: Path, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise UserError(f"cannot read {path}: more than {MAX_PIXELS // 10**6} million pixels")


def _duration(container: InputContainer, stream: VideoStream) -> float | None:
    """Seconds of the whole video, None if the file does not tell."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return None if container.duration is None else container.duration / av.time_base


def _orientation(frame: av.VideoFrame, stream: VideoStream) -> tuple[bool, bool, bool]:
    """(transpose, flip x, flip y) from the display matrix, else from a `rotate` tag (clockwise)."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is not None:
        # Stored (x, y) is shown at (a x + c y, b x + d y); 16.16 fixed point.
        (a, b), (c, d) = np.frombuffer(bytes(matrix), np.int32).reshape(3, 3)[:2, :2].tolist()
        if abs(a) + abs(d) >= abs(b) + abs(c):
            return False, a < 0, d < 0
        return True, c < 0, b < 0
    tags = {name.lower(): value for name, value in stream.metadata.items()}
    degrees = tags.get("rotate", "")
    turns = round(int(degrees) / 90) % 4 if re.fullmatch(r"-?[0-9]{1,4}", degrees) else 0
    return _TURNS[turns]


def _square_pixels(width: int, height: int, aspect: Fraction | None) -> tuple[int, int]:
    """Size at which pixels of `aspect` (width / height) look right: one side grows."""
    if not aspect or not Fraction(1, 10) <= aspect <= 10:
        return width, height
    if aspect >= 1:
        return round(width * aspect), height
    return width, round(height / aspect)
