"""Find one person without being told where: look at the whole picture, then closer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from utils.crops import box_around, whole_image_box

# A joint at least this sure (in [0, 1]) tells where the person is.
JOINT_CONFIDENCE = 0.3
# So many such joints are needed for a closer look.
JOINTS_FOR_BOX = 4
# Side of a closer box over the longer extent of those joints. Joints lie inside the body's outline,
# and the unsure ones often outside the sure ones, so some room is left.
MARGIN = 1.4
# A box is looked at only if its side differs from the last one's by this factor, or its centre by
# this part of the side.
BOX_CHANGE = 1.15
CENTRE_CHANGE = 0.1
# Closer looks at one picture; the second is taken only if the first was better than what it had.
CLOSER_LOOKS = 2
# On video the box moves and grows at once, so that nothing quick is cut off, and shrinks by no more
# than this factor a frame, so that a few unsure joints do not cut off the rest.
SHRINK = 0.95
# On video: part of the usual confidence that each frame leaves as it was.
CONFIDENCE_MEMORY = 0.9
# Below this part of the usual confidence the person may be lost: the whole frame is searched.
CONFIDENCE_DROP = 0.7


class Predictor(Protocol):
    """A network that finds the joints, named by `skeleton`, of the person in a box."""

    @property
    def skeleton(self) -> str: ...

    def __call__(
        self, images: list[np.ndarray], boxes: np.ndarray, flip: bool = True
    ) -> tuple[np.ndarray, np.ndarray]:
        """Pictures uint8 (H, W, 3) and boxes (N, 3) px -> joints (N, J, 2) px, sureness (N, J)."""
        ...


@dataclass(frozen=True)
class Sighting:
    """One person seen in `box` (3,) px: `keypoints` (J, 2) px and `confidence` (J,) in [0, 1]."""

    box: np.ndarray
    keypoints: np.ndarray
    confidence: np.ndarray

    @property
    def mean_confidence(self) -> float:
        """Mean over all joints, in [0, 1]."""
        return float(self.confidence.mean())

    def unless_below(self, min_confidence: float) -> "Sighting":
        """Itself, or nobody (NaN, confidence 0) if the mean confidence is below the limit."""
        if self.mean_confidence >= min_confidence:
            return self
        return Sighting(
            np.full_like(self.box, np.nan),
            np.full_like(self.keypoints, np.nan),
            np.zeros_like(self.confidence),
        )


def find_people(
    predictor: Predictor, images: Sequence[np.ndarray], flip: bool = True
) -> list[Sighting]:
    """Look for one person in each picture, uint8 (H, W, 3): the surest of a few looks.

    First the whole picture, then the box that the sure joints span, as often as that helps and at
    most CLOSER_LOOKS times. All pictures are looked at together.
    """
    whole = np.stack([whole_image_box(image.shape[1], image.shape[0]) for image in images])
    best = look(predictor, images, whole, flip)
    pending = list(range(len(images)))
    for _ in range(CLOSER_LOOKS):
        boxes = {i: box for i in pending if (box := _closer_box(best[i])) is not None}
        if not boxes:
            break
        closer = look(predictor, [images[i] for i in boxes], np.stack(list(boxes.values())), flip)
        pending = []
        for i, sighting in zip(boxes, closer, strict=True):
            if sighting.mean_confidence > best[i].mean_confidence:
                best[i] = sighting
                pending.append(i)
    return best


def look(
    predictor: Predictor, images: Sequence[np.ndarray], boxes: np.ndarray, flip: bool
) -> list[Sighting]:
    """One look at box `boxes[i]` (N, 3) px of picture i."""
    keypoints, confidence = predictor(list(images), boxes, flip=flip)
    return [Sighting(*row) for row in zip(boxes, keypoints, confidence, strict=True)]


def _box_of_joints(sighting: Sighting) -> np.ndarray | None:
    sure = sighting.confidence >= JOINT_CONFIDENCE
    if sure.sum() < JOINTS_FOR_BOX:
        return None
    return box_around(sighting.keypoints[sure], MARGIN)


def _closer_box(sighting: Sighting) -> np.ndarray | None:
    """Box of the sure joints, or None if there are too few, or if it was as good as looked at."""
    box = _box_of_joints(sighting)
    if box is None:
        return None
    ratio = box[2] / sighting.box[2]
    moved = np.abs(box[:2] - sighting.box[:2]).max() / sighting.box[2]
    same = 1 / BOX_CHANGE < ratio < BOX_CHANGE and moved < CENTRE_CHANGE
    return None if same else box


class Follower:
    """Follows one person through the frames of a video, which are given to it one after another.

    Each frame is looked at where the joints of the frames before say, one look a frame. When the
    confidence drops below what it usually was, or there is nobody, the whole frame is searched.
    """

    def __init__(self, predictor: Predictor, min_confidence: float, flip: bool = True) -> None:
        self._predictor = predictor
        self._flip = flip
        self._min_confidence = min_confidence
        self._box: np.ndarray | None = None
        self._usual = 0.0

    def __call__(self, image: np.ndarray) -> Sighting:
        """Next frame, uint8 (H, W, 3) -> the person, or nobody: NaN with confidence 0."""
        sighting = self._follow(image)
        limit = max(self._min_confidence, CONFIDENCE_DROP * self._usual)
        if sighting is None or sighting.mean_confidence < limit:
            found = find_people(self._predictor, [image], self._flip)[0]
            if sighting is None or found.mean_confidence > sighting.mean_confidence:
                sighting, self._box = found, None
        self._remember(sighting)
        return sighting.unless_below(self._min_confidence)

    def _follow(self, image: np.ndarray) -> Sighting | None:
        if self._box is None:
            return None
        return look(self._predictor, [image], self._box[None], self._flip)[0]

    def _remember(self, sighting: Sighting) -> None:
        confidence = sighting.mean_confidence
        box = _box_of_joints(sighting)
        if confidence < self._min_confidence or box is None:
            self._box, self._usual = None, 0.0
            return
        if self._box is None:
            self._box, self._usual = box, confidence
            return
        self._box = np.array([*box[:2], max(box[2], SHRINK * self._box[2])], box.dtype)
        self._usual = CONFIDENCE_MEMORY * self._usual + (1 - CONFIDENCE_MEMORY) * confidence
