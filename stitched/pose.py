"""`run.py pose`: pictures, folders, videos and webcams in; 2D poses out, as files and drawn."""

import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import groupby, takewhile
from pathlib import Path

import numpy as np
from tqdm import tqdm

from stitched.inputs import Source, expand_inputs
from stitched.options import PoseOptions
from stitched.outputs import OverlayNames, PoseRows, Report, check_folder
from stitched.person_finder import Follower, Predictor, Sighting, find_people
from utils.drawing import draw_pose
from utils.errors import UserError
from utils.images import read_image, write_image
from utils.pose_file import write_poses
from utils.pose_json import write_pose_json
from utils.skeletons import SKELETONS
from utils.video import FrameSource, VideoReader, VideoWriter, open_webcam

# Pictures looked at together: until there are so many, or they have so many pixels.
BATCH = 16
BATCH_PIXELS = 32_000_000
# Joints less sure than this (in [0, 1]) are in the pose file but not drawn: most of them are wrong.
DRAWN_CONFIDENCE = 0.15


def load_predictor(options: PoseOptions) -> Predictor:
    """The trained network that the options ask for."""
    # Here, so that nothing waits for torch until the inputs and the output folder are in order.
    from stacked_hourglass.predictor import Predictor as Hourglass

    return Hourglass.load(options.load, options.accelerator, options.precision)


@dataclass
class Job:
    """All that looking at one source needs."""

    options: PoseOptions
    predictor: Predictor
    rows: PoseRows
    names: OverlayNames
    report: Report

    def draw(self, image: np.ndarray, sighting: Sighting) -> np.ndarray:
        """A copy of the picture with the pose on it."""
        skeleton = SKELETONS[self.predictor.skeleton]
        return draw_pose(image, sighting.keypoints, sighting.confidence, skeleton, DRAWN_CONFIDENCE)


def run(options: PoseOptions, load: Callable[[PoseOptions], Predictor] = load_predictor) -> int:
    """Find one person in each picture and frame; write poses.npz, poses.json and overlays.

    Returns the exit code: 0, 1 if an input failed (it is named on stderr), 130 after Ctrl-C. What
    was looked at is written in every case. Raises UserError if nothing could be looked at, or
    written.
    """
    sources, errors = expand_inputs(options.inputs)
    report = Report(sources, errors)
    if not sources:
        report.finish(rows=0)
    folder = Path(options.output_dir)
    check_folder(folder)
    predictor = load(options)
    names = OverlayNames(folder, sources)
    job = Job(options, predictor, PoseRows(predictor.skeleton), names, report)
    begin = time.perf_counter()
    stopped = False
    try:
        _look_at(job, sources)
    except KeyboardInterrupt:
        if not job.rows:
            raise
        stopped = True
    _write(job, folder, time.perf_counter() - begin)
    return 130 if stopped else int(bool(report.errors))


def _look_at(job: Job, sources: list[Source]) -> None:
    for are_pictures, group in groupby(sources, key=lambda source: source.kind == "picture"):
        if are_pictures:
            _pictures(job, list(group))
            continue
        for source in group:
            begin = time.perf_counter()
            try:
                _video(job, source)
            except UserError as error:
                job.report.fail(error)
            finally:
                job.report.done(source, time.perf_counter() - begin)


def _write(job: Job, folder: Path, seconds: float) -> None:
    count = len(job.rows)
    job.report.finish(count)
    poses = job.rows.poses()
    write_poses(folder / "poses.npz", poses)
    write_pose_json(folder / "poses.json", poses)
    unit = "picture or frame" if count == 1 else "pictures and frames"
    print(f"{count} {unit} in {seconds:.1f} s, {count / seconds:.1f} a second")
    overlays = " and the overlays" if job.options.overlay else ""
    print(f"poses.npz, poses.json{overlays} are in {folder}")


def _pictures(job: Job, sources: list[Source]) -> None:
    for batch in _batches(job, sources):
        sightings = find_people(job.predictor, [image for _, image in batch], job.options.flip)
        for (source, image), seen in zip(batch, sightings, strict=True):
            sighting = seen.unless_below(job.options.min_confidence)
            job.rows.add(source, sighting, image)
            if job.options.overlay:
                _draw_picture(job, source, image, sighting)
            job.report.count(source, sighting is seen)
            job.report.done(source)


def _batches(job: Job, sources: list[Source]) -> Iterator[list[tuple[Source, np.ndarray]]]:
    """Read pictures, a few at a time; what cannot be read is reported and left out."""
    batch: list[tuple[Source, np.ndarray]] = []
    pixels = 0
    for source in tqdm(sources, unit="picture", disable=None, leave=False):
        try:
            image = read_image(source.name)
        except UserError as error:
            job.report.fail(error)
            job.report.done(source)
            continue
        batch.append((source, image))
        pixels += image.shape[0] * image.shape[1]
        if len(batch) == BATCH or pixels >= BATCH_PIXELS:
            yield batch
            batch, pixels = [], 0
    if batch:
        yield batch


def _draw_picture(job: Job, source: Source, image: np.ndarray, sighting: Sighting) -> None:
    try:
        write_image(job.names.new(source), job.draw(image, sighting))
    except UserError as error:
        job.report.fail(error)


def _video(job: Job, source: Source) -> None:
    """Look at a video or webcam; Ctrl-C ends it in order, and all else too if it is a video."""
    follower = Follower(job.predictor, job.options.min_confidence, job.options.flip)
    before = len(job.rows)
    stopped = False
    with _open(source, job.options) as frames, _overlay_video(job, source, frames) as overlay:
        try:
            for frame in _shown(frames, job.options.end):
                sighting = follower(frame.image)
                job.rows.add(source, sighting, frame.image, frame.index, frame.time)
                job.report.count(source, not np.isnan(sighting.keypoints).all())
                if overlay is not None:
                    overlay.write(job.draw(frame.image, sighting), frame.time)
        except KeyboardInterrupt:
            if len(job.rows) == before:
                raise
            stopped = True
    if frames.damage:
        job.report.fail(UserError(frames.damage))
    if stopped and source.kind == "video":
        raise KeyboardInterrupt


def _open(source: Source, options: PoseOptions) -> FrameSource:
    if source.kind == "webcam":
        return open_webcam(int(source.name))
    return VideoReader(source.name, options.start, options.end)


def _overlay_video(job: Job, source: Source, frames: FrameSource) -> VideoWriter | nullcontext:
    if not job.options.overlay:
        return nullcontext()
    return VideoWriter(job.names.new(source), frames.width, frames.height, frames.fps)


def _shown(frames: FrameSource, end: float | None) -> Iterator:
    """Frames before `end` (s; a webcam knows none itself), with a progress bar on a terminal."""
    bar = tqdm(frames, total=frames.frame_count, unit="frame", disable=None, leave=False)
    return takewhile(lambda frame: end is None or frame.time < end, bar)
