"""Films of a video with its 2D poses beside the same people in 3D: `viz.py video`."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from stitched.concurrency import Behind, ahead
from stitched.visualization.options import VideoOptions
from stitched.visualization.panels import GAP, beside, draw_people
from stitched.visualization.sources import read_rows
from stitched.visualization.stage import make_stage
from utils.errors import UserError
from utils.frames import Frame
from utils.pose_file import Poses
from utils.pose_sources import rows_of
from utils.video import VideoReader, VideoWriter

HEIGHT = 480
"""px, of a film where nothing else is said."""


class Film(NamedTuple):
    """What was written: so many `frames`; `damage`: one line on what of the video could not be
    read, or None."""

    frames: int
    damage: str | None


def draw_video(options: VideoOptions) -> int:
    """Write the film that the options ask for. -> exit code: 1 if the video is damaged, else 0.

    Raises UserError for a video or poses that are absent or do not belong together.
    """
    poses = read_rows(options.poses, str(options.video))
    output = options.output_dir / f"{options.video.stem}_3d.mp4"
    view = options.view
    film = write_film(
        options.video, poses, output, options.orbit, options.height, view.azimuth, view.elevation
    )
    if film.damage:
        print(f"error: {film.damage}", file=sys.stderr)
    print(f"drew {film.frames} frames of {options.video}: {output}")
    return int(film.damage is not None)


def write_film(
    video: Path,
    poses: Poses,
    output: Path,
    orbit: float = 0.0,
    height: int = HEIGHT,
    azimuth: float = 35.0,
    elevation: float = 12.0,
) -> Film:
    """Write the frames of a video that have rows in `poses`, with the 2D poses on them and the
    people in 3D beside them, each shown at its true time, without sound.

    orbit: degrees a second that the view turns round the people, from `azimuth` on; elevation:
    degrees; height: px. Frames are streamed: memory does not grow with the length but for the
    poses. Raises UserError for a video that cannot be read, that the poses do not belong to, or
    that has none of their frames, and for a place that cannot be written.
    """
    poses = rows_of(poses, str(video))
    stage = make_stage(poses, azimuth, elevation)
    rows = rows_by_frame(poses)
    count = 0
    with VideoReader(video) as reader:
        width = max(round(reader.width * height / reader.height), 1) + GAP + height
        # The writer is closed last, when all is written, and the reader after its thread has ended.
        with (
            VideoWriter(output, width, height, reader.fps) as writer,
            closing(ahead(wanted_frames(reader, list(rows)))) as frames,
            Behind() as behind,
        ):
            for frame in frames:
                overlay = draw_people(frame.image, poses.select(rows[frame.index]), height)
                panel = stage.panel(frame.index, height, turned=orbit * frame.time)
                behind(partial(writer.write, beside(overlay, [panel]), frame.time))
                count += 1
            if not count:
                raise UserError(f"{video} has none of the frames that the poses are of")
    return Film(count, reader.damage)


def rows_by_frame(poses: Poses) -> dict[int, slice]:
    """Number of each frame -> its rows; `poses` are in order of frames."""
    frames, starts = np.unique(poses.frame, return_index=True)
    ends = [*starts[1:], len(poses)]
    return {f: slice(a, b) for f, a, b in zip(frames.tolist(), starts, ends, strict=True)}


def wanted_frames(source: Iterable[Frame], numbers: Sequence[int]) -> Iterator[Frame]:
    """The frames of a video that have these numbers, rising, with a progress bar on a terminal;
    the rest of the video is not read."""
    wanted, last = set(numbers), max(numbers)
    with tqdm(total=len(numbers), unit="frame", disable=None, leave=False) as bar:
        for frame in source:
            if frame.index in wanted:
                yield frame
                bar.update()
            if frame.index >= last:
                return
