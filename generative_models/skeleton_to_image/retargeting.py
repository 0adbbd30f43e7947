"""One person's motion on another's limbs, in another's place, in 2D.

Every limb keeps its direction and gets the other person's length: the ratio of both people's usual
longest lengths (turned towards the camera a limb is shorter). Left and right limbs share a ratio.
The lowest ankle of every frame keeps its height above the ground, in the new size; the way over the
picture is scaled as the body is, about the other person's usual place.
"""

import numpy as np

from utils.skeletons import DANCE_13

LONGEST = 90
"""Percentile of a limb's lengths over the frames that counts as its usual longest."""
GROUND = 90
"""Percentile of the lowest ankles' heights over the frames that counts as the ground."""
_NECK, _PELVIS = len(DANCE_13), len(DANCE_13) + 1
_J = DANCE_13.index
_ANKLES = DANCE_13.indices("left_ankle", "right_ankle")


def _sides(start: str | int, end: str) -> list[tuple[int, int]]:
    """A limb on the left and on the right."""
    return [
        (start if isinstance(start, int) else _J(f"{side}_{start}"), _J(f"{side}_{end}"))
        for side in ("left", "right")
    ]


LIMBS: tuple[list[tuple[int, int]], ...] = (
    [(_PELVIS, _NECK)],
    [(_NECK, _J("nose"))],
    _sides(_NECK, "shoulder"),
    _sides("shoulder", "elbow"),
    _sides("elbow", "wrist"),
    _sides(_PELVIS, "hip"),
    _sides("hip", "knee"),
    _sides("knee", "ankle"),
)
"""Limbs that share a length, as (start, end), from the pelvis outwards."""


def with_middles(keypoints: np.ndarray) -> np.ndarray:
    """Joints (N, 13, 2) -> (N, 15, 2): also neck and pelvis, middles of shoulders and hips."""
    pairs = [("left_shoulder", "right_shoulder"), ("left_hip", "right_hip")]
    middles = [keypoints[:, DANCE_13.indices(*pair)].mean(axis=1) for pair in pairs]
    return np.concatenate([keypoints, np.stack(middles, axis=1)], axis=1)


def limb_lengths(keypoints: np.ndarray) -> np.ndarray:
    """Usual longest length, px, of every entry of `LIMBS` in poses (N, 13, 2); NaN if unseen."""
    points = with_middles(keypoints)
    lengths = []
    for limb in LIMBS:
        vectors = np.stack([points[:, end] - points[:, start] for start, end in limb])
        length = np.linalg.norm(vectors, axis=-1)
        seen = length[np.isfinite(length)]
        lengths.append(float(np.percentile(seen, LONGEST)) if len(seen) else np.nan)
    return np.array(lengths)


def lowest_ankles(keypoints: np.ndarray) -> np.ndarray:
    """y (N,) px of the lower ankle of each pose; NaN where neither is there."""
    heights = keypoints[:, _ANKLES, 1]
    lowest = np.where(np.isnan(heights), -np.inf, heights).max(axis=1)
    return np.where(np.isfinite(lowest), lowest, np.nan)


def _ground(keypoints: np.ndarray) -> float:
    lowest = lowest_ankles(keypoints)
    lowest = lowest[np.isfinite(lowest)]
    return float(np.percentile(lowest, GROUND)) if len(lowest) else np.nan


def size_ratio(source: np.ndarray, target: np.ndarray) -> float:
    """Target's size over source's: the median ratio of limb lengths; 1 if no limb is in both."""
    lengths = limb_lengths(source), limb_lengths(target)
    ratios = lengths[1] / np.where(lengths[0] > 0, lengths[0], np.nan)
    ratios = ratios[np.isfinite(ratios)]
    return float(np.median(ratios)) if len(ratios) else 1.0


def fit_motion(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Poses (N, 13, 2) px of the source as the target (R, 13, 2) px would have them: (N, 13, 2) px.

    Both dance_13, NaN missing; a joint is missing where one between it and the pelvis is.
    """
    scale = size_ratio(source, target)
    lengths = limb_lengths(source), limb_lengths(target)
    points, fitted = with_middles(source), np.full((len(source), 15, 2), np.nan)
    centre, goal = (_usual_x(one) for one in (source, target))
    fitted[:, _PELVIS] = points[:, _PELVIS] * scale
    fitted[:, _PELVIS, 0] = (points[:, _PELVIS, 0] - centre) * scale + goal
    for limb, own, new in zip(LIMBS, *lengths, strict=True):
        ratio = new / own if own > 0 and np.isfinite(new) else scale
        for start, end in limb:
            fitted[:, end] = fitted[:, start] + ratio * (points[:, end] - points[:, start])
    return _on_ground(fitted[:, : len(DANCE_13)], source, target, scale)


def _usual_x(keypoints: np.ndarray) -> float:
    x = with_middles(keypoints)[:, _PELVIS, 0]
    x = x[np.isfinite(x)]
    return float(np.median(x)) if len(x) else 0.0


def _on_ground(
    fitted: np.ndarray, source: np.ndarray, target: np.ndarray, scale: float
) -> np.ndarray:
    """The fitted poses moved up or down, so that feet are as high above the ground as before.

    Where a frame has no ankle, it is moved as far as the others usually are.
    """
    height = _ground(source) - lowest_ankles(source)
    shift = _ground(target) - scale * height - lowest_ankles(fitted)
    known = shift[np.isfinite(shift)]
    usual = float(np.median(known)) if len(known) else 0.0
    shift = np.where(np.isfinite(shift), shift, usual)
    return fitted + np.stack([np.zeros_like(shift), shift], axis=-1)[:, None]


def fit_size(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """As `fit_motion`, with the source's own proportions: scaled, and put in the target's place."""
    scale = size_ratio(source, target)
    centre, goal = (_usual_x(one) for one in (source, target))
    fitted = (source - np.array([centre, 0])) * scale + np.array([goal, 0])
    return _on_ground(fitted, source, target, scale)
