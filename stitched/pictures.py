"""Pictures: looked at some at a time, lifted and drawn."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from stitched.inputs import Source
from stitched.job import Job, draw_seen
from stitched.lifting import PoseLifter
from stitched.outputs import PoseRows
from stitched.people import PeopleFinder, Seen
from stitched.profile import Clock
from stitched.visualization.panels import overlay_with_panel
from utils.errors import UserError
from utils.images import read_image, write_image
from utils.pose_file import Poses, concatenate

# Pictures looked at together: until there are so many, or they have so many pixels.
BATCH = 16
BATCH_PIXELS = 32_000_000


class Picture(NamedTuple):
    """A picture, uint8 (H, W, 3), and where it is from."""

    source: Source
    image: np.ndarray


def find_in_pictures(
    finder: PeopleFinder,
    lifter: PoseLifter | None,
    batch: Sequence[Picture],
    clock: Clock | None = None,
) -> list[tuple[Seen, Poses]]:
    """The people of each picture, as they were seen and as rows, lifted if there is a lifter."""
    sources, images = zip(*batch, strict=True)
    found = finder.in_pictures(sources, images)
    parts: list[Poses] = []
    for (source, image), seen in zip(batch, found, strict=True):
        rows = PoseRows(source, finder.predictor.skeleton)
        rows.add(seen, image)
        parts.append(rows.poses())
    if lifter is not None:
        ends = np.cumsum([len(part) for part in parts])
        with (clock or Clock())("lift"):
            lifted = lifter.pictures(concatenate(parts))
        parts = [
            lifted.select(slice(end - len(part), end))
            for part, end in zip(parts, ends, strict=True)
        ]
    return list(zip(found, parts, strict=True))


def look_at_pictures(job: Job, sources: Sequence[Source]) -> None:
    """Look at pictures; the rows and drawings of each are done when this returns."""
    for batch in in_batches(_read(job, sources)):
        found = find_in_pictures(job.finder, job.lifter, batch, job.clock)
        for picture, (seen, poses) in zip(batch, found, strict=True):
            _draw(job, picture, seen, poses)
            job.results.add(poses)
            job.report.count(picture.source, seen)
            job.report.done(picture.source)


def in_batches(pictures: Iterable[Picture]) -> Iterator[list[Picture]]:
    """Pictures to look at together; few of large ones, for they are all in memory."""
    batch: list[Picture] = []
    pixels = 0
    for picture in pictures:
        batch.append(picture)
        pixels += picture.image.shape[0] * picture.image.shape[1]
        if len(batch) == BATCH or pixels >= BATCH_PIXELS:
            yield batch
            batch, pixels = [], 0
    if batch:
        yield batch


def _read(job: Job, sources: Sequence[Source]) -> Iterator[Picture]:
    """The pictures, one by one; what cannot be read is reported and left out."""
    for source in tqdm(sources, unit="picture", disable=None, leave=False):
        try:
            job.finder.check(source)
            with job.clock("decode"):
                image = read_image(source.name)
        except UserError as error:
            job.report.fail(error)
            job.report.done(source)
            continue
        yield Picture(source, image)


def _draw(job: Job, picture: Picture, seen: Seen, poses: Poses) -> None:
    if not job.options.files.overlay:
        return
    overlay, panel = job.names.of(picture.source)
    try:
        with job.clock("draw"):
            drawn = draw_seen(picture.image, seen)
        with job.clock("encode"):
            write_image(overlay, drawn)
        if job.lifter is not None and job.options.files.overlay_3d:
            with job.clock("draw"):
                drawn = overlay_with_panel(picture.image, poses)
            with job.clock("encode"):
                write_image(panel, drawn)
    except UserError as error:
        job.report.fail(error)
