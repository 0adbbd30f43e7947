"""The sound of one video for another."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError

from utils.atomic import atomic_path
from utils.errors import UserError
from utils.video import VideoReader

_COPIED = ("aac", "mp3", "opus")
"""Kinds of sound that an MP4 file holds and browsers play; any other is encoded anew."""
_RATE = 48_000  # samples a second, of sound that is encoded anew


def copy_sound(source: str | Path, video: str | Path, start: float = 0.0) -> bool:
    """Put the first sound track of `source`, from second `start` on, into the MP4 file `video`.

    Seconds count from the first picture of `source`, as VideoReader's do. Pictures are copied as
    they are encoded, and so is sound, if browsers play its kind in an MP4 file; other sound becomes
    AAC. Sound after the last picture is left out. The file is replaced, whole or not at all. ->
    whether there was a sound track. Raises UserError if a file cannot be read.
    """
    video = Path(video)
    try:
        with av.open(f"file:{source}") as spoken:
            if not spoken.streams.audio:
                return False
            with VideoReader(source) as reader:
                start += reader.clock_start
            with atomic_path(video) as temporary:
                _join(video, spoken, temporary, start)
    except (FFmpegError, ValueError) as error:
        raise UserError(f"cannot put the sound of {source} into {video}: {error}") from error
    return True


def _join(video: Path, spoken: InputContainer, temporary: Path, start: float) -> None:
    sound = spoken.streams.audio[0]
    if sound.codec_context is None:
        raise ValueError("its kind of compression is unknown")
    with (
        av.open(f"file:{video}") as seen,
        av.open(f"file:{temporary}", "w", format="mp4", options={"movflags": "+faststart"}) as out,
    ):
        pictures = seen.streams.video[0]
        new_pictures = out.add_stream_from_template(pictures)
        is_copied = sound.codec_context.codec.canonical_name in _COPIED
        if is_copied:
            new_sound = out.add_stream_from_template(sound)
        else:
            new_sound = out.add_stream("aac", rate=_RATE, layout="stereo")
        end = 0.0
        for packet in seen.demux(pictures):
            if packet.pts is None or pictures.time_base is None:
                continue  # the demuxer's last packet, which is empty
            end = max(end, float((packet.pts + (packet.duration or 0)) * pictures.time_base))
            packet.stream = new_pictures
            out.mux(packet)
        for packet in spoken.demux(sound) if is_copied else _encoded(spoken, sound, new_sound):
            if packet.pts is None or packet.dts is None or packet.time_base is None:
                continue
            offset = round(start / packet.time_base)
            second = float((packet.pts - offset) * packet.time_base)
            if second > end + 1:  # later than packets can be out of order: the rest may be hours
                break
            if 0 <= second < end:
                packet.pts, packet.dts = packet.pts - offset, packet.dts - offset
                packet.stream = new_sound
                out.mux(packet)


def _encoded(spoken: InputContainer, sound: AudioStream, new: AudioStream) -> Iterator[av.Packet]:
    """The sound in the new stream's kind, at the times of the old one."""
    for frame in chain(spoken.decode(sound), [None]):
        yield from new.encode(frame)
