"""The sound of one video for another."""

from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError

from utils.atomic import atomic_path
from utils.errors import UserError


def copy_sound(source: str | Path, video: str | Path, start: float = 0.0) -> bool:
    """Put the first sound track of `source`, from second `start` on, into the MP4 file `video`.

    Pictures and sound are copied as they are encoded; sound after the last picture is left out. The
    file is replaced, whole or not at all. -> whether there was a sound track. Raises UserError if a
    file cannot be read or an MP4 file cannot hold the sound.
    """
    video = Path(video)
    try:
        with av.open(f"file:{source}") as spoken:
            if not spoken.streams.audio:
                return False
            with atomic_path(video) as temporary:
                _join(video, spoken, temporary, start)
    except (FFmpegError, ValueError) as error:
        raise UserError(f"cannot put the sound of {source} into {video}: {error}") from error
    return True


def _join(video: Path, spoken: InputContainer, temporary: Path, start: float) -> None:
    with (
        av.open(f"file:{video}") as seen,
        av.open(f"file:{temporary}", "w", format="mp4", options={"movflags": "+faststart"}) as out,
    ):
        pictures, sound = seen.streams.video[0], spoken.streams.audio[0]
        new_pictures = out.add_stream_from_template(pictures)
        new_sound = out.add_stream_from_template(sound)
        end = 0.0
        for packet in seen.demux(pictures):
            if packet.pts is None or pictures.time_base is None:
                continue  # the demuxer's last packet, which is empty
            end = max(end, float((packet.pts + (packet.duration or 0)) * pictures.time_base))
            packet.stream = new_pictures
            out.mux(packet)
        for packet in spoken.demux(sound):
            if packet.pts is None or packet.dts is None or sound.time_base is None:
                continue
            offset = round(start / sound.time_base)
            if 0 <= float((packet.pts - offset) * sound.time_base) < end:
                packet.pts, packet.dts = packet.pts - offset, packet.dts - offset
                packet.stream = new_sound
                out.mux(packet)
