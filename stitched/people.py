"""Who is in a frame: one person who is followed, or several whose boxes are known."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from stitched.boxes_file import Boxes, BoxesFile
from stitched.inputs import Source
from stitched.options import PeopleOptions
from stitched.person_finder import Follower, Predictor, Sighting, find_people, look
from utils.frames import Frame

Seen = list[tuple[int, Sighting]]
"""The people of one picture or frame: number, and what was seen of them."""
AT_ONCE = 32
"""People that go through the network together: each takes some 30 MB in it."""
Detector = Callable[[np.ndarray], Boxes]
"""Picture uint8 (H, W, 3) -> boxes of the people in it, the surest first."""


class Watcher(Protocol):
    """Looks at the frames of one video, in their order."""

    def __call__(self, frame: Frame) -> Seen: ...


class PeopleFinder:
    """Finds the people that the options ask for, in pictures and videos.

    Raises UserError for a file of boxes or a detector that cannot be used.
    """

    def __init__(
        self, predictor: Predictor, options: PeopleOptions, accelerator: str = "auto"
    ) -> None:
        self.predictor = predictor
        self.options = options
        self._file = BoxesFile(options.boxes) if options.boxes else None
        self._detector: Detector | None = None
        if options.detector == "torchvision":
            # Not at the top: torchvision is no part of the installation.
            from stitched.detector import TorchvisionDetector

            self._detector = TorchvisionDetector(accelerator)

    def check(self, source: Source) -> None:
        """Raises UserError if the file of boxes, where there is one, has none for this source."""
        if self._file is not None:
            self._file.check(source.name)

    def in_pictures(self, sources: Sequence[Source], images: Sequence[np.ndarray]) -> list[Seen]:
        """People of each picture, uint8 (H, W, 3). Somebody unsure is NaN with confidence 0."""
        flip = self.options.flip
        if self._file is None and self._detector is None:
            found = find_people(self.predictor, images, flip)
            return [[(0, self._if_sure(sighting))] for sighting in found]
        pairs = zip(sources, images, strict=True)
        boxes = [self._boxes(source, 0, image) for source, image in pairs]
        owners = [image for image, part in zip(images, boxes, strict=True) for _ in part.places]
        seen = self._look(owners, np.concatenate([part.places for part in boxes]), flip)
        ends = np.cumsum([len(part.places) for part in boxes])[:-1]
        groups = [seen[a:b] for a, b in zip([0, *ends], [*ends, len(seen)], strict=True)]
        return [_numbered(group, part.people) for group, part in zip(groups, boxes, strict=True)]

    def in_video(self, source: Source) -> Watcher:
        """What looks at the frames of a video, one after another.

        People whom the boxes do not number are told apart by a `Tracker`.
        """
        flip = self.options.flip_video
        if self._file is None and self._detector is None:
            follower = Follower(self.predictor, self.options.min_confidence, flip)
            return lambda frame: [(0, follower(frame.image))]
        # Here, because it loads much that pictures need nothing of.
        from stitched.tracking import Tracker

        tracker = Tracker()

        def watch(frame: Frame) -> Seen:
            boxes = self._boxes(source, frame.index, frame.image)
            people = boxes.people
            if people is None and self.options.people == 1:
                people = np.zeros(len(boxes.places), np.int64)
            elif people is None:
                people = tracker(boxes.places, frame.time)
            images = [frame.image] * len(boxes.places)
            return _numbered(self._look(images, boxes.places, flip), people)

        return watch

    def _boxes(self, source: Source, frame: int, image: np.ndarray) -> Boxes:
        if self._file is not None:
            found = self._file.of(source.name, frame)
        else:
            assert self._detector is not None
            found = self._detector(image)
        return found.first(self.options.people)

    def _look(self, images: Sequence[np.ndarray], boxes: np.ndarray, flip: bool) -> list[Sighting]:
        seen: list[Sighting] = []
        for start in range(0, len(boxes), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            seen += look(self.predictor, images[part], boxes[part], flip)
        return [self._if_sure(one) for one in seen]

    def _if_sure(self, sighting: Sighting) -> Sighting:
        return sighting.unless_below(self.options.min_confidence)


def _numbered(sightings: list[Sighting], people: np.ndarray | None) -> Seen:
    numbers = range(len(sightings)) if people is None else people.tolist()
    return list(zip(numbers, sightings, strict=True))
