"""Find one person without being told where: look at the whole picture, then closer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from stacked_hourglass.joints import FoundJoints
from utils.crops import box_around, whole_image_box
from utils.skeletons import skeleton_named

# The numbers below were chosen on validation pictures of LSP, as they are and inside larger ones.

# A joint at least this sure (in [0, 1]) tells where the person is.
JOINT_CONFIDENCE = 0.3
# So many such joints are needed for a box.
JOINTS_FOR_BOX = 4
# Side of a box over the longer extent of those joints: joints lie inside the body's outline, and
# the unsure ones often outside the sure ones.
MARGIN = 1.3
TRUNK, FEET = ("upper_neck", "left_hip", "right_hip"), ("left_ankle", "right_ankle")
# Length of outstretched legs over that of the trunk, hips to upper neck.
LEGS = 1.6
# A closer box is looked at only if its side is at most this part of the last one's,
CLOSER = 0.8
# as often as this,
CLOSER_LOOKS = 2
# and taken if its confidence is at least this part of the last one's. (The larger a person is in
# the box, the farther off, in its px, a joint may be found, and the less sure it looks.)
CONFIDENCE_KEPT = 0.9
# A stray joint keeps a box wide. So where most of the sure joints are is looked at, too: about
# their median, with this many times their median distance from it to each side.
CORE = 2.5
# Below this mean confidence the person is also searched for in parts of the picture: squares of its
# longer side divided by each zoom, half overlapping.
UNSURE = 0.7
# The same for somebody who is being followed, who is likely to be still there.
LOST = 0.45
ZOOMS = (1.5, 2.25)
# What is found elsewhere counts if it is surer by this factor: of many places one looks good by
# chance, and on video the person should stay the same.
GAIN = 1.15
# On video the box moves and grows at once, so that nothing quick is cut off, and shrinks by no more
# than this factor a frame, so that a few unsure joints do not cut off the rest.
SHRINK = 0.95
# On video: part of the usual confidence that each frame leaves as it was.
CONFIDENCE_MEMORY = 0.9
# Below this part of the usual confidence the person may be lost: the whole frame is looked at.
CONFIDENCE_DROP = 0.7
# Every so many frames the whole frame is looked at, and searched in parts, in any case.
SEARCH_EVERY = 30


class Predictor(Protocol):
    """A network that finds the joints, named by `skeleton`, of the person in a box."""

    @property
    def skeleton(self) -> str: ...

    def __call__(
        self, images: list[np.ndarray], boxes: np.ndarray, flip: bool = True
    ) -> FoundJoints:
        """Pictures uint8 (H, W, 3) and boxes (N, 3) px -> the joints of one person in each."""
        ...


@dataclass(frozen=True)
class Sighting:
    """One person seen in `box` (3,) px: `keypoints` (J, 2) px of `skeleton`, their `confidence`
    (J,) in [0, 1] and, where the network tells, the probability `visibility` (J,) of being seen."""

    box: np.ndarray
    keypoints: np.ndarray
    confidence: np.ndarray
    skeleton: str
    visibility: np.ndarray | None = None

    @property
    def mean_confidence(self) -> float:
        """Mean over the joints, in [0, 1]; 0 of nobody. Joints that the network never learned have
        no place, and do not count."""
        found = ~np.isnan(self.keypoints).any(axis=-1)
        return float(self.confidence[found].mean()) if found.any() else 0.0

    @property
    def is_somebody(self) -> bool:
        """Is there a joint?"""
        return not np.isnan(self.keypoints).all()

    def unless_below(self, min_confidence: float) -> "Sighting":
        """Itself, or nobody (NaN, confidence 0) if the mean confidence is below the limit."""
        is_sure = self.mean_confidence >= min_confidence
        return self if is_sure else Sighting.nobody(self.skeleton)

    @staticmethod
    def nobody(skeleton: str) -> "Sighting":
        """Nobody is there: all NaN, with confidence 0."""
        joints = len(skeleton_named(skeleton))
        return Sighting(
            np.full(3, np.nan, np.float32),
            np.full((joints, 2), np.nan, np.float32),
            np.zeros(joints, np.float32),
            skeleton,
        )


def find_people(
    predictor: Predictor,
    images: Sequence[np.ndarray],
    flip: bool = True,
    search_below: float = UNSURE,
) -> list[Sighting]:
    """Look for one person in each picture, uint8 (H, W, 3).

    First the whole picture, then, where the sure joints span a smaller box, that box. Where the
    mean confidence stays below `search_below`, parts of the picture likewise. All pictures are
    looked at together, so that the network gets large batches.
    """
    whole = [whole_image_box(image.shape[1], image.shape[0]) for image in images]
    best = _look_closer(predictor, images, look(predictor, images, np.stack(whole), flip), flip)
    unsure = [i for i, seen in enumerate(best) if seen.mean_confidence < search_below]
    if not unsure:
        return best
    parts = np.stack([_surest_part(predictor, images[i]) for i in unsure])
    doubtful = [images[i] for i in unsure]
    found = _look_closer(predictor, doubtful, look(predictor, doubtful, parts, flip), flip)
    for i, seen in zip(unsure, found, strict=True):
        if seen.mean_confidence > GAIN * best[i].mean_confidence:
            best[i] = seen
    return best


def look(
    predictor: Predictor, images: Sequence[np.ndarray], boxes: np.ndarray, flip: bool
) -> list[Sighting]:
    """One look at box `boxes[i]` (N, 3) px of picture i."""
    found = predictor(list(images), boxes, flip=flip)
    return [
        Sighting(
            box,
            found.keypoints[row],
            found.confidence[row],
            predictor.skeleton,
            None if found.visibility is None else found.visibility[row],
        )
        for row, box in enumerate(boxes)
    ]


def _look_closer(
    predictor: Predictor, images: Sequence[np.ndarray], seen: list[Sighting], flip: bool
) -> list[Sighting]:
    """Look again where the sure joints span a smaller box, and where most of them are."""
    looks = [(_box_of_joints, CONFIDENCE_KEPT)] * CLOSER_LOOKS
    seen = _look_again(predictor, images, seen, looks, flip)
    return _look_again(predictor, images, seen, [(_box_of_core, 1.0), *looks], flip)


def _look_again(
    predictor: Predictor,
    images: Sequence[np.ndarray],
    seen: list[Sighting],
    looks: list[tuple[Callable[[Sighting], np.ndarray | None], float]],
    flip: bool,
) -> list[Sighting]:
    """Look after look at a smaller box, as long as that keeps its part of the confidence."""
    seen = list(seen)
    pending = list(range(len(images)))
    for box_of, kept in looks:
        boxes = {i: box for i in pending if (box := box_of(seen[i])) is not None}
        pending = [i for i, box in boxes.items() if box[2] <= CLOSER * seen[i].box[2]]
        if not pending:
            break
        places = np.stack([boxes[i] for i in pending])
        closer = look(predictor, [images[i] for i in pending], places, flip)
        better = [
            (i, sighting)
            for i, sighting in zip(pending, closer, strict=True)
            if sighting.mean_confidence > kept * seen[i].mean_confidence
        ]
        for i, sighting in better:
            seen[i] = sighting
        pending = [i for i, _ in better]
    return seen


def _box_of_joints(sighting: Sighting) -> np.ndarray | None:
    """Box (3,) px around the sure joints, None if there are too few.

    Where an ankle is unsure, the box leaves room for the legs: a box that once cut them off would
    never show the network what it needs to become sure of them.
    """
    sure = sighting.confidence >= JOINT_CONFIDENCE
    if sure.sum() < JOINTS_FOR_BOX:
        return None
    points = sighting.keypoints[sure]
    skeleton = skeleton_named(sighting.skeleton)
    if {*TRUNK, *FEET} <= {*skeleton.joints}:
        trunk, feet = skeleton.indices(*TRUNK), skeleton.indices(*FEET)
        if sure[trunk].all() and not sure[feet].all():
            neck, *hips = sighting.keypoints[trunk]
            pelvis = np.mean(hips, axis=0)
            points = np.concatenate([points, [pelvis + LEGS * (pelvis - neck)]])
    return box_around(points, MARGIN)


def _box_of_core(sighting: Sighting) -> np.ndarray | None:
    """Box (3,) px around where most of the sure joints are, None if there are too few."""
    sure = sighting.keypoints[sighting.confidence >= JOINT_CONFIDENCE]
    if len(sure) < JOINTS_FOR_BOX:
        return None
    middle = np.median(sure, axis=0)
    distance = np.median(np.abs(sure - middle).max(axis=1))
    return np.array([*middle, max(2 * CORE * distance, 1.0)], sure.dtype)  # joints in one place


def _surest_part(predictor: Predictor, image: np.ndarray) -> np.ndarray:
    """Box (3,) px of the part in which the network is surest; without flipping, to be quick."""
    boxes = np.concatenate([part_boxes(image.shape[1], image.shape[0], zoom) for zoom in ZOOMS])
    confidence = predictor([image] * len(boxes), boxes, flip=False).confidence
    return boxes[confidence.mean(axis=1).argmax()]


def part_boxes(width: int, height: int, zoom: float) -> np.ndarray:
    """Boxes (N, 3) px that cover a picture: the longer side over `zoom`, half overlapping."""
    side = max(width, height) / zoom

    def centres(length: int) -> np.ndarray:
        if length <= side:
            return np.array([(length - 1) / 2])
        steps = int(np.ceil((length - side) / (side / 2)))
        return np.linspace((side - 1) / 2, length - 1 - (side - 1) / 2, steps + 1)

    places = [(x, y, side) for y in centres(height) for x in centres(width)]
    return np.array(places, np.float32)


class Follower:
    """Follows one person through the frames of a video, which are given to it one after another.

    Each frame is looked at where the joints of the frame before were: one look a frame. The whole
    frame is looked at when the confidence drops below what it usually was, when there is nobody,
    and now and then, in case the person is somewhere else.
    """

    def __init__(self, predictor: Predictor, min_confidence: float, flip: bool = True) -> None:
        self._predictor = predictor
        self._flip = flip
        self._min_confidence = min_confidence
        self._box: np.ndarray | None = None
        self._usual = 0.0
        self._frames = 0

    def __call__(self, image: np.ndarray) -> Sighting:
        """Next frame, uint8 (H, W, 3) -> the person, or nobody: NaN with confidence 0."""
        sighting = self._follow(image)
        is_due = self._frames % SEARCH_EVERY == 0
        self._frames += 1
        limit = max(self._min_confidence, CONFIDENCE_DROP * self._usual)
        if sighting is None or sighting.mean_confidence < limit or is_due:
            search_below = (UNSURE if self._box is None else LOST) if is_due else 0.0
            found = find_people(self._predictor, [image], self._flip, search_below)[0]
            if sighting is None or self._is_better(found, sighting):
                sighting, self._box = found, None
        self._remember(sighting)
        return sighting.unless_below(self._min_confidence)

    def _is_better(self, found: Sighting, followed: Sighting) -> bool:
        gain = found.mean_confidence > GAIN * followed.mean_confidence
        return gain or followed.mean_confidence < self._min_confidence <= found.mean_confidence

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
