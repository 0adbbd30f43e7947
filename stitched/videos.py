"""Videos and webcams: looked at frame by frame, then smoothed and lifted as a whole."""

import math
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path

import numpy as np
from tqdm import tqdm

from stitched.concurrency import Behind, ahead
from stitched.inputs import Source
from stitched.job import Job, draw_seen
from stitched.lifting import PoseLifter
from stitched.live import Window, has_display
from stitched.options import VideoOptions
from stitched.outputs import PoseRows
from stitched.people import PeopleFinder, Seen
from stitched.profile import Clock
from stitched.smoothing import LiveSmoother, smooth_both_ways
from stitched.visualization.film import rows_by_frame, wanted_frames, write_film
from stitched.visualization.panels import draw_people
from utils.errors import UserError
from utils.frames import Frame, FrameSource
from utils.pose_file import Poses
from utils.threads import one_core_left
from utils.video import VideoReader, VideoWriter, open_webcam


def open_source(source: Source, options: VideoOptions) -> FrameSource:
    """A video or webcam. Raises UserError if it gives no frame."""
    if source.kind == "webcam":
        return open_webcam(int(source.name))
    return VideoReader(source.name, options.start, options.end)


def watch(
    finder: PeopleFinder,
    options: VideoOptions,
    source: Source,
    frames: FrameSource,
    clock: Clock | None = None,
) -> Generator[tuple[Frame, Seen]]:
    """The frames that are looked at, with the people in each. Close it before the source.

    Frames from `options.end` on, and those between --fps, are left out. A video is decoded ahead,
    in a thread of its own.
    """
    bar = tqdm(frames, total=frames.frame_count, unit="frame", disable=None, leave=False)
    coming = (clock or Clock()).each("decode", bar)
    find = finder.in_video(source)
    calm = LiveSmoother() if options.smooth == "one_euro" else lambda seen, _: seen
    end = math.inf if options.end is None else options.end
    with ExitStack() as stack:
        if source.kind == "video":
            # Closed before the video is: no thread may read what is gone.
            coming = stack.enter_context(closing(ahead(coming)))
        for frame in sampled(takewhile(lambda frame: frame.time < end, coming), options.fps):
            yield frame, calm(find(frame), frame.time)


def sampled(frames: Iterable[Frame], fps: float | None) -> Iterator[Frame]:
    """The first frame of each of `fps` equal parts of a second; all frames if it is None."""
    last = -math.inf
    for frame in frames:
        # A hair more, because times are rounded.
        part = frame.index if fps is None else math.floor(frame.time * fps + 1e-6)
        if part > last:
            last = part
            yield frame


def finish(rows: PoseRows, options: VideoOptions, lifter: PoseLifter | None, fps: float) -> Poses:
    """Rows of a video, whose frames come `fps` a second, smoothed and lifted as a whole."""
    poses = rows.poses()
    if options.smooth == "savitzky_golay":
        poses = smooth_both_ways(poses)
    if lifter is None:
        return poses
    return lifter.video(poses, math.ceil(fps / (options.fps or fps)))


def look_at_video(job: Job, source: Source) -> None:
    """Look at a video or webcam; its rows and drawings are done when this returns.

    Ctrl-C ends it in order, and then, if it is a video or nothing was seen, is raised again. Raises
    UserError if there is no frame to be had.
    """
    rows = PoseRows(source, job.finder.predictor.skeleton)
    is_whole = True
    with open_source(source, job.options.video) as frames:
        try:
            is_whole = _watch_all(job, source, frames, rows)
        except UserError as error:  # of the drawing: the rows are good
            job.report.fail(error)
    if frames.damage:
        job.report.fail(UserError(frames.damage))
    if not rows:
        return
    with job.clock("lift"):
        poses = finish(rows, job.options.video, job.lifter, frames.fps)
    if is_whole and source.kind == "video":
        _draw_whole(job, source, poses)
    job.results.add(poses)
    if not is_whole and source.kind == "video":
        raise KeyboardInterrupt


def _watch_all(job: Job, source: Source, frames: FrameSource, rows: PoseRows) -> bool:
    """Look at all frames, fill `rows`, draw; -> False if Ctrl-C came in between."""
    watched = watch(job.finder, job.options.video, source, frames, job.clock)
    with _screen(job, source, frames) as screen:
        try:
            with closing(watched), one_core_left():
                for frame, seen in watched:
                    rows.add(seen, frame.image, frame.index, frame.time)
                    job.report.count(source, seen)
                    screen.show(frame, seen)
                    if screen.is_closed:
                        break
        except KeyboardInterrupt:
            if not rows:
                raise
            return False
    return True


@dataclass
class _Screen:
    """Where frames go with poses on them, while they come: a video, a window, both, or neither."""

    job: Job
    writer: VideoWriter | None
    window: Window | None
    behind: Behind

    @property
    def is_closed(self) -> bool:
        """Has the user closed the window?"""
        return self.window is not None and self.window.is_closed

    def show(self, frame: Frame, seen: Seen) -> None:
        """The next frame."""
        if self.window is not None:
            # Windows belong to the main thread.
            frame = replace(frame, image=self._draw(frame, seen))
            self.window.show(frame.image)
            seen = []
        if self.writer is not None:
            self.behind(lambda: self._write(frame, seen))

    def _draw(self, frame: Frame, seen: Seen) -> np.ndarray:
        with self.job.clock("draw"):
            return draw_seen(frame.image, seen)

    def _write(self, frame: Frame, seen: Seen) -> None:
        image = self._draw(frame, seen) if seen else frame.image
        assert self.writer is not None
        with self.job.clock("encode"):
            self.writer.write(image, frame.time)


@contextmanager
def _screen(job: Job, source: Source, frames: FrameSource) -> Iterator[_Screen]:
    with ExitStack() as stack:
        writer = window = None
        # Smoothing both ways must know the end before the first frame can be drawn.
        waits = source.kind == "video" and job.options.video.smooth == "savitzky_golay"
        if job.options.files.overlay and not waits:
            path, _ = job.names.of(source)
            writer = VideoWriter(path, frames.width, frames.height, frames.fps)
            stack.enter_context(writer)
        if source.kind == "webcam" and job.options.video.window and has_display():
            window = stack.enter_context(Window(f"webcam {source.name}"))
        # Last, so that it has done its work when the video is closed.
        yield _Screen(job, writer, window, stack.enter_context(Behind()))


def _draw_whole(job: Job, source: Source, poses: Poses) -> None:
    """Draw what had to wait for the end of the video. What cannot be written is reported."""
    files, (overlay, film) = job.options.files, job.names.of(source)
    if not files.overlay:
        return
    try:
        with job.clock("film"):
            if job.options.video.smooth == "savitzky_golay":
                _write_overlay(Path(source.name), poses, overlay)
            if files.overlay_3d and job.lifter is not None:
                write_film(Path(source.name), poses, film)
    except UserError as error:
        job.report.fail(error)


def _write_overlay(video: Path, poses: Poses, output: Path) -> None:
    """The frames of a video that have rows, with the rows' poses on them."""
    rows = rows_by_frame(poses)
    with ExitStack() as stack:
        reader = stack.enter_context(VideoReader(video))
        writer = VideoWriter(output, reader.width, reader.height, reader.fps)
        stack.enter_context(writer)
        for frame in wanted_frames(reader, list(rows)):
            shown = poses.select(rows[frame.index])
            writer.write(draw_people(frame.image, shown, reader.height), frame.time)
